"""Starts ``examroom`` over and over without importing it over and over: each line on stdin is one forked program.

The fork happens after the imports and before anything of the program ran, so a child is as fresh as a cold start. A
line is ``[environment, arguments, log file]``.
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
            environment, arguments, log = json.loads(line)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            os.environ.update(environment)
            where = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            for stream in (1, 2):
                os.dup2(where, stream)
            sys.argv = ["examroom", *arguments]
            app.main()
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
