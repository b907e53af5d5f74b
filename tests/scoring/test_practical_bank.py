"""The content structure, the task bank with its second person, and the three papers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.practical import structure as structures
from scoring.practical import tasks
from scoring.practical.bank_models import TaskState
from scoring.practical.bank_todo import todo
from scoring.practical.draw import usable
from scoring.practical.papers_print import print_task
from scoring.practical.structure import ModuleDraft
from scoring.practical.structure_models import Mode, StructureState
from scoring.practical.tasks import TaskText
from tests.scoring.outcome_world import NOW
from tests.scoring.practical_world import MODULES, ROWS, TEXT, BankWorld

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def world(session: Session, people: Any) -> BankWorld:
    return BankWorld(session, people)


@contextmanager
def refusal(code: str) -> Iterator[list[str]]:
    """The details of the refusal."""
    details: list[str] = []
    with pytest.raises(Refused) as refused:
        yield details
    assert refused.value.code == code
    details.extend(refused.value.details)


# Structure

def test_a_structure_begins_with_one_required_module_for_each_function(world: BankWorld) -> None:
    made = structures.draft_structure(world.session, world.table, world.school.id, world.officer)
    first = made.modules[0]
    assert (first.name, first.weight, first.choice) == ("继电控制电路装调维修", 60, "必考")
    assert sum(one.weight for one in made.modules) == 200
    with refusal("has_draft"):
        structures.draft_structure(world.session, world.table, world.school.id, world.officer)


def test_modules_sum_to_the_skill_table_column_by_column(world: BankWorld) -> None:
    made = structures.draft_structure(world.session, world.table, world.school.id, world.officer)
    wrong = [replace(MODULES[0], portions={"1": 59, "2": 20}), replace(MODULES[1], options=("车床",)),
             replace(MODULES[2], mode=Mode.REQUIRED)]
    with refusal("structure_sums") as details:
        structures.change_structure(world.session, made, wrong, "", world.officer)
    assert details == ["模块 2：抽考应列出 2 到 12 个不同的考核单元，用顿号分开", "模块 3：必考模块不分考核单元，请清空或改为任选、抽考",
                       "“继电控制电路装调维修”各模块合计 29.5%，权重表为 30.0%"]
    structures.change_structure(world.session, made, MODULES, "2018 版标准", world.officer)
    assert [(one.weight, one.choice) for one in made.modules] == [(80, "必考"), (60, "抽考三选一"), (60, "任选一项")]
    for nonsense in ([], [ModuleDraft("", {"1": 60})], [ModuleDraft("甲", {"9": 200})], [ModuleDraft("甲", {"1": 60}, 0)]):
        with pytest.raises(Refused):
            structures.change_structure(world.session, made, nonsense, "", world.officer)


def test_a_structure_in_force_never_changes_and_its_tasks_follow_to_the_next_version(world: BankWorld) -> None:
    first = world.structure()
    wiring = world.task(first.modules[0], "DG4-1-01", rows=ROWS)
    control = world.task(first.modules[2], "DG4-3-01", option="PLC")
    with refusal("not_a_draft"):
        structures.change_structure(world.session, first, MODULES, "", world.officer)
    following = structures.draft_structure(world.session, world.table, world.school.id, world.officer)
    moved = structures.drafts_of(following)
    moved[0], moved[1] = replace(moved[0], portions={"1": 50, "2": 20}), replace(moved[1], portions={"1": 10, "2": 10, "3": 50})
    structures.change_structure(world.session, following, moved, "", world.officer)
    structures.put_in_force(world.session, following, world.officer)
    assert (first.state, following.state, following.number) == (StructureState.REPLACED, StructureState.IN_FORCE, 2)
    assert (wiring.task.module, control.task.module) == (following.modules[0], following.modules[2])
    assert not tasks.fits(wiring)  # 40 points of rows in a module of 35
    assert tasks.fits(control)
    assert usable(world.session, following.modules[0]) == {"": []}
    revised = tasks.revise(world.session, wiring, world.author, now=NOW)
    assert (revised.rubric.full, tasks.fits(revised)) == (70, True)


def test_only_the_office_of_the_school_puts_a_structure_in_force(world: BankWorld, people: Any) -> None:
    made = structures.draft_structure(world.session, world.table, world.school.id, world.author)
    stranger = people("外校考务", Role.EXAM_OFFICER, school=people.school("外校"))
    for person in (world.author, stranger):
        with refusal("not_your_duty"):
            structures.put_in_force(world.session, made, person)
    structures.discard_structure(world.session, made, world.author)
    assert world.session.scalars(structures.versions(world.table.id, world.school.id)).all() == []


# Tasks

def test_a_task_is_approved_by_a_second_person_and_replaces_the_version_before(world: BankWorld, people: Any) -> None:
    module = world.structure().modules[0]
    both = people("赵两职", Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)
    version = tasks.add_task(world.session, module, "DG4-1-01", TEXT, both, now=NOW)
    tasks.submit(world.session, version, both, now=NOW)
    assert [one.title for one in todo(world.session, world.reviewer, now=NOW)] == ["审定操作技能试题"]
    assert todo(world.session, both, now=NOW) == []
    with refusal("own_work"):
        tasks.review(world.session, version, both, True, "", now=NOW)
    with refusal("no_comment"):
        tasks.review(world.session, version, world.reviewer, False, " ", now=NOW)
    with refusal("not_your_duty"):
        tasks.review(world.session, version, world.author, True, "", now=NOW)
    with refusal("not_a_draft"):
        tasks.change_task(world.session, version, TEXT, both)
    tasks.review(world.session, version, world.reviewer, True, "可用", now=NOW)
    assert version.task.approved is version
    following = tasks.revise(world.session, version, both, now=NOW)
    assert tasks.text_of(following) == TEXT
    with refusal("has_draft"):
        tasks.revise(world.session, version, both, now=NOW)
    tasks.submit(world.session, following, both, now=NOW)
    assert version.task.approved is version  # until the second version is approved
    tasks.review(world.session, following, world.reviewer, True, "", now=NOW)
    assert (version.state, version.task.approved) == (TaskState.RETIRED, following)
    tasks.retire(world.session, following, both)
    assert version.task.approved is None


def test_a_task_that_is_sent_back_waits_for_its_author(world: BankWorld) -> None:
    version = tasks.add_task(world.session, world.structure().modules[0], "DG4-1-01", TEXT, world.author, now=NOW)
    tasks.submit(world.session, version, world.author, now=NOW)
    tasks.review(world.session, version, world.reviewer, False, "缺少图纸", now=NOW)
    assert [one.title for one in todo(world.session, world.author, now=NOW)] == ["修改退回的操作技能试题"]
    tasks.revise(world.session, version, world.author, now=NOW)
    assert todo(world.session, world.author, now=NOW) == []


def test_a_task_with_gaps_is_refused_by_name(world: BankWorld) -> None:
    wiring, repair, _ = world.structure().modules
    add = tasks.add_task
    with refusal("no_unit"):
        add(world.session, repair, "DG4-2-01", TEXT, world.author, now=NOW)
    with refusal("no_unit"):
        add(world.session, wiring, "DG4-1-01", TEXT, world.author, option="车床", now=NOW)
    for text, code in ((replace(TEXT, title=" "), "no_title"), (replace(TEXT, minutes=0), "no_minutes"),
                       (replace(TEXT, body="$\\frac{1$"), "bad_markup"), (replace(TEXT, body="长" * 20_001), "too_long")):
        with refusal(code):
            add(world.session, wiring, "DG4-1-01", text, world.author, now=NOW)
    empty = add(world.session, wiring, "DG4-1-02", TaskText("试题", 60), world.author, now=NOW)
    with refusal("incomplete"):
        tasks.submit(world.session, empty, world.author, now=NOW)
    with refusal("code_taken"):
        add(world.session, wiring, "DG4-1-02", TEXT, world.author, now=NOW)


def _picture() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (600, 300), "white").save(stream, "PNG")
    return stream.getvalue()


def _words(pdf: bytes, folder: Path) -> str:
    (folder / "out.pdf").write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", folder / "out.pdf", "-"], check=True, capture_output=True, text=True).stdout


def test_the_three_papers_say_what_the_trade_prints(world: BankWorld, tmp_path: Path) -> None:
    version = world.task(world.structure().modules[0], "DG4-1-01", rows=ROWS)
    draft = tasks.revise(world.session, version, world.author, now=NOW)
    tasks.attach(world.session, draft, attachments.from_bytes(_picture(), "图.png"), "正反转原理图", world.author, now=NOW)
    with pytest.raises(Refused):
        tasks.attach(world.session, draft, attachments.from_bytes(b"MZ not a drawing", "图.png"), "", world.author, now=NOW)
    preparation = _words(print_task(world.session, draft, "preparation", made_at=NOW), tmp_path)
    assert all(word in preparation for word in ("操作技能考核准备通知单（考场）", "操作技能考核准备通知单（考生）", "三相异步电动机", "Y112M-4", "万用表",
                                                "未审定，不得用于考核"))
    paper = _words(print_task(world.session, draft, "paper", made_at=NOW), tmp_path)
    assert all(word in paper for word in ("操作技能考核试卷", "40 分", "90 分钟", "必考", "附图 1", "正反转原理图", "带电接线"))
    record = _words(print_task(world.session, version, "record", made_at=NOW), tmp_path)
    assert "考核评分记录表" in record
    assert "每处扣 0.5 分" in record
    assert "未审定" not in record


# Doors

def test_bank_pages_are_for_the_bank_of_the_school_and_drafts_for_its_writers(world: BankWorld, people: Any, enter: Enter) -> None:
    module = world.structure().modules[0]
    draft = tasks.add_task(world.session, module, "DG4-1-01", TEXT, world.author, now=NOW)
    file = tasks.attach(world.session, draft, attachments.from_bytes(_picture(), "图.png"), "原理图", world.author, now=NOW)
    approved = world.task(module, "DG4-1-02")
    other = people.school("外校")
    strangers = [people("外校命题", Role.ITEM_AUTHOR, school=other), people("外校审题", Role.ITEM_REVIEWER, school=other),
                 people("外校考务", Role.EXAM_OFFICER, school=other)]
    judge, student = people("考评员", Role.PRACTICAL_ASSESSOR), world.as_candidate(world.enrol("王小明")[0])
    world.session.commit()
    pages = [f"/practical/tasks/{draft.id}", f"/practical/tasks/{draft.id}/paper.pdf", f"/practical/attachments/{file.id}",
             f"/practical/structures/{module.structure_id}"]
    for person in strangers:
        client = enter(person)
        assert [client.get(page).status_code for page in [*pages, f"/practical/tasks/{approved.id}"]] == [404] * 5
        assert "DG4-1-0" not in client.get("/practical/bank").text
    officer = enter(world.officer)
    assert [officer.get(page).status_code for page in pages] == [404, 404, 404, 200]  # a draft is nobody's business in the office
    assert officer.get(f"/practical/tasks/{approved.id}/paper.pdf?kind=record").data.startswith(b"%PDF")
    assert officer.get(f"/practical/tasks/{approved.id}/paper.pdf?kind=secret").status_code == 404
    assessor, candidate = enter(judge), enter(student)
    assert {client.get(page).status_code for client in (assessor, candidate) for page in [*pages, "/practical/bank"]} <= {401, 403, 404}


def test_an_author_writes_a_task_in_the_browser_and_a_reviewer_approves_it(world: BankWorld, enter: Enter) -> None:
    module = world.structure().modules[1]
    world.session.commit()
    author = enter(world.author)
    assert "DG4-2-01" not in author.get("/practical/bank?q=DG4").text
    made = author.post("/practical/tasks/new", data={"module": f"{module.id}:铣床", "code": "DG4-2-01", "title": "铣床检修"})
    address = made.headers["Location"]
    fields = {"title": "铣床电气故障检修", "minutes": "45", "body": "排除两处故障。",
              "school_list": "铣床\tX62W\t台\t1\n\n万用表 | MF47 | 只 | 2", "version": ""}
    assert author.post(address, data=fields | {"minutes": "很久"}).status_code == 422
    assert author.post(address, data=fields).status_code == 302
    page = author.get(address).text
    assert "铣床 | X62W | 台 | 1" in page
    assert author.post(f"{address}/act", data={"act": "submit"}).status_code == 302
    reviewer = enter(world.reviewer)
    assert "审定通过" in reviewer.get(address).text
    assert reviewer.post(f"{address}/act", data={"act": "return", "comment": ""}).status_code == 409
    assert reviewer.post(f"{address}/act", data={"act": "nonsense"}).status_code == 404
    assert reviewer.post(f"{address}/act", data={"act": "approve"}).status_code == 302
    found = author.get("/practical/bank?q=铣床&state=approved").text
    assert "DG4-2-01" in found
    assert "没有符合条件的试题" in author.get("/practical/bank?q=没有&table=x").text


def test_a_structure_is_written_in_the_browser(world: BankWorld, enter: Enter) -> None:
    world.session.commit()
    officer = enter(world.officer)
    made = officer.post("/practical/structures", data={"table_id": world.table.id, "institution_id": world.school.id})
    address = made.headers["Location"]
    form: dict[str, Any] = {"name": ["装调", "检修", ""], "mode": ["required", "drawn", "required"], "options": ["", "车床、铣床，磨床", ""],
                            "minutes": ["90", "60", "60"], "form": ["on_site", "written", "on_site"], "previous": ["", "x", ""],
                            "portion-1": ["30", "", ""], "portion-2": ["15", "", ""], "portion-3": ["", "25", ""], "portion-4": ["", "29.5", ""]}
    wrong = officer.post(address, data=form)
    assert wrong.status_code == 422
    assert "“自动控制电路装调维修”各模块合计 29.5%，权重表为 30.0%" in wrong.text
    assert officer.post(address, data=form | {"mode": ["x", "", ""]}).status_code == 422
    assert officer.post(address, data=form | {"portion-4": ["", "30", ""]}).status_code == 302
    assert officer.post(f"{address}/act", data={"act": "in-force"}).status_code == 302
    page = officer.get(address).text
    assert "抽考三选一" in page
    assert officer.post(f"{address}/act", data={"act": "next"}).status_code == 302
    assert officer.get("/practical/structures").status_code == 200
