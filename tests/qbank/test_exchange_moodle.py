"""Moodle XML: Moodle's own examples, every question type that schools use, and what comes back of our own items."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from lxml import etree

from qbank.exchange import moodle, moodle_out
from qbank.exchange.drafts import Drafts, Found, LossReport
from qbank.items.draft import Draft
from qbank.kernel.refused import Refused
from tests.qbank.bank_world import ohm
from tests.qbank.drafts_world import PICTURES, bundles, png
from tests.qbank.round_trips import assert_same_but_for

EXAMPLES = Path(__file__).parents[3] / "shared/data/exchange/moodle"
HASH = next(iter(PICTURES))


def question(kind: str, text: str, inside: str = "", *, form: str = "html", files: str = "") -> str:
    return (f'<question type="{kind}"><name><text>题</text></name><questiontext format="{form}"><text><![CDATA[{text}]]></text>{files}'
            f"</questiontext>{inside}</question>")


def answer(text: str, fraction: float = 0, inside: str = "") -> str:
    return f'<answer fraction="{fraction}" format="html"><text><![CDATA[{text}]]></text>{inside}</answer>'


def read(*questions: str) -> Drafts:
    return moodle.read(f"<quiz>{''.join(questions)}</quiz>".encode(), "题库.xml")


def written(*drafts: Draft) -> tuple[bytes, LossReport]:
    stream = io.BytesIO()
    items = tuple(Found(draft, f"第 {number} 题", number) for number, draft in enumerate(drafts, start=1))
    report = moodle_out.write(Drafts(items, "test", PICTURES), stream)
    return stream.getvalue(), report


def test_a_single_choice_keeps_the_option_that_earns_everything() -> None:
    drafts = read(question("multichoice", "<p>题 <b>目</b> \\(I=\\frac{U}{R}\\)</p>",
                           "<single>true</single><shuffleanswers>0</shuffleanswers>"
                           + answer("甲", 50) + answer("<p>乙</p>", 100, "<feedback><text>好</text></feedback>") + answer("丙")))
    draft = drafts.items[0].draft
    assert (draft.kind, draft.key, draft.options) == ("single", "B", ("甲", "乙", "丙"))
    assert draft.stem == r"题 **目** $I=\frac{U}{R}$"
    assert drafts.notes == ("第 1 题：部分得分没有读取，只有满分的答案算对。", "第 1 题：各选项的反馈和提示没有读取。",
                            "第 1 题：选项固定顺序的要求没有读取。")


def test_a_multiple_choice_keeps_all_options_that_earn_something() -> None:
    draft = read(question("multichoice", "题", "<single>false</single>" + answer("甲", 50) + answer("乙", -100) + answer("丙", 50))).items[0].draft
    assert (draft.kind, draft.key) == ("multiple", "AC")


def test_true_false_by_its_words() -> None:
    assert read(question("truefalse", "题", answer("true", 0) + answer("false", 100))).items[0].draft.key == "F"
    assert "没有唯一的正确答案" in read(question("truefalse", "题", answer("true", 50))).items[0].problems[0]


def test_short_answers_and_numbers_become_blanks() -> None:
    short, number = read(
        question("shortanswer", "用什么？", answer("接触器", 100) + answer("交流接触器", 100) + answer("开关", 50) + answer("*", 0)),
        question("numerical", "电压 ____", answer("220", 100, "<tolerance>5</tolerance>") + "<unitgradingtype>1</unitgradingtype>"
                 "<units><unit><multiplier>1</multiplier><unit_name>V</unit_name></unit></units><showunits>0</showunits>")).items
    assert (short.draft.kind, short.draft.stem, short.draft.key) == ("fill", "用什么？ ____", "接触器|交流接触器")
    assert (number.draft.stem, number.draft.key, number.problems) == ("电压 ____", "=220±5 V", ())


def test_units_that_may_be_left_out_give_both_writings() -> None:
    units = "<unitgradingtype>0</unitgradingtype><units><unit><multiplier>1</multiplier><unit_name>V</unit_name></unit></units>"
    assert read(question("numerical", "U", answer("220", 100) + units)).items[0].draft.key == "=220 V|=220"
    scaled = units.replace("<multiplier>1", "<multiplier>1000")
    assert "单位“V”要换算" in read(question("numerical", "U", answer("220", 100) + scaled)).items[0].problems[0]


def test_wildcards_cannot_be_carried() -> None:
    assert "通配符" in read(question("shortanswer", "题", answer("*接触器*", 100))).items[0].problems[0]


def test_an_essay_brings_the_note_for_the_grader_as_its_guide() -> None:
    inside = "<responsefieldlines>{}</responsefieldlines><graderinfo format='html'><text><![CDATA[<p>2|断电</p><p>1|验电</p>]]></text></graderinfo>"
    short, essay = read(question("essay", "步骤？", inside.format(5)), question("essay", "步骤？", inside.format(15))).items
    assert (short.draft.kind, essay.draft.kind, essay.draft.guide) == ("short", "essay", "2|断电\n1|验电")


def test_cloze_with_short_and_numerical_answers_is_a_fill_in_item_and_other_cloze_is_named() -> None:
    good, bad = read(question("cloze", "<p>电压 {1:NUMERICAL:=220:11}，用 {1:SHORTANSWER:=接触器~%50%开关~=a\\}b}。</p>"),
                     question("cloze", "选 {1:MULTICHOICE:=甲~乙}")).items
    assert (good.draft.kind, good.draft.stem, good.draft.key) == ("fill", "电压 ____，用 ____。", "=220±11\n接触器|a}b")
    assert "MULTICHOICE" in bad.problems[0]


@pytest.mark.parametrize(("kind", "word"), [("matching", "配对题"), ("ddwtos", "拖词填空"), ("calculated", "随机变量"), ("new", "插件的题型")])
def test_other_types_are_named_at_the_item(kind: str, word: str) -> None:
    assert word in read(question(kind, "题")).items[0].problems[0]


def test_descriptions_are_no_items_but_are_said() -> None:
    drafts = read(question("description", "看下图"), question("essay", "题"))
    assert len(drafts.items) == 1
    assert drafts.notes[0] == "说明文字（description）不是题目，没有读取：“题”。"


def test_pictures_inside_the_file_are_kept_and_other_files_and_addresses_named() -> None:
    files = (f'<file name="a b.png" encoding="base64">{base64.b64encode(png(4, 4)).decode()}</file>'
             '<file name="a.mp3" encoding="base64">AAAA</file>')
    drafts = read(question("essay", '<img src="@@PLUGINFILE@@/a%20b.png" alt="表"><img src="https://example.org/c.png">', files=files))
    assert list(drafts.pictures.values()) == [png(4, 4)]
    assert drafts.items[0].draft.stem.startswith("![表](media:")
    assert [sentence[:22] for sentence in drafts.items[0].problems] == ["图片“https://example.org", "附件“a.mp3”没有读取，只读取题里显示的"]


def test_categories_are_words_or_codes_of_the_point() -> None:
    def category(path: str) -> str:
        return f'<question type="category"><category><text>{path}</text></category></question>'

    words, codes = read(category("$course$/top/Default for 电工/安全//用电/触电"), question("essay", "题"),
                        category("$course$/top/B-A-C/001"), question("essay", "题")).items
    assert (words.knowledge, words.draft.range_path) == ("安全/用电 / 触电", "")
    assert (codes.knowledge, codes.draft.range_path, codes.draft.point_segment) == ("", "B-A-C", "001")


def test_plain_text_and_old_formats() -> None:
    plain = read(question("essay", "电压 < 5$ 吗？", form="plain_text"), question("essay", "a &lt; b", form="moodle_auto_format")).items
    assert [found.draft.stem for found in plain] == ["电压 < 5\\$ 吗？", "a < b"]


def test_other_xml_is_refused() -> None:
    with pytest.raises(Refused, match="不是 Moodle XML"):
        moodle.read(b"<html/>", "题库.xml")
    with pytest.raises(Refused, match="没有找到题目"):
        moodle.read(b"<quiz/>", "题库.xml")


@given(bundles())
@settings(max_examples=50, deadline=None)
def test_items_come_back_as_they_were_but_for_the_loss_report(items: Drafts) -> None:
    stream = io.BytesIO()
    report = moodle_out.write(items, stream)
    assume(report.written)
    again = moodle.read(stream.getvalue(), "题库.xml")
    assert again.notes == ()
    assert_same_but_for(items, again, report)


def test_ticking_everything_does_not_pay_in_moodle_either() -> None:
    content, report = written(ohm(kind="multiple", key="ACD"))
    fractions = [float(one.get("fraction", "")) for one in etree.fromstring(content).iter("answer")]
    assert fractions == [33.33333, -100, 33.33333, 33.33333]  # 3 × 33.33333 - 100 = 0
    assert [loss.field for loss in report.losses] == ["评分"]


def test_the_loss_report_names_what_moodle_cannot_say() -> None:
    _, report = written(Draft("fill", "U ____", (), "=220±5% V|=0.22 kV", "", "很长的出处" * 12, 3, "A-A", "001", stimulus="某车间"))
    assert [loss.field for loss in report.losses] == ["出处", "共用题干", "答案"]
    _, report = written(Draft("fill", "$a__$ 与 ____", (), "1\n2", "", "", 3, "A-A", "001"))
    assert (report.written, [loss.field for loss in report.losses]) == (0, ["整题"])


@pytest.mark.skipif(not EXAMPLES.exists(), reason=f"{EXAMPLES} does not lie beside this checkout")
def test_moodles_own_examples() -> None:
    def example(name: str) -> Drafts:
        return moodle.read((EXAMPLES / name).read_bytes(), name)

    choice, nested, judged = example("multichoice.xml"), example("nested_categories_with_questions.xml"), example("truefalse.xml")
    assert len(choice.pictures) == 4
    assert (choice.items[0].draft.key, choice.items[0].problems) == ("B", ("附件“bonjour.mp3”没有读取，只读取题里显示的图片。",))
    assert [(found.draft.kind, found.knowledge) for found in nested.items] == [
        ("judge", "Iota"), ("essay", "Iota / Kappa"), ("judge", "Iota / Kappa"), ("judge", "Iota / Kappa / Lambda"), ("judge", "Iota / Mu")]
    assert [(found.draft.key, found.problems) for found in judged.items] == [("F", ()), ("T", ())]
    assert all("documentation about Moodle" in found.draft.explanation for found in judged.items)


def test_words_about_the_point_travel_where_there_are_no_codes() -> None:
    stream = io.BytesIO()
    moodle_out.write(Drafts((Found(ohm(range_path="", point_segment=""), "第 1 题", 1, (), "安全/用电 / 触电急救"),), "qti22"), stream)
    assert moodle.read(stream.getvalue(), "题库.xml").items[0].knowledge == "安全/用电 / 触电急救"
