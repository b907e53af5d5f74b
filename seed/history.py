"""Four plans: one finished, two under way (level 4 and level 2), one to come; each played by the people who do it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import sheets
from examroom.invigilation import rooms
from examroom.marking import cases
from examroom.marking import desk as marking
from examroom.oversight import desk as oversight
from examroom.oversight.models import Supervision
from examroom.plans import calendar, calendars, desk, seating, sittings
from examroom.plans.models import ExamPlan, Room, Sitting
from qbank.kernel.accounts import Institution
from qbank.kernel.times import SHANGHAI, local_date
from qbank.papers import opening
from qbank.papers.models import Paper, PaperState, Specification
from qbank.standards.models import Standard, Subject, WeightTable
from scoring.archive import desk as archive
from scoring.certificates import desk as certificates
from scoring.practical import desk as practical
from scoring.practical.models import PracticalGroup, RowKind
from scoring.practical.rubrics import RowDraft, build_rubric
from scoring.results import desk as results
from seed import office
from seed.enrolling import enrol
from seed.people import Student
from seed.planning import ASSESSORS, RESERVE, ROOM_STAFF, STAFF, TURN, WORKSHOP, Place, arrange, group_sizes
from seed.stage import Stage

CONTACT = "湘江技师学院鉴定所 刘老师 0731-00000000"
# Rows of the practical rubric of level 4, in half-points, under the sections of the skill weight table.
SAFETY_ROWS = (RowDraft("违反安全操作规程，造成短路、触电等安全事故", "", 0, RowKind.VETO),
               RowDraft("未经允许带电作业", "", 0, RowKind.VETO))


@dataclass(frozen=True)
class Schedule:
    """When a plan is submitted, and the first day it examines on."""

    title: str
    level: int
    submitted: datetime
    first_day: date


def keep_calendars(stage: Stage) -> None:
    """For years that the library lacks: a table for show, with the holidays of fixed date only."""
    today = local_date(stage.now)
    for year in (today.year - 1, today.year, today.year + 1):
        if not calendar.knows(year):
            with stage.acting("officer", stage.days(-260)) as (session, who):
                off = {date(year, 1, 1), *(date(year, 5, day) for day in range(1, 6)),
                       *(date(year, 10, day) for day in range(1, 8))}
                calendars.store_year(session, year, off, set(), "示例：只含固定日期的放假，正式使用前请按国务院办公厅通知录入", who)


def morning(stage: Stage, count: int) -> datetime:
    """Nine o'clock in China on the ``count``-th working day from today; negative: before today."""
    with stage.database.open(None, reads_only=True) as session:
        tables = calendars.tables(session)
    day, step = local_date(stage.now), timedelta(days=1 if count > 0 else -1)
    left = abs(count)
    while left:
        day += step
        left -= calendar.is_working_day(day, tables)
    return datetime.combine(day, time(9), SHANGHAI).astimezone(UTC)


def furnish(stage: Stage) -> None:
    """The school's exam rooms."""
    with stage.acting("officer", stage.days(-200)) as (session, who):
        for name, _ in ROOM_STAFF:
            seating.add_room(session, _school(session), name, 30, who)
        seating.add_room(session, _school(session), RESERVE, 48, who)


def plan(stage: Stage, schedule: Schedule, people: Sequence[Student], places: Sequence[Place], *, approve: bool = True) -> int:
    """A plan drafted, arranged, filled with candidates, submitted and (unless it waits) approved; its id."""
    at = schedule.submitted
    with stage.acting("officer", at) as (session, who):
        made = desk.draft_plan(session, _school(session), _standard(session), schedule.level, schedule.title, who,
                               starts_on=schedule.first_day, contact=CONTACT, now=at)
        enrol(stage, session, made, people, who, at, left=0 if approve else 2)
        arrange(stage, session, made, places, who, at)
        desk.submit(session, made, who, now=at)
        plan_id = made.id
    if approve:
        for login, later in (("city", 1), ("province", 2)):
            if login == "city" or schedule.level <= 3:
                with stage.acting(login, at + timedelta(days=later)) as (session, who):
                    desk.decide(session, session.get_one(ExamPlan, plan_id), who, True, "材料齐全，同意。",
                                now=at + timedelta(days=later))
        with stage.acting("city", at + timedelta(days=3)) as (session, who):
            oversight.assign(session, session.get_one(ExamPlan, plan_id), stage.account_id(session, "supervisor"), who,
                             now=at + timedelta(days=3))
    return plan_id


