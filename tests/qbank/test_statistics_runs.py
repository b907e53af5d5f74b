"""Statistics stored with item versions, and their pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from io import BytesIO

import numpy as np
import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.items.models import Item, ItemVersion, Option, Review
from qbank.items.states import ItemKind, ItemState, Verdict
from qbank.kernel.access import Role, Scope, Viewer
from qbank.standards.models import Subject
from qbank.standards.tables import PointDraft, RangeDraft, add_occupation, add_standard, leaves, set_table
from qbank.statistics import runs
from qbank.statistics.bank_analysis import Limits, SatPaper, analyse
from qbank.statistics.grades import measured_grades
from qbank.statistics.models import ItemStatistic, StatisticRun
from qbank.statistics.responses import NOT_REACHED, OMITTED
from qbank.statistics.verdicts import Flag, Numbers, Thresholds, flags
from tests.conftest import People, TestClock

Enter = Callable[[Viewer], FlaskClient]


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


def sat(versions: list[ItemVersion], persons: list[str], *, sitting: int, passed: list[bool] | None = None,
        paper: int = 1) -> SatPaper:
    """Answers of each person as one text, a dash for an omission, a stop for what was not reached: ``"AB-."``."""
    answers = np.array([["" if letter in "-." else letter for letter in person] for person in persons], dtype=object)
    codes = (answers == np.array([version.key for version in versions], dtype=object)).astype(np.int8)
    for i, person in enumerate(persons):
        for j, letter in enumerate(person):
            codes[i, j] = {"-": OMITTED, ".": NOT_REACHED}.get(letter, codes[i, j])
    return SatPaper(paper, f"试卷 {paper}", sitting, tuple(version.id for version in versions),
                    tuple(version.key for version in versions), (2,) * len(versions), codes, answers,
                    np.array(passed if passed is not None else [True] * len(persons)))


def made(session: Session, versions: list[ItemVersion], *parts: SatPaper, now: datetime,
         limits: Limits | None = None) -> StatisticRun:
    """A run as the background work makes it."""
    item = versions[0].item
    ids = [version.id for version in versions]
    found = analyse(parts, runs.expectations_of(session, ids), runs.scale_of(session, item.institution_id, item.table_id),
                    limits or runs.limits_of(session, item.institution_id))
    assert found is not None
    return runs.store(session, item.institution_id, item.table_id, found, "理论第一场", now=now)


def current(session: Session, version: ItemVersion) -> ItemStatistic:
    return session.scalars(sa.select(ItemStatistic).where(ItemStatistic.version_id == version.id, ItemStatistic.current)).one()


def test_a_sitting_is_counted(session: Session, versions: list[ItemVersion], clock: TestClock) -> None:
    # Item 1 (key A): right, right, wrong (B), omitted. p = 2/4. Passed: the first two: B = 1 - 0.
    part = sat(versions, ["ABCT", "ABCF", "BBCT", "-DC."], sitting=1, passed=[True, True, False, False])
    run = made(session, versions, part, now=clock(), limits=Limits(minimum=2))
    first = current(session, versions[0])
    assert (run.persons, run.sittings, run.model) == (4, 1, "")
    assert "不足 100 人" in run.notes[0]
    assert (first.n, first.difficulty, first.b_index, first.omitted, first.choices) == (4, 0.5, 1.0, 1, {"A": 2, "B": 1})
    # Rest of item 1: shares 3/3, 2/3, 3/3 of the other three, and of two (the last was not reached) 1/2: x = 1 1 0 0.
    # Cross: .5 (1 + 2/3) - .5 (1 + 1/2) = 1/12; squares 1 and, about the mean 19/24: (5² + 3² + 5² + 7²) / 24² = 108/576.
    assert first.item_rest == pytest.approx((1 / 12) / (108 / 576) ** 0.5)
    third, fourth = current(session, versions[2]), current(session, versions[3])
    assert (third.difficulty, third.item_rest) == (1.0, None)  # everybody right: no correlation
    assert (fourth.n, fourth.not_reached, fourth.omitted) == (3, 1, 0)


def test_small_numbers_lean_on_what_the_author_expected(session: Session, versions: list[ItemVersion], clock: TestClock) -> None:
    made(session, versions, sat(versions, ["ABCT", "ABCF"], sitting=1), now=clock())
    first = current(session, versions[0])
    assert first.difficulty == 1.0
    assert first.expert == pytest.approx(0.65)  # grade 3
    assert first.shrunk is not None
    assert 0.65 < first.shrunk < 0.9
    assert first.b_index is None  # below the minimum nothing else is said


def test_reviewers_estimates_stand_before_the_authors_grade(
        session: Session, people: People, versions: list[ItemVersion], clock: TestClock) -> None:
    for name, share in (("李审题", 40), ("王审题", 60)):
        versions[0].reviews.append(Review(reviewer_id=people(name, Role.ITEM_REVIEWER).account_id, verdict=Verdict.ACCEPT,
                                          estimate=share, at=clock()))
    session.flush()
    found = runs.expectations_of(session, [version.id for version in versions])
    assert (found[versions[0].id].share, found[versions[0].id].just_qualified) == (0.5, True)
    assert not found[versions[1].id].just_qualified


def test_a_new_run_keeps_the_old_one_as_history(session: Session, versions: list[ItemVersion], clock: TestClock) -> None:
    one = sat(versions, ["ABCT", "ABCF", "BBCT", "-DCF"], sitting=1)
    first = made(session, versions, one, now=clock())
    two = sat(versions[1:], ["BCT", "DCF"], sitting=2, paper=2)
    second = made(session, versions, one, two, now=clock.forward(days=1))
    rows = session.scalars(sa.select(ItemStatistic).where(ItemStatistic.version_id == versions[1].id)
                           .order_by(ItemStatistic.run_id)).all()
    assert [(row.run_id, row.n, row.current) for row in rows] == [(first.id, 4, False), (second.id, 6, True)]
    assert rows[1].difficulty == pytest.approx(4 / 6)
    assert [(form.name, form.n) for form in second.forms] == [("试卷 1", 4), ("试卷 2", 2)]
    assert second.sittings == 2


def test_assembly_reads_the_grade_by_the_answers(session: Session, versions: list[ItemVersion], clock: TestClock) -> None:
    ids = [version.id for version in versions]
    assert measured_grades(session, ids) == {}
    # 60 answers: everybody got item 1 right, nobody item 2: from the author's grade 3 they move to the two ends.
    made(session, versions, sat(versions[:2], ["AC"] * 60, sitting=1), now=clock())
    assert measured_grades(session, ids) == {ids[0]: 1, ids[1]: 5}


def test_nobody_makes_no_run(versions: list[ItemVersion]) -> None:
    empty = SatPaper(1, "试卷", 1, (versions[0].id,), ("A",), (2,), np.empty((0, 1), dtype=np.int8),
                     np.empty((0, 1), dtype=object), np.empty(0, dtype=bool))
    assert analyse([empty], {}, {}, Limits()) is None
    assert analyse([], {}, {}, Limits()) is None


def test_arrays_that_do_not_fit_are_an_error_of_the_caller() -> None:
    def paper(versions: tuple[int, ...], choices: int) -> SatPaper:
        return SatPaper(1, "试卷", 1, versions, ("A", "B"), (2, 2), np.ones((3, 2), dtype=np.int8),
                        np.full((3, choices), "", dtype=object), np.ones(3, dtype=bool))
    with pytest.raises(ValueError, match="must be"):
        paper((1, 2), 1)
    with pytest.raises(ValueError, match="once"):
        paper((1, 1), 2)


@pytest.mark.parametrize(("numbers", "expected"), [
    (Numbers(40, 0.5, -0.01, 0.3, 0), [Flag.WRONG_KEY]), (Numbers(40, 0.5, 0.3, -0.2, 0), [Flag.WRONG_KEY]),
    (Numbers(40, 0.29, 0.3, 0.3, 0), [Flag.TOO_HARD]), (Numbers(40, 0.95, None, None, 0), [Flag.TOO_EASY]),
    (Numbers(40, 0.1, -0.2, -0.2, 0), [Flag.WRONG_KEY, Flag.TOO_HARD]), (Numbers(40, 0.3, 0.1, 0.0, 0), []),
    (Numbers(40, 0.5, 0.09, 0.2, 0), [Flag.WEAK]), (Numbers(40, 0.5, 0.3, 0.2, 0, fit_p=0.009), [Flag.MISFIT]),
    (Numbers(40, 0.5, 0.3, 0.2, 0, 0.5, 1.4, 1.0), [Flag.MISFIT]),  # 0.4² x 40 = 6.4 > 4: more than chance
    (Numbers(40, 0.5, 0.3, 0.2, 0, 0.5, 1.0, 1.4), []),  # 6.4 < 36: of the outfit it may be chance
    (Numbers(40, 0.5, 0.3, 0.2, 0, drift_p=0.01), [Flag.DRIFT]),
    (Numbers(29, 0.1, -0.2, -0.2, 0), []),
])
def test_flags_are_raised_at_their_thresholds_and_never_on_too_few_answers(
        numbers: Numbers, expected: list[Flag]) -> None:
    assert flags(numbers, Thresholds()) == expected


@pytest.fixture
def recorded(session: Session, versions: list[ItemVersion], clock: TestClock) -> list[ItemVersion]:
    """Forty candidates. Item 1 has a wrong key: the 20 who fail choose A, the 20 who pass choose B."""
    able, weak = ["BBC"] * 20, ["AD-"] * 20
    many = sat(versions[:3], able + weak, sitting=1, passed=[True] * 20 + [False] * 20)
    few = sat([versions[3]], ["T"] * 12, sitting=2, paper=2)
    made(session, versions, many, few, now=clock())
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
