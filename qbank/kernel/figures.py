"""The figures of one process as Prometheus reads them: what it counted, and how the installation stands at this moment."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from qbank.kernel import backup
from qbank.kernel.bounded import Bounded
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.metrics import MEASURED, REGISTRY, Measure
from qbank.kernel.settings import Settings


class Figures:
    """All figures of one process, as text."""

    def __init__(self, app: Flask) -> None:
        self._kernel: dict[str, Any] = app.extensions["examroom"]
        self._read = Bounded(self._from_database)

    def told(self, accept: str) -> tuple[bytes, str]:
        """The figures, and of what media type they are."""
        encode, kind = choose_encoder(accept)
        registry = CollectorRegistry()
        registry.register(_Given(REGISTRY.collect))
        registry.register(_Given(self._standing))
        return encode(registry), kind

    def _standing(self) -> Iterator[Metric]:
        settings: Settings = self._kernel["settings"]
        found = self._read()
        measures = [Measure("database_up", "Whether the database answered in time.", float(found is not None)),
                    Measure("draining", "Whether this process finishes what it has and takes nothing more.", float(_is_draining(self._kernel))),
                    Measure("write_queue_length", "Writes that wait for the combined writer.", self._kernel["writer"].waiting),
                    Measure("database_connections_in_use", "Connections of this process's pool that are at work.", _in_use(self._kernel)),
                    Measure("disk_free_bytes", "Free on the disk of the installation's folder.", shutil.disk_usage(settings.folder).free),
                    *_backup(settings, self._kernel["clock"]()), *(found or ())]
        families: dict[str, GaugeMetricFamily] = {}
        for one in measures:
            family = families.setdefault(one.name, GaugeMetricFamily(f"examroom_{one.name}", one.meaning, labels=tuple(one.labels)))
            family.add_metric(tuple(one.labels.values()), one.value)
        yield from families.values()

    def _from_database(self) -> list[Measure]:
        with self._kernel["database"].open(None, reads_only=True) as session:
            return [measure for look in MEASURED for measure in look(session, self._kernel["clock"]())]


class _Given(Collector):
    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        return self._collect()


def _is_draining(kernel: dict[str, Any]) -> bool:
    draining = kernel.get("draining")
    return draining is not None and bool(draining.is_set())


def _in_use(kernel: dict[str, Any]) -> float:
    pool = kernel["database"].engine.pool
    return float(pool.checkedout()) if isinstance(pool, sa.QueuePool) else 0.0


def _backup(settings: Settings, now: datetime) -> Iterator[Measure]:
    found = backup.newest(settings)
    if found is not None:
        yield Measure("backup_age_seconds", "Age of the newest backup in the installation's folder.", (now - found[1]).total_seconds())


def _jobs(session: Session, now: datetime) -> Iterator[Measure]:
    rows = session.execute(sa.select(Job.state, sa.func.count(), sa.func.min(Job.created_at))
                           .where(Job.state.in_((JobState.WAITING, JobState.RUNNING))).group_by(Job.state))
    found = {state: (count, oldest) for state, count, oldest in rows}
    for state in (JobState.WAITING, JobState.RUNNING):
        yield Measure("jobs", "Long work that waits for the worker, or is at work.", found.get(state, (0, now))[0], {"state": state.value})
    oldest = found.get(JobState.WAITING, (0, now))[1]
    yield Measure("oldest_waiting_job_seconds", "How long the oldest job has waited: the worker is gone or busy.", max((now - oldest).total_seconds(), 0))


MEASURED.append(_jobs)