def sitting(stage: Stage, plan_id: int, name: str, starts_at: datetime, paper: int, *, room_name: str = ROOM_STAFF[0][0],
            classes: Sequence[str] | None = None, joining: Sequence[Student] = (), arranged: datetime) -> int:
    """A sitting with a room, invigilators, seats and dealt sheets, arranged at ``arranged``; its id.

    ``joining`` are enrolled for it; ``classes`` limits who is seated.
    """
    open_paper(stage, paper, f"{name}发卷", arranged)
    with stage.acting("officer", arranged) as (session, who):
        made = sittings.add_sitting(session, session.get_one(ExamPlan, plan_id), name, who, starts_at=starts_at,
                                    minutes=90, now=arranged)
        enrol(stage, session, made.plan, joining, who, arranged)
        sittings.choose_paper(session, made, paper, who)
        room = session.scalars(sa.select(Room).where(Room.name == room_name)).one()
        seating.use_room(session, made, room, [stage.account_id(session, login) for login in STAFF[room_name]], who)
        seating.seat_all(session, made, who, seed=f"座位-{plan_id}-{name}", classes=classes)
        sheets.deal(session, made, who, now=arranged, seed=f"deal-{plan_id}-{name}"[:32])
        return made.id


def open_paper(stage: Stage, paper_id: int, reason: str, at: datetime) -> None:
    """Officer and composer open the sealed paper together, unless it is open already."""
    with stage.acting("officer", at) as (session, who):
        if not session.get_one(Paper, paper_id).is_shut:
            return
        opening.ask(session, session.get_one(Paper, paper_id), who, reason, now=at)
    with stage.acting("composer", at + timedelta(minutes=4)) as (session, who):
        opening.confirm(session, session.get_one(Paper, paper_id), who, now=at + timedelta(minutes=4))


def open_rooms(stage: Stage, sitting_id: int) -> None:
    """The invigilators open their room ten minutes before the start."""
    at, names = _when_and_where(stage, sitting_id)
    for place, name in enumerate(names):
        with stage.acting(STAFF[name][0], at - timedelta(minutes=10)) as (session, who):
            rooms.open_room(session, session.get_one(Sitting, sitting_id).rooms[place], who, now=at - timedelta(minutes=10))


def _when_and_where(stage: Stage, sitting_id: int) -> tuple[datetime, list[str]]:
    with stage.database.open(None, reads_only=True) as session:
        found = session.get_one(Sitting, sitting_id)
        return found.starts_at, [used.room.name for used in found.rooms]


def close(stage: Stage, sitting_id: int) -> None:
    """When the time is over the worker hands in, closes and marks; then the invigilators close their rooms."""
    with stage.database.open(None, reads_only=True) as session:
        at = session.get_one(Sitting, sitting_id).ends_at + timedelta(minutes=2)
    with stage.acting("officer", at) as (session, _):
        marking.close_due(session, at)
    for place, name in enumerate(_when_and_where(stage, sitting_id)[1]):
        with stage.acting(STAFF[name][0], at + timedelta(minutes=10)) as (session, who):
            room = session.get_one(Sitting, sitting_id).rooms[place]
            rooms.close_room(session, room, "", who, now=at + timedelta(minutes=10))


def practical_groups(stage: Stage, plan_id: int, level: int, at: datetime) -> list[int]:
    """The plan's candidates before three assessors, as many groups as the ratio of 1:5 asks for; their ids."""
    with stage.acting("officer", at - timedelta(days=2)) as (session, who):
        found = session.get_one(ExamPlan, plan_id)
        table = session.scalars(sa.select(WeightTable).where(
            WeightTable.standard_id == found.standard_id, WeightTable.level == level,
            WeightTable.subject == Subject.SKILL)).one()
        rubric = build_rubric(session, table, found.institution_id, f"{found.title} 操作技能评分表", who, _rubric_rows(table))
        enrolments = [enrolment.id for enrolment in found.enrolments]
        sizes = group_sizes(len(enrolments))
        return [practical.form_group(
            session, found, rubric, f"第{'一二三四'[turn]}考核组", who, place=WORKSHOP, starts_at=at + TURN * turn,
            assessor_ids=[stage.account_id(session, login) for login in ASSESSORS],
            enrolment_ids=enrolments[sum(sizes[:turn]):sum(sizes[:turn + 1])]).id for turn in range(len(sizes))]


def _rubric_rows(table: WeightTable) -> list[RowDraft]:
    """Each section of the skill table in three rows: preparation, work, inspection."""
    rows = []
    for section in table.ranges:
        first = section.weight // 5
        last = section.weight // 4
        rows += [RowDraft(f"{section.name}：识图、选择器材与工具", section.path, first),
                 RowDraft(f"{section.name}：装调（检修）操作", section.path, section.weight - first - last),
                 RowDraft(f"{section.name}：通电检验与记录", section.path, last)]
    return [*rows, *SAFETY_ROWS]


