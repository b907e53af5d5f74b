"""What it costs a request to be named, timed and counted, and to have a line of JSON: microseconds of CPU, best of five.

    python tests/benchmarks/operations.py

To be compared with the CPU of a whole save (``tests/benchmarks/delivery.py``).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from qbank.kernel import logs, metrics
from qbank.kernel.logs import Observed

TIMES = 50_000
BODY = [b"{}"]
ENVIRON = {"REQUEST_METHOD": "POST", "PATH_INFO": "/exam/sheets/1/events"}


def plain(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return BODY


def told(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    at = logs.here()
    at.route, at.account = "delivery.events", 5
    return plain(environ, start_response)


def microseconds(act: Callable[[], object]) -> float:
    """CPU of one call."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(TIMES):
            act()
        best = min(best, (time.process_time() - began) / TIMES * 1e6)
    return best


def main() -> None:
    observed = Observed(told, believes=False)
    observe = metrics.WRITE_SECONDS.labels("bench").observe
    nothing = microseconds(lambda: plain(ENVIRON, print_nothing))
    counted = microseconds(lambda: observed(ENVIRON, print_nothing)) - nothing
    written = microseconds(lambda: observe(0.02))
    with Path(os.devnull).open("w", buffering=1) as stream:
        observed.written_to = stream
        lined = microseconds(lambda: observed(ENVIRON, print_nothing)) - nothing
    for name, value in (("a request named, timed and counted", counted), ("a save timed", written), ("the same request with its JSON line", lined)):
        print(json.dumps({"name": name, "value": round(value, 2), "unit": "µs CPU"}, ensure_ascii=False))


def print_nothing(status: str, headers: list[tuple[str, str]], *more: Any) -> None:
    """In the place of a server's ``start_response``."""


if __name__ == "__main__":
    main()
