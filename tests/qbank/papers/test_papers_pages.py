"""The pages of specifications and papers."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.items.models import ItemVersion
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Scope, Viewer
from qbank.papers.commands import group
from qbank.papers.contents import items_of
from qbank.papers.desk import assemble, seal, specify
from qbank.papers.models import Paper, PaperState, Specification
from qbank.papers.specification import Part
from qbank.papers.todo import todo
from tests.conftest import People, TestClock
from tests.qbank.papers.conftest import Bank

Enter = Callable[[Viewer], FlaskClient]

SMALL = (Part("single", 16, 10), Part("judge", 4, 10))
MIXED = (Part("single", 30, 4), Part("multiple", 10, 4), Part("judge", 20, 2))  # 60 + 20 + 20 points


@pytest.fixture
def paper(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> Paper:
    specification = specify(session, bank.table, bank.school, "电工四级理论", SMALL, composer, minutes=90, now=clock())
    made = assemble(session, specification, composer, now=clock(), seed=4)[0]
    session.commit()
    return made


def text_of(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def form(held: Bank, **changes: str) -> dict[str, str]:
    values = {"bank": f"{held.school}:{held.table.id}", "name": "电工四级理论", "minutes": "90", "preset": "free",
              "kind0": "single", "count0": "16", "points0": "5", "kind1": "judge", "count1": "4", "points1": "5",
              "kind2": "", "count2": "", "points2": ""}
    return {**values, **changes}


def test_a_composer_goes_from_a_specification_to_a_sealed_paper_in_the_browser(
        session: Session, bank: Bank, composer: Viewer, enter: Enter, clock: TestClock) -> None:
    session.commit()
    browser = enter(composer)
    assert "电工" in text_of(browser.get("/papers/specifications/new"))
    answer = browser.post("/papers/specifications/new", data=form(bank))
    assert answer.status_code == 302
    page = text_of(browser.get(answer.location))
    assert "示例" in page
    assert "B-B-B" in page
    job = browser.post(f"{answer.location}/assemble", data={"forms": "1", "seed": "8"})
    assert "查看结果" in text_of(browser.get(job.location))
    made = session.scalars(sa.select(Paper)).one()
    where = f"/papers/{made.id}"
    assert made.seed == 8
    assert [waiting.endpoint for waiting in todo(session, composer, now=clock())] == ["papers.show"]
    session.commit()
    page = text_of(browser.get(where))
    assert "合规性报告" in page
    assert "<svg" in page
    assert "封存试卷" in page
    assert browser.post(f"{where}/seal").status_code == 302
    session.refresh(made)
    assert made.state is PaperState.SEALED
    assert str(made.fingerprint) in text_of(browser.get(where))
    assert todo(session, composer, now=clock()) == []
    session.commit()
    assert browser.post(f"{where}/discard").status_code == 409


def test_three_forms_lead_to_the_list_of_the_three(
        session: Session, bank: Bank, composer: Viewer, enter: Enter, paper: Paper) -> None:
    browser = enter(composer)
    job = browser.post(f"/papers/specifications/{paper.specification_id}/assemble", data={"forms": "3", "seed": ""})
    assert "/papers/families/2" in text_of(browser.get(job.location))
    family = text_of(browser.get("/papers/families/2"))
    assert "求解报告" in family
    assert "C 卷" in family
    page = text_of(browser.get("/papers/?q=第02次&sort=name"))
    assert page.count("第02次") >= 3
    assert "第01次" not in page.split("<tbody>")[1]


def test_a_preset_is_taken_by_its_name_whatever_the_rows_say(
        session: Session, bank: Bank, composer: Viewer, enter: Enter) -> None:
    session.commit()
    enter(composer).post("/papers/specifications/new", data=form(bank, preset="80×1+20×1", count0="3"))
    found = session.scalars(sa.select(Specification)).one()
    assert [(part.kind.value, part.count, part.half_points) for part in found.parts] == [("single", 80, 2), ("judge", 20, 2)]


@pytest.mark.parametrize(("change", "words"), [
    ({"count0": "15"}, "各部分分值合计为 95 分，应为 100 分"),
    ({"count0": "x"}, "第 1 行题量"), ({"count0": "9" * 5000}, "第 1 行题量"), ({"count0": "--5"}, "第 1 行题量"),
    ({"points0": "0.3"}, "只能是 0.5 的整数倍"), ({"points0": "nan"}, "每题分值"), ({"kind0": ""}, "第 1 行没有选题型"),
    ({"kind1": "single"}, "同一题型只能列为一个部分"), ({"name": " "}, "请填写方案名称"), ({"minutes": "5"}, "考试时间"),
    ({"bank": ""}, "请选择要组卷的权重表"), ({"bank": "9999999999999:1"}, "请选择要组卷的权重表"),
])
def test_a_wrong_field_gets_a_sentence_and_what_was_typed_stays(
        session: Session, bank: Bank, composer: Viewer, enter: Enter, change: Any,
        words: str) -> None:
    session.commit()
    answer = enter(composer).post("/papers/specifications/new", data=form(bank, **{"name": "我的方案", **change}))
    assert answer.status_code == 409
    page = text_of(answer)
    assert words in page
    assert "我的方案" in page or "name" in change
    assert session.scalars(sa.select(Specification)).all() == []


def test_an_empty_post_and_garbage_in_addresses_never_break_a_page(
        session: Session, composer: Viewer, enter: Enter, paper: Paper) -> None:
    browser = enter(composer)
    assert browser.post("/papers/specifications/new").status_code == 409
    assert browser.post(f"/papers/specifications/{paper.specification_id}/assemble").status_code == 409
    for address in ("/papers/?state=x&sort=y&specification=z&page=-3", "/papers/?specification=99999999999999999999",
                    "/papers/specifications?page=x"):
        assert browser.get(address).status_code == 200
    for address in ("/papers/999999", "/papers/specifications/999999"):
        assert browser.get(address).status_code == 404


def test_a_shortage_is_told_line_by_line_on_the_jobs_page_and_nothing_is_written(
        session: Session, bank: Bank, composer: Viewer, enter: Enter, paper: Paper) -> None:
    for version in session.scalars(sa.select(ItemVersion).where(ItemVersion.kind == "JUDGE")):
        version.state = ItemState.RETIRED
    session.commit()
    browser = enter(composer)
    job = browser.post(f"/papers/specifications/{paper.specification_id}/assemble", data={"forms": "1", "seed": "1"})
    assert "/papers/families/2" in text_of(browser.get(job.location))
    page = text_of(browser.get("/papers/families/2"))
    assert "没有组成" in page
    assert "要写哪些题" in page
    assert "判断题缺" in page
    book = openpyxl.load_workbook(BytesIO(browser.get("/papers/families/2/writing.xlsx").get_data()))
    assert book.sheetnames == ["命题任务", "鉴定点"]
    assert session.scalar(sa.select(sa.func.count(Paper.id))) == 1
    assert "题库还不够组一套卷" in text_of(browser.get(f"/papers/specifications/{paper.specification_id}"))


def addresses(paper: Paper) -> list[tuple[str, str]]:
    one, plan, family = f"/papers/{paper.id}", f"/papers/specifications/{paper.specification_id}", f"/papers/families/{paper.family_id}"
    mine = [("GET", f"{plan}/{door}") for door in ("edit", "rules", "items", "difference")]
    mine += [("POST", f"{plan}/{door}") for door in ("edit", "rules", "rules/check", "items", "copy")]
    mine += [("GET", family), ("GET", f"{family}/writing.xlsx"), ("POST", f"{family}/nearest")]
    mine += [("GET", f"{one}/hand"), ("GET", f"{one}/hand/1"), ("GET", f"{one}/compare"), ("POST", f"{one}/hand/1"),
             ("POST", f"{one}/hand/undo"), ("POST", f"{one}/hand/lock")]
    return [*mine, *(("GET", path) for path in (one, plan, f"{one}/compliance", f"{one}/compliance.xlsx")),
            *(("POST", path) for path in (f"{one}/seal", f"{one}/discard", f"{one}/reproduce", f"{plan}/assemble"))]


def test_a_composer_of_another_school_or_occupation_finds_nothing_here(
        session: Session, people: People, enter: Enter, paper: Paper) -> None:
    elsewhere = people.school("雁城高级技工学校（演示）", region="430400")
    strangers = [people("外校组卷", Role.PAPER_COMPOSER, school=elsewhere),
                 people("焊工组卷", scopes=[Scope(Role.PAPER_COMPOSER, people.home.id, occupation_code="6-18-02-04")])]
    session.commit()
    for stranger in strangers:
        browser = enter(stranger)
        for method, path in addresses(paper):
            assert browser.open(path, method=method).status_code == 404, path
        assert paper.name not in text_of(browser.get("/papers/"))
        assert paper.specification.name not in text_of(browser.get("/papers/specifications"))


@pytest.mark.parametrize("role", [Role.ITEM_AUTHOR, Role.ITEM_REVIEWER, Role.EXAM_OFFICER, Role.INVIGILATOR, Role.CANDIDATE,
                                  Role.QUALITY_SUPERVISOR, Role.ADMINISTRATOR])
def test_other_roles_do_not_pass_the_doors_of_this_room(
        session: Session, people: People, enter: Enter, paper: Paper, role: Role) -> None:
    other = people("旁人", role)
    session.commit()
    browser = enter(other)
    for method, path in [*addresses(paper), ("GET", "/papers/"), ("GET", "/papers/specifications/new")]:
        assert browser.open(path, method=method).status_code == 403, path


def test_another_composer_of_the_school_sees_the_sheet_but_neither_items_nor_key(
        session: Session, people: People, enter: Enter, paper: Paper) -> None:
    colleague = people("何同事", Role.PAPER_COMPOSER)
    session.commit()
    stem = items_of(paper)[0].version.stem
    session.commit()
    browser = enter(colleague)
    page = text_of(browser.get(f"/papers/{paper.id}"))
    assert "合规性报告" in page
    assert stem not in page
    assert browser.post(f"/papers/{paper.id}/content").status_code == 404
    assert browser.get(f"/papers/{paper.id}/compliance").status_code == 200


def test_the_compliance_workbook_says_what_the_page_says(
        session: Session, composer: Viewer, enter: Enter, paper: Paper) -> None:
    content = enter(composer).get(f"/papers/{paper.id}/compliance.xlsx").get_data()
    book = openpyxl.load_workbook(BytesIO(content))
    assert book.sheetnames[:3] == ["概况", "鉴定范围", "题型"]
    rows = list(book["鉴定范围"].values)
    assert any("示例" in str(row[0]) for row in rows)
    heads = next(i for i, row in enumerate(rows) if row[0] == "范围")
    ranges = rows[heads + 1:]
    assert len(ranges) == 8
    assert sum(float(str(row[2])) for row in ranges) == 100
    assert ranges[5][:5] == ("B-B-B", "范围BBB", 20, 20, 0)  # 40 half-per-cent of 100 points


def test_the_console_lists_papers_and_finds_one_that_was_changed(
        session: Session, composer: Viewer, clock: TestClock, paper: Paper, app: Flask) -> None:
    seal(session, paper, composer, now=clock())
    session.commit()

    class Installed:
        database = app.extensions["examroom"]["database"]

    listed = CliRunner().invoke(group, ["list"], obj=Installed())
    assert paper.name in listed.output
    good = CliRunner().invoke(group, ["verify"], obj=Installed())
    assert (good.exit_code, good.output) == (0, "1 sealed papers, 0 changed since they were sealed\n")
    session.execute(sa.text("UPDATE item_versions SET key = 'C' WHERE kind = 'SINGLE'"))
    session.commit()
    bad = CliRunner().invoke(group, ["verify"], obj=Installed())
    assert bad.exit_code == 1
    assert f"CHANGED  paper {paper.id}" in bad.output


def test_a_page_of_a_sealed_paper_that_was_changed_says_so(
        session: Session, composer: Viewer, clock: TestClock, paper: Paper, enter: Enter) -> None:
    seal(session, paper, composer, now=clock())
    session.execute(sa.text("UPDATE item_versions SET key = 'C' WHERE kind = 'SINGLE'"))
    session.commit()
    assert "指纹不符" in text_of(enter(composer).get(f"/papers/{paper.id}"))
