"""Solving in a child process that is ended when it does not keep to its time. Pure.

A child serves one caller at a time and is kept for the next one; callers in other threads get their own. A child that is
told to do too much is killed, which needs no word from the solver: the caller waits on a queue that a reader fills.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, BinaryIO, cast

from qbank.papers.engine.worker import Frame, read_frame, write_frame

COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from qbank.papers.engine.worker import serve; serve()"
GRACE = 1.0  # seconds beyond its limit before a child is ended
KEPT = 2  # idle children
_idle: list[Child] = []
_lock = Lock()


class Child:
    """One process with HiGHS in it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # this interpreter, these modules
            [sys.executable, "-c", COMMAND, *sys.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    @property
    def alive(self) -> bool:
        """Also False in a process forked from the one that started it: it is not that one's child."""
        return self._process.poll() is None

    def ask(self, task: Frame, seconds: float) -> dict[str, Any] | None:
        """The answer; None when there was none in time (the child is then gone)."""
        answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()

        def converse() -> None:
            try:
                write_frame(cast(BinaryIO, self._process.stdin), task)
                answers.put(read_frame(cast(BinaryIO, self._process.stdout)))
            except (OSError, ValueError):
                answers.put(None)

        Thread(target=converse, daemon=True).start()
        try:
            answer = answers.get(timeout=seconds + GRACE)
        except Empty:
            answer = None
        if answer is None:
            self.end()
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except OSError:  # what could not be written is lost with the child
                    continue


@contextmanager
def borrowed() -> Iterator[Child]:
    """A child of one's own for as long as needed; starting one returns at once, it comes up while one computes."""
    with _lock:
        child = _idle.pop() if _idle else None
    if child is None or not child.alive:
        child = Child()
    try:
        yield child
    finally:
        with _lock:
            keep = child.alive and len(_idle) < KEPT
            if keep:
                _idle.append(child)
        if not keep and child.alive:
            child.end()
