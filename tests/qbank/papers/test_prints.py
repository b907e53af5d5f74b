"""What is printed, read back: the text of PDFs, the cells of workbooks, and who gets them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy.orm import Session

from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.jobs import Job
from qbank.kernel.settings import Settings
from qbank.papers import embargo, looks
from qbank.papers.contents import items_of
from qbank.papers.copies import Master, arrange
from qbank.papers.desk import assemble, seal, specify
from qbank.papers.models import Paper
from qbank.papers.print_work import FORMERLY
from qbank.papers.sealed import PaperPrint
from qbank.papers.specification import Part
from qbank.papers.typesetting import typeset
from tests.conftest import People, TestClock
from tests.qbank.papers.conftest import Bank

Enter = Callable[[Viewer], FlaskClient]
MIXED = (Part("single", 30, 4), Part("multiple", 10, 4), Part("judge", 20, 2))


@pytest.fixture
def paper(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> Paper:
    form = specify(session, bank.table, bank.school, "电工四级理论", MIXED, composer, minutes=90, now=clock())
    return assemble(session, form, composer, now=clock(), seed=11)[0]


@pytest.fixture
def enter(session: Session, enter: Enter) -> Enter:
    """The test's session lets go of the database first: SQLite has one writer."""

    def commit_and_enter(viewer: Viewer) -> FlaskClient:
        session.commit()
        return enter(viewer)

    return commit_and_enter


@pytest.fixture
def officer(people: People) -> Viewer:
    return people("刘考务", Role.EXAM_OFFICER)


@pytest.fixture
def opened(session: Session, paper: Paper, composer: Viewer, officer: Viewer, enter: Enter, clock: TestClock) -> Paper:
    """Sealed, and opened in two browsers."""
    seal(session, paper, composer, now=clock())
    session.commit()
    where = f"/papers/{paper.id}/opening"
    assert "申请启封" in enter(officer).get(where).get_data(as_text=True)
    assert enter(officer).post(where, data={"reason": "第一场发卷"}).status_code == 302
    assert enter(officer).post(f"{where}/confirm").status_code == 409
    assert "确认启封" in enter(composer).get(where).get_data(as_text=True)
    assert enter(composer).post(f"{where}/confirm").status_code == 302
    session.refresh(paper)
    assert not paper.is_shut
    session.commit()
    return paper


def files_of(browser: FlaskClient, session: Session, paper: Paper, **form: Any) -> dict[str, bytes]:
    """Order a print, wait for its job, take it away, look inside."""
    session.commit()
    job = browser.post(f"/papers/{paper.id}/prints", data=form)
    assert job.status_code == 302, job.get_data(as_text=True)
    session.commit()
    assert session.scalars(sa.select(Job.message).order_by(Job.id.desc())).first() is not None
    row = session.scalars(sa.select(PaperPrint).order_by(PaperPrint.id.desc())).first()
    assert row is not None, session.scalars(sa.select(Job.message)).all()
    session.commit()
    answer = browser.post(f"/papers/prints/{row.id}")
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(BytesIO(answer.get_data())) as box:
        return {name: box.read(name) for name in box.namelist()}


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def flat(text: str) -> str:
    return "".join(text.split())


def test_the_paper_is_printed_as_the_trade_prints_it(session: Session, opened: Paper, officer: Viewer, enter: Enter) -> None:
    files = files_of(enter(officer), session, opened, what="paper")
    assert set(files) == {"A卷_试卷.pdf", "A卷_答题卡.pdf"}
    words = flat(text_of(files["A卷_试卷.pdf"]))
    for expected in ("职业技能等级认定", "电工四级/中级工理论知识试卷", "注意事项", "考试时间：90分钟。", "2018年版《电工国家职业技能标准》",
                     "姓名：", "准考证号：", "单位：", "密………………封………………线", "得分", "评分人", "第1页共", "A卷", str(opened.fingerprint)[:8].upper(), "刘考务",
                     "一、单项选择题（第1题～第30题。选择一个正确的答案，将相应的字母填入题内的括号中。每题2分，满分60分。", "二、多项选择题（第31题～第40题。",
                     "三、判断题（第41题～第60题。将判断结果填入括号中，正确的填“√”，错误的填“×”。每题1分，满分20分。"):
        assert expected in words, expected
    for item in items_of(opened):
        assert flat(f"{item.number}. {item.version.stem}") in words, item.number
    sheet = flat(text_of(files["A卷_答题卡.pdf"]))
    for expected in ("答题卡", "准考证号", "缺考标记", "60", "√", "×"):
        assert expected in sheet, expected
    assert flat(items_of(opened)[0].version.stem) not in sheet


