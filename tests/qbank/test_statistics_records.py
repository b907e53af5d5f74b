"""Statistics stored with item versions, and their pages."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.items.models import Item, ItemKind, ItemState, ItemVersion, Option
from qbank.kernel.access import Role, Scope, Viewer
from qbank.standards.models import Subject
from qbank.standards.tables import PointDraft, RangeDraft, add_occupation, add_standard, leaves, set_table
from qbank.statistics.models import ItemStatistic
from qbank.statistics.records import Responses, record
from qbank.statistics.verdicts import Flag, Numbers, flags
from tests.conftest import People, TestClock

Enter = Callable[[Viewer], FlaskClient]

NAN = float("nan")


@pytest.fixture
def versions(session: Session, people: People, clock: TestClock) -> list[ItemVersion]:
    """Four items: three choices with keys A, B, C and a true/false item with key T."""
    officer, author = people("周考务", Role.EXAM_OFFICER), people("吴命题", Role.ITEM_AUTHOR)
    occupation = add_occupation(session, "6-31-01-03", "电工", officer, catalogue_edition="2015")
    standard = add_standard(session, occupation, officer, edition="2018", title="电工国家职业技能标准")
    table = set_table(session, standard, 4, Subject.THEORY,
                      [RangeDraft(("A",), "基本要求", 200, (PointDraft("001", "职业道德", "X"),))], officer,
                      is_sample=True, source="示例")
    made = []
    for i, key in enumerate(["A", "B", "C", "T"]):
        kind = ItemKind.JUDGE if key == "T" else ItemKind.SINGLE
        made.append(ItemVersion(
            item=Item(institution_id=people.home.id, table=table), number=1, point=leaves(table)[0].points[0], kind=kind,
            stem=f"第{i + 1}道题的题干（　　）。", key=key, difficulty=3, state=ItemState.APPROVED, content_hash=str(i),
            author_id=author.account_id, created_at=clock(),
            options=[] if key == "T" else [Option(letter=letter, text=f"选项{letter}") for letter in "ABCD"]))
    session.add_all(made)
    session.flush()
    return made


def sat(
        versions: list[ItemVersion], persons: list[str], *, sitting: int, passed: list[bool] | None = None) -> Responses:
    """Answers of each person as one text, a dash for an omission: ``"AB-T"``."""
    answers = np.array([["" if letter == "-" else letter for letter in person] for person in persons], dtype=object)
    scores = (answers == np.array([version.key for version in versions], dtype=object)).astype(float)
    return Responses([version.id for version in versions], scores, answers,
                     np.array(passed if passed is not None else [True] * len(persons)), sitting)


def stored(session: Session, version: ItemVersion) -> ItemStatistic:
    return session.scalars(sa.select(ItemStatistic).where(ItemStatistic.version_id == version.id)).one()


def test_a_sitting_is_counted(session: Session, versions: list[ItemVersion], clock: TestClock) -> None:
    # Item 1 (key A): right, right, wrong (B), omitted. p = 2/4. Passed: the first two: B = 1 - 0.
    assert record(session, sat(versions, ["ABCT", "ABCF", "BBCT", "-DCF"], sitting=1, passed=[True, True, False, False]),
                  now=clock()) == 4
    first = stored(session, versions[0])
    assert (first.n, first.difficulty, first.b_index, first.omitted) == (4, 0.5, 1.0, 1)
    assert first.choices == {"A": 2, "B": 1}
    # Rest of item 1 (of three others): 3 2 3 1; x = 1 1 0 0. Cross: .5*(.75 - .25) - .5*(.75 - 1.25) = .5;
    # squares 1 and .5625 + .0625 + .5625 + 1.5625 = 2.75.
    assert first.item_rest == pytest.approx(0.5 / (1 * 2.75) ** 0.5)
    third = stored(session, versions[2])
    assert (third.difficulty, third.item_rest) == (1.0, None)  # everybody right: no correlation


def test_sittings_add_up_when_all_are_handed_in_and_the_same_again_changes_nothing(
        session: Session, versions: list[ItemVersion], clock: TestClock) -> None:
    one = sat(versions, ["ABCT", "ABCF", "BBCT", "-DCF"], sitting=1)
    two = sat(versions[1:], ["BCT", "DCF"], sitting=2)
    record(session, one, now=clock())
    record(session, [one, two], now=clock(), only=set(two.version_ids))
    record(session, [two, one], now=clock(), only=set(two.version_ids))
    second = stored(session, versions[1])
    assert second.n == 6
    assert second.difficulty == pytest.approx(4 / 6)
    assert second.choices == {"B": 4, "D": 2}
    assert stored(session, versions[0]).n == 4
    assert session.scalar(sa.select(sa.func.count(ItemStatistic.id))) == 4


def test_versions_that_are_only_partly_handed_in_are_left_as_they_are(
        session: Session, versions: list[ItemVersion], clock: TestClock) -> None:
    everything = sat(versions, ["ABCT"] * 5, sitting=1)
    record(session, everything, now=clock())
    earlier, new = sat(versions[:2], ["AB"] * 2, sitting=2), sat(versions[1:3], ["BC"] * 3, sitting=3)
    assert record(session, [earlier, new], now=clock(), only=set(new.version_ids)) == 2
    assert [stored(session, version).n for version in versions] == [5, 5, 3, 5]


def test_a_sitting_without_anybody_stores_nothing(
        session: Session, versions: list[ItemVersion], clock: TestClock) -> None:
    empty = Responses([versions[0].id], np.empty((0, 1)), np.empty((0, 1), dtype=object), np.empty(0, dtype=bool), 1)
    assert record(session, empty, now=clock()) == 0
    assert record(session, [], now=clock()) == 0


def test_arrays_that_do_not_fit_are_an_error_of_the_caller(versions: list[ItemVersion]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Responses([1, 2], np.ones((3, 2)), np.full((3, 1), "", dtype=object), np.ones(3, dtype=bool), 1)
    with pytest.raises(ValueError, match="twice"):
        Responses([1, 1], np.ones((3, 2)), np.full((3, 2), "", dtype=object), np.ones(3, dtype=bool), 1)


@pytest.mark.parametrize(("numbers", "expected"), [
    (Numbers(40, 0.5, -0.01, 0.3, 0), [Flag.WRONG_KEY]), (Numbers(40, 0.5, 0.3, -0.2, 0), [Flag.WRONG_KEY]),
    (Numbers(40, 0.29, 0.3, 0.3, 0), [Flag.TOO_HARD]), (Numbers(40, 0.95, None, None, 0), [Flag.TOO_EASY]),
    (Numbers(40, 0.1, -0.2, -0.2, 0), [Flag.WRONG_KEY, Flag.TOO_HARD]), (Numbers(40, 0.3, 0.0, 0.0, 0), []),
    (Numbers(29, 0.1, -0.2, -0.2, 0), []),
])
def test_flags_are_raised_at_their_thresholds_and_never_on_too_few_answers(
        numbers: Numbers, expected: list[Flag]) -> None:
    assert flags(numbers, 30) == expected


@pytest.fixture
def recorded(session: Session, versions: list[ItemVersion], clock: TestClock) -> list[ItemVersion]:
    """Forty candidates. Item 1 has a wrong key: the 20 who fail choose A, the 20 who pass choose B."""
    able, weak = ["BBCT"] * 20, ["AD-F"] * 20
    record(session, sat(versions, able + weak, sitting=1, passed=[True] * 20 + [False] * 20), now=clock())
    few = [versions[3]]
    record(session, sat(few, ["T"] * 12, sitting=2), now=clock())
    session.commit()
    return versions


def test_an_author_sees_that_a_key_is_suspect_in_plain_words(
        people: People, session: Session, recorded: list[ItemVersion], enter: Enter) -> None:
    author = people("刘命题", Role.ITEM_AUTHOR)
    session.commit()
    browser = enter(author)
    page = browser.get("/statistics/").get_data(as_text=True)
    assert "疑似错误答案" in page
    assert "-1.00" in page
    page = browser.get(f"/statistics/{recorded[0].id}").get_data(as_text=True)
    assert "40 名考生中有 20 人答对" in page
    assert "合格考生的答对率反而比不合格考生低 100 个百分点" in page
    assert "答案很可能有误" in page
    assert "示例" in page


def test_too_few_answers_are_not_shown(
        people: People, session: Session, recorded: list[ItemVersion], enter: Enter) -> None:
    reviewer = people("陈审题", Role.ITEM_REVIEWER)
    session.commit()
    browser = enter(reviewer)
    for address in ("/statistics/", f"/statistics/{recorded[3].id}"):
        assert "样本不足（n=12，至少 30）" in browser.get(address).get_data(as_text=True)
    assert "12 名考生" not in browser.get(f"/statistics/{recorded[3].id}").get_data(as_text=True)


def test_the_list_is_filtered_sorted_and_exported_as_shown(
        people: People, session: Session, recorded: list[ItemVersion], enter: Enter) -> None:
    composer = people("郑组卷", Role.PAPER_COMPOSER)
    session.commit()
    browser = enter(composer)
    page = browser.get("/statistics/?flag=wrong_key").get_data(as_text=True)
    assert "第1道题" in page
    assert "第2道题" not in page
    page = browser.get("/statistics/?sort=rest").get_data(as_text=True)
    places = [page.index(f"第{i}道题") for i in (1, 2, 4)]
    assert places == sorted(places)  # the suspect one first, what rests on too few last
    assert "没有符合条件" in browser.get("/statistics/?kind=multiple").get_data(as_text=True)
    book = openpyxl.load_workbook(BytesIO(browser.get("/statistics/export?flag=any").get_data()))
    rows = [row for row in book["试题统计"].values if row[0] == recorded[0].item_id]
    assert rows[0][5:11] == (40, 0.5, -1, -1, 0, "疑似错误答案")
    for garbage in ("?bank=9:9&kind=x&flag=y&sort=z&page=-1", "?q=%25%5F"):
        assert browser.get(f"/statistics/{garbage}").status_code == 200
        assert browser.get(f"/statistics/export{garbage}").status_code == 200


def test_a_version_that_was_never_used_says_so(
        people: People, session: Session, versions: list[ItemVersion], enter: Enter) -> None:
    author = people("刘命题", Role.ITEM_AUTHOR)
    session.commit()
    browser = enter(author)
    assert "还没有在正式考试中用过" in browser.get(f"/statistics/{versions[0].id}").get_data(as_text=True)


def test_strangers_find_nothing_and_other_roles_do_not_pass(
        people: People, session: Session, recorded: list[ItemVersion], enter: Enter) -> None:
    elsewhere = people.school("雁城高级技工学校（演示）", region="430400")
    strangers = [people("外校", Role.ITEM_AUTHOR, school=elsewhere),
                 people("焊工", scopes=[Scope(Role.ITEM_REVIEWER, people.home.id, occupation_code="6-18-02-04")])]
    others = [people("考生", Role.CANDIDATE), people("监考", Role.INVIGILATOR), people("考务", Role.EXAM_OFFICER)]
    session.commit()
    for stranger in strangers:
        browser = enter(stranger)
        assert browser.get(f"/statistics/{recorded[0].id}").status_code == 404
        bank = f"{recorded[0].item.institution_id}:{recorded[0].item.table_id}"
        assert "第1道题" not in browser.get(f"/statistics/?bank={bank}").get_data(as_text=True)
        book = openpyxl.load_workbook(BytesIO(browser.get(f"/statistics/export?bank={bank}").get_data()))
        assert not [row for row in book["试题统计"].values if row[0] == recorded[0].item_id]
    for other in others:
        browser = enter(other)
        for address in ("/statistics/", "/statistics/export", f"/statistics/{recorded[0].id}"):
            assert browser.get(address).status_code == 403
