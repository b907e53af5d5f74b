"""What the rows of revision 0004 become in 0005. Written against the tables as they are then, not against the models."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from qbank.kernel.times import UtcDateTime

Kept = dict[int, list[int | None]]  # mark of a panel member -> written work and defence, in half-points
HALF = 50  # the weight of the written work where no rule pack said otherwise


def before(connection: sa.Connection) -> Kept:
    """While ``panel_marks`` still has its two columns: what stands in them."""
    return {key: [thesis, defence]
            for key, thesis, defence in connection.execute(sa.text("SELECT id, thesis, defence FROM panel_marks"))}


def after(connection: sa.Connection, kept: Kept) -> None:
    """When all columns are there."""
    percents = _packs(connection)
    _practical(connection)
    _panels(connection, percents, kept)
    _paper_uses(connection)


def _packs(connection: sa.Connection) -> dict[str, int]:
    """The weight of the written work becomes a form of two rows, and each rule pack its own first version. Gives that
    weight for each region."""
    packs = _table("rule_packs", "id", "region", "name", "values")
    versions = _table("rule_pack_versions", "pack_id", "number", "name", "values", "reason", at=UtcDateTime)
    percents = {}
    for pack in connection.execute(sa.select(packs)).all():
        values = json.loads(pack[3])
        percents[pack.region] = percent = values.pop("thesis_percent", HALF)
        values["review_form"] = "、".join(f"{name} {share}%" for name, share in _form(percent))
        text = json.dumps(values, ensure_ascii=False, sort_keys=True)
        connection.execute(packs.update().where(packs.c.id == pack.id).values({"values": text}))
        connection.execute(versions.insert().values({
            "pack_id": pack.id, "number": 1, "name": pack.name, "values": text, "reason": "升级时登记的现行版本",
            "at": sa.func.current_timestamp()}))
    return percents


def _form(percent: int) -> list[tuple[str, int]]:
    return [(name, share) for name, share in (("书面材料", percent), ("答辩", 100 - percent)) if share]


def _practical(connection: sa.Connection) -> None:
    """What an assessor saw is what he marked: there were only points and vetoes."""
    marks = _table("marks", "id", "half_points", violated=sa.Boolean, entry=sa.JSON)
    rows = [{"key": key, "seen": half_points if violated is None else bool(violated)}
            for key, half_points, violated in connection.execute(sa.select(marks.c.id, marks.c.half_points, marks.c.violated))
            if half_points is not None or violated is not None]
    if rows:
        connection.execute(marks.update().where(marks.c.id == sa.bindparam("key")).values(entry=sa.bindparam("seen")), rows)


def _points(connection: sa.Connection, panel_id: int, percent: int, kept: Kept) -> None:
    """The two columns become a list in the order of the form; what counted nothing is no row of it."""
    marks = _table("panel_marks", "id", "member_id", points=sa.JSON)
    members: sa.Select[Any] = sa.select(sa.column("id")).select_from(sa.table("panel_members")).where(sa.column("panel_id") == panel_id)
    for mark_id in connection.scalars(sa.select(marks.c.id).where(marks.c.member_id.in_(members))).all():
        points = [value for value, share in zip(kept[mark_id], (percent, 100 - percent), strict=True) if share]
        connection.execute(marks.update().where(marks.c.id == mark_id).values(points=points))


def _panels(connection: sa.Connection, percents: dict[str, int], kept: Kept) -> None:
    """Panels keep the form that held for them; whoever has marks already came before the panel in the order of the tickets."""
    panels: Any = sa.select(sa.column("id"), sa.column("created_by"), sa.column("starts_at", UtcDateTime()), sa.column("region")).select_from(
        sa.text("(SELECT p.id, e.created_by, p.starts_at, i.region FROM review_panels p JOIN exam_plans e ON e.id = p.plan_id "
                "JOIN institutions i ON i.id = e.institution_id) AS held"))
    form, draws = _table("review_panels", "id", form=sa.JSON), _table("review_draws", "id", "panel_id", "seed", "drawn_by", at=UtcDateTime)
    for panel_id, author, starts_at, region in connection.execute(panels).all():
        holding = max((known for known in percents if region.startswith(known)), key=len, default=None)
        percent = HALF if holding is None else percents[holding]
        connection.execute(form.update().where(form.c.id == panel_id).values(form=[list(row) for row in _form(percent)]))
        _points(connection, panel_id, percent, kept)
        marked = _marked(connection, panel_id)
        if marked:
            connection.execute(draws.insert().values(panel_id=panel_id, seed="升级前的次序", drawn_by=author, at=starts_at))
            draw_id = connection.scalar(sa.select(sa.func.max(draws.c.id)))
            _cases(connection, panel_id, draw_id, marked)


def _marked(connection: sa.Connection, panel_id: int) -> dict[int, tuple[bool, bool]]:
    """The candidates with marks in the order of their tickets: (every member has signed, there is a joined score)."""
    signed: dict[int, int] = defaultdict(int)
    scored: dict[int, bool] = {}
    rows = connection.execute(sa.text(
        "SELECT m.enrolment_id, m.signed_at, (SELECT count(*) FROM review_scores s WHERE s.enrolment_id = m.enrolment_id) "
        "FROM panel_marks m JOIN panel_members p ON p.id = m.member_id JOIN enrolments e ON e.id = m.enrolment_id "
        "WHERE p.panel_id = :panel ORDER BY e.ticket_number, m.enrolment_id"), {"panel": panel_id})
    for enrolment_id, signed_at, scores in rows:
        signed[enrolment_id] += signed_at is not None
        scored[enrolment_id] = bool(scores)
    members = connection.scalar(sa.text("SELECT count(*) FROM panel_members WHERE panel_id = :panel"), {"panel": panel_id})
    return {enrolment_id: (count == members, scored[enrolment_id]) for enrolment_id, count in signed.items()}


def _cases(connection: sa.Connection, panel_id: int, draw_id: Any, marked: dict[int, tuple[bool, bool]]) -> None:
    cases = _table("review_cases", "panel_id", "enrolment_id", "draw_id", "number", "state", "spent_seconds", "early_reason", "round",
                   "revealed", "discussion", "row_version")
    connection.execute(cases.insert(), [
        {"panel_id": panel_id, "enrolment_id": enrolment_id, "draw_id": draw_id, "number": number,
         "state": "DONE" if scored else "SCORING", "spent_seconds": 0, "early_reason": "", "round": 1, "revealed": int(complete),
         "discussion": "", "row_version": 1} for number, (enrolment_id, (complete, scored)) in enumerate(marked.items(), start=1)])


def _paper_uses(connection: sa.Connection) -> None:
    """Which papers the sittings so far used: the rule that lets items rest counts them."""
    connection.execute(sa.text("INSERT INTO paper_uses (sitting_id, paper_id, at) SELECT s.sitting_id, s.paper_id, min(d.at) "
                               "FROM sheets s JOIN dealings d ON d.sitting_id = s.sitting_id WHERE s.paper_id IS NOT NULL "
                               "GROUP BY s.sitting_id, s.paper_id"))


def _table(name: str, *plain: str, **typed: type[Any]) -> Any:
    return sa.table(name, *(sa.column(column) for column in plain), *(sa.column(column, kind()) for column, kind in typed.items()))
