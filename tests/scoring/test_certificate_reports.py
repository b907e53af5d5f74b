"""The upward report: a layout that is data, batches that are kept, receipts row by row, and only what came back sent again."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import photos
from qbank.kernel.access import Role, Scope
from qbank.kernel.accounts import set_identity
from qbank.kernel.audit import AuditEntry
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import IdentityKind
from qbank.kernel.refused import Refused
from scoring.certificates import desk, layout, receipts, report
from scoring.certificates.layout import Column
from scoring.certificates.models import Certificate, Disclosure
from scoring.certificates.report_models import BatchKind, LineState, ReportBatch, ReportLine
from scoring.certificates.todo import todo
from tests.conftest import MONDAY
from tests.scoring.final_world import CIPHER, FinalWorld, identity_number
from tests.scoring.test_certificate_copies import picture
from tests.scoring.test_certificates import Enter, text_of

LATER = MONDAY + timedelta(days=3)
DEFAULT_TITLES = ["序号", "姓名", "性别", "证件类型", "证件号码", "出生日期", "文化程度", "职业编码", "职业名称", "工种/职业方向", "等级", "理论成绩",
                  "技能成绩", "综合评审成绩", "评定成绩(合格)", "证书编号", "发证日期", "发证机构", "机构代码", "评价类型", "照片文件名"]  # domain.md 4.4


@pytest.fixture
def world(session: Session, people: Any) -> FinalWorld:
    made = FinalWorld(session, people, ("张晓明", "李芳", "陈静"), ())
    desk.issue(session, made.results, made.officer, cipher=CIPHER, now=MONDAY)
    return made


def certificates(world: FinalWorld) -> list[Certificate]:
    return list(desk.certificates_of(world.session, world.results))


def sent(world: FinalWorld, kind: BatchKind = BatchKind.NEW, now: Any = MONDAY) -> ReportBatch:
    return report.make_batch(world.session, world.results, kind, world.officer, cipher=CIPHER, now=now)


def rows_of(world: FinalWorld, batch: ReportBatch) -> list[dict[str, Any]]:
    content = report.take(world.session, batch, world.officer, cipher=CIPHER, now=LATER)
    lines = list(openpyxl.load_workbook(BytesIO(content)).active.iter_rows(values_only=True))  # type: ignore[union-attr]
    return [dict(zip(map(str, lines[0]), line, strict=True)) for line in lines[1:]]


def answered(world: FinalWorld, batch: ReportBatch, heads: tuple[str, ...], rows: list[tuple[str, ...]], title: str = "") -> Any:
    content = workbook([Table("回执", [(head, 20) for head in heads], rows, title)])
    return receipts.read(world.session, batch, "回执.xlsx", content, world.officer, cipher=CIPHER, now=LATER)


def states(batch: ReportBatch) -> list[LineState]:
    return [line.state for line in sorted(batch.lines, key=lambda line: line.row)]


def test_the_default_layout_is_the_published_set_in_its_order(world: FinalWorld) -> None:
    batch = sent(world)
    rows = rows_of(world, batch)
    assert list(rows[0]) == DEFAULT_TITLES
    assert {title: value or None for title, value in rows[0].items()} == {
        "序号": 1, "姓名": "张晓明", "性别": "男", "证件类型": "居民身份证", "证件号码": identity_number(0), "出生日期": "2006-01-01", "文化程度": None,
        "职业编码": "6-31-01-03", "职业名称": "电工", "工种/职业方向": None, "等级": "四级/中级工", "理论成绩": 80, "技能成绩": 85,
        "综合评审成绩": None, "评定成绩(合格)": "合格", "证书编号": "J000043000001264000001", "发证日期": "2026-06-01",
        "发证机构": "湘江技师学院（演示）", "机构代码": "J000043000001", "评价类型": "技工院校认定", "照片文件名": None}
    assert [row["姓名"] for row in rows] == ["张晓明", "李芳", "陈静"]


def test_a_layout_of_the_province_is_data_columns_order_heads_and_words(world: FinalWorld, enter: Enter, session: Session) -> None:
    session.commit()
    browser, page = enter(world.officer), f"/certificates/layouts/{world.school.id}"
    assert browser.get(page).get_data(as_text=True).count('name="source"') == 21 + 3
    form = {"sheet": "导入模板", "place": ["3", "1", "2", "4", "9"], "title": ["性别代码", "证书号", "级别", "评价方式", ""],
            "source": ["sex", "number", "level_digit", "fixed", ""], "date_form": ["", "", "", "", ""], "text": ["", "", "", "02", ""],
            "words": ["男=1，女=2", "", "4=四级", "", ""], "number": "证书编号", "identity": "证件号码", "result": "状态", "reason": "备注",
            "accepted": "01", "rejected": "02"}
    assert browser.post(page, data=form).status_code == 302
    session.expire_all()
    batch = sent(world)
    assert rows_of(world, batch)[0] == {"证书号": "J000043000001264000001", "级别": "四级", "性别代码": "1", "评价方式": "02"}
    session.commit()
    for change in ({"title": ["一", "一", "二", "三", ""]}, {"words": ["男1", "", "", "", ""]}, {"source": ["sex", "level", "level", "fixed", ""]},
                   {"sheet": "a/b"}, {"accepted": "02"}, {"result": ""}, {"title": ["", "证书号", "级别", "评价方式", ""]},
                   {"date_form": ["%s", "", "", "", ""]}, {"source": ["salary", "number", "level", "fixed", ""]}):
        assert browser.post(page, data=form | change).status_code == 409, change
    session.expire_all()
    assert receipts.read(session, batch, "r.xlsx", workbook([Table("x", [("证书编号", 9), ("状态", 9)], [("J000043000001264000001", "01")])]),
                         world.officer, cipher=CIPHER, now=LATER).accepted == 1
    session.commit()
    assert browser.post(page, data={"default": "yes"}).status_code == 302
    session.expire_all()
    assert [one.title for one in report.layout_of(session, world.school).columns] == DEFAULT_TITLES
    assert list(rows_of(world, batch)[0]) == ["证书号", "级别", "性别代码", "评价方式"]  # what was sent stays as it was


def test_dates_are_written_as_the_office_wants_them() -> None:
    column = Column("发证日期", "issued_on", date_form="%Y%m%d")
    assert column.value({"issued_on": MONDAY.date()}) == "20260601"
    assert Column("发证日期", "issued_on").value({"issued_on": None}) is None
    assert layout.words("男 = 1, 女＝2", "性别") == {"男": "1", "女": "2"}


def test_the_same_file_can_be_taken_again_although_people_change(world: FinalWorld) -> None:
    batch = sent(world)
    before = report.take(world.session, batch, world.officer, cipher=CIPHER, now=MONDAY)
    world.candidates[0].candidate.name = "张小明"
    assert report.take(world.session, batch, world.officer, cipher=CIPHER, now=LATER) == before
    assert [one.people for one in world.session.scalars(sa.select(Disclosure))] == [3, 3]


def test_photos_go_along_under_the_names_that_stand_in_the_rows(session: Session, people: Any) -> None:
    world = FinalWorld(session, people)
    photos.keep(session, world.candidates[0], picture("JPEG"), world.officer, now=MONDAY)
    desk.issue(session, world.results, world.officer, cipher=CIPHER, now=MONDAY)
    batch = sent(world)
    assert [row["照片文件名"] or "" for row in rows_of(world, batch)] == ["J000043000001264000001.jpg", ""]
    with ZipFile(BytesIO(report.photos(session, batch, world.officer, now=MONDAY))) as packed:
        assert packed.namelist() == ["J000043000001264000001.jpg"]
        assert packed.read(packed.namelist()[0]).startswith(b"\xff\xd8")


def test_a_receipt_names_people_by_certificate_or_identity_number_and_only_the_rejected_are_sent_again(world: FinalWorld) -> None:
    first, second, third = certificates(world)
    batch = sent(world)
    with pytest.raises(Refused, match="没有需要首次上报"):
        sent(world)
    made = answered(world, batch, ("序号", "证件号码", "证书编号", "校验结果", "原因"), [
        ("1", identity_number(0), "", "通过", "无"), ("2", "", second.number, "不通过", "照片不合规范"), ("3", "", third.number, "处理中", ""),
        ("4", "", "J000043000001264999999", "通过", "")], "2026 年第 1 批回执")
    assert (made.accepted, made.rejected) == (1, 1)
    # the title is line 1, the heads line 2
    assert made.problems == ["第 5 行：“处理中”不是约定的结果用语。", "第 6 行：证书编号或证件号码不在本次上报中。"]
    assert states(batch) == [LineState.ACCEPTED, LineState.REJECTED, LineState.SENT]
    assert [line.reason for line in batch.lines] == ["", "照片不合规范", ""]
    assert {one.title.split("：")[0] for one in todo(world.session, world.officer, now=LATER)} == {"更正并重报退回的证书数据", "证书数据上报待回执"}
    again = sent(world, BatchKind.RESENT, LATER)
    assert [(row["序号"], row["姓名"]) for row in rows_of(world, again)] == [(1, "李芳")]
    assert again.number == 2
    with pytest.raises(Refused, match="没有需要退回后重报"):
        sent(world, BatchKind.RESENT, LATER)  # its new row waits for an answer
    answered(world, again, ("证书编号", "校验结果"), [(second.number, "通过")])
    answered(world, batch, ("证书编号", "校验结果"), [(third.number, "成功")])
    assert todo(world.session, world.officer, now=LATER) == []
    assert first.number == "J000043000001264000001"


def test_what_was_revoked_after_it_was_sent_is_reported_as_a_change(world: FinalWorld) -> None:
    sent(world)
    second = certificates(world)[1]
    desk.revoke(world.session, second, world.officer, "替考，经核实", now=LATER)
    assert {kind: [one.holder for one in found] for kind, found in report.due(world.session, world.results).items()} == {
        BatchKind.NEW: [], BatchKind.RESENT: [], BatchKind.CHANGED: ["李芳"]}
    shown = layout.checked("变更", [Column("编号", "number"), Column("状态", "state")],
                           {name: "、".join(getattr(layout.Receipt(), name)) for name in layout.RECEIPT_NAMES})
    report.set_layout(world.session, world.school, shown, world.officer, now=LATER)
    assert rows_of(world, sent(world, BatchKind.CHANGED, LATER + timedelta(hours=1))) == [{"编号": second.number, "状态": "注销"}]
    assert report.due(world.session, world.results)[BatchKind.CHANGED] == []


def test_a_receipt_that_says_both_or_nothing_changes_nothing(world: FinalWorld) -> None:
    first = certificates(world)[0]
    batch = sent(world)
    made = answered(world, batch, ("证书编号", "校验结果"), [(first.number, "通过"), (first.number, "退回")])
    assert made.problems == ["第 3 行：同一证书在回执中既接收又退回，按先出现的一行处理。"]
    assert states(batch)[0] is LineState.ACCEPTED
    with pytest.raises(Refused, match="没有一行能对应"):
        answered(world, batch, ("证书编号", "校验结果"), [("X", "通过")])
    with pytest.raises(Refused, match="没有找到回执的表头"):
        answered(world, batch, ("编号", "结论"), [(first.number, "通过")])
    with pytest.raises(Refused, match="打不开"):
        receipts.read(world.session, batch, "r.xlsx", b"PK\x03\x04 not a workbook", world.officer, cipher=CIPHER, now=LATER)


def test_no_identity_number_stands_readable_in_the_database_or_the_trail(world: FinalWorld) -> None:
    batch = sent(world)
    world.session.commit()
    assert identity_number(0).encode() not in batch.file_cipher
    trail = "".join(world.session.scalars(sa.select(AuditEntry.changes)))
    assert identity_number(0) not in trail
    assert '"report_batches"' in "".join(f'"{name}"' for name in world.session.scalars(sa.select(AuditEntry.table_name).distinct()))


def test_the_pages_make_a_batch_give_its_file_and_read_its_receipt(world: FinalWorld, enter: Enter, session: Session) -> None:
    second = certificates(world)[1].number
    session.commit()
    browser, page = enter(world.officer), f"/certificates/lists/{world.results.id}"
    assert "首次上报 3 人" in browser.get(f"{page}/reports").get_data(as_text=True)
    assert browser.post(f"{page}/report", data={"kind": "all"}).status_code == 409
    made = browser.post(f"{page}/report", data={"kind": "new"})
    assert made.status_code == 302
    assert browser.get(f"{made.location}/file").status_code == 405  # reading is a record: by POST only
    assert browser.post(f"{made.location}/file").data.startswith(b"PK")
    content = workbook([Table("回执", [("证书编号", 20), ("状态", 20), ("备注", 20)], [(second, "退回", "<b>照片</b>不合规范")])])
    answer = browser.post(f"{made.location}/receipts", data={"file": (BytesIO(content), "回执.xlsx")})
    assert answer.status_code == 302
    shown = browser.get(made.location).get_data(as_text=True)
    assert "&lt;b&gt;照片&lt;/b&gt;不合规范" in shown
    assert identity_number(0) not in shown
    assert "退回后重报 1 人" in browser.get(f"{page}/reports").get_data(as_text=True)
    for wrong in (b"", b"no workbook"):
        assert browser.post(f"{made.location}/receipts", data={"file": (BytesIO(wrong), "x.xlsx")}).status_code == 409
    assert [line.state for line in session.scalars(sa.select(ReportLine).order_by(ReportLine.row))] == [
        LineState.SENT, LineState.REJECTED, LineState.SENT]


def test_reports_and_layouts_are_shut_to_strangers_and_read_only_for_the_offices(world: FinalWorld, enter: Enter, session: Session, people: Any) -> None:
    batch = sent(world)
    city, far = (people(name, scopes=[Scope(Role.CITY_OFFICER, region=region)]) for name, region in (("谭晓峰", "4301"), ("外市", "4304")))
    stranger = world.stranger()
    session.commit()
    reads = (f"/certificates/lists/{world.results.id}/reports", f"/certificates/reports/{batch.id}")
    writes = (f"/certificates/lists/{world.results.id}/report", f"/certificates/reports/{batch.id}/file", f"/certificates/reports/{batch.id}/receipts",
              f"/certificates/layouts/{world.school.id}")
    for who, read, written in ((stranger, 404, 404), (far, 404, 403), (city, 200, 403)):
        browser = enter(who)
        assert {browser.get(address).status_code for address in reads} == {read}
        assert {browser.post(address, data={"kind": "new"}).status_code for address in writes} == {written}


def test_other_papers_than_the_residents_card_are_reported_as_they_are(session: Session, people: Any) -> None:
    """A passport tells neither sex nor birth date: both come from the roster."""
    world = FinalWorld(session, people, ("安娜",), ())
    enrolment = world.candidates[0]
    set_identity(enrolment.candidate, "E12345678", CIPHER, IdentityKind.PASSPORT)
    enrolment.facts, enrolment.born = {"sex": "女", "education": "高中"}, date(2007, 3, 4)
    desk.issue(session, world.results, world.officer, cipher=CIPHER, now=MONDAY)
    row = rows_of(world, sent(world))[0]
    assert [row[title] for title in ("性别", "证件类型", "证件号码", "出生日期", "文化程度")] == ["女", "护照", "E12345678", "2007-03-04", "高中"]
    certificate = certificates(world)[0]
    assert certificate.identity_kind == "护照"
    assert "证件类型IDType护照" in text_of(certificate.pdf)
