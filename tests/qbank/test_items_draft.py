"""What an item says: normalisation, problems, doubles."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbank.items.answers import blanks_of
from qbank.items.draft import Draft, content_hash, normalise, problems, stays_last
from tests.qbank.bank_world import OHM, ohm


def judge(key: str, **changes: object) -> Draft:
    return normalise(replace(OHM, kind="judge", options=(), key=key, **changes))  # type: ignore[arg-type]


def test_a_good_item_has_no_problems() -> None:
    assert problems(normalise(OHM)) == []
    assert problems(normalise(replace(OHM, kind="multiple", key="AC"))) == []
    assert problems(judge("对")) == []


@pytest.mark.parametrize(("typed", "meant"), [("ｃ", "C"), (" c ", "C"), ("C、A", "AC"), ("Ａ，Ｃ", "AC"), ("ca", "AC"), ("A和C", "AC")])
def test_answers_are_read_in_any_width_and_order(typed: str, meant: str) -> None:
    assert normalise(replace(OHM, key=typed)).key == meant


@pytest.mark.parametrize(("typed", "meant"), [("对", "T"), ("正确", "T"), ("√", "T"), ("TRUE", "T"), ("Ｔ", "T"), ("（对）", "T"),
                                              ("错", "F"), ("错误", "F"), ("×", "F"), ("x", "F"), ("False", "F"), ("不正确", "F")])
def test_judgements_are_read_as_schools_write_them(typed: str, meant: str) -> None:
    assert judge(typed).key == meant


def test_a_true_false_item_written_with_two_options_keeps_its_meaning() -> None:
    draft = normalise(replace(OHM, kind="judge", options=("错误", "正确"), key="B"))
    assert (draft.options, draft.key, problems(draft)) == ((), "T", [])


@pytest.mark.parametrize(("changes", "word"), [
    ({"stem": " \u3000"}, "题干是空的"),
    ({"stem": "题" * 2001}, "2001 字"),
    ({"options": ("甲",), "key": "A"}, "现在有 1 个"),
    ({"options": tuple(str(number) for number in range(11))}, "现在有 11 个"),
    ({"options": ("甲", "", "丙", "丁")}, "选项B是空的"),
    ({"options": ("甲", "乙", "丙", " 甲。")}, "选项A与选项D内容相同"),
    ({"options": ("甲" * 501, "乙", "丙")}, "选项A有 501 字"),
    ({"key": ""}, "答案是空的"),
    ({"key": "E"}, "“E”不是这道题的选项"),
    ({"key": "AB"}, "单选题只能有一个答案"),
    ({"kind": "multiple", "key": "A"}, "多选题至少有两个答案"),
    ({"kind": "riddle"}, "题型无法识别"),
    ({"kind": "judge", "options": (), "key": "也许"}, "填写 对 或 错"),
    ({"kind": "judge", "key": "对"}, "判断题不需要选项"),
    ({"difficulty": 0}, "难度应填写"),
    ({"difficulty": 6}, "难度应填写"),
    ({"range_path": ""}, "鉴定范围没有填写"),
    ({"point_segment": ""}, "鉴定点没有填写"),
    ({"explanation": "因" * 2001}, "解析有 2001 字"),
])
def test_each_problem_is_named(changes: dict[str, object], word: str) -> None:
    found = problems(normalise(replace(OHM, **changes)))  # type: ignore[arg-type]
    assert len(found) == 1, found
    assert word in found[0]


def test_codes_are_canonical() -> None:
    draft = normalise(replace(OHM, range_path=" a－Ａ ", point_segment="1"))
    assert (draft.range_path, draft.point_segment) == ("A-A", "001")


def test_the_same_question_typed_twice_is_a_double() -> None:
    same = replace(OHM, stem=" 电阻的 单位是( )", options=("瓦特", "欧姆", "安培", "伏特"), key="B")
    assert content_hash(normalise(same)) == content_hash(normalise(OHM))


@pytest.mark.parametrize("changes", [{"stem": "10² 的值"}, {"kind": "multiple"}, {"options": ("伏特", "安培", "欧姆", "焦耳")}])
def test_another_question_is_no_double(changes: dict[str, object]) -> None:
    other = replace(OHM, stem="102 的值") if "stem" in changes else OHM
    assert content_hash(normalise(replace(other, **changes))) != content_hash(normalise(other))  # type: ignore[arg-type]


def test_a_square_is_not_a_two() -> None:
    assert problems(normalise(replace(OHM, options=("10²", "102", "m²", "m2")))) == []


def test_the_unit_counts_by_its_case() -> None:
    assert problems(normalise(replace(OHM, options=("5 mW", "5 MW", "5 W", "5 kW")))) == []


@pytest.mark.parametrize("option", ["以上都对", "以上都不对", "以上均正确", "以上答案都是", "以上全对", "以上皆是", "上述三项都正确", "以上选项均不正确。",
                                    "都对", "都不对", "全部正确", "以上都不是", "没有正确答案"])
def test_options_that_speak_of_the_others_stay_last(option: str) -> None:
    assert stays_last(option)


@pytest.mark.parametrize("option", ["欧姆", "1000 V以上", "电压、电流均不变", "都匀市", "以上海为例", "两端电压都相等", "全波整流"])
def test_ordinary_options_may_be_shuffled(option: str) -> None:
    assert not stays_last(option)


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=12), st.text(max_size=12), st.sampled_from(["single", "multiple", "judge", ""]))
def test_any_text_is_judged_and_normalising_twice_changes_nothing(stem: str, options: list[str], key: str, kind: str) -> None:
    once = normalise(ohm(stem=stem, options=tuple(options), key=key, kind=kind))
    assert normalise(once) == once
    assert "\x00" not in once.stem
    assert all(problems(once)) or problems(once) == []


@pytest.mark.parametrize(("line", "right", "wrong"), [
    ("接触器|交流接触器", ["接触器", "交流 接触器。"], ["继电器", ""]),
    ("=220±5% V", ["220V", "209 V", "231 V。", "２２０V"], ["220", "208.9 V", "231.1V", "220 A"]),
    ("=50 Hz、赫兹", ["50Hz", "50 赫兹", "50.0 Hz"], ["50", "50 周"]),
    ("=1440±10 r/min", ["1440r/min", "1450 r/min", "1430 r / min"], ["1440 r", "1440", "1451 r/min"]),
    ("=-1.5±0.1|负一点五", ["负一点五", "-1.5", "−1.6", "-1.40"], ["1.5", "-1.61", "-1.5 V"]),
])
def test_a_blank_accepts_what_its_line_says(line: str, right: list[str], wrong: list[str]) -> None:
    [blank] = blanks_of(line)
    assert [answer for answer in right if not blank.accepts(answer)] == []
    assert [answer for answer in wrong if blank.accepts(answer)] == []
