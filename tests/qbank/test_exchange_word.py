"""Word papers by Word's, WPS's and LibreOffice's habits: what the reader of the page sees is what is read."""

from __future__ import annotations

import base64
import contextlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from docx.document import Document as DocumentObject
from docx.shared import Mm

from qbank.exchange import word
from qbank.exchange.drafts import Drafts
from qbank.items.draft import Draft, findings
from qbank.kernel.refused import Refused
from tests.qbank.word_world import OHM, listed, media, numbering, paper, png, raw, repacked, saved

OPTIONS = "A. 伏特\tB. 安培\tC. 欧姆\tD. 瓦特"
VOLT = ("伏特", "安培", "欧姆", "瓦特")


def read(content: bytes) -> Drafts:
    return word.read(content, "试卷.docx")


def only(content: bytes) -> Draft:
    drafts = read(content)
    assert len(drafts.items) == 1, drafts
    assert drafts.items[0].problems == ()
    return drafts.items[0].draft


def test_a_plain_paper_is_read_with_its_paragraphs_as_places() -> None:
    drafts = read(paper("一、单项选择题（每题1分，共2分）", "1. 电压的单位是（ A ）。", OPTIONS, "", "2. 电流的单位是（　　）。", OPTIONS, "答案：B"))
    assert [(found.draft.key, found.draft.options, found.place) for found in drafts.items] == [("A", VOLT, "第 2 段"), ("B", VOLT, "第 4 段")]
    assert drafts.format == "word"


def test_automatic_numbers_and_letters_are_what_the_reader_sees() -> None:
    def write(document: DocumentObject) -> None:
        parts, stems = numbering(document, ("chineseCounting", "%1、")), numbering(document, ("decimal", "%1."))
        listed(document, "单项选择题", parts)
        for stem in ("电压的单位是（　　）。", "电流的单位是（　　）。"):
            letters = numbering(document, ("upperLetter", "%1."))
            listed(document, stem, stems)
            for option in VOLT:
                listed(document, option, letters)
        listed(document, "判断题", parts)
        listed(document, "铜导电。（　　）", stems)

    drafts = read(paper(write, "参考答案", "一、1-2 AB", "二、3.√"))
    assert [(found.draft.kind, found.draft.key, found.draft.options) for found in drafts.items] == [
        ("single", "A", VOLT), ("single", "B", VOLT), ("judge", "T", ())]


def test_letters_as_the_second_level_of_the_list_begin_anew_under_each_stem() -> None:
    def write(document: DocumentObject) -> None:
        both = numbering(document, ("decimal", "%1．"), ("upperLetter", "（%2）"))
        for stem in ("甲是（ A ）。", "乙是（ B ）。"):
            listed(document, stem, both)
            listed(document, "一", both, 1)
            listed(document, "二", both, 1)

    assert [(found.draft.key, found.draft.options) for found in read(paper(write)).items] == [("A", ("一", "二")), ("B", ("一", "二"))]


def test_a_list_that_is_told_to_begin_anew_does() -> None:
    def write(document: DocumentObject) -> None:
        first = numbering(document, ("decimal", "%1."))
        listed(document, "铜导电。（√）", first)
        listed(document, "木导电。（×）", first)
        part = document.part.numbering_part.element
        from docx.oxml import parse_xml

        from tests.qbank.word_world import NAMES
        part.append(parse_xml(f'<w:num {NAMES} w:numId="77"><w:abstractNumId w:val="{first}"/>'
                              '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num>'))
        listed(document, "铁导电。（√）", "77")

    drafts = read(paper("一、判断题", write))
    assert [found.draft.key for found in drafts.items] == ["T", "F", "T"]
    assert "第 2 题（第 3 段）后面是第 5 题" in drafts.items[2].problems[0]


def test_line_breaks_inside_a_paragraph_are_lines() -> None:
    assert only(paper("1. 电压的单位是（　　）。\nA. 伏特\nB. 安培\nC. 欧姆\nD. 瓦特\n答案：A")).options == VOLT


