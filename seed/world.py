"""The demo world: made once, kept, and given a sitting to sit at every start."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask

from examroom.delivery.models import Sheet, SheetState
from examroom.plans.models import Enrolment, ExamPlan, Sitting
from qbank.kernel import migrations
from qbank.kernel.accounts import Institution
from qbank.kernel.settings import BadSetting, Settings
from qbank.kernel.times import local_date
from seed import (
    answers,
    assessors,
    bank,
    cast,
    enrolling,
    filing,
    history,
    office,
    planning,
    skills,
    supervising,
    technicians,
    written,
)
from seed.history import Schedule
from seed.people import Student, students
from seed.stage import Stage

MARK = "examroom-demo"  # a file that says: this folder is a demo's own, --fresh may empty it
OPEN_PLAN = "本学期电工四级认定（进行中）"
VISITORS = "参观班"
LEAST_LEFT = timedelta(minutes=40)  # of 90: a third sitting begins when the first, in the same room, is over
VISITOR_SEATS = 8
STUDENTS = 60


def make_ready(settings: Settings, *, fresh: bool) -> Settings:
    """The demo's folder, emptied when ``fresh``. Refuses a folder that holds something else."""
    marker = settings.folder / MARK
    ours = {MARK, "secret.key", "identity.key", "papers.key"}
    if not marker.exists() and any(file.name not in ours for file in settings.folder.iterdir()):
        raise BadSetting(f"{settings.folder} holds files that are not a demo's: choose another --dir")
    if fresh and marker.exists():
        shutil.rmtree(settings.folder)
        settings.folder.mkdir(parents=True)
        settings = Settings.from_environment(folder=settings.folder)
    marker.touch()
    return replace(settings, jobs_inline=False)


def prepare(app: Flask, *, now: datetime) -> str:
    """Make the world unless it is there, open a sitting for visitors, and say who may sign in."""
    stage = Stage(app, now)
    migrations.upgrade(stage.database.engine)
    with stage.database.open(None, reads_only=True) as session:
        made = session.scalar(sa.select(sa.func.count()).select_from(Institution)) or 0
    if not made:
        build(stage)
    visitors = open_sitting(stage)
    return accounts_text(visitors)


def build(stage: Stage) -> None:
    """Everything, in the order in which it happened."""
    with stage.founding() as session:
        cast.found(session, now=stage.days(-365))
    bank.write_standards(stage)
    for level, author in ((4, "author"), (2, "author2")):
        bank.fill_bank(stage, level, author)
    bank.compose_papers(stage)
    filing.play(stage)
    history.furnish(stage)
    assessors.enter(stage)
    skills.stock(stage)
    history.keep_calendars(stage)
    enrolling.keep_conditions(stage)
    _plans(stage, students(STUDENTS))
    filing.go_on(stage)
    supervising.play(stage)
    office.connect_platform(stage)


def _plans(stage: Stage, everybody: list[Student]) -> None:
    finished, under_way, review, coming = everybody[:24], everybody[24:40], everybody[40:52], everybody[52:]
    first, second, _ = history.sealed_papers(stage, 4)[:3]
    technician = history.sealed_papers(stage, 2)[0]

    def nine(count: int) -> datetime:
        return history.morning(stage, count)

    plan = history.plan(stage, Schedule("上半年电工四级认定（已办结）", 4, stage.days(-95), local_date(nine(-35))), finished,
                        [planning.theory(nine(-35), 24), *planning.practical(nine(-34), 24)])
    sitting = history.sitting(stage, plan, "理论第一场", nine(-35), first, arranged=nine(-38))
    history.open_rooms(stage, sitting)
    answers.answer(stage, sitting, ability=0.75, spread=0.75, seed=1, absent=1)
    history.close(stage, sitting)
    for turn, group in enumerate(history.practical_groups(stage, plan, 4, nine(-34))):
        history.mark_practice(stage, group, nine(-34) + timedelta(hours=6), seed=2 + 10 * turn, veto=not turn)
        assessors.settle(stage, group, nine(-34) + timedelta(hours=8))
    office.charge(stage, plan)
    history.finish(stage, plan, (nine(-33) - stage.now).days)
    office.keep_for_inquiry(stage, plan, (nine(-33) - stage.now).days + 18)

    plan = history.plan(stage, Schedule("电工二级（技师）认定（评审中）", 2, stage.days(-50), local_date(nine(-4))), review,
                        [planning.theory(nine(-4), 12), *planning.practical(nine(-3), 12), planning.review(nine(-2), 12)])
    sitting = history.sitting(stage, plan, "技师理论", nine(-4), technician, arranged=nine(-6))
    history.open_rooms(stage, sitting)
    answers.answer(stage, sitting, ability=1.0, spread=0.6, seed=3)
    history.close(stage, sitting)
    written.mark(stage, sitting, nine(-3))
    for group in history.practical_groups(stage, plan, 2, nine(-3)):
        history.mark_practice(stage, group, nine(-3) + timedelta(hours=6), seed=4)
        assessors.settle(stage, group, nine(-3) + timedelta(hours=8))
    technicians.review(stage, plan, nine(-2), seed=5, signed_by=planning.EXAMINERS[1:])

    plan = history.plan(stage, Schedule(OPEN_PLAN, 4, stage.days(-51), local_date(nine(-2))), under_way,
                        [planning.theory(nine(-2), 16), *planning.practical(nine(-1), 16)])
    sitting = history.sitting(stage, plan, "理论第一场", nine(-2), second, arranged=nine(-5))
    history.open_rooms(stage, sitting)
    answers.answer(stage, sitting, ability=0.8, spread=0.7, seed=6)
    history.close(stage, sitting)
    for turn, group in enumerate(history.practical_groups(stage, plan, 4, nine(-1))):
        history.mark_practice(stage, group, nine(-1) + timedelta(hours=6), seed=7 + turn, assessors=planning.ASSESSORS[1:], leave_out=2)
    office.hear(stage, plan)

    history.plan(stage, Schedule("下一批电工四级认定（待审核）", 4, stage.days(-1), local_date(nine(20))), coming,
                 [planning.theory(nine(20), len(coming), planning.RESERVE), *planning.practical(nine(21), len(coming))], approve=False)
    skills.hold_draw(stage, students(8, seed=77, first=700))


