"""Mending in the preview: a changed row is judged at once, with those that it doubled or contradicted; words become points."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.exchange import batches, grid
from qbank.exchange.drafts import Drafts, Found
from qbank.exchange.matching import Matcher, Place, words_hash
from qbank.exchange.models import KnowledgeChoice
from qbank.exchange.workbooks import spoken_errors
from qbank.items.draft import Draft
from qbank.items.models import ImportBatch, ImportRow, ItemVersion
from qbank.items.states import RowVerdict
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range, WeightTable
from tests.conftest import People, TestClock
from tests.qbank.bank_world import book, row
from tests.qbank.conftest import Upload


def rows_of(session: Session, batch: ImportBatch) -> list[ImportRow]:
    return list(session.scalars(sa.select(ImportRow).where(ImportRow.batch_id == batch.id).order_by(ImportRow.id)))


def test_a_mended_row_is_judged_at_once_and_can_be_taken_back(session: Session, upload: Upload, chen: Viewer) -> None:
    one, two = rows_of(session, upload(book(row(1, **{"答案": "E", "选项B": ""}), row(2))))
    assert {title for title, _ in spoken_errors(one)} == {"答案", "选项B"}
    grid.mend(session, one, {"答案": "A"}, chen)
    assert [title for title, _ in spoken_errors(one)] == ["选项B"]
    grid.mend(session, one, {"选项B": "安培"}, chen)
    assert (one.verdict, one.errors, one.mended) == (RowVerdict.GOOD, [], True)
    assert batches.apply(session, one.batch, chen, now=one.batch.uploaded_at) == 2
    assert two.verdict is RowVerdict.IMPORTED
    with pytest.raises(Refused, match="wrong_state"):
        grid.mend(session, one, {"答案": "B"}, chen)


def test_undo_goes_back_step_by_step(session: Session, upload: Upload, chen: Viewer) -> None:
    [one] = rows_of(session, upload(book(row(1, **{"答案": "E"}))))
    grid.mend(session, one, {"答案": "A"}, chen)
    grid.mend(session, one, {"题干": "另一道题（　　）。"}, chen)
    grid.mend(session, one, {"题干": "另一道题（　　）。"}, chen)  # nothing changed: nothing to take back
    grid.undo(session, one, chen)
    assert (one.cells["题干"], one.cells["答案"], one.verdict) == ("第1题，电压的单位是（　　）。", "A", RowVerdict.GOOD)
    grid.undo(session, one, chen)
    assert (one.cells["答案"], one.verdict, one.mended) == ("E", RowVerdict.WRONG, False)
    with pytest.raises(Refused, match="nothing_to_undo"):
        grid.undo(session, one, chen)


def test_mending_one_row_frees_the_one_that_it_contradicted(session: Session, upload: Upload, chen: Viewer) -> None:
    one, two, three = rows_of(session, upload(book(row(1), row(1, **{"答案": "B"}), row(1))))
    assert [each.verdict for each in (one, two, three)] == [RowVerdict.WRONG] * 3
    changed = grid.mend(session, two, {"题干": "电流的单位是（　　）。"}, chen)
    assert [each.verdict for each in (one, two, three)] == [RowVerdict.GOOD, RowVerdict.GOOD, RowVerdict.DUPLICATE]
    assert changed[0] is two
    assert set(changed) == {one, two, three}


def test_a_dropped_row_is_out_of_the_way_and_may_come_back(session: Session, upload: Upload, chen: Viewer) -> None:
    one, two = rows_of(session, upload(book(row(1), row(1, **{"答案": "B"}))))
    grid.drop(session, [two], chen)
    assert (one.verdict, two.verdict) == (RowVerdict.GOOD, RowVerdict.DROPPED)
    grid.bring_back(session, [two], chen)
    assert (one.verdict, two.verdict) == (RowVerdict.WRONG, RowVerdict.WRONG)
    grid.drop(session, [one], chen)
    grid.undo(session, one, chen)
    assert two.verdict is RowVerdict.WRONG


def test_the_reader_s_doubts_stop_a_row_until_somebody_has_seen_it(
        session: Session, upload: Upload, chen: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = Draft("single", "电压的单位是（　　）。", ("伏特", "安培"), "A", "", "", 0, "A-A", "001")
    found = Drafts(tuple(Found(draft if not number else Draft(**{**draft.__dict__, "stem": f"第{number}题（　　）。"}),
                               f"第 {number + 3} 段", number, ("图片 1 已丢失。",)) for number in range(3)), "word")
    monkeypatch.setattr(batches, "read_content", lambda content, name, form: found)
    monkeypatch.setattr(batches, "sniff", lambda content, name: "word")
    batch = upload(b"x", "试卷.docx")
    one, two, three = rows_of(session, batch)
    assert (one.place, one.verdict, one.cells["难度"], batch.format) == ("第 3 段", RowVerdict.WRONG, "3", "word")
    assert batch.notes == [batches.NO_GRADE]
    grid.seen(session, one, chen)
    grid.mend(session, two, {"答案": "B"}, chen)  # who changes what it says has seen it
    grid.set_cells(session, [three], {"难度": "5"}, chen)  # who changes many at once has not
    assert [each.verdict for each in (one, two, three)] == [RowVerdict.GOOD, RowVerdict.GOOD, RowVerdict.WRONG]
    grid.undo(session, one, chen)
    assert spoken_errors(one) == [("", "图片 1 已丢失。")]


def test_words_without_a_point_wait_and_are_worked_off_once_for_all(
        session: Session, upload: Upload, people: People, table: WeightTable, chen: Viewer, clock: TestClock) -> None:
    words = {"鉴定范围": "", "鉴定点": "触电急救"}
    batch = upload(book(row(1, **words), row(2, **words), row(3, **{"鉴定范围": "", "鉴定点": ""}), row(4)))
    assert {verdict.value: n for verdict, n in batches.counts(session, batch).items() if n} == {"unmatched": 3, "good": 1}
    waiting = grid.queue(session, batch)
    assert [(one.text, one.rows, one.stem[:3]) for one in waiting] == [("触电急救", 2, "第1题"), ("", 1, "第3题")]
    point = grid.point_named(session, batch, "A-A-003 安全用电要点3")
    assert grid.choose_point(session, batch, waiting[0].key, point, chen, now=clock()) == 2
    assert grid.choose_point(session, batch, waiting[1].key, point, chen, now=clock()) == 1  # no words: nothing to remember
    assert batches.apply(session, batch, chen, now=clock()) == 4
    assert {version.point.segment for version in session.scalars(sa.select(ItemVersion))} == {"001", "003"}
    again = upload(book(row(5, **words), row(6, **{"鉴定范围": "", "鉴定点": "触 电 急 救"})))
    assert batches.counts(session, again)[RowVerdict.GOOD] == 2
    first = rows_of(session, again)[0]
    assert (first.cells["鉴定范围"], first.cells["鉴定点"], first.cells["原鉴定点"]) == ("A-A", "003", "触电急救")
    grid.choose_point(session, upload(book(row(7, **words | {"鉴定点": "触电"}))), words_hash("", "触电"), point, chen, now=clock())
    assert len(session.scalars(sa.select(KnowledgeChoice)).all()) == 2
    with pytest.raises(Refused, match="no_point"):
        grid.point_named(session, batch, "C-A-001")


def test_many_rows_get_one_point(session: Session, upload: Upload, chen: Viewer) -> None:
    batch = upload(book(*(row(number, **{"鉴定点": "", "鉴定范围": ""}) for number in range(1, 5))))
    rows = rows_of(session, batch)
    grid.set_cells(session, rows[:3], {"鉴定范围": "B-A", "鉴定点": "002"}, chen)
    assert [each.verdict.value for each in rows] == ["good", "good", "good", "unmatched"]


def test_a_stranger_to_the_bank_mends_nothing(session: Session, people: People, upload: Upload) -> None:
    reviewer = people("李明", Role.ITEM_REVIEWER)
    [one] = rows_of(session, upload(book(row(1))))
    acts: list[Callable[[], object]] = [
        lambda: grid.mend(session, one, {"答案": "B"}, reviewer), lambda: grid.undo(session, one, reviewer),
        lambda: grid.seen(session, one, reviewer), lambda: grid.drop(session, [one], reviewer),
        lambda: grid.keep_alike(session, one, reviewer)]
    for act in acts:
        with pytest.raises(Refused, match="not_your_bank"):
            act()


def test_similar_items_of_the_bank_are_kept_with_the_row(session: Session, upload: Upload, chen: Viewer, clock: TestClock) -> None:
    stem = "三相异步电动机的额定转速总是低于同步转速的原因是转子{}（　　）。"
    batches.apply(session, upload(book(row(1, **{"题干": stem.format("必须切割磁力线")}))), chen, now=clock())
    batch = upload(book(row(2, **{"题干": stem.format("必须切割磁感线")}), row(3)))
    alike, other = rows_of(session, batch)
    known = session.scalars(sa.select(ItemVersion)).one()
    assert [(one["item"], one["score"] > 0.8) for one in alike.alike] == [(known.item_id, True)]
    assert (other.alike, alike.verdict) == ([], RowVerdict.GOOD)
    grid.keep_alike(session, alike, chen)
    assert alike.alike[0]["kept"]
    assert batches.apply(session, batch, chen, now=clock()) == 2


PLACES = [Place(1, "A-A", "安全用电", "001", "触电急救"), Place(2, "A-A", "安全用电", "002", "安全电压"),
          Place(3, "B-A", "电路基础", "001", "电阻的串联"), Place(4, "B-A", "电路基础", "002", "电阻的并联"),
          Place(5, "B-B", "电机", "001", "安全电压"), Place(6, "B-B", "电机", "010", "电机")]
MATCHER = Matcher([("A", "第一部分"), ("A-A", "安全用电"), ("B", "第二部分"), ("B-A", "电路基础"), ("B-B", "电机")], PLACES)


@pytest.mark.parametrize(("range_text", "point_text", "point_id", "coded"), [
    ("A-A", "001", 1, True), ("a－a", "1", 1, True), ("", "A-A-002", 2, True), ("", "B-A-001 电阻的串联", 3, True),
    ("A-A 安全用电", "001", 1, False), ("A-A", "触电急救", 1, False),  # code and name
    ("", "第二部分/电路基础/电阻的并联", 4, False), ("", "安全用电>安全电压", 2, False), ("电机", "安全电压", 5, False),  # paths
    ("", "触电急救", 1, False), ("", "触 电急救。", 1, False),  # a leaf's name
    ("", "现场触电急救的步骤", 1, False), ("", "1.电阻的串联（掌握）", 3, False),  # a leaf contained in the text
    ("", "并联", 4, False), ("", "急救", 1, False),  # the text contained in exactly one leaf
])
def test_words_find_their_point(range_text: str, point_text: str, point_id: int, coded: bool) -> None:
    place, by_code = MATCHER.find(range_text, point_text)
    assert (place.point_id, by_code) == (point_id, coded)


@pytest.mark.parametrize(("range_text", "point_text", "word"), [
    ("", "", "没有写鉴定点"), ("", "安全电压", "没有找到"), ("", "电阻", "没有找到"), ("", "焊接", "没有找到"), ("C-A", "001", "没有鉴定范围“C-A”"),
    ("A-A", "007", "没有鉴定点“007”"), ("", "A-A-009", "没有找到"), ("", "（）", "没有写鉴定点"), ("", "电阻的串连", "最接近的是 B-A-001 电阻的串联"),
])
def test_what_is_not_clear_is_asked(range_text: str, point_text: str, word: str) -> None:
    with pytest.raises(Refused, match="unmatched") as refusal:
        MATCHER.find(range_text, point_text)
    assert word in refusal.value.sentence


def test_a_chosen_point_goes_with_its_table(session: Session, upload: Upload, table: WeightTable, chen: Viewer, clock: TestClock) -> None:
    batch = upload(book(row(1, **{"鉴定点": "急救", "鉴定范围": ""})))
    point = session.scalars(sa.select(Point).join(Point.range).where(Range.path == "A-A")).first()
    assert point
    grid.choose_point(session, batch, grid.queue(session, batch)[0].key, point, chen, now=clock())
    session.delete(point)
    session.commit()
    assert session.scalars(sa.select(KnowledgeChoice)).all() == []