def test_pictures_and_formulas_stay_in_their_place() -> None:
    def write(document: DocumentObject) -> None:
        paragraph = document.add_paragraph("1. 图 ")
        paragraph.add_run().add_picture(io.BytesIO(png()), width=Mm(20))
        raw(paragraph, f"<w:r><w:t xml:space='preserve'> 中由 </w:t></w:r>{OHM}<w:r><w:t>得（　　）。</w:t></w:r>")
        paragraph = document.add_paragraph("A. ")
        paragraph.add_run().add_picture(io.BytesIO(png(9)))
        raw(paragraph, f"<w:r><w:tab/><w:t>B. </w:t></w:r>{OHM}")

    drafts = read(paper(write, "答案：A"))
    draft = drafts.items[0].draft
    assert draft.stem == f"图 {media(png())} 中由 $R=\\frac{{U}}{{I}}$得（　　）。"
    assert draft.options == (media(png(9)), "$R=\\frac{U}{I}$")
    assert set(drafts.pictures.values()) == {png(), png(9)}


def test_raised_and_lowered_signs_are_formulas_of_one_sign() -> None:
    def write(document: DocumentObject) -> None:
        paragraph = document.add_paragraph("1. 面积为 5m")
        paragraph.add_run("2").font.superscript = True
        paragraph.add_run("，电流 I")
        paragraph.add_run("额").font.subscript = True
        paragraph.add_run("为（ A ）。")

    assert only(paper(write, OPTIONS)).stem == r"面积为 5m$^{2}$，电流 I$_{\text{额}}$为（　　）。"


def test_underlined_space_is_a_blank_and_underlined_words_are_its_answer() -> None:
    def write(document: DocumentObject) -> None:
        for number, blank in enumerate(("        ", " 安培 "), start=1):
            paragraph = document.add_paragraph(f"{number}. 电流的单位是")
            paragraph.add_run(blank).underline = True
            paragraph.add_run("。")

    drafts = read(paper("一、填空题", write))
    assert [(found.draft.stem, found.draft.key) for found in drafts.items] == [
        ("电流的单位是____。", ""), ("电流的单位是____。", "安培")]


def test_an_underlined_key_in_a_bracket_is_a_key() -> None:
    def write(document: DocumentObject) -> None:
        paragraph = document.add_paragraph("1. 电压的单位是（")
        paragraph.add_run(" A ").underline = True
        paragraph.add_run("）。")

    assert only(paper("一、单选题", write, OPTIONS)).key == "A"


def test_bold_is_kept_where_it_sets_words_off_and_nowhere_else() -> None:
    def write(document: DocumentObject) -> None:
        paragraph = document.add_paragraph()
        paragraph.add_run("1. ").bold = True
        paragraph.add_run("下列说法中")
        paragraph.add_run("不正确").bold = True
        paragraph.add_run("的是（　　）。")
        document.add_paragraph().add_run(OPTIONS).bold = True
        paragraph = document.add_paragraph()
        paragraph.add_run("答案：").bold = True
        paragraph.add_run("A")

    draft = only(paper(write))
    assert (draft.stem, draft.options, draft.key) == ("下列说法中**不正确**的是（　　）。", VOLT, "A")


