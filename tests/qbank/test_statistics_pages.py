"""Pages of items, banks, runs and papers: what they show, to whom, and the same in Excel and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from lxml import etree
from pypdf import PdfReader
from sqlalchemy.orm import Session

from qbank.items.models import Item, ItemVersion, Option
from qbank.items.states import ItemKind, ItemState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.jobs import Job
from qbank.standards.models import StoredRulePack, Subject
from qbank.standards.tables import PointDraft, RangeDraft, add_occupation, add_standard, leaves, set_table
from qbank.statistics import runs
from qbank.statistics.bank_analysis import Expectation, SatPaper, analyse
from qbank.statistics.models import FormStatistic, ItemStatistic, StatisticRun
from qbank.statistics.verdicts import Numbers, Thresholds, verdict
from tests.conftest import People, TestClock

Enter = Callable[[Viewer], FlaskClient]
ITEMS = 12


@pytest.fixture
def bank(session: Session, people: People, clock: TestClock) -> list[ItemVersion]:
    """Twelve items with a run over 160 persons of two papers; item 12 was seen by ten only. Number 1 is far too easy."""
    officer, author = people("周考务", Role.EXAM_OFFICER), people("吴命题", Role.ITEM_AUTHOR)
    occupation = add_occupation(session, "6-31-01-03", "电工", officer, catalogue_edition="2015")
    standard = add_standard(session, occupation, officer, edition="2018", title="电工国家职业技能标准")
    table = set_table(session, standard, 4, Subject.THEORY,
                      [RangeDraft(("A",), "基本要求", 200, (PointDraft("001", "职业道德", "X"),))], officer,
                      is_sample=True, source="示例")
    made = [ItemVersion(item=Item(institution_id=people.home.id, table=table), number=1, point=leaves(table)[0].points[0],
                        kind=ItemKind.SINGLE, stem=f"第{i + 1}道题的题干（　　）。", key="A", difficulty=3,
                        state=ItemState.APPROVED, content_hash=str(i), author_id=author.account_id, created_at=clock(),
                        options=[Option(letter=letter, text=f"选项{letter}") for letter in "ABCD"]) for i in range(ITEMS)]
    session.add_all(made)
    session.flush()
    parts = [sat(made[:11], 80, 1, 1), sat(made[:11], 80, 2, 2), sat(made[11:], 10, 3, 3)]
    expected = {version.id: Expectation(0.65, False) for version in made}
    found = analyse(parts, expected, {}, runs.limits_of(session, people.home.id))
    assert found is not None
    runs.store(session, people.home.id, table.id, found, "理论第一场", now=clock())
    session.commit()
    return made


def sat(versions: list[ItemVersion], persons: int, sitting: int, paper: int) -> SatPaper:
    draw = np.random.default_rng(sitting)
    ability = draw.normal(0.3, 1, persons)
    difficulty = np.array([-3.2, *np.linspace(-1, 1, ITEMS - 1)])[:len(versions)]
    right = draw.random((persons, len(versions))) < 1 / (1 + np.exp(-1.3 * (ability[:, None] - difficulty)))
    choices = np.where(right, "A", draw.choice(list("BCD"), right.shape)).astype(object)
    return SatPaper(paper, f"试卷{'甲乙丙'[paper - 1]}", sitting, tuple(version.id for version in versions), ("A",) * len(versions),
                    (2,) * len(versions), right.astype(np.int8), choices, right.mean(axis=1) >= 0.6)


@pytest.fixture
def composer(people: People, session: Session, bank: list[ItemVersion], enter: Enter) -> FlaskClient:
    who = people("郑组卷", Role.PAPER_COMPOSER)
    session.commit()
    return enter(who)


def charts(sheet: Any) -> list[Any]:
    return list(sheet._charts)


def text_of(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.get_data(as_text=True)


def test_an_item_shows_intervals_options_curve_and_history(composer: FlaskClient, bank: list[ItemVersion], session: Session) -> None:
    middle = bank[6].id
    session.commit()
    page = text_of(composer, f"/statistics/{middle}")
    for words in ("95% 区间", "专家估计 p", "收缩估计", "难度参数 b", "历次统计", "实际答对率", "160"):
        assert words in page
    pictures = [address.replace("&amp;", "&") for address in re.findall(r'<img[^>]* src="([^"]+)"', page)]
    assert len(pictures) == 4
    for picture in pictures:
        answer = composer.get(picture)
        assert answer.mimetype == "image/svg+xml"
        assert etree.fromstring(answer.get_data()) is not None
    assert composer.get(f"/statistics/{middle}/plot.svg?show=nothing").status_code == 404


def test_a_teacher_reads_that_an_item_is_too_easy(composer: FlaskClient, bank: list[ItemVersion], session: Session) -> None:
    row = session.scalars(sa.select(ItemStatistic).where(ItemStatistic.version_id == bank[0].id)).one()
    right = round((row.difficulty or 0) * row.n)
    easy = bank[0].id
    session.commit()
    assert f"对这一等级太容易：160 人中 {right} 人答对" in text_of(composer, f"/statistics/{easy}")


@pytest.mark.parametrize(("numbers", "words"), [
    (Numbers(100, 0.96, 0.3, 0.3, 0), "对这一等级太容易：100 人中 96 人答对"),
    (Numbers(100, 0.2, 0.3, 0.3, 0), "太难：100 人中 20 人答对"), (Numbers(100, 0.6, 0.4, 0.4, 0), "好题"),
    (Numbers(100, 0.6, -0.3, 0.1, 0, item_rest_high=-0.1), "答案可能有误"),
    (Numbers(100, 0.6, -0.1, 0.1, 0, item_rest_high=0.1), "也可能是偶然"),
    (Numbers(0, None, None, None, 0), "还没有考生"),
])
def test_the_verdict_is_one_plain_sentence(numbers: Numbers, words: str) -> None:
    assert words in verdict(numbers, Thresholds())


def test_few_answers_give_no_plots_and_no_form_report(composer: FlaskClient, bank: list[ItemVersion], session: Session) -> None:
    last = bank[11].id
    small = session.scalars(sa.select(FormStatistic.id).where(FormStatistic.n == 10)).one()
    session.commit()
    page = text_of(composer, f"/statistics/{last}")
    assert "样本不足（n=10，至少 30）" in page
    assert "收缩估计 p" in page
    assert "<img" not in page
    assert composer.get(f"/statistics/{last}/plot.svg").status_code == 404
    assert "样本不足（n=10，至少 30）" in text_of(composer, f"/statistics/forms/{small}")
    for end, status in ((".pdf", 409), (".xlsx", 409), ("/plot.svg", 404)):
        assert composer.get(f"/statistics/forms/{small}{end}").status_code == status


def test_flags_are_tabs_with_counts_and_their_thresholds_come_from_the_rule_pack(
        composer: FlaskClient, session: Session, bank: list[ItemVersion]) -> None:
    def count(page: str, title: str) -> int:
        found = re.search(rf">{title} <span class=\"number\">(\d+)</span>", page)
        assert found, title
        return int(found[1])

    page = text_of(composer, "/statistics/")
    assert (count(page, "全部"), count(page, "过易"), count(page, "过难")) == (ITEMS, 1, 0)
    session.add(StoredRulePack(region="43", name="测试", values='{"flag_hard_percent": 60, "flag_easy_percent": 100}'))
    hard = sum(row.difficulty < 0.6 for row in session.scalars(sa.select(ItemStatistic).where(ItemStatistic.n >= 30))
               if row.difficulty is not None)
    session.commit()
    page = text_of(composer, "/statistics/?flag=too_hard")
    assert hard > 0
    assert (count(page, "过易"), count(page, "过难")) == (0, hard)
    assert page.count("第 1 版</a>") == hard


def test_the_bank_is_a_map_that_leads_to_its_items(composer: FlaskClient, bank: list[ItemVersion], session: Session) -> None:
    first = bank[0].id
    session.commit()
    page = text_of(composer, "/statistics/bank")
    assert page.count("<area ") == ITEMS - 1  # the last has too few answers
    assert f'href="/statistics/{first}"' in page
    assert "另有 1 道题" in page
    for show, words in (("scatter", "区分度（题余相关）"), ("wright", "考生")):
        assert words in text_of(composer, f"/statistics/bank.svg?show={show}")
    assert composer.get("/statistics/bank.svg?bank=9:9").status_code == 404


def test_a_run_tells_how_it_was_computed(composer: FlaskClient, session: Session) -> None:
    run = session.scalars(sa.select(StatisticRun.id)).one()
    session.commit()
    assert "理论第一场" in text_of(composer, "/statistics/runs")
    page = text_of(composer, f"/statistics/runs/{run}")
    for words in ("170", "1PL", "已收敛", "对数似然", "梯度", "试卷甲"):
        assert words in page


def test_a_paper_has_a_report_as_page_workbook_and_pdf(composer: FlaskClient, session: Session) -> None:
    form = session.scalars(sa.select(FormStatistic).where(FormStatistic.name == "试卷乙")).one()
    number, mean, alpha = form.id, form.mean or 0.0, form.figures["alpha"]
    session.commit()
    page = text_of(composer, f"/statistics/forms/{number}")
    for words in ("Livingston-Lewis", "Huynh", "Lee（2010", "等值后的合格线", "标准误", "合格线处的测量标准误"):
        assert words in page
    for show in ("distribution", "information", "expected"):
        assert "<svg" in text_of(composer, f"/statistics/forms/{number}/plot.svg?show={show}")
    book = openpyxl.load_workbook(BytesIO(composer.get(f"/statistics/forms/{number}.xlsx").get_data()))
    figures = {row[0]: row for row in book["主要指标"].values if row[0]}
    assert figures["平均分"][1] == pytest.approx(100 * mean, abs=0.01)
    assert figures["信度 α（KR-20）"][1] == pytest.approx(alpha, abs=0.001)
    assert figures["信度 α（KR-20）"][2] < alpha < figures["信度 α（KR-20）"][3]
    assert [len(charts(book[name])) for name in ("分数分布", "信息量与期望得分", "各题")] == [1, 2, 1]
    paper = PdfReader(BytesIO(composer.get(f"/statistics/forms/{number}.pdf").get_data()))
    text = "".join(page.extract_text() for page in paper.pages).replace("\n", "")
    for words in ("试卷统计报告：试卷乙", "判定一致性", "第1道题"):
        assert words in text.replace(" ", "")


def test_a_composer_asks_for_a_new_run_and_only_of_an_own_bank(
        composer: FlaskClient, session: Session, bank: list[ItemVersion]) -> None:
    value = f"{bank[0].item.institution_id}:{bank[0].item.table_id}"
    session.commit()
    from examroom.marking import work  # noqa: F401  # the kind of work is registered by the room above

    answer = composer.post("/statistics/recompute", data={"bank": value}, follow_redirects=True)
    assert "已完成" in answer.get_data(as_text=True)
    job = session.scalars(sa.select(Job)).one()
    assert job.result_url == f"/statistics/runs?bank={value.replace(':', '%3A')}" or job.result_url == f"/statistics/runs?bank={value}"
    session.commit()
    for wrong in ("9:9", "", "x"):
        assert composer.post("/statistics/recompute", data={"bank": wrong}).status_code == 404


def test_strangers_find_nothing_and_other_roles_do_not_pass(
        people: People, session: Session, bank: list[ItemVersion], enter: Enter) -> None:
    elsewhere = people.school("雁城高级技工学校（演示）", region="430400")
    stranger = people("外校", Role.PAPER_COMPOSER, school=elsewhere)
    welder = people("焊工", scopes=[Scope(Role.ITEM_REVIEWER, people.home.id, occupation_code="6-18-02-04")])
    others = [people("考生", Role.CANDIDATE), people("监考", Role.INVIGILATOR), people("考务", Role.EXAM_OFFICER)]
    run, form = session.scalars(sa.select(StatisticRun.id)).one(), session.scalars(sa.select(FormStatistic.id)).first()
    value, first = f"{bank[0].item.institution_id}:{bank[0].item.table_id}", bank[0].id
    session.commit()
    own = [f"/statistics/{first}", f"/statistics/{first}/plot.svg", f"/statistics/runs/{run}", f"/statistics/forms/{form}",
           f"/statistics/forms/{form}/plot.svg", f"/statistics/forms/{form}.xlsx", f"/statistics/forms/{form}.pdf",
           f"/statistics/bank.svg?bank={value}"]
    lists = [f"/statistics/{name}?bank={value}" for name in ("", "bank", "runs", "forms")]
    for viewer in (stranger, welder):
        browser = enter(viewer)
        assert [browser.get(address).status_code for address in own] == [404] * len(own)
        for address in lists:
            page = browser.get(address).get_data(as_text=True)
            assert "第1道题" not in page
            assert "试卷甲" not in page
            assert "理论第一场" not in page
    assert enter(stranger).post("/statistics/recompute", data={"bank": value}).status_code == 404
    for viewer in others:
        browser = enter(viewer)
        assert {browser.get(address).status_code for address in [*own, *lists]} == {403}
