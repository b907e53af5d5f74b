"""Starts ``examroom`` over and over without importing it over and over: each line on stdin is one forked program.

The fork happens after the imports and before anything of the program ran, so a child is as fresh as a cold start.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import app


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need no burial
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            sys.argv = ["examroom", *json.loads(line)]
            app.main()
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
