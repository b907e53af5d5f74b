"""Importing a workbook: every bad row is named, good ones arrive, nothing arrives twice, a batch can be taken back."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.exchange import batches
from qbank.exchange.workbooks import spoken_errors
from qbank.items import bank
from qbank.items.models import ImportBatch, ImportFile, ImportRow, Item, ItemPair, ItemVersion
from qbank.items.states import BatchState, ItemState, PairKind, RowVerdict
from qbank.kernel import audit
from qbank.kernel.access import Role, Viewer
from qbank.kernel.audit import AuditEntry
from qbank.kernel.refused import Refused
from qbank.standards.models import WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import TITLES, book, ohm, row


class Desk:
    """陈晓 at her desk, uploading."""

    def __init__(self, session: Session, people: People, table: WeightTable, who: Viewer, clock: TestClock) -> None:
        self.session, self.people, self.table, self.who, self.clock = session, people, table, who, clock

    def upload(self, content: bytes, name: str = "题库.xlsx") -> ImportBatch:
        return batches.upload(self.session, self.table, self.people.home.id, name, content, self.who, now=self.clock())

    def apply(self, batch: ImportBatch) -> int:
        return batches.apply(self.session, batch, self.who, now=self.clock())

    def wrong(self, *rows: list[Any], **options: Any) -> list[str]:
        """The errors of the only bad row."""
        found = self.session.scalars(batches.rows(self.upload(book(*rows, **options)), RowVerdict.WRONG)).all()
        assert len(found) == 1, [one.errors for one in found]
        return [sentence for _, sentence in spoken_errors(found[0])]

    def counts(self, batch: ImportBatch) -> dict[str, int]:
        """Only what is there: {"good": 2}."""
        return {verdict.value: number for verdict, number in batches.counts(self.session, batch).items() if number}


@pytest.fixture
def desk(session: Session, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> Desk:
    return Desk(session, people, table, chen, clock)


def test_good_rows_arrive_as_drafts_with_all_they_say(session: Session, desk: Desk) -> None:
    batch = desk.upload(book(
        row(1), row(2, **{"题型": "多选", "答案": "ＢＡ", "难度": "较难", "鉴定点": 2, "选项D": "以上都不对"}),
        row(3, **{"题型": "判断题", "选项A": "", "选项B": "", "选项C": "", "选项D": "", "答案": "√", "难度": "中", "解析": "依据", "出处": "教材"})))
    assert batch.state is BatchState.PREVIEWED
    assert desk.apply(batch) == 3
    session.commit()
    one, two, three = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id))
    assert (one.kind.value, one.key, [option.text for option in one.options]) == ("single", "A", ["伏特", "安培", "欧姆", "瓦特"])
    assert (two.key, two.difficulty, two.point.segment, two.options[3].stays_last) == ("AB", 4, "002", True)
    assert (three.key, three.options, three.difficulty, three.explanation, three.source) == ("T", [], 3, "依据", "教材")
    assert {version.state for version in (one, two, three)} == {ItemState.DRAFT}
    assert {version.batch_id for version in (one, two, three)} == {batch.id}
    assert session.scalars(sa.select(ImportFile)).all() == []
    assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.table_name == "item_versions")) == 3
    assert audit.verify(session) == []


def test_the_head_is_found_and_several_sheets_are_read(session: Session, desk: Desk) -> None:
    titles = ["题干", "答案（必填）", *TITLES[:3], "选项a", "B", "C选项", "选项 D", "难度等级", "审核人"]
    cells = ["电压的单位是（　　）。", "A", "A-A", "1", "单选", "伏特", "安培", "欧姆", "瓦特", "易", "老张"]
    batch = desk.upload(book(cells, titles=titles, sheets=("四级", "补充"), above=4))
    found = session.scalars(batches.rows(batch)).all()
    assert [(one.sheet_name, one.row_number, one.verdict.value) for one in found] == [
        ("补充", 6, "duplicate"), ("四级", 6, "good")]  # head in line 5, so Excel calls the first item line 6
    assert found[0].duplicate_of == "本文件工作表“四级”第 6 行"
    assert len(batch.notes) == 2
    assert "“审核人”不是题库的列，已忽略" in batch.notes[0]


@pytest.mark.parametrize(("changes", "word"), [
    ({"题型": "听力题"}, "题型无法识别"),
    ({"题型": "简答题"}, "简答题不需要选项"),
    ({"题型": "填空题"}, "没有空"),
    ({"题干": ""}, "题干是空的"),
    ({"选项B": ""}, "选项B是空的"),
    ({"选项B": "伏特"}, "选项A与选项B内容相同"),
    ({"答案": "E"}, "“E”不是这道题的选项"),
    ({"答案": ""}, "答案是空的"),
    ({"难度": "7"}, "难度应填写"),
    ({"选项A": "2026-01-02 00:00:00"}, "当成了日期"),
    ({"出处": "示例：导入前请删除本行"}, "示例行"),
])
def test_each_bad_row_says_what_to_do(desk: Desk, changes: dict[str, str], word: str) -> None:
    errors = desk.wrong(row(1), row(2, **changes))
    assert any(word in error for error in errors), errors


def test_words_that_pandas_takes_for_nothing_are_words(session: Session, desk: Desk) -> None:
    desk.apply(desk.upload(book(row(1, **{"选项A": "NA", "选项B": "null", "选项C": "None", "选项D": "NaN"}))))
    version = session.scalars(sa.select(ItemVersion)).one()
    assert [option.text for option in version.options] == ["NA", "null", "None", "NaN"]


def test_rows_that_contradict_each_other_are_both_stopped(session: Session, desk: Desk) -> None:
    batch = desk.upload(book(row(1), row(2), row(1, **{"答案": "B"})))
    found = {one.row_number: one for one in session.scalars(batches.rows(batch))}
    assert found[3].verdict is RowVerdict.GOOD
    assert found[2].errors == [["答案", "与第 4 行题目相同但答案不同，请核对后只保留正确的一行。"]]
    assert "与第 2 行题目相同但答案不同" in found[4].errors[0][1]


def test_a_contradiction_with_the_bank_is_an_error_and_a_double_is_skipped(
        session: Session, desk: Desk, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> None:
    known = bank.add_item(session, table, people.home.id, ohm(), chen, now=clock())
    stem = {"题干": "电阻的单位是（　　）"}
    batch = desk.upload(book(row(1, **stem, **{"答案": "C"}), row(2)))
    double = session.scalars(batches.rows(batch, RowVerdict.DUPLICATE)).one()
    assert double.duplicate_of == f"题库中的题 {known.item_id} 第 1 版（草稿）"
    assert f"题 {known.item_id} 第 1 版" in desk.wrong(row(1, **stem))[0]


def test_the_same_file_twice_adds_nothing_and_names_the_batch(session: Session, desk: Desk) -> None:
    content = book(row(1), row(2))
    first = desk.upload(content)
    assert desk.apply(first) == 2
    second = desk.upload(content, "另存.xlsx")
    assert desk.counts(second) == {"duplicate": 2}
    assert batches.earlier_same(session, second) is first
    with pytest.raises(Refused, match=f"已在批次 {first.id} 导入过"):
        desk.apply(second)
    assert session.scalar(sa.select(sa.func.count(Item.id))) == 2


def test_an_old_file_adds_nothing_after_its_items_were_edited_or_retired(
        session: Session, desk: Desk, chen: Viewer, clock: TestClock) -> None:
    content = book(row(1), row(2))
    desk.apply(desk.upload(content))
    one, two = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id))
    bank.edit(session, one, ohm(99), chen, now=clock(), reason="换题干")
    bank.retire(session, two, chen, "过时", now=clock())
    assert batches.counts(session, desk.upload(content))[RowVerdict.GOOD] == 0


def test_two_previews_of_one_file_cannot_both_be_applied(session: Session, desk: Desk) -> None:
    content = book(row(1))
    first, second = desk.upload(content), desk.upload(content)
    desk.apply(first)
    with pytest.raises(Refused, match="nothing_to_import"):
        desk.apply(second)
    with pytest.raises(Refused, match="wrong_state"):
        desk.apply(first)


def test_a_batch_is_taken_back_while_all_are_drafts(session: Session, desk: Desk, chen: Viewer, clock: TestClock) -> None:
    content = book(row(1), row(2))
    batch = desk.upload(content)
    desk.apply(batch)
    session.commit()
    assert batches.revert(session, batch, chen, now=clock()) == 2
    session.commit()
    assert batch.state is BatchState.REVERTED
    assert session.scalar(sa.select(sa.func.count(ItemVersion.id))) == 0
    deleted = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "delete", AuditEntry.table_name == "item_versions"))
    assert ["第1题" in entry.changes for entry in deleted] == [True, False]  # what was taken out is on record
    assert desk.apply(desk.upload(content)) == 2  # and it may be imported again


def test_what_stops_a_revert_is_named(session: Session, desk: Desk, chen: Viewer, clock: TestClock) -> None:
    batch = desk.upload(book(row(1), row(2), row(3), row(4)))
    desk.apply(batch)
    one, two, three, four = session.scalars(sa.select(ItemVersion).order_by(ItemVersion.id)).all()
    two.state = ItemState.IN_USE
    bank.edit(session, three, ohm(99), chen, now=clock(), reason="换题干")
    session.add(ItemPair(first_id=one.item_id, second_id=four.item_id, kind=PairKind.SIMILAR, decided_by_id=chen.account_id, decided_at=clock()))
    session.flush()
    with pytest.raises(Refused, match="batch_in_use") as refusal:
        batches.revert(session, batch, chen, now=clock())
    assert refusal.value.details == (f"题 {two.item_id} 第 1 版：已用于试卷", f"题 {three.item_id} 第 2 版：已修改到第 2 版")
    assert session.get(ItemVersion, one.id) is one
    assert batch.state is BatchState.APPLIED


def gbk_csv() -> bytes:
    return "鉴定范围,鉴定点,题型,题干\nA-A,001,单选题,电压的单位".encode("gbk")


def zip_of_text() -> bytes:
    import io
    import zipfile
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("readme.txt", "no workbook")
    return stream.getvalue()


@pytest.mark.parametrize(("content", "word"), [
    (b"", "空文件"),
    (b"%PDF-1.7 ...", "是PDF"),
    (b"<html><table></table></html>", "是网页"),
    (bytes(range(256)) * 10, "不是文本文件"),
    (zip_of_text(), "里面没有试题"),
    (book(row(1))[:900], "打不开"),
    (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "打不开"),
    (book(titles=()), "工作表是空的"),
    (book(), "只有表头"),
])
def test_a_file_that_cannot_be_read_gets_a_clear_sentence(desk: Desk, session: Session, content: bytes, word: str) -> None:
    with pytest.raises(Refused, match=word):
        desk.upload(content)


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_damaged_workbook_is_refused_or_read_never_a_crash(desk: Desk, place: int) -> None:
    content = bytearray(book(*(row(number) for number in range(1, 6))))
    at = len(content) * place // 100 + 4
    content[at:at + 12] = b"\xff" * 12
    with contextlib.suppress(Refused):
        assert desk.upload(bytes(content)).state is BatchState.PREVIEWED


def test_five_thousand_rows_with_two_hundred_bad_ones_preview_in_seconds(session: Session, desk: Desk) -> None:
    rows = [row(number, **({"答案": "F"} if number % 25 == 0 else {})) for number in range(1, 5001)]
    content = book(*rows)
    began = time.perf_counter()
    batch = desk.upload(content)
    seconds = time.perf_counter() - began
    session.commit()
    assert desk.counts(batch) == {"wrong": 200, "good": 4800}
    first = session.scalars(batches.rows(batch).limit(1)).one()
    assert (first.row_number, first.verdict) == (26, RowVerdict.WRONG)  # the 25th item stands in line 26
    print(f"preview of 5,000 rows: {seconds:.1f} s")
    assert seconds < 20  # about 3 s on two idle cores; the bound allows for a crowded machine


def test_six_hundred_rows_are_applied_with_their_trail_and_few_statements(
        session: Session, desk: Desk) -> None:
    batch = desk.upload(book(*(row(number) for number in range(1, 601))))
    session.commit()
    statements = []
    sa.event.listen(session.get_bind(), "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    began = time.perf_counter()
    assert desk.apply(batch) == 600
    session.commit()
    seconds = time.perf_counter() - began
    print(f"600 rows applied: {seconds:.1f} s, {len(statements)} statements")
    assert sum("options" in statement for statement in statements) == 3  # one for each slice
    assert len(statements) < 2 * 600 + 3 * 25  # an item and a version each; everything else at once
    assert seconds < 10  # about 1 s on two idle cores; the bound allows for a crowded machine
    assert session.scalar(sa.select(sa.func.count(ImportRow.id)).where(ImportRow.verdict == RowVerdict.IMPORTED)) == 600


def test_a_reviewer_cannot_import(session: Session, people: People, table: WeightTable, clock: TestClock) -> None:
    li = people("李明", Role.ITEM_REVIEWER)
    with pytest.raises(Refused, match="not_your_bank"):
        batches.upload(session, table, people.home.id, "题库.xlsx", book(row(1)), li, now=clock())
