"""What the program says of itself: plain lines, or one JSON object a line, and which request a line belongs to.

A line names a route and the number of an account, never a path, a value or a name. What an exception or a database says may
hold what somebody typed, so that is taken out before it is written.
"""

from __future__ import annotations

import itertools
import json
import logging
import re
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, TextIO

from qbank.kernel import metrics
from qbank.kernel.times import utc_now

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
LOG = logging.getLogger(__name__)
OURS = ("qbank", "examroom", "scoring")
GIVEN_NAME = re.compile(r"[A-Za-z0-9._-]{8,64}")
METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})
HIDDEN = "…"
SCRUBBED = (
    (re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])"), HIDDEN),  # identity numbers
    (re.compile(r"^(\s*(?:DETAIL|CONTEXT|LINE [0-9]+):).*$", re.MULTILINE), rf"\1 {HIDDEN}"),  # where PostgreSQL shows rows
    (re.compile(r"""(['"])(?=[^'"\n]*(?:[^\x00-\x7f]|[0-9]{6}))[^'"\n]*\1"""), rf"\1{HIDDEN}\1"),  # quoted words of people, long numbers
)
FRAMES = ("  File ", "Traceback", "\nDuring", "\nThe above", "  [Previous")


class Here:
    """The request that a thread is at work on. ``route``: of the table of doors."""

    __slots__ = ("account", "name", "route")

    def __init__(self, name: str) -> None:
        self.name, self.route, self.account = name, "other", 0


_threads = threading.local()
_numbers = itertools.count(1)


def here() -> Here:
    """The request at hand; outside of one, something to write on that nobody reads."""
    found: Here | None = getattr(_threads, "here", None)
    return found or Here("")


class Observed:
    """Stands before the whole application: names each request, times it, counts it, and writes its line where lines are JSON."""

    def __init__(self, behind: Wsgi, *, believes: bool) -> None:
        self.behind, self.believes = behind, believes
        self.written_to: TextIO | None = None
        self._beginning = secrets.token_hex(4)  # of this process: a fork would share what the module holds
        self._known: dict[tuple[str, str], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        began = perf_counter()
        at = _threads.here = Here(self._name(environ))
        status = "500"

        def telling(line: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            nonlocal status
            status = line[:3]
            return start_response(line, [*headers, ("X-Request-ID", at.name)], *more)

        try:
            return self.behind(environ, telling)
        finally:
            self._note(at, environ["REQUEST_METHOD"], status, perf_counter() - began)
            _threads.here = None

    def _name(self, environ: dict[str, Any]) -> str:
        """A name that a proxy of ours gave, or one of our own."""
        if self.believes and GIVEN_NAME.fullmatch(given := environ.get("HTTP_X_REQUEST_ID", "")):
            return str(given)
        return f"{self._beginning}{next(_numbers):06x}"

    def _note(self, at: Here, method: str, status: str, seconds: float) -> None:
        counting = self._known.get((at.route, status))
        if counting is None:
            counting = (metrics.REQUESTS.labels(at.route, status).inc, metrics.REQUEST_SECONDS.labels(at.route).observe)
            self._known[at.route, status] = counting
        counting[0]()
        counting[1](seconds)
        if self.written_to is not None:
            self.written_to.write(f'{{"at":"{_moment()}","level":"info","logger":"request","request":"{at.name}",'
                                  f'"method":"{method if method in METHODS else "other"}","route":"{at.route}","status":{status},'
                                  f'"ms":{seconds * 1000:.1f},"account":{at.account or "null"}}}\n')


def scrubbed(text: str) -> str:
    """``text`` without what people typed."""
    for pattern, replacement in SCRUBBED:
        text = pattern.sub(replacement, text)
    return text


class PlainLines(logging.Formatter):
    """As people read them."""

    def format(self, record: logging.LogRecord) -> str:
        told = f"{_moment(record.created)} {record.levelname} {record.name} {_words(record)}"
        request = here().name
        return "\n".join((f"{told} [{request}]" if request else told, *_trace(record)))


class JsonLines(logging.Formatter):
    """As programs read them."""

    def format(self, record: logging.LogRecord) -> str:
        at = here()
        told: dict[str, Any] = {"at": _moment(record.created), "level": record.levelname.lower(), "logger": record.name, "message": _words(record)}
        if at.name:
            told |= {"request": at.name, "route": at.route, "account": at.account or None}
        if trace := _trace(record):
            told["trace"] = "\n".join(trace)
        return json.dumps(told, ensure_ascii=False)


def set_up(log_format: str, stream: TextIO | None = None) -> None:
    """From here on this process writes its lines in ``log_format``, also those of threads that end by an exception."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if log_format == "json" else PlainLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS if log_format == "json" else ():
        logging.getLogger(name).setLevel(logging.INFO)
    sys.excepthook = lambda kind, error, trace: LOG.critical("the process ends", exc_info=(kind, error, trace))
    threading.excepthook = _thread_ended


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        LOG.error("the thread %s ended", ended.thread.name if ended.thread else "", exc_info=ended.exc_value)


def _words(record: logging.LogRecord) -> str:
    try:
        return scrubbed(record.getMessage())
    except (TypeError, ValueError):
        return f"{record.msg!r} does not go with what was to be said"


def _trace(record: logging.LogRecord) -> list[str]:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return []
    lines = traceback.TracebackException.from_exception(error).format()
    return "".join(line if line.startswith(FRAMES) else scrubbed(line) for line in lines).rstrip().splitlines()


def _moment(created: float | None = None) -> str:
    moment = utc_now() if created is None else datetime.fromtimestamp(created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
