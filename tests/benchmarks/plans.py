"""What happens all the time in a large installation, and how PostgreSQL carries out each statement of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from examroom.delivery import cards, saving, writes
from examroom.delivery.models import Answer, Sheet
from examroom.marking import responses
from examroom.plans.models import Enrolment, ExamPlan, Sitting, SittingState
from qbank.kernel.db import Actor, Database
from qbank.kernel.jobs import SWEEPS, Jobs
from qbank.kernel.times import utc_now
from scoring.certificates.models import Certificate
from seed import cast

MOST = 3  # statements of one act that are explained: the slowest


@dataclass(frozen=True)
class Act:
    """Something that happens all the time. ``run`` leaves nothing behind that would change a second run."""

    name: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Explained:
    """One statement as it was carried out. ``buffers``: pages of 8 KB that were looked at; ``scanned``: tables read whole."""

    statement: str
    milliseconds: float
    buffers: int
    rows: int
    scanned: frozenset[str]
    plan: str


def acts(app: Flask) -> list[Act]:
    """On rows from the middle of the tables: the newest ones are always in memory."""
    database, jobs = app.extensions["examroom"]["database"], app.extensions["examroom"]["jobs"]
    with database.open(None, reads_only=True) as session:
        sheets = list(session.scalars(sa.select(Sheet.id).where(Sheet.started_at.is_not(None), Sheet.id > _middle(session, Sheet.id))
                                      .order_by(Sheet.id).limit(50)))
        enrolment = session.scalars(sa.select(Enrolment).where(Enrolment.id > _middle(session, Enrolment.id)).order_by(Enrolment.id).limit(1)).one()
        plan = session.scalars(sa.select(ExamPlan).where(ExamPlan.institution_id == 1).order_by(ExamPlan.id.desc()).limit(1)).one()
        sitting = session.scalars(sa.select(Sitting).where(Sitting.state == SittingState.MARKED, Sitting.id > _middle(session, Sitting.id))
                                  .order_by(Sitting.id).limit(1)).one().id
        certificate = session.scalars(sa.select(Certificate).where(Certificate.id > _middle(session, Certificate.id)).limit(1)).one().number
        ticket, name = enrolment.ticket_number, enrolment.candidate.name
    anyone, officer = app.test_client(), app.test_client()
    officer.post("/accounts/sign-in", data={"login": "officer", "password": cast.PASSWORD})
    return [
        Act("one answer is saved", lambda: _save(database, sheets[:1])),
        Act("fifty answers are saved in one commit", lambda: _save(database, sheets)),
        *(Act(f"sweep {sweep.__name__}", lambda sweep=sweep: _undone(database, lambda session: sweep(session, utc_now()), jobs)) for sweep in SWEEPS),  # type: ignore[misc]  # its own sweep
        Act("a ticket is tried at the exam door", lambda: anyone.post("/exam", data={"ticket": ticket, "identity_number": "43010219900101001X"})),
        Act("anybody looks a certificate up", lambda: anyone.post("/certificates/query", data={"number": certificate, "name": name})),
        Act("the answers of one sitting are read for marking", lambda: _reading(database, lambda session: responses.answers_of(
            session, session.get_one(Sitting, sitting)))),
        Act("an officer searches the candidates of a plan", lambda: officer.get(f"/plans/{plan.id}/candidates?q={name[:1]}")),
        Act("the answers of a school's year are counted", lambda: _reading(database, _year)),
    ]


def _middle(session: Session, column: Any) -> int:
    return (session.scalar(sa.select(sa.func.max(column))) or 0) // 2


def _year(session: Session) -> object:
    """What a report over a school's whole year reads: bounded by the school, not by the table."""
    return session.execute(sa.select(sa.func.count(), sa.func.count(sa.distinct(Answer.sheet_id))).join(Sheet, Sheet.id == Answer.sheet_id)
                           .join(Sitting, Sitting.id == Sheet.sitting_id).join(ExamPlan, ExamPlan.id == Sitting.plan_id)
                           .where(ExamPlan.institution_id == 1)).all()


def _save(database: Database, sheets: list[int]) -> None:
    def save(session: Session) -> None:
        connection = session.connection()
        known = cards.cards_on(connection, sheets)
        stand = saving.standings(connection, sheets)
        requests = [saving.Request(card, cards.terms_of(session, card.institution_id),
                                   [saving.Event(stand[card.sheet_id].highest + 1, card.layout[0]["number"], "A")], always=True)
                    for card in known.values()]
        writes.save(session, requests, utc_now())

    _undone(database, save)


def _undone(database: Database, act: Callable[[Session], object], jobs: Jobs | None = None) -> None:
    with database.open(Actor(None, "测量")) as session:
        session.info["jobs"] = jobs
        act(session)
        session.flush()
        session.rollback()


def _reading(database: Database, act: Callable[[Session], object]) -> None:
    with database.open(None, reads_only=True) as session:
        act(session)


def explained(database: Database, ear: Any, act: Act) -> Iterator[Explained]:
    """The slowest statements of ``act``, each shape once, carried out again under EXPLAIN and undone."""
    act.run()  # so that pages are in memory and caches filled
    ear.heard.clear()
    act.run()
    shapes: dict[str, tuple[float, Any]] = {}
    for seconds, _, statement, parameters in ear.heard:
        if statement.lstrip()[:6].upper() in {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH R"} and seconds > shapes.get(statement, (0.0, None))[0]:
            shapes[statement] = (seconds, parameters)
    for statement, (_, parameters) in sorted(shapes.items(), key=lambda one: -one[1][0])[:MOST]:
        yield _explain(database, statement, parameters)


def _explain(database: Database, statement: str, parameters: Any) -> Explained:
    with database.engine.connect() as connection:
        given = parameters[0] if isinstance(parameters, list) else parameters
        told = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", given).scalar_one()
        connection.rollback()
    whole = (json.loads(told) if isinstance(told, str) else told)[0]
    top = whole["Plan"]
    nodes = list(_nodes(top))
    scanned = frozenset(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan" and node.get("Actual Loops", 0))
    steps = [" ".join(filter(None, (node["Node Type"], node.get("Index Name", node.get("Relation Name", ""))))) for node in nodes]
    return Explained(" ".join(statement.split()), whole["Execution Time"], top.get("Shared Hit Blocks", 0) + top.get("Shared Read Blocks", 0),
                     top.get("Actual Rows", 0), scanned, " < ".join(dict.fromkeys(steps)))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
