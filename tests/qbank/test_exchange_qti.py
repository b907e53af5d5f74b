"""QTI in three versions: what is read, what is named as not carried, and packages that others can read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import qti_convert
from hypothesis import assume, given, settings
from lxml import etree

from qbank.exchange import qti, qti_out
from qbank.exchange.drafts import Drafts, Found, LossReport
from qbank.items.draft import Draft, problems
from qbank.kernel.refused import Refused
from tests.qbank.bank_world import ohm
from tests.qbank.drafts_world import PICTURES, bundles, png
from tests.qbank.round_trips import assert_same_but_for, shown

BESIDE = Path(__file__).parents[3] / "shared/data/exchange"
EXAMPLES, SCHEMAS = BESIDE / "qti-2.1-items", BESIDE / "qti-schemas"
needs_examples = pytest.mark.skipif(not EXAMPLES.exists(), reason=f"{EXAMPLES} does not lie beside this checkout")
needs_schemas = pytest.mark.skipif(not SCHEMAS.exists(), reason=f"{SCHEMAS} does not lie beside this checkout")
WRITERS: dict[str, Callable[[Drafts, BinaryIO], LossReport]] = {
    "qti21": qti_out.write_qti21, "qti22": qti_out.write_qti22, "qti30": qti_out.write_qti30}
HASH = next(iter(PICTURES))
PLACE = {"range_path": "A-A", "point_segment": "001", "difficulty": 3}


def item(body: str, declarations: str = "", *, after: str = "", attributes: str = 'adaptive="false"') -> bytes:
    return (f'<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="i" title="t" {attributes} '
            f'timeDependent="false">{declarations}<itemBody>{body}</itemBody>{after}</assessmentItem>').encode()


def declared(*values: str, base: str = "identifier", cardinality: str = "single", mapping: str = "", name: str = "RESPONSE") -> str:
    correct = "".join(f"<value>{value}</value>" for value in values)
    return (f'<responseDeclaration identifier="{name}" cardinality="{cardinality}" baseType="{base}">'
            f"{f'<correctResponse>{correct}</correctResponse>' if values else ''}"
            f"{f'<mapping>{mapping}</mapping>' if mapping else ''}</responseDeclaration>")


def choices(*texts: str, most: int = 1, shuffle: str = "true", prompt: str = "哪一个？") -> str:
    return (f'<choiceInteraction responseIdentifier="RESPONSE" shuffle="{shuffle}" maxChoices="{most}"><prompt>{prompt}</prompt>'
            + "".join(f'<simpleChoice identifier="c{place}">{text}</simpleChoice>' for place, text in enumerate(texts))
            + "</choiceInteraction>")


def read(content: bytes) -> tuple[Found, tuple[str, ...]]:
    drafts = qti.read(content, "题.xml")
    return drafts.items[0], drafts.notes


def package(items: Drafts, version: str) -> tuple[bytes, LossReport]:
    stream = io.BytesIO()
    report = WRITERS[version](items, stream)
    return stream.getvalue(), report


def of(*drafts: Draft) -> Drafts:
    return Drafts(tuple(Found(draft, f"第 {number} 题", number) for number, draft in enumerate(drafts, start=1)), "test", PICTURES)


def documents(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")}


@cache
def schema(name: str) -> Any:
    return etree.XMLSchema(file=str(SCHEMAS / name))


# --- reading


def test_a_choice_becomes_a_single_choice_with_its_prompt_in_the_stem() -> None:
    found, notes = read(item(f"<p>看题。</p>{choices('伏特', '欧姆')}", declared("c1")))
    assert (found.draft.kind, found.draft.stem, found.draft.options, found.draft.key) == ("single", "看题。\n哪一个？", ("伏特", "欧姆"), "B")
    assert (found.problems, notes) == ((), ())


def test_a_multiple_response_keeps_its_key_and_says_that_partial_credit_is_left_out() -> None:
    mapping = '<mapEntry mapKey="c0" mappedValue="1"/><mapEntry mapKey="c2" mappedValue="1"/><mapEntry mapKey="c1" mappedValue="-1"/>'
    found, notes = read(item(choices("甲", "乙", "丙", most=0, shuffle="false"),
                             declared("c0", "c2", cardinality="multiple", mapping=mapping)))
    assert (found.draft.kind, found.draft.key) == ("multiple", "AC")
    assert notes == ("第 1 题：部分得分没有读取，只有满分的答案算对。", "第 1 题：选项固定顺序的要求（shuffle=false）没有读取。")


@pytest.mark.parametrize(("texts", "right", "key"), [(("True", "False"), "c0", "T"), (("错误", "正确"), "c0", "F"),
                                                     (("Correct", "Incorrect"), "c1", "F")])
def test_a_choice_between_right_and_wrong_is_a_true_false_item(texts: tuple[str, str], right: str, key: str) -> None:
    found, notes = read(item(choices(*texts, shuffle="false"), declared(right)))
    assert (found.draft.kind, found.draft.key, found.draft.options) == ("judge", key, ())
    assert notes == ()


def test_text_entries_become_blanks_with_all_full_mark_answers() -> None:
    mapping = ('<mapEntry mapKey="交流接触器" mappedValue="2"/><mapEntry mapKey="接触器" mappedValue="2"/>'
               '<mapEntry mapKey="开关" mappedValue="1"/>')
    body = ('<p>电压为<textEntryInteraction responseIdentifier="U"/>，用<textEntryInteraction responseIdentifier="RESPONSE"/>。</p>')
    equal = ('<responseProcessing><responseCondition><responseIf><equal toleranceMode="absolute" tolerance="5 5">'
             '<variable identifier="U"/><correct identifier="U"/></equal></responseIf></responseCondition></responseProcessing>')
    found, notes = read(item(body, declared("220", base="float", name="U") + declared("接触器", base="string", mapping=mapping),
                             after=equal))
    assert (found.draft.kind, found.draft.stem) == ("fill", "电压为____，用____。")
    assert found.draft.key == "=220±5\n接触器|交流接触器"
    assert notes == ("第 1 题：部分得分没有读取，只有满分的答案算对。",)


def test_answers_that_our_key_cannot_write_are_problems() -> None:
    found, _ = read(item('<p><textEntryInteraction responseIdentifier="RESPONSE"/></p>', declared("a|b", base="string")))
    assert "“|”" in found.problems[0]
    found, _ = read(item('<p><textEntryInteraction responseIdentifier="RESPONSE"/></p>', declared("1/2", base="float")))
    assert found.problems == ("数值答案“1/2”无法识别，请修改。",)


@pytest.mark.parametrize(("size", "kind"), [('expectedLines="5"', "short"), ('expectedLength="200"', "short"),
                                            ('expectedLines="20"', "essay"), ("", "essay")])
def test_extended_text_is_short_or_essay_by_the_room_that_it_gives(size: str, kind: str) -> None:
    body = (f'<extendedTextInteraction responseIdentifier="RESPONSE" {size}><prompt>写出步骤。</prompt></extendedTextInteraction>'
            '<rubricBlock view="scorer"><p>2|断电</p><p>1|验电</p></rubricBlock><rubricBlock view="tutor"><p>见课本。</p></rubricBlock>'
            '<rubricBlock view="candidate"><p>请用钢笔。</p></rubricBlock>')
    found, _ = read(item(body, declared("先断电。", base="string")))
    assert (found.draft.kind, found.draft.guide, found.draft.key) == (kind, "2|断电\n1|验电", "先断电。")
    assert (found.draft.explanation, found.draft.stem) == ("见课本。", "写出步骤。\n请用钢笔。")


def test_mathml_becomes_latex() -> None:
    math = ('<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>I</mi><mo>=</mo><mfrac><mi>U</mi><mi>R</mi></mfrac></math>')
    found, _ = read(item(choices("是", "否", prompt=f"公式 {math} 对吗？"), declared("c0")))
    assert found.draft.stem == r"公式 $I=\frac{U}{R}$ 对吗？"


@pytest.mark.parametrize(("body", "word"), [
    ('<orderInteraction responseIdentifier="RESPONSE"><simpleChoice identifier="a">甲</simpleChoice></orderInteraction>', "排序"),
    ('<p><inlineChoiceInteraction responseIdentifier="RESPONSE"><inlineChoice identifier="a">甲</inlineChoice></inlineChoiceInteraction></p>',
     "下拉选择"),
    ('<futureInteraction responseIdentifier="RESPONSE"/>', "不认识的作答方式"),
    ("<p>只有说明。</p>", "没有作答的地方"),
    (choices("甲", "乙") + '<extendedTextInteraction responseIdentifier="R2"/>', "请拆成几道题"),
    (f'<p><img src="https://example.org/a.png" alt="图"/></p>{choices("甲", "乙")}', "图片“https://example.org/a.png”没有找到"),
    (f'<object type="audio/mpeg" data="a.mp3"/>{choices("甲", "乙")}', "a.mp3"),
    (f'<p>有 <printedVariable identifier="A"/> 个</p>{choices("甲", "乙")}', "随机变量"),
])
def test_what_our_bank_has_not_is_named_at_the_item(body: str, word: str) -> None:
    found, _ = read(item(body, declared("c0")))
    assert any(word in sentence for sentence in found.problems), found.problems


def test_adaptive_items_and_items_without_key_are_problems_and_feedback_is_noted() -> None:
    body = choices('甲<feedbackInline identifier="c0" outcomeIdentifier="F" showHide="show">不对</feedbackInline>', "乙")
    feedback = '<modalFeedback outcomeIdentifier="F" identifier="wrong" showHide="show">不对</modalFeedback>'
    found, notes = read(item(body, declared(), after=feedback, attributes='adaptive="true"'))
    assert found.draft.options == ("甲", "乙")
    assert [sentence[:6] for sentence in found.problems] == ["这是自适应题", "题里没有标准"]
    assert notes == ("第 1 题：作答后的反馈没有读取。",)


def test_version_3_is_read_by_its_own_names() -> None:
    content = ('<qti-assessment-item xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" identifier="i" title="t">'
               '<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="identifier"><qti-correct-response>'
               "<qti-value>B</qti-value></qti-correct-response></qti-response-declaration><qti-item-body>"
               '<qti-choice-interaction response-identifier="RESPONSE" max-choices="1" shuffle="true"><qti-prompt>几欧？</qti-prompt>'
               '<qti-simple-choice identifier="A">1</qti-simple-choice><qti-simple-choice identifier="B">2</qti-simple-choice>'
               "</qti-choice-interaction></qti-item-body></qti-assessment-item>")
    drafts = qti.read(content.encode(), "题.xml")
    assert drafts.format == "qti30"
    assert (drafts.items[0].draft.stem, drafts.items[0].draft.key) == ("几欧？", "B")


def test_a_package_brings_its_pictures_and_names_what_is_missing() -> None:
    picture = png(4, 4)
    manifest = ('<manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" identifier="m"><organizations/><resources>'
                '<resource identifier="a" type="imsqti_item_xmlv2p1" href="items/%E9%A2%98.xml"><metadata>'
                '<lom xmlns="http://ltsc.ieee.org/xsd/LOM"><general><keyword><string>安全用电</string></keyword></general></lom></metadata>'
                '</resource><resource identifier="b" type="imsqti_item_xmlv2p1" href="gone.xml"/>'
                '<resource identifier="t" type="imsqti_test_xmlv2p1" href="test.xml"/></resources></manifest>')
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("试题/imsmanifest.xml", manifest)
        archive.writestr("试题/items/题.xml", item(f'<p><img src="../img/a%20b.png" alt="表"/></p>{choices("甲", "乙")}', declared("c0")))
        archive.writestr("试题/img/a b.png", picture)
    drafts = qti.read(stream.getvalue(), "题.zip")
    good, gone = drafts.items
    assert good.draft.stem.startswith("![表](media:")
    assert list(drafts.pictures.values()) == [picture]
    assert good.knowledge == "安全用电"
    assert gone.problems == ("目录里列出的这个题目文件不在试题包里。",)
    assert drafts.notes == ("试卷结构（test.xml）没有读取，只读取题目。",)


def test_shared_material_in_a_file_of_its_own_becomes_the_shared_material() -> None:
    stimulus = ('<qti-assessment-stimulus xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0" identifier="s" title="s">'
                '<qti-stimulus-body><p>某车间跳闸。</p></qti-stimulus-body></qti-assessment-stimulus>')
    one = (item(choices("甲", "乙"), declared("c0")).decode()
           .replace("<itemBody>", '<assessmentStimulusRef identifier="s" href="s.xml" title="s"/><itemBody>'))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.xml", one)
        archive.writestr("s.xml", stimulus)
    drafts = qti.read(stream.getvalue(), "题.zip")
    assert [(found.draft.stimulus, found.draft.stem) for found in drafts.items] == [("某车间跳闸。", "哪一个？")]


def test_other_files_are_told_by_name() -> None:
    for content, word in ((b"<questestinterop/>", "QTI 1.2"), (b"<html/>", "不是 QTI"), (b"text", "XML"),
                          (b'<assessmentTest xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1"/>', "不是题目")):
        with pytest.raises(Refused, match=word):
            qti.read(content, "题.xml")


@needs_examples
def test_the_standards_own_items_are_read_or_named() -> None:
    kinds = {}
    for file in sorted(EXAMPLES.glob("*.xml")):
        drafts = qti.read(file.read_bytes(), file.name)
        found = drafts.items[0]
        assert drafts.format == "qti21"
        assert found.draft.kind or found.problems, file.name
        kinds[file.stem] = (found.draft.kind, found.draft.key) if not found.problems else None
    assert len(kinds) == 37
    assert {name: value for name, value in kinds.items() if value} == {
        "choice_multiple": ("multiple", "AD"), "feedbackInline": ("judge", "T"), "math": ("single", "A"), "modalFeedback": ("judge", "T"),
        "text_entry": ("fill", "York")}  # all others need pictures that are not there, or are of kinds that we have not


# --- writing


@pytest.mark.parametrize("version", WRITERS)
def test_items_come_back_as_they_were_but_for_the_loss_report(version: str) -> None:
    @given(bundles())
    @settings(max_examples=25, deadline=None)
    def check(items: Drafts) -> None:
        assume(items.items)
        content, report = package(items, version)
        assume(report.written)
        again = qti.read(content, "题.zip")
        assert (again.format, again.notes) == (version, ())
        assert_same_but_for(items, again, report)

    check()


def test_the_loss_report_names_what_a_blank_cannot_say() -> None:
    draft = Draft("fill", "电压 ____", (), "=220±11 V", "", "", 3, "A-A", "001")
    _, report = package(of(draft), "qti22")
    assert [(loss.place, loss.field) for loss in report.losses] == [("第 1 题", "答案")]
    assert "“220 V”" in report.losses[0].sentence
    hidden = Draft("fill", "公式 $a_{__}$", (), "5", "", "", 3, "A-A", "001")
    content, report = package(of(draft, hidden), "qti22")
    assert [(loss.place, loss.field) for loss in report.losses if loss.field == "整题"] == [("第 2 题", "整题")]
    assert report.written == len(qti.read(content, "题.zip").items) == 1


@pytest.mark.parametrize("version", WRITERS)
def test_a_package_has_its_manifest_items_and_pictures(version: str) -> None:
    """What the schemas would say, for machines that have none."""
    content, _ = package(of(ohm(stem=f"看图：![图](media:{HASH})"), ohm(kind="multiple", key="AC"), ohm(kind="judge", options=(), key="T")),
                         version)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        manifest = etree.fromstring(archive.read("imsmanifest.xml"))
        one = etree.fromstring(archive.read("items/item-00001.xml"))
    files = {part.get("href") for part in manifest.iter("{*}file")}
    assert files == set(names) - {"imsmanifest.xml"}
    assert f"images/{HASH}.png" in files
    assert len({part.get("type") for part in manifest.iter("{*}resource") if part.get("href")}) == 1
    processing = next(part for part in one if part.tag.lower().replace("-", "").endswith("responseprocessing"))
    assert "match_correct" in processing.get("template")
    assert [part.tag.rpartition("}")[2].replace("qti-", "").replace("-", "").lower() for part in one] == [
        "responsedeclaration", "outcomedeclaration", "outcomedeclaration", "itembody", "responseprocessing", "modalfeedback"]


@needs_schemas
@pytest.mark.parametrize(("version", "name"), [("qti21", "qtiv2p1/imsqti_v2p1.xsd"), ("qti22", "qtiv2p2/imsqti_v2p2.xsd")])
def test_packages_validate_against_the_published_schemas(version: str, name: str) -> None:
    @given(bundles())
    @settings(max_examples=25, deadline=None)
    def check(items: Drafts) -> None:
        content, _ = package(items, version)
        for path, document in documents(content).items():
            schema("imscp_v1p1.xsd" if path == "imsmanifest.xml" else name).assertValid(document)

    check()


@needs_schemas
@given(bundles(most=2))
@settings(max_examples=15, deadline=None)
def test_somebody_elses_converter_makes_valid_2_1_of_our_3_0(items: Drafts) -> None:
    content, _ = package(items, "qti30")
    for path, document in documents(content).items():
        if path.startswith("items/"):
            made = qti_convert.convert_qti3_to_qti21(etree.tostring(document))
            assert {warning.code for warning in made.warnings} <= {"removed-attribute"}  # use="scoring" of rubrics
            schema("qtiv2p1/imsqti_v2p1.xsd").assertValid(etree.fromstring(made.xml.encode()))


@given(bundles(most=2))
@settings(max_examples=15, deadline=None)
def test_our_2_2_upgraded_by_somebody_else_says_what_our_3_0_says(items: Drafts) -> None:
    two, report = package(items, "qti22")
    assume(report.written)
    three, _ = package(items, "qti30")
    ours, theirs = documents(three), qti_convert.upgrade_package(two).files
    for path in [path for path in ours if path.startswith("items/")]:
        text = theirs[path]
        upgraded = qti.read(text if isinstance(text, bytes) else text.encode(), path).items[0].draft
        read_back = qti.read(etree.tostring(ours[path]), path).items[0].draft
        assert shown(upgraded.stem) == shown(read_back.stem)
        assert (upgraded.kind, upgraded.key, upgraded.options) == (read_back.kind, read_back.key, read_back.options)


def test_a_written_draft_stays_one_that_the_bank_takes() -> None:
    draft = Draft("essay", "论述 $I$", (), "先断电。", "略", "GB 50150", 4, "B-A", "002", "2|断电\n1|验电", "某车间", "第 3 页", "张工")
    content, _ = package(of(draft), "qti30")
    again = qti.read(content, "题.zip").items[0].draft
    assert again == draft
    assert problems(again) == []


@pytest.mark.parametrize("version", WRITERS)
def test_words_about_the_point_travel_where_there_are_no_codes(version: str) -> None:
    draft = ohm(range_path="", point_segment="", difficulty=0)
    stream = io.BytesIO()
    WRITERS[version](Drafts((Found(draft, "第 1 题", 1, (), "安全用电 / 触电急救"),), "moodle"), stream)
    again = qti.read(stream.getvalue(), "题.zip").items[0]
    assert (again.knowledge, again.draft) == ("安全用电 / 触电急救", draft)