def test_key_and_guide_are_apart_and_the_paper_holds_no_key(session: Session, opened: Paper, officer: Viewer, enter: Enter) -> None:
    key = files_of(enter(officer), session, opened, what="key")
    words = flat(text_of(key["A卷_标准答案与评分标准.pdf"]))
    assert "启用前保密" in words
    for item in items_of(opened):
        shown = {"T": "√", "F": "×"}.get(item.version.key, item.version.key)
        assert f"{item.number}{shown}" in words, item.number
    assert items_of(opened)[0].version.stem not in words
    first = files_of(enter(officer), session, opened, what="paper")["A卷_试卷.pdf"]
    before = text_of(first)
    session.execute(sa.text("UPDATE item_versions SET key = 'D' WHERE kind = 'SINGLE'"))
    session.commit()
    again = files_of(enter(officer), session, opened, what="paper")["A卷_试卷.pdf"]
    assert text_of(again) == before  # whatever the keys are


def test_personal_copies_differ_and_their_key_table_says_what_is_right_on_each(
        session: Session, opened: Paper, officer: Viewer, enter: Enter) -> None:
    browser = enter(officer)
    files = files_of(browser, session, opened, what="copies", copies="12", items="1", options="1")
    assert set(files) == {"A卷_答题卡.pdf", "A卷_个人卷_0001-0010.pdf", "A卷_个人卷_0011-0012.pdf"}
    second = PdfReader(BytesIO(files["A卷_个人卷_0011-0012.pdf"]))
    assert "个人卷0011" in flat(second.pages[0].extract_text())
    assert flat("第 1 页 共") in flat(second.pages[len(second.pages) // 2].extract_text())  # each copy counts its own pages
    table = openpyxl.load_workbook(BytesIO(files_of(browser, session, opened, what="key")["A卷_个人卷答案对照表_1.xlsx"]))
    keys, masters = ([row for row in table[name].values if str(row[0]).isdigit()] for name in ("答案", "题序"))
    assert len(keys) == len(masters) == 12
    assert len({row[1:] for row in keys}) == 12
    by_number = {item.number: item.version for item in items_of(opened)}
    words = flat(text_of(files["A卷_个人卷_0001-0010.pdf"])).split("个人卷0002")[0]
    for place in (1, 7, 30, 35, 60):  # what copy 1 prints at this place, and which option the table calls right
        version, letters = by_number[int(str(masters[0][place]))], str(keys[0][place])
        assert flat(f"{place}. {version.stem}") in words
        right = {option.text for option in version.options if option.letter in version.key}
        for letter in letters if version.options else "":
            after = words.split(flat(f"{place}. {version.stem}"))[1]
            assert any(f"{letter}.{flat(text)}" in after[:200] for text in right), (place, letter)


def test_copies_come_again_from_their_seed_and_keep_sets_parts_and_last_options() -> None:
    items = [Master(number, (number - 1) // 10, "ABCD", "D" if number % 3 == 0 else "", "ACD"[number % 3], 7 if number in {4, 5, 6} else 0)
             for number in range(1, 21)]
    made = [arrange(items, "seed", copy) for copy in range(1, 51)]
    assert made == [arrange(items, "seed", copy) for copy in range(1, 51)]
    assert len({tuple(one.master for one in copy) for copy in made}) == 50
    for copy in made:
        assert [one.number for one in copy] == list(range(1, 21))
        order = [one.master for one in copy]
        assert sorted(order[:10]) == list(range(1, 11))
        first = order.index(4)
        assert order[first:first + 3] == [4, 5, 6]
        for one in copy:
            assert sorted(one.options) == ["A", "B", "C", "D"]
            assert one.master % 3 or one.options[-1] == "D"
            assert [one.options["ABCD".index(letter)] for letter in one.key] == [items[one.master - 1].key]
    kept = arrange(items, "seed", 1, items_too=False, options_too=False)
    assert [(one.number, one.master, one.options) for one in kept] == [(n, n, "ABCD") for n in range(1, 21)]


def test_only_who_may_look_prints_and_takes_and_each_is_on_record(
        session: Session, opened: Paper, composer: Viewer, officer: Viewer, people: People, enter: Enter, settings: Settings) -> None:
    colleague = people("王考务", Role.EXAM_OFFICER)
    stranger = people("外校", Role.EXAM_OFFICER, school=people.school("雁城高级技工学校（演示）"))
    session.commit()
    stem = items_of(opened)[0].version.stem
    files_of(enter(officer), session, opened, what="paper")
    row = session.scalars(sa.select(PaperPrint)).one()
    session.commit()
    for path in (f"/papers/{opened.id}/prints", f"/papers/{opened.id}/opening", f"/papers/{opened.id}/looks"):
        assert enter(stranger).get(path).status_code == 404
        assert enter(colleague).get(path).status_code == 200
        assert stem not in enter(colleague).get(path).get_data(as_text=True)
    for path in (f"/papers/{opened.id}/prints", f"/papers/prints/{row.id}", f"/papers/{opened.id}/content", f"/papers/{opened.id}/opening",
                 f"/papers/{opened.id}/opening/confirm", f"/papers/{opened.id}/opening/withdraw"):
        assert enter(stranger).post(path, data={"what": "paper"}).status_code == 404, path
    for path in (f"/papers/{opened.id}/prints", f"/papers/prints/{row.id}", f"/papers/{opened.id}/content"):
        assert enter(colleague).post(path, data={"what": "paper"}).status_code == 409, path
    for path in ("/papers/prints/99999", "/papers/prints/99999999999"):
        assert enter(officer).post(path).status_code == 404
    page = enter(officer).post(f"/papers/{opened.id}/content", environ_overrides={"REMOTE_ADDR": "10.1.2.3"})
    assert stem in page.get_data(as_text=True)
    session.expire_all()
    told = [(look.what, look.account.name) for look in reversed(looks.looks_at(session, opened))]
    assert told[-3:] == [("printed", "刘考务"), ("taken", "刘考务"), ("content", "刘考务")]
    assert looks.looks_at(session, opened)[0].address == "10.1.2.3"
    assert "10.1.2.3" in enter(colleague).get(f"/papers/{opened.id}/looks").get_data(as_text=True)
    assert row.file_name in attachments.named(session)
    place = attachments.store_of(session).place(row.file_name)
    kept = place.read_bytes()
    assert b"%PDF" not in kept  # encrypted in the store
    place.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    session.commit()
    assert enter(officer).post(f"/papers/prints/{row.id}").status_code == 409
    place.unlink()
    assert "请重新打印" in enter(officer).post(f"/papers/prints/{row.id}").get_data(as_text=True)
    row.file_name = "0123456789abcdef0123456789abcdef.bin"  # made before the store took prints
    (settings.folder / FORMERLY).mkdir()
    (settings.folder / FORMERLY / row.file_name).write_bytes(kept)
    session.commit()
    assert enter(officer).post(f"/papers/prints/{row.id}").status_code == 200
    assert row.file_name not in attachments.named(session)


def test_a_shut_paper_is_neither_printed_nor_shown(session: Session, paper: Paper, composer: Viewer, enter: Enter, clock: TestClock) -> None:
    draft = enter(composer)
    session.commit()
    files = files_of(draft, session, paper, what="paper")
    assert "草稿，不得用于考试" in flat(text_of(files["A卷_试卷.pdf"]))
    row = session.scalars(sa.select(PaperPrint)).one()
    seal(session, paper, composer, now=clock())
    session.commit()
    for path in (f"/papers/{paper.id}/prints", f"/papers/prints/{row.id}", f"/papers/{paper.id}/content"):
        assert enter(composer).post(path, data={"what": "paper"}).status_code == 409, path
    assert "还没有启封" in enter(composer).get(f"/papers/{paper.id}/prints").get_data(as_text=True)


def test_the_key_stays_shut_while_a_sitting_waits(session: Session, opened: Paper, officer: Viewer, enter: Enter,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embargo, "HOLDS", [lambda *_: ["第二场 7月2日"]])
    assert enter(officer).post(f"/papers/{opened.id}/prints", data={"what": "key"}).status_code == 409
    assert "封闭期内不提供" in enter(officer).get(f"/papers/{opened.id}/prints").get_data(as_text=True)


def test_bad_orders_get_a_sentence(session: Session, opened: Paper, officer: Viewer, enter: Enter) -> None:
    for form in ({}, {"what": "x"}, {"what": "copies"}, {"what": "copies", "copies": "0"}, {"what": "copies", "copies": "1001"}):
        assert enter(officer).post(f"/papers/{opened.id}/prints", data=form).status_code == 409, form


def test_texts_become_plain_values_and_never_program() -> None:
    assert typeset("甲#乙\\*丙") == [["p", ["甲#乙", "*", "丙"]]]
    assert typeset("**黑体** ____ V") == [["p", [["b", ["黑体"]], "\xa0", ["u"], "\xa0V"]]]
    assert typeset("$\\frac{U}{R}$")[0][1] == [["m", ["mfrac", ["i", "U"], ["i", "R"]], False]]
    assert typeset("$x_1^2$")[0][1] == [["m", ["msubsup", ["i", "x"], ["n", "1"], ["n", "2"]], False]]
    assert typeset("| a | b |\n|---|---|\n| 1 | 2 |") == [["t", [[["a"], ["b"]], [["1"], ["2"]]]]]
    assert typeset("$\\nosuch{a}$")[0][1][0][1][0] == "t"  # a formula that cannot be read is shown as it was typed