def test_symbols_of_symbol_fonts_are_signs() -> None:
    def write(document: DocumentObject) -> None:
        for number, (font, code) in enumerate((("Wingdings 2", "F050"), ("Wingdings", "F0FB"), ("Symbol", "F0D6"), ("Wingdings 2", "004F")), start=1):
            raw(document.add_paragraph(f"{number}. 铜导电。（"), f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r><w:r><w:t>）</w:t></w:r>')

    assert [found.draft.key for found in read(paper("一、判断题", write)).items] == ["T", "F", "T", "F"]


def test_tracked_changes_are_read_as_accepted_and_hidden_text_is_noted() -> None:
    def write(document: DocumentObject) -> None:
        raw(document.add_paragraph("1. 电压的单位是（　　）。"),
            '<w:del w:id="1"><w:r><w:delText>旧题干</w:delText></w:r></w:del><w:ins w:id="2"><w:r><w:t>请选择。</w:t></w:r></w:ins>'
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>秘密答案</w:t></w:r>")

    drafts = read(paper(write, OPTIONS, "答案：A"))
    assert drafts.items[0].draft.stem == "电压的单位是（　　）。请选择。"
    assert any("修订" in note for note in drafts.notes)
    assert any("第 1 段有隐藏文字" in note and "秘密答案" in note for note in drafts.notes)


def test_a_text_box_is_noted_with_its_words() -> None:
    def write(document: DocumentObject) -> None:
        raw(document.add_paragraph("1. 电压的单位是（ A ）。"),
            '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx><w:txbxContent><w:p><w:r><w:t>框里的话</w:t></w:r></w:p>'
            "</w:txbxContent></wps:txbx></wps:wsp></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox><w:txbxContent><w:p><w:r>"
            "<w:t>框里的话</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>")

    drafts = read(paper(write, OPTIONS))
    assert [note for note in drafts.notes if "框里的话" in note] == ["第 1 段有文本框，没有读取：“框里的话”。"]


def test_an_emf_picture_and_a_mathtype_formula_are_problems_of_their_item() -> None:
    def write(document: DocumentObject) -> None:
        from docx.opc.constants import RELATIONSHIP_TYPE
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part

        blob = b"\x01\x00\x00\x00" + b"\0" * 36 + b" EMF" + b"\0" * 40
        part = Part(PackURI("/word/media/image9.emf"), "image/x-emf", blob, document.part.package)
        relation = document.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
        raw(document.add_paragraph("1. 电压的单位是（ A ）。"), f'<w:r><w:pict><v:shape><v:imagedata r:id="{relation}"/></v:shape></w:pict></w:r>')
        document.add_paragraph(OPTIONS)
        raw(document.add_paragraph("2. 电流的单位是（ B ）。"), f'<w:r><w:object><v:shape><v:imagedata r:id="{relation}"/></v:shape>'
            '<o:OLEObject ProgID="Equation.DSMT4"/></w:object></w:r>')
        document.add_paragraph(OPTIONS)

    one, two = read(paper(write)).items
    assert one.problems == ("第 1 段有一张 emf 格式的图片，无法读取，请换成 png 或 jpeg 图片。",)
    assert "第 3 段有 MathType" in two.problems[0]


def test_eq_fields_are_formulas_and_other_fields_their_results() -> None:
    def write(document: DocumentObject) -> None:
        raw(document.add_paragraph("1. 电阻为 "),
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> EQ \\f(U,I) </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
            '<w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t xml:space="preserve"> 或 </w:t></w:r>'
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> REF a </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
            '<w:r><w:t>图 1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t>（ A ）。</w:t></w:r>')

    assert only(paper(write, OPTIONS)).stem == r"电阻为 $\frac{U}{I}$ 或 图 1（　　）。"


def test_an_answer_table_is_recognised_in_rows_and_in_columns() -> None:
    def rows(document: DocumentObject) -> None:
        table = document.add_table(2, 3)
        for column, (number, key) in enumerate((("题号", "答案"), ("1", "A"), ("2", "B"))):
            table.cell(0, column).text, table.cell(1, column).text = number, key

    def columns(document: DocumentObject) -> None:
        table = document.add_table(3, 2)
        for line, (number, key) in enumerate((("题号", "答案"), ("1", "A"), ("2", "B"))):
            table.cell(line, 0).text, table.cell(line, 1).text = number, key

    for table in (rows, columns):
        drafts = read(paper("一、单选题", "1. 甲是（　　）。", OPTIONS, "2. 乙是（　　）。", OPTIONS, "参考答案", table))
        assert [found.draft.key for found in drafts.items] == ["A", "B"]


def test_a_table_inside_of_a_stem_is_part_of_it_and_a_form_is_not() -> None:
    def score(document: DocumentObject) -> None:
        table = document.add_table(2, 3)
        for column, title in enumerate(("题号", "一", "总分")):
            table.cell(0, column).text = title
        table.cell(1, 0).text = "得分"

    def values(document: DocumentObject) -> None:
        table = document.add_table(2, 2)
        for place, text in enumerate(("电压", "电流", "5V", "1|2A")):
            table.cell(place // 2, place % 2).text = text

    drafts = read(paper("电工试卷", score, "1. 由表可知电阻为（　　）。", values, OPTIONS, "答案：A"))
    assert drafts.items[0].draft.stem == "由表可知电阻为（　　）。\n| 电压 | 电流 |\n|---|---|\n| 5V | 1\\|2A |"
    assert "表格 1是得分栏、答题栏或考生信息，没有读取。" in drafts.notes


def test_options_in_a_frame_of_table_cells_and_items_in_a_table_are_read() -> None:
    def frame(document: DocumentObject) -> None:
        table = document.add_table(2, 2)
        for place, option in enumerate(VOLT):
            table.cell(place // 2, place % 2).text = f"{'ABCD'[place]}. {option}"

    def bank(document: DocumentObject) -> None:
        lines = (("序号", "题干", "A", "B", "答案", "难度"), ("1", "甲是（　　）。", "一", "二", "A", "易"), ("2", "乙是（　　）。", "一", "二", "B", "难"))
        table = document.add_table(3, 6)
        for line, cells in enumerate(lines):
            for column, text in enumerate(cells):
                table.cell(line, column).text = text

    assert only(paper("1. 电压的单位是（ A ）。", frame)).options == VOLT
    drafts = read(paper("单选题", bank))
    assert [(found.draft.key, found.draft.difficulty, found.place) for found in drafts.items] == [("A", 1, "表格 1第 2 行"), ("B", 5, "表格 1第 3 行")]


def test_latex_that_somebody_typed_between_dollars_is_a_formula() -> None:
    assert only(paper("1. 由 $R=\\frac{U}{I}$ 可知，每件 $5 的（ A ）。", OPTIONS)).stem == r"由 $R=\frac{U}{I}$ 可知，每件 \$5 的（　　）。"


@pytest.mark.parametrize("nest", [("m:box", "m:e"), ("m:sSup", "m:sup"), ("m:d", "m:e"), ("m:nary", "m:e"), ("m:f", "m:den"), ("m:func", "m:fName")])
def test_formulas_a_hundred_deep_take_no_time(nest: tuple[str, str]) -> None:
    outer, inner = nest
    formula = f"<m:oMath>{f'<{outer}><{inner}>' * 100}<m:r><m:t>x</m:t></m:r>{f'</{inner}></{outer}>' * 100}</m:oMath>"
    drafts = read(paper("1. 甲是（ A ）。", lambda document: raw(document.add_paragraph("由 "), formula), OPTIONS))
    assert len(drafts.items) == 1


# Files that are refused

def refusal(content: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        read(content)
    assert "请" in caught.value.sentence or "没有读取" in caught.value.sentence
    return caught.value


def test_what_is_no_safe_docx_is_refused_with_what_to_do() -> None:
    good = paper("1. 电压的单位是（ A ）。", OPTIONS)
    assert refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600).code == "old_word"
    assert refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")).code == "encrypted"
    assert refusal(b"{\\rtf1 abc}").code == "wrong_file_type"
    assert refusal(b"").code == "wrong_file_type"
    assert refusal(good[:len(good) // 2]).code == "unreadable"
    assert refusal(repacked(good, word__vbaProject_dot_bin=b"x")).code == "macros"
    assert refusal(repacked(good, word__document_dot_xml=None)).code == "wrong_file_type"
    assert refusal(repacked(good, word__document_dot_xml=b"<w:document")).code == "unreadable"
    assert refusal(repacked(good, word__document_dot_xml=b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>')).code == "entities"
    assert refusal(repacked(good, word__media__big_dot_png=b"\0" * 40_000_000)).code == "too_large"
    assert refusal(paper("今天天气很好。")).code == "nothing_to_read"


def test_strict_open_xml_is_the_same_document() -> None:
    good = paper("1. 电压的单位是（ A ）。", OPTIONS)
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        document = archive.read("word/document.xml").replace(b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
                                                             b"http://purl.oclc.org/ooxml/wordprocessingml/main")
    assert only(repacked(good, word__document_dot_xml=document)).options == VOLT


def test_a_damaged_document_is_refused_or_read_and_never_fails() -> None:
    good = bytearray(paper("1. 电压的单位是（ A ）。", OPTIONS, "2. 甲（√）"))
    for place in range(0, len(good), 701):
        broken = bytes(good[:place]) + bytes([good[place] ^ 0x5A]) + bytes(good[place + 1:])
        with contextlib.suppress(Refused):
            read(broken)


# LibreOffice

HTML = """<html><head><meta charset="utf-8"></head><body>
<p>一、单项选择题（每题1分，共2分）</p>
<ol><li>电压的单位是（ A ）。<ol type="A"><li>伏特</li><li>安培</li><li>欧姆</li><li>瓦特</li></ol></li>
<li>面积 5m<sup>2</sup> 的<b>导体</b>电阻为（　　）。<ol type="A"><li>大</li><li>小</li></ol></li></ol>
<p>答案：B</p>
<p>3. 图 <img src="data:image/png;base64,PICTURE"> 中的元件是（ B ）。<br>A. 电阻<br>B. 电容</p>
<p>二、判断题</p><p>4. 铜导电。（　　）<img src="图.png"></p><p>5. 由下表可知电阻不变。（　　）</p>
<table border="1"><tr><td>电压</td><td>电流</td></tr><tr><td>5V</td><td>1A</td></tr></table>
<p>三、填空题</p><p>6. 电流的单位是<u>&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;</u>。</p>
<p>参考答案</p><p>二、4.√ 5.×</p><p>三、6.安培</p></body></html>"""


@pytest.fixture(scope="module")
def by_libreoffice(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A document that LibreOffice Writer made of a page with lists, a picture and a table."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.fail("LibreOffice is missing: apt-get install libreoffice-writer-nogui (sh .ci/test does it)")
    folder: Path = tmp_path_factory.mktemp("office")
    (folder / "paper.html").write_text(HTML.replace("PICTURE", base64.b64encode(png(78)).decode()), "utf-8")
    (folder / "图.png").write_bytes(png(77))
    profile = f"-env:UserInstallation=file://{folder}/profile"
    for source, target in (("paper.html", "odt:writer8"), ("paper.odt", "docx:MS Word 2007 XML")):
        done = subprocess.run([program, profile, "--headless", "--writer", "--convert-to", target, "--outdir", str(folder), str(folder / source)],
                              capture_output=True, text=True, timeout=90, check=False)
    assert (folder / "paper.docx").exists(), done.stdout + done.stderr
    return (folder / "paper.docx").read_bytes()


def test_a_document_made_by_libreoffice_is_read_like_one_by_word(by_libreoffice: bytes) -> None:
    drafts = read(by_libreoffice)
    assert [(found.draft.kind, found.draft.key) for found in drafts.items] == [
        ("single", "A"), ("single", "B"), ("single", "B"), ("judge", "T"), ("judge", "F"), ("fill", "安培")]
    one, two, three, _, five, six = (found.draft for found in drafts.items)
    assert one.options == VOLT
    assert two.stem == "面积 5m$^{2}$ 的**导体**电阻为（　　）。"
    assert three.stem.startswith(f"图 {media(png(78))}")
    assert "| 电压 | 电流 |" in five.stem
    assert six.stem == "电流的单位是____。"
    assert len(drafts.pictures) == 1
    assert [found.problems for found in drafts.items if found.problems] == [("第 13 段有一张链接到文件以外的图片，无法读取，请把图片插入文档。",)]
    assert all(field in {"point", "difficulty"} for found in drafts.items for field, _ in findings(found.draft))


def test_a_large_paper_is_read_in_a_moment() -> None:
    import time

    from docx import Document

    document = Document()
    for number in range(1, 301):
        document.add_paragraph(f"{number}. 电压的单位是（ A ）。")
        document.add_paragraph(OPTIONS)
    content = saved(document)
    began = time.perf_counter()
    assert len(read(content).items) == 300
    assert time.perf_counter() - began < 3  # 0.3 s on an idle machine
