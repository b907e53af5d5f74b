"""Supervision in the demo: check-lists, two double random draws, a finding put right and one still open, a case of staff."""

from __future__ import annotations

import io
from datetime import timedelta

import sqlalchemy as sa
from PIL import Image, ImageDraw
from werkzeug.datastructures import FileStorage

from examroom.oversight import drawing, draws, findings, inspections, lists, recusals, staff_cases
from examroom.oversight.draw_models import InspectionDraw
from examroom.oversight.draws import Wish
from examroom.oversight.inspection_models import Finding, Inspection
from examroom.oversight.kinds import InspectionKind, Severity, TargetKind, Verdict
from examroom.oversight.staff_models import StaffCase
from qbank.kernel.accounts import Account, Institution
from qbank.kernel.attachments import from_bytes
from qbank.kernel.times import local_date
from seed.stage import Stage

REGION = "4301"


def play(stage: Stage) -> None:
    """What the centre did in the last weeks."""
    with stage.acting("city", stage.days(-32)) as (session, who):
        for kind in InspectionKind:
            lists.adopt(session, REGION, kind, who, now=stage.days(-32))
    done = _draw(stage, -30, "第一次双随机抽查")
    finding = _inspect(stage, done, -29, "机房监控时间比标准时间慢 12 分钟，录像难以核对", Severity.MAJOR)
    with stage.acting("officer", stage.days(-27)) as (session, who):
        findings.reply(session, session.get_one(Finding, finding), "已接入校时服务并每周核对，见照片。", [_photo("校时记录")], who, now=stage.days(-27))
    with stage.acting("supervisor", stage.days(-26)) as (session, who):
        findings.judge(session, session.get_one(Finding, finding), True, "现场核实，已整改到位。", who, now=stage.days(-26))
    with stage.acting("city", stage.days(-25)) as (session, who):
        inspection = session.get_one(Inspection, done)
        draws.publish(session, session.get_one(InspectionDraw, inspection.draw_id), who, now=stage.days(-25))
    _inspect(stage, _draw(stage, -4, "第二次双随机抽查"), -3, "第二机房后排不在监控范围内", Severity.MINOR)
    _step_aside(stage)
    _staff(stage)


def _draw(stage: Stage, day: float, title: str) -> int:
    """A random check of one school; the inspection's id."""
    at = stage.days(day)
    wish = Wish(REGION, title, InspectionKind.SPOT, TargetKind.SCHOOL, local_date(at), local_date(at) + timedelta(days=20), 1, 2)
    with stage.acting("city", at) as (session, who):
        pool, _, _ = draws.prepare(session, wish, who, now=at)
        school = _school(session)
        # The demo has one examining school to show: the first seed that draws it, as a witness could find out.
        seed = next(text for text in (f"演示{abs(day)}-{turn}" for turn in range(1000))
                    if drawing.deal(text, pool)[0].target == f"school:{school.id}")
        made = draws.hold(session, wish, pool.fingerprint, who, witness="王敏（公证处）", seed=seed, now=at)
        return draws.sent(session, made)[0].id


def _inspect(stage: Stage, inspection_id: int, day: float, text: str, severity: Severity) -> int:
    """Everything fits but the last point; the finding's id."""
    at = stage.days(day)
    with stage.database.open(None, reads_only=True) as session:
        leader = session.scalars(sa.select(Account.login).where(Account.id.in_(
            one.account_id for one in session.get_one(Inspection, inspection_id).members if one.leads))).one()
    with stage.acting(leader, at) as (session, who):
        inspection = session.get_one(Inspection, inspection_id)
        inspections.begin(session, inspection, who, now=at)
        points = inspection.template.points
        failing = points[-1]
        given = {point.id: (Verdict.FAILS if point is failing else Verdict.FITS, text if point is failing else "") for point in points}
        inspections.answer(session, inspection, given, who, now=at)
        found = findings.record(session, inspection, who, severity=severity, text=text, files=[_photo("现场取证")], point_id=failing.id,
                                demand="按制度整改，附照片和责任人。", now=at)
        inspections.submit(session, inspection, "组织规范，考务流程完整；发现的问题请按期整改。", who, now=at + timedelta(hours=3))
        return found.id


def _step_aside(stage: Stage) -> None:
    """One who once served at the school stepped aside for a while."""
    with stage.acting("supervisor2", stage.days(-22)) as (session, who):
        held = recusals.declare(session, who.account_id, _school(session), "曾在该校兼课，本学期末到期", who, now=stage.days(-22))
        recusals.end(session, held, who, now=stage.days(-20))


def _staff(stage: Stage) -> None:
    """An invigilator is heard and reprimanded."""
    at = stage.days(-28)
    with stage.acting("city", at) as (session, who):
        case = staff_cases.propose(session, _school(session), stage.account_id(session, "invigilator3"), "批评教育", who, duty="监考员",
                                   happened_on=local_date(stage.days(-35)), evidence="理论考试开考后在考场内看手机约 5 分钟，监控可见。", now=at)
        staff_cases.tell(session, case, who, now=at)
        key = case.id
    with stage.acting("invigilator3", stage.days(-27)) as (session, who):
        staff_cases.state(session, session.get_one(StaffCase, key), "当时在联系考务员处理设备故障，今后改用对讲机。", who, now=stage.days(-27))
    with stage.acting("city2", stage.days(-26)) as (session, who):
        staff_cases.decide(session, session.get_one(StaffCase, key), True, "监控为证；陈述部分采纳，从轻处理。", who, now=stage.days(-26))


def _school(session: sa.orm.Session) -> Institution:
    return session.scalars(sa.select(Institution).join(Account, Account.institution_id == Institution.id).where(Account.login == "officer")).one()


def _photo(words: str) -> FileStorage:
    """A picture that says it is none."""
    picture = Image.new("RGB", (640, 400), "#dfe7ef")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((60, 50, 580, 350), outline="#5b6775", width=6)
    pen.line((60, 50, 580, 350), fill="#5b6775", width=3)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=70)
    return from_bytes(stream.getvalue() + words.encode(), f"{words}.jpg")