def mark_practice(stage: Stage, group_id: int, at: datetime, *, seed: int, assessors: Sequence[str] = ASSESSORS,
                  leave_out: int = 0, veto: bool = False) -> None:
    """The assessors mark each by himself and sign; the last ``leave_out`` candidates wait."""
    draw = random.Random(seed)
    with stage.database.open(None, reads_only=True) as session:
        members = [member.id for member in session.get_one(PracticalGroup, group_id).members]
    levels = {member: min(0.97, max(0.42, draw.gauss(0.74, 0.12))) for member in members}
    vetoed = members[3] if veto else 0
    for login in assessors:
        with stage.acting(login, at) as (session, who):
            group = session.get_one(PracticalGroup, group_id)
            for member in group.members[:len(members) - leave_out]:
                sheet = practical.mark_sheet_for(session, member, who)
                marks: dict[int, int | bool | None] = {}
                for row in group.rubric.rows:
                    if row.kind is RowKind.VETO:
                        marks[row.id] = member.id == vetoed and row.text == SAFETY_ROWS[0].text
                    else:
                        marks[row.id] = min(row.most, max(0, round(row.most * draw.gauss(levels[member.id], 0.05))))
                practical.enter_marks(session, sheet, marks, who, now=at)
                practical.sign(session, sheet, who, now=at)


def finish(stage: Stage, plan_id: int, day: float) -> None:
    """From the merge to the archive, each step by the office that does it; begins ``day`` days from now."""
    with stage.acting("supervisor", stage.days(day)) as (session, who):
        mine = session.scalars(sa.select(Supervision).where(Supervision.plan_id == plan_id)).one()
        oversight.report(session, mine, "全程督导理论考试和操作技能考核。考场设置、考评人员和考生配比符合方案要求，考务流程规范，"
                                        "未发现违规违纪行为。建议：考后及时整理影像资料归档。", who, now=stage.days(day))
    with stage.acting("officer", stage.days(day + 1)) as (session, who):
        plan = session.get_one(ExamPlan, plan_id)
        for sitting in plan.sittings:
            for suspect in cases.suspects(session, sitting):
                cases.check_key(session, sitting, int(str(suspect["version"])), "对照教材和国家标准逐字核对，答案无误；本场考生较少，属偶然偏离。",
                                who, now=stage.days(day + 1))
        merged = results.merge_plan(session, plan, who, now=stage.days(day + 1))
        list_id = merged.id
    with stage.acting("officer2", stage.days(day + 1.5)) as (session, who):
        results.check(session, session.get_one(results.ResultList, list_id), who, comment="与评分记录逐项核对一致。", now=stage.days(day + 1.5))
    with stage.acting("officer", stage.days(day + 2)) as (session, who):
        results.publish(session, session.get_one(results.ResultList, list_id), who, now=stage.days(day + 2))
    with stage.acting("officer", stage.days(day + 11)) as (session, who):
        results.submit(session, session.get_one(results.ResultList, list_id), who, now=stage.days(day + 11))
    for login, later in (("city", 12), ("province", 14)):
        with stage.acting(login, stage.days(day + later)) as (session, who):
            results.decide(session, session.get_one(results.ResultList, list_id), who, True, "核对无误。",
                           now=stage.days(day + later))
    with stage.acting("officer", stage.days(day + 15)) as (session, who):
        issued = session.get_one(results.ResultList, list_id)
        certificates.issue(session, issued, who, cipher=stage.cipher, now=stage.days(day + 15))
        office.hand_out(stage, session, issued, who, day + 15)
    with stage.acting("officer", stage.days(day + 16)) as (session, who):
        office.file_away(session, stage, session.get_one(ExamPlan, plan_id), who, day + 16)
        archive.pack(session, session.get_one(ExamPlan, plan_id), who, now=stage.days(day + 16))


def sealed_papers(stage: Stage, level: int) -> list[int]:
    """The ids of the sealed papers of one level, oldest first."""
    with stage.database.open(None, reads_only=True) as session:
        return list(session.scalars(sa.select(Paper.id).join(Specification).join(WeightTable).where(
            Paper.state == PaperState.SEALED, WeightTable.level == level).order_by(Paper.id)))


def _school(session: Session) -> Institution:
    return session.scalars(sa.select(Institution).where(Institution.name.contains("技师学院"))).one()


def _standard(session: Session) -> Standard:
    return session.scalars(sa.select(Standard).where(Standard.title.contains("电工"))).one()
