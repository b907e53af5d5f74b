"""Check-lists, findings bound to evidence, follow-up by working days, closing, the printed record."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.oversight import desk, findings, inspections, lists, printed
from examroom.oversight.kinds import FindingState, InspectionKind, InspectionState, Severity, Verdict
from examroom.oversight.lists import PointDraft
from examroom.oversight.pools import Place
from examroom.oversight.todo import todo
from qbank.kernel import attachments
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.attachments import from_bytes
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack
from tests.conftest import MONDAY, People, TestClock
from tests.oversight_world import POINTS, City, photo

Enter = Callable[[Viewer], FlaskClient]
PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture
def city(session: Session, people: People) -> City:
    return City(session, people)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


# Check-lists

def test_a_list_is_never_changed_the_new_number_takes_its_place(city: City) -> None:
    city.list()
    inspection = city.sent()
    lists.make(city.session, "4301", InspectionKind.SPOT, "改过的表", POINTS[:1], city.tan, now=MONDAY)
    assert [point.text for point in inspection.template.points] == [draft.text for draft in POINTS]
    newest = lists.in_force(city.session, "430100", InspectionKind.SPOT)
    assert newest is not None
    assert (newest.number, newest.title, inspection.template.retired_at) == (2, "改过的表", MONDAY)
    lists.adopt(city.session, "43", InspectionKind.SPOT, city.yao, now=MONDAY)
    assert lists.in_force(city.session, "430100", InspectionKind.SPOT) is newest  # the narrowest region counts
    assert lists.in_force(city.session, "430700", InspectionKind.SPOT) is not None
    assert code_of(lambda: lists.make(city.session, "43", InspectionKind.SPOT, "全省", POINTS, city.tan, now=MONDAY)) == "not_your_region"
    for title, points in (("", POINTS), ("表", ()), ("表", (PointDraft("", "没有分类"),)), ("表", (PointDraft("考前", "长" * 301),))):
        assert code_of(partial(lists.make, city.session, "4301", InspectionKind.SPOT, title, points, city.tan, now=MONDAY)) in {"no_title", "points"}


def test_each_of_the_four_kinds_has_a_standard_list_with_the_clauses(city: City) -> None:
    """四(二) names daily checks, regular evaluation, supervision on the spot and random checks."""
    assert {kind.chinese for kind in InspectionKind} == {"日常检查", "定期评估", "现场督导", "随机抽查"}
    for kind in InspectionKind:
        made = lists.adopt(city.session, "4301", kind, city.tan, now=MONDAY)
        assert len(made.points) >= 9
        assert all(point.basis for point in made.points)


def test_the_office_edits_a_list_on_its_page_and_a_school_reads_it(city: City, enter: Enter) -> None:
    far = city.people("外省考务", Role.EXAM_OFFICER, school=city.people.school("外省学校", region="440100"))
    city.session.commit()
    tan = enter(city.tan)
    assert "没有授权或委托其他机构" in tan.get("/oversight/lists/edit?region=4301&kind=daily").get_data(as_text=True)
    typed = {"region": "4301", "kind": "daily", "title": "日常检查表", "section": ["条件", "收费"], "text": ["场地", "公示收费"], "basis": ["一（四）", ""],
             "severity": ["minor", "major"]}
    assert tan.post("/oversight/lists/edit", data=typed | {"title": " "}).status_code == 409
    assert tan.post("/oversight/lists/edit", data=typed | {"severity": ["?", "major"]}).status_code == 409
    assert tan.post("/oversight/lists/edit", data=typed).status_code == 302
    assert tan.post("/oversight/lists/adopt", data={"region": "4307", "kind": "daily"}).status_code == 409
    assert tan.post("/oversight/lists/adopt", data={"region": "4301", "kind": "spot"}).status_code == 302
    school = enter(city.zhou)
    assert "公示收费" in school.get("/oversight/lists/1").get_data(as_text=True)
    assert school.get("/oversight/lists/edit?region=4301&kind=daily").status_code == 403
    assert enter(far).get("/oversight/lists/1").status_code == 404


# From sending to hand-over

def test_who_is_sent_and_who_is_not(city: City) -> None:
    city.list()
    home, due = Place(city.schools[0]), date(2026, 6, 30)
    teacher = city.people("本校教师", scopes=[Scope(Role.QUALITY_SUPERVISOR, region="4301")])

    def send(*who: Viewer, by: Viewer = city.tan, due_on: date = due, kind: InspectionKind = InspectionKind.SPOT) -> object:
        return inspections.send(city.session, home, kind, [one.account_id for one in who], by, due_on=due_on, now=MONDAY)

    assert code_of(lambda: send(city.luo)) == "too_few_persons"
    assert code_of(lambda: send(city.luo, teacher)) == "not_eligible"
    assert code_of(lambda: send(city.luo, city.zhou)) == "not_eligible"
    assert code_of(lambda: send(city.luo, city.qin, by=city.zhou)) == "not_your_duty"
    assert code_of(lambda: send(city.luo, city.qin, due_on=date(2026, 5, 31))) == "days"
    assert code_of(lambda: send(city.luo, city.qin, kind=InspectionKind.DAILY)) == "no_list"
    assert send(city.luo, city.qin)


def test_an_inspection_is_handed_over_complete_by_its_leader(city: City) -> None:
    inspection = city.sent()
    first = inspection.template.points[0].id
    assert code_of(lambda: inspections.answer(city.session, inspection, {first: (Verdict.FITS, "")}, city.luo, now=MONDAY)) == "wrong_state"
    assert code_of(lambda: inspections.begin(city.session, inspection, city.zhou, now=MONDAY)) == "not_your_duty"
    inspections.begin(city.session, inspection, city.qin, now=MONDAY)
    assert code_of(lambda: inspections.begin(city.session, inspection, city.luo, now=MONDAY)) == "wrong_state"
    assert code_of(lambda: inspections.answer(city.session, inspection, {0: (Verdict.FITS, "")}, city.luo, now=MONDAY)) == "other_list"

    def submit(who: Viewer = city.luo, conclusion: str = "总体规范，监考履职需要改进。") -> None:
        inspections.submit(city.session, inspection, conclusion, who, now=MONDAY)

    assert code_of(submit) == "unanswered"
    inspections.answer(city.session, inspection, {point.id: (Verdict.FITS, "") for point in inspection.template.points}, city.qin, now=MONDAY)
    inspections.answer(city.session, inspection, {inspection.template.points[1].id: (Verdict.FAILS, "看手机")}, city.luo, now=MONDAY)
    assert code_of(submit) == "no_finding"
    city.found(inspection)
    assert code_of(lambda: submit(city.qin)) == "not_the_leader"
    assert code_of(lambda: submit(conclusion="好")) == "conclusion"
    submit()
    assert (inspection.state, inspection.told) == (InspectionState.SUBMITTED, "已提交，1 个问题未销号")
    assert code_of(lambda: city.found(inspection)) == "wrong_state"
    assert code_of(lambda: inspections.cancel(city.session, inspection, "不查了", city.tan)) == "wrong_state"


def test_a_finding_without_evidence_is_none_and_its_file_is_kept_under_its_hash(city: City) -> None:
    inspection = city.answered(city.sent())

    def record(files: list[FileStorage], text: str = "监考员在考场内看手机", point_id: int | None = None) -> object:
        return findings.record(city.session, inspection, city.qin, severity=Severity.MINOR, text=text, files=files, point_id=point_id, now=MONDAY)

    assert code_of(lambda: record([])) == "no_evidence"
    assert code_of(lambda: record([photo()], text="差")) == "text"
    assert code_of(lambda: record([photo()], point_id=999)) == "other_list"
    assert code_of(lambda: record([from_bytes(b"MZ not a picture", "照片.jpg")])) == "wrong_file_type"
    assert code_of(lambda: record([photo() for _ in range(10)])) == "too_many_files"
    content = photo().stream.read()
    kept = record([from_bytes(content, "现场.jpg"), from_bytes(PDF, "说明.pdf")])
    first, second = kept.files  # type: ignore[attr-defined]  # a Finding
    assert first.attachment.sha256 == hashlib.sha256(content).hexdigest()
    assert attachments.intact(city.session, first.attachment)
    assert attachments.intact(city.session, second.attachment)


# Follow-up

def test_the_days_to_put_right_are_working_days_by_severity(city: City) -> None:
    """Handed over on Monday 1 June 2026; Friday 19 June is 端午. 10 working days: 2-5, 8-12, 15 June; 5: 8 June; 3: 4 June."""
    session, school, monday = city.session, city.schools[0], date(2026, 6, 1)
    days = {severity: inspections.due_on(session, school, severity, monday) for severity in Severity}
    assert days == {Severity.MINOR: date(2026, 6, 15), Severity.MAJOR: date(2026, 6, 8), Severity.GRAVE: date(2026, 6, 4)}
    assert inspections.due_on(session, school, Severity.GRAVE, date(2026, 6, 17)) == date(2026, 6, 23)  # 18, 22, 23: 19 is a holiday
    session.add(StoredRulePack(region="4301", name="长沙", values='{"name": "长沙", "finding_grave_working_days": 1}'))
    session.flush()
    assert inspections.due_on(session, school, Severity.GRAVE, monday) == date(2026, 6, 2)
    assert code_of(lambda: inspections.due_on(session, school, Severity.GRAVE, date(2031, 1, 6))) == "calendar_missing"


def test_the_school_replies_with_evidence_and_the_inspector_closes(city: City) -> None:
    finding = city.handed_over()
    session = city.session

    def reply(text: str = "已调离该监考员并全员培训", files: list[FileStorage] | None = None, who: Viewer = city.zhou) -> object:
        return findings.reply(session, finding, text, [photo("green")] if files is None else files, who, now=MONDAY)

    assert finding.due_on == date(2026, 6, 8)
    assert code_of(lambda: reply(files=[])) == "no_evidence"
    session.expire(finding)
    assert code_of(lambda: reply(who=city.tan)) == "not_your_duty"
    assert code_of(lambda: findings.judge(session, finding, True, "", city.luo, now=MONDAY)) == "wrong_state"
    reply()
    assert code_of(lambda: findings.judge(session, finding, True, "", city.zhou, now=MONDAY)) == "not_your_duty"
    assert code_of(lambda: findings.judge(session, finding, True, "", city.tan, now=MONDAY)) == "not_your_duty"
    assert code_of(lambda: findings.judge(session, finding, False, " ", city.luo, now=MONDAY)) == "no_comment"
    thursday = datetime(2026, 6, 4, 1, tzinfo=UTC)
    findings.judge(session, finding, False, "没有培训签到表", city.luo, now=thursday)
    assert (finding.state, finding.due_on) == (FindingState.OPEN, date(2026, 6, 11))  # five working days from Thursday: 5, 8-11
    reply("补充培训签到表")
    findings.judge(session, finding, True, "已核实", city.qin, now=thursday)
    assert (finding.state, finding.inspection.told) == (FindingState.CLOSED, "已结案")
    assert [one.accepted for one in finding.replies] == [False, True]
    assert code_of(lambda: findings.withdraw(session, finding, "记错", city.luo, now=MONDAY)) == "wrong_state"


def test_the_centre_closes_when_no_inspector_serves_any_more(city: City) -> None:
    finding = city.handed_over()
    findings.reply(city.session, finding, "已调离该监考员", [photo()], city.zhou, now=MONDAY)
    for member in finding.inspection.members:
        member.account.active = False
    findings.judge(city.session, finding, True, "", city.tan, now=MONDAY)
    assert finding.state is FindingState.CLOSED


def test_the_work_list_says_who_owes_what_until_when(city: City) -> None:
    def lines(who: Viewer, now: datetime = MONDAY) -> list[tuple[str, str, bool]]:
        return [(one.title, one.waits_for, one.alarm) for one in todo(city.session, who, now=now)]

    inspection = city.sent()
    assert lines(city.luo) == [("开始检查：湘江技师学院（演示）", "", False)]
    assert lines(city.tan) == [("等待检查：湘江技师学院（演示）", "质量督导员 罗正明、秦岚", False)]
    assert lines(city.zhou) == []  # a spot check
    city.answered(inspection, Verdict.FITS, Verdict.FAILS)
    finding = city.found(inspection)
    inspections.submit(city.session, inspection, "总体规范，监考履职需要改进。", city.luo, now=MONDAY)
    own = todo(city.session, city.zhou, now=MONDAY)
    assert [(one.title, one.clause, str(one.due)) for one in own] == [("整改问题：监考员在考场内看手机 10 分钟", "五（六）", "2026-06-08 23:59:00+08:00")]
    assert lines(city.luo) == [("等待整改：监考员在考场内看手机 10 分钟", "湘江技师学院（演示）", False)]
    late = datetime(2026, 6, 9, 1, tzinfo=UTC)
    assert lines(city.tan, late) == [("等待整改：监考员在考场内看手机 10 分钟", "湘江技师学院（演示）", True)]
    findings.reply(city.session, finding, "已调离该监考员", [photo()], city.zhou, now=MONDAY)
    assert lines(city.qin) == [("核实整改：监考员在考场内看手机 10 分钟", "", False)]
    assert lines(city.zhou) == [("核实整改：监考员在考场内看手机 10 分钟", "质量督导员 罗正明、秦岚", False)]
    findings.judge(city.session, finding, True, "", city.luo, now=MONDAY)
    assert [lines(who) for who in (city.luo, city.zhou, city.tan)] == [[], [], []]


# Pages

def test_an_inspection_on_the_pages_of_everybody_concerned(city: City, enter: Enter, clock: TestClock) -> None:
    inspection = city.sent()
    stranger = city.people("他校考务", Role.EXAM_OFFICER, school=city.schools[1])
    far = city.people("他市", scopes=[Scope(Role.CITY_OFFICER, region="4307")], school=city.people.school("常德中心", region="430700"))
    points = [point.id for point in inspection.template.points]
    city.session.commit()
    luo, zhou = enter(city.luo), enter(city.zhou)
    at = "/oversight/inspections/1"
    assert zhou.get(at).status_code == 404
    assert luo.get(f"{at}/check").status_code == 409  # not begun
    assert luo.post(f"{at}/begin").status_code == 302
    assert zhou.get(at).status_code == 200
    page = luo.get(f"{at}/check").get_data(as_text=True)
    assert "试卷启封由两人办理" in page
    answer = luo.post(f"{at}/answers", data={f"verdict-{points[0]}": "fits", f"note-{points[0]}": "两人在场"}, headers={"Accept": "application/json"})
    assert answer.get_json() == {"answered": 1, "of": 3}
    for wrong in ({f"verdict-{points[0]}": "maybe"}, {"verdict-x": "fits"}, {"verdict-9999": "fits"}):
        assert luo.post(f"{at}/answers", data=wrong, headers={"Accept": "application/json"}).status_code == 409
    assert luo.post(f"{at}/answers", data={f"verdict-{points[1]}": "fails", f"verdict-{points[2]}": "not_applicable"}).status_code == 302
    typed = {"severity": "major", "text": "监考员在考场内看手机", "point_id": points[1], "demand": "加强培训"}
    refused = luo.post(f"{at}/findings/new", data=typed)
    assert refused.status_code == 409
    assert "监考员在考场内看手机" in refused.get_data(as_text=True)  # nothing typed is lost
    assert luo.post(f"{at}/findings/new", data=typed | {"file": (photo().stream, "现场.jpg")}).status_code == 302
    assert luo.post(f"{at}/pictures", data={"file": (photo("blue").stream, "考场.jpg")}).status_code == 302
    assert "还没有提交" in zhou.get(f"{at}/report.pdf").get_data(as_text=True)
    assert zhou.get("/oversight/findings/1").status_code == 404
    with luo.get("/oversight/files/1") as file:
        assert file.data.startswith(b"\xff\xd8\xff")
    assert zhou.get("/oversight/files/1").status_code == 404
    assert luo.post(f"{at}/submit", data={"conclusion": "总体规范，监考履职需要改进。"}).status_code == 302
    with luo.get(f"{at}/report.pdf") as pdf:
        assert pdf.data.startswith(b"%PDF")
    assert "监考员在考场内看手机" in zhou.get("/oversight/findings/1").get_data(as_text=True)
    assert zhou.post("/oversight/findings/1/reply", data={"text": "已培训并调离该监考员"}).status_code == 409
    assert zhou.post("/oversight/findings/1/reply", data={"text": "已培训并调离该监考员", "file": (photo("green").stream, "培训.jpg")}).status_code == 302
    assert luo.post("/oversight/findings/1/judge", data={"decision": "?"}).status_code == 409
    for who in (stranger, far):
        client = enter(who)
        for address in (at, f"{at}/report.pdf", "/oversight/findings/1", "/oversight/files/1"):
            assert client.get(address).status_code == 404, address
        for address in (f"{at}/cancel", "/oversight/findings/1/reply", "/oversight/findings/1/judge"):
            assert client.post(address, data={"decision": "close"}).status_code in {403, 404}, address
    other = enter(city.supervisors["柳青"])  # a supervisor of the region who was not sent
    assert {other.get(at).status_code, other.get("/oversight/findings/1").status_code, other.post(f"{at}/begin").status_code,
            other.post("/oversight/findings/1/judge", data={"decision": "close"}).status_code} == {404}
    assert luo.post("/oversight/findings/1/judge", data={"decision": "close"}).status_code == 302
    assert "已结案" in zhou.get(at).get_data(as_text=True)
    assert "已结案" in enter(city.tan).get("/oversight/inspections?q=湘江").get_data(as_text=True)


def test_a_supervisor_of_a_whole_plan_fills_the_list_and_his_report_prints_it(city: City, enter: Enter, clock: TestClock, tmp_path: Path) -> None:
    city.list(InspectionKind.SITE)
    plan = city.plan(starts_on=date(2026, 6, 1))
    sent = desk.assign(city.session, plan, city.luo.account_id, city.tan, now=MONDAY)
    assert code_of(lambda: inspections.of_supervision(city.session, sent, city.qin, now=MONDAY)) == "not_your_duty"
    inspection = inspections.of_supervision(city.session, sent, city.luo, now=MONDAY)
    assert inspections.of_supervision(city.session, sent, city.luo, now=MONDAY) is inspection
    city.answered(inspection, Verdict.FITS, Verdict.FAILS)
    findings.record(city.session, inspection, city.luo, severity=Severity.MAJOR, text="监考员在考场内看手机", files=[photo(size=(1600, 900))],
                    point_id=inspection.template.points[1].id, now=MONDAY)
    inspections.submit(city.session, inspection, "总体规范，监考履职需要改进。", city.luo, now=MONDAY)
    assert code_of(lambda: printed.report_pdf(city.session, sent, made_at=MONDAY)) == "not_reported"
    desk.report(city.session, sent, "全程督导理论考试，秩序良好。", city.luo, now=MONDAY)
    city.session.commit()
    with enter(city.luo).get("/oversight/1/report.pdf") as answer:
        (tmp_path / "report.pdf").write_bytes(answer.data)
    text = subprocess.run(["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"], capture_output=True, text=True, check=True).stdout
    digest = inspection.findings[0].files[0].attachment.sha256
    for said in ("质量督导报告", "全程督导理论考试，秩序良好。", "监考员在考场内看手机", "符合 2 项，不符合 1 项", digest[:40]):
        assert said in text, said
    assert enter(city.qin).get("/oversight/1/report.pdf").status_code == 404


def test_the_office_sends_by_hand_on_its_page(city: City, enter: Enter) -> None:
    city.list()
    plan = city.plan()
    city.session.commit()
    tan, home = enter(city.tan), city.schools[0].id
    assert "罗正明" in tan.get(f"/oversight/inspections/new?plan_id={plan.id}").get_data(as_text=True)
    typed = {"institution_id": home, "kind": "spot", "member_id": [city.luo.account_id, city.qin.account_id], "due_on": "2026-06-30"}
    assert tan.post("/oversight/inspections/new", data=typed | {"member_id": "x"}).status_code == 409
    assert tan.post("/oversight/inspections/new", data={"institution_id": "9999"}).status_code == 404
    assert tan.post("/oversight/inspections/new", data=typed).status_code == 302
    assert tan.post("/oversight/inspections/1/cancel", data={"reason": ""}).status_code == 409
    assert tan.post("/oversight/inspections/1/cancel", data={"reason": "学校临时停课"}).status_code == 302
    assert "学校临时停课" in tan.get("/oversight/inspections/1").get_data(as_text=True)
    assert enter(city.luo).get("/oversight/inspections/1").status_code == 404  # called off
