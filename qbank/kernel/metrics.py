"""What operators watch on exam day, in Prometheus' terms: counters of this process, and figures read when somebody asks.

Each process counts for itself: add up what its counters say, take the largest of what is read from the database, which
every process reads the same. Labels are words of the program (routes, outcomes), never of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from sqlalchemy.orm import Session

disable_created_metrics()  # type: ignore[no-untyped-call]  # twice as many series, and nobody reads when a counter was born
REGISTRY = CollectorRegistry()
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
MEMBERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

REQUESTS = Counter("examroom_requests", "Requests answered.", ("route", "status"), registry=REGISTRY)
REQUEST_SECONDS = Histogram("examroom_request_seconds", "From a request to its answer.", ("route",), buckets=SECONDS, registry=REGISTRY)
WRITE_SECONDS = Histogram("examroom_write_seconds", "From asking the combined writer until what was asked is durable: what=save is an answer.",
                          ("what",), buckets=SECONDS, registry=REGISTRY)
BATCH_MEMBERS = Histogram("examroom_write_batch_members", "How many writes one commit carried.", buckets=MEMBERS, registry=REGISTRY)
NOT_WRITTEN = Counter("examroom_not_written", "Writes that were refused or failed: busy, not_written.", ("code",), registry=REGISTRY)
SIGN_INS = Counter("examroom_sign_ins", "Attempts to sign in: good, failed, locked_out.", ("outcome",), registry=REGISTRY)
SLOW_STATEMENTS = Counter("examroom_slow_statements", "Statements above the threshold of the slow-query log.", registry=REGISTRY)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure as it stands now. ``name`` without the program's own beginning."""

    name: str
    meaning: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


# What the rooms have to tell of the installation, each in a session that only reads.
MEASURED: list[Callable[[Session, datetime], Iterable[Measure]]] = []


def watch_process() -> None:
    """CPU, memory and open files of this process join the figures (Linux)."""
    ProcessCollector(registry=REGISTRY)
