"""The compliance sheet on paper, as a workbook and as plots: the same numbers, and nothing that names an item."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import numpy as np
import openpyxl
import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.papers.compliance_document import family_document, paper_document
from qbank.papers.contents import items_of
from qbank.papers.curves import THETA, curves_of
from qbank.papers.desk import assemble, seal, specify
from qbank.papers.models import Paper, PaperFamily
from qbank.papers.plots import coverage, difficulty, expected, information
from qbank.papers.specification import Part
from qbank.statistics.reports_print import pdf, xlsx
from tests.conftest import MONDAY, People, TestClock
from tests.paper_world import open_paper
from tests.qbank.papers.conftest import Bank

Enter = Callable[[Viewer], FlaskClient]
MIXED = (Part("single", 30, 4), Part("multiple", 10, 4), Part("judge", 20, 2))


@pytest.fixture
def forms(session: Session, bank: Bank, composer: Viewer, clock: TestClock) -> list[Paper]:
    form = specify(session, bank.table, bank.school, "电工四级理论", MIXED, composer, minutes=90, now=clock())
    made = assemble(session, form, composer, now=clock(), seed=11, forms=2)
    session.commit()
    return made


def test_page_pdf_and_workbook_say_the_same_before_and_after_the_sealing(
        session: Session, forms: list[Paper], composer: Viewer, enter: Enter, clock: TestClock) -> None:
    paper = forms[0]
    stems = [item.version.stem for item in items_of(paper)]
    seal(session, paper, composer, now=clock())
    session.commit()
    browser = enter(composer)
    printed = browser.get(f"/papers/{paper.id}/compliance.pdf")
    assert printed.mimetype == "application/pdf"
    words = "".join("".join(page.extract_text() for page in PdfReader(BytesIO(printed.get_data())).pages).split())
    book = openpyxl.load_workbook(BytesIO(browser.get(f"/papers/{paper.id}/compliance.xlsx").get_data()))
    page = browser.get(f"/papers/{paper.id}").get_data(as_text=True)
    ranges = [row for row in book["鉴定范围"].values if re.fullmatch(r"[AB](-[AB]){2}|B-C-[AB]", str(row[0]))]
    assert len(ranges) == 8
    assert sum(float(str(row[2])) for row in ranges) == sum(float(str(row[3])) for row in ranges) == 100
    for row in ranges:
        assert row[4] == float(str(row[3])) - float(str(row[2]))  # the deviation
        assert int(str(row[5])) <= int(str(row[6]))  # points examined of all points
        assert str(row[0]) in words
    for expected_words in (str(paper.fingerprint), "重要程度", "难度", "与其他试卷共用题", "随机种子与内容一起封存"):
        assert expected_words in words, expected_words
    assert str(paper.fingerprint) in page
    assert {"题型", "重要程度", "难度", "测量", "答案分布", "与其他试卷共用题"} <= set(book.sheetnames)
    assert book["鉴定范围"]._charts  # type: ignore[attr-defined]  # native charts: they can be edited in Excel
    cells = "\n".join(str(cell) for sheet in book for row in sheet.values for cell in row)
    for stem in stems:
        assert stem not in cells
        assert "".join(stem.split()) not in words
        assert stem not in page


def test_the_curves_of_a_sealed_form_are_those_of_its_items(
        session: Session, forms: list[Paper], composer: Viewer, people: People, clock: TestClock) -> None:
    before = curves_of(session, forms[0])
    assert before is not None
    # By hand at θ = 0 for items without calibration: slope 1, P = 1 / (1 + exp(b)), information P (1 - P) each.
    from qbank.papers.measuring import PRIOR_B

    b = np.array([PRIOR_B[item.version.difficulty] for item in items_of(forms[0])])
    right = 1 / (1 + np.exp(b))
    worth = np.array([item.half_points / 2 for item in items_of(forms[0])])
    at = THETA.index(0.0)
    assert before.information[at] == pytest.approx((right * (1 - right)).sum(), abs=1e-3)
    assert before.expected[at] == pytest.approx((right * worth).sum(), abs=1e-3)
    assert before.error[at] == pytest.approx(np.sqrt((right * (1 - right) * worth ** 2).sum()), abs=1e-3)
    seal(session, forms[0], composer, now=clock())
    assert curves_of(session, forms[0]) == before  # shut: as it was sealed
    open_paper(session, forms[0], people, now=clock())
    assert curves_of(session, forms[0]) == before


def test_the_plots_of_the_forms_are_drawn_over_each_other(session: Session, forms: list[Paper], composer: Viewer, enter: Enter) -> None:
    browser = enter(composer)
    for name in ("information", "expected", "difficulty", "coverage"):
        picture = browser.get(f"/papers/{forms[0].id}/plot.svg?show={name}")
        assert picture.mimetype == "image/svg+xml"
        text = picture.get_data(as_text=True)
        assert "<text" in text  # real text
        assert "style=" not in text
        for paper in forms:
            assert paper.form in re.findall(r">\s*([^<>]*?)(?: 卷)?\s*</text>", text), (name, paper.form)
    assert browser.get(f"/papers/{forms[0].id}/plot.svg?show=nothing").status_code == 404


def test_many_forms_are_drawn_as_their_middle_and_their_range() -> None:
    theta = (-1.0, 0.0, 1.0)
    lines = tuple((f"{n:03d}", (float(n), n + 1.0, n + 0.5)) for n in range(1, 21))
    for picture in (information(theta, lines, 0.0), expected(theta, lines, 0.0, 60.0)):
        assert "20 套的范围".encode() in picture
        assert "合格线".encode() in picture
    assert "目标".encode() in difficulty(("易", "难"), (3, 4), (("A 卷", (3, 4)), ("B 卷", (2, 5))))
    assert b"3/4" in coverage(("A-A",), ("A",), ((0.75,),), (("3/4",),))


def test_the_document_of_a_family_has_the_matrix_of_shared_items(session: Session, forms: list[Paper], composer: Viewer, clock: TestClock) -> None:
    family = forms[0].family or PaperFamily(specification=forms[0].specification, name="电工四级理论 第01次", forms=2, created_at=MONDAY,
                                            report={"status": "已证明最优", "gap": 0.0})
    curves = {paper.form: found for paper in forms if (found := curves_of(session, paper))}
    document = family_document(family, forms, curves)
    matrix = next(section for section in document.sections if section.title == "共用题矩阵")
    shared = len({item.version_id for item in items_of(forms[0])} & {item.version_id for item in items_of(forms[1])})
    assert matrix.rows == [["A", "—", shared], ["B", shared, "—"]]
    book = openpyxl.load_workbook(BytesIO(xlsx(document)))
    assert {"各套", "共用题矩阵", "测量", "难度", "鉴定点覆盖"} <= set(book.sheetnames)
    assert len(PdfReader(BytesIO(pdf(document, made_at=MONDAY))).pages) >= 1
    every = paper_document(forms[0], curves)
    assert [section.title for section in every.sections][:3] == ["概况", "鉴定范围", "题型"]