def open_sitting(stage: Stage) -> list[str]:
    """Who can sit now, a line each: of an open sitting with an hour left, else of a new one that just began."""
    if not (waiting := _waiting(stage)):
        _begin(stage)
        waiting = _waiting(stage)
    return waiting


def _waiting(stage: Stage) -> list[str]:
    with stage.database.open(None, reads_only=True) as session:
        sheets = session.scalars(sa.select(Sheet).join(Sheet.sitting).join(Sitting.plan).where(
            ExamPlan.title == OPEN_PLAN, Sheet.state == SheetState.DEALT, Sitting.starts_at <= stage.now)
            .order_by(Sheet.id)).all()
        return [_line(stage, sheet) for sheet in sheets if sheet.sitting.ends_at - stage.now >= LEAST_LEFT]


def _line(stage: Stage, sheet: Sheet) -> str:
    candidate = sheet.enrolment.candidate
    number = stage.cipher.decrypt(candidate.identity_cipher or b"")
    return f"  {sheet.enrolment.ticket_number}  {number}  {candidate.name}  {sheet.sitting.name} {sheet.seat.sitting_room.room.name} {sheet.seat.number} 号座位"


def _begin(stage: Stage) -> None:
    """Eight more fictional candidates, seated in a sitting that began two minutes ago; three of them are at work."""
    paper = history.sealed_papers(stage, 4)[2]
    with stage.database.open(None, reads_only=True) as session:
        plan = session.scalars(sa.select(ExamPlan).where(ExamPlan.title == OPEN_PLAN)).one()
        held = session.scalar(sa.select(sa.func.count()).select_from(Enrolment)) or 0
        plan_id, number = plan.id, len(plan.sittings) + 1
    class_name = f"{VISITORS}{number - 1}"
    visitors = [replace(person, class_name=class_name) for person in students(VISITOR_SEATS, seed=10_000 + held, first=held + 1)]
    room_name, _ = planning.ROOM_STAFF[number % len(planning.ROOM_STAFF)]  # the sitting before may still be under way in the other
    begins = (stage.now - timedelta(minutes=2)).replace(second=0, microsecond=0)
    later, turn = divmod(number - 2, 3)  # afternoons that no other plan of the demo uses
    practical = planning.practical(history.morning(stage, 3 + later) + timedelta(hours=6) + planning.TURN * turn, VISITOR_SEATS)
    planning.amend(stage, plan_id, [planning.theory(begins, VISITOR_SEATS, room_name), *practical], "为补充报名的考生增加理论和实操场次",
                   stage.now - timedelta(hours=2))
    sitting = history.sitting(stage, plan_id, f"理论第{number}场", begins, paper, room_name=room_name,
                              classes=[class_name], joining=visitors, arranged=stage.now - timedelta(hours=1))
    history.open_rooms(stage, sitting)
    answers.answer(stage, sitting, ability=0.8, spread=0.6, seed=sitting, until=0.15, leave_out=VISITOR_SEATS - 3)


def accounts_text(visitors: list[str]) -> str:
    """The demo accounts, one for each role, as the console prints them."""
    lines = ["", f"演示账号（密码均为 {cast.PASSWORD}）："]
    lines += [f"  {part.login:<12} {part.shown}  {part.name}" for part in cast.CAST if part.shown]
    lines += ["", "考生从 /exam 进入，准考证号与身份证号："]
    return "\n".join([*lines, *visitors])
