"""The application as a Word document: the same values in annex 1's tables, for offices that work on in Word."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from examroom.filing import annexes
from examroom.filing.form import unit_lines

LEAST = {"equipment": 4, "staff": 3, "experts": 3, "assessors": 2}
HEADINGS = {"sites": ("四、场地设备等情况（权属证明材料另附）", "（一）场地情况"), "equipment": ("", "（二）设施设备情况（权属证明材料另附）"),
            "it": ("", "（三）计算机考务管理及视频监控设备配置情况"),
            "staff": ("五、人员情况（技术技能水平证明复印件另附）", "（一）专职工作人员情况"), "experts": ("", "（二）专家情况"),
            "assessors": ("", "（三）考评人员情况")}
WIDTH = 167  # millimetres between the margins
OCCUPATIONS, MATERIALS = (5, 12, 11, 10, 12, 28), (13, 38, 28)  # of the columns, as shares
NOTES = {"sites": annexes.SITES_NOTE, "it": annexes.IT_NOTE}


def document(told: dict[str, Any]) -> bytes:
    """A ``.docx`` of what ``form.values`` gives."""
    made: Any = Document()  # the package is typed in parts only
    _page(made)
    made.add_paragraph("附件1")
    _centred(made, told["title"], 16)
    made.add_paragraph(f"{told['kind']}　编号 {told['number']}").alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _unit(made, told["unit"])
    _table(made, ["二、申请开展评价的职业（工种）"],
           ["序号", "职业（工种）名称", "职业编码", "工种名称", "等级", "认定依据（职业标准情况）"], told["occupations"], 5, OCCUPATIONS)
    _table(made, ["三、院校主干专业范围及具备的组织优势、专业优势等"], [], [[told["prose"][annexes.STRENGTHS]]], 1)
    for key, headings in HEADINGS.items():
        _table(made, [heading for heading in headings if heading], told["heads"][key], told["rows"][key], LEAST.get(key, 1),
               (9, *(field.width for field in annexes.PART_OF[key].columns)))
        if note := told["prose"].get(NOTES.get(key, ""), ""):
            made.add_paragraph(note)
    made.add_paragraph(told["pledge"])
    made.add_paragraph("申请单位（盖章）：　　　　　　　　　　　　年　　月　　日").alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for name, comment, signed in told["opinions"]:
        _table(made, [name], [], [[f"{comment}\n{signed}"]], 1)
    made.add_page_break()
    made.add_paragraph("附件2")
    _centred(made, "备案申请材料清单", 14)
    _table(made, [], ["依据", "材料", "已交文件"], told["materials"], 1, MATERIALS)
    made.add_page_break()
    _centred(made, "职业技能等级认定试点工作实施方案", 14)
    for name, body in told["plan"]:
        made.add_paragraph().add_run(name).bold = True
        for paragraph in body.split("\n"):
            made.add_paragraph(paragraph)
    stream = BytesIO()
    made.save(stream)
    return stream.getvalue()


def _page(made: Any) -> None:
    section = made.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin, section.top_margin, section.bottom_margin = Mm(25), Mm(18), Mm(20), Mm(20)
    style: Any = made.styles["Normal"]
    style.font.name, style.font.size = "宋体", Pt(10.5)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体")
    style.paragraph_format.space_after = Pt(4)


def _centred(made: Any, text: str, size: float) -> None:
    paragraph = made.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = paragraph.add_run(text)
    run.bold, run.font.size = True, Pt(size)


def _unit(made: Any, unit: dict[str, str]) -> None:
    titles = {field.key: field.title for field in annexes.UNIT}
    table = _bordered(made, 4)
    _heading(table, "一、申请单位基本信息")
    for line in unit_lines():
        cells = table.add_row().cells
        for place, key in enumerate(line):
            _write(cells[2 * place], titles[key], bold=True)
            target = cells[2 * place + 1].merge(cells[3]) if len(line) == 1 else cells[2 * place + 1]
            _write(target, unit[key])
    made.add_paragraph()


def _table(made: Any, headings: Sequence[str], heads: Sequence[str], rows: Sequence[Sequence[str]], least: int,
           shares: Sequence[int] = (1,)) -> None:
    """One table of the annex with empty lines up to ``least``, as the printed form has them."""
    columns = len(heads) or 1
    table = _bordered(made, columns)
    for heading in headings:
        _heading(table, heading)
    if heads:
        row = table.add_row()
        for cell, head in zip(row.cells, heads, strict=True):
            _write(cell, head, bold=True)
        _repeat(row)
    for number in range(max(len(rows), least)):
        texts = rows[number] if number < len(rows) else [str(number + 1), *[""] * (columns - 1)]
        for cell, text in zip(table.add_row().cells, texts, strict=True):
            _write(cell, text)
    for column, share in zip(table.columns, shares, strict=True):
        column.width = Mm(WIDTH * share / sum(shares))
        for cell in column.cells:
            if cell.grid_span == 1:
                cell.width = column.width
    made.add_paragraph()


def _bordered(made: Any, columns: int) -> Any:
    table = made.add_table(0, columns, style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    return table


def _heading(table: Any, text: str) -> None:
    cells = table.add_row().cells
    _write(cells[0].merge(cells[-1]), text, bold=True)


def _write(cell: Any, text: str, *, bold: bool = False) -> None:
    cell.text = ""
    run = cell.paragraphs[0].add_run(text)
    run.bold, run.font.size = bold, Pt(9)
    cell.paragraphs[0].paragraph_format.space_before = cell.paragraphs[0].paragraph_format.space_after = Pt(2)


def _repeat(row: Any) -> None:
    """The heads stand again on the next page."""
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)
