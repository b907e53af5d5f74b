"""Aiken files: Moodle's own examples, and each error with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from qbank.exchange import aiken
from qbank.exchange.drafts import Drafts
from qbank.kernel.refused import Refused

EXAMPLES = Path(__file__).parents[3] / "shared/data/exchange/moodle"
PROJECT = """The Moodle project was started by:
A) Petr Skoda
B) Martin Dougiamas
C) Eloy Lafuente
ANSWER: B

Moodle handles <html class="cool"> & images:
A) True
B) False
ANSWER: A
"""
ERRORS = """A question with too few answers
A) Only answer
ANSWER: A

A) Question not started

ANSWER: Question not started

A good question
A) Correct
B) Incorrect
ANSWER: A

A question started but not finished
A) Correct-ish
B) Incorrect-ish

A second good question
A)Incorrect (No space)
B)Correct (No space)
ANSWER: B
"""


def read(text: str, code: str = "utf-8") -> Drafts:
    return aiken.read(text.encode(code), "题库.txt")


def test_a_choice_and_a_true_false_question_are_read() -> None:
    choice, judge = read(PROJECT).items
    assert (choice.draft.kind, choice.draft.key, choice.draft.options[1]) == ("single", "B", "Martin Dougiamas")
    assert (judge.draft.kind, judge.draft.key, judge.draft.options) == ("judge", "T", ())
    assert judge.draft.stem == 'Moodle handles <html class="cool"> & images:'
    assert (judge.place, judge.number) == ("第 7 行", 7)


def test_each_error_is_a_row_with_its_line() -> None:
    items = read(ERRORS).items
    assert [(found.place, found.problems) for found in items] == [
        ("第 1 行", ("第 3 行：题目至少要有 2 个选项，现在有 1 个。",)),
        ("第 5 行", ("第 5 行的选项 A 前面没有题干。",)),
        ("第 7 行", ("第 7 行的答案前面没有题目。",)),
        ("第 9 行", ()),
        ("第 14 行", ("这道题到第 18 行下一题开始时还没有 ANSWER 行，不完整。",)),
        ("第 18 行", ())]


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_chinese_files_in_every_usual_encoding_and_full_width_signs(code: str) -> None:
    found = read("欧姆定律的公式是（　）。\nＡ．\\(I=U/R\\)\nＢ．电阻 5$\nＡＮＳＷＥＲ：Ａ", code).items[0]
    assert found.draft.options == ("$I=U/R$", "电阻 5\\$")
    assert (found.draft.key, found.problems) == ("A", ())


def test_letters_out_of_order_and_a_key_without_option_are_named() -> None:
    found = read("题\nA) 甲\nC) 乙\nANSWER: D").items[0]
    assert found.problems == ("选项字母应从 A 起依次排列，现在是 A、C。", "第 4 行的答案“D”不是这道题的选项。")


def test_several_answers_make_a_multiple_choice() -> None:
    found = read("题\nA) 甲\nB) 乙\nC) 丙\nANSWER: A, C").items[0]
    assert (found.draft.kind, found.draft.key, found.problems) == ("multiple", "AC", ())


def test_a_file_without_questions_or_without_text_is_refused() -> None:
    with pytest.raises(Refused, match="没有找到题目"):
        read("\n\n")
    with pytest.raises(Refused, match="不是文本"):
        aiken.read(b"\x00\x01\x02", "题库.txt")


@pytest.mark.skipif(not EXAMPLES.exists(), reason=f"{EXAMPLES} does not lie beside this checkout")
def test_moodles_own_examples() -> None:
    good = aiken.read((EXAMPLES / "questions.aiken.txt").read_bytes(), "questions.aiken.txt")
    assert [(found.draft.kind, found.draft.key, found.problems) for found in good.items] == [("single", "B", ()), ("judge", "T", ())]
    wrong = aiken.read((EXAMPLES / "aiken_errors.txt").read_bytes(), "aiken_errors.txt")
    assert [found.number for found in wrong.items if found.problems] == [1, 5, 7, 14]  # as Moodle's own test expects
    assert [found.draft.key for found in wrong.items if not found.problems] == ["T", "B", "A"]  # Correct and Incorrect
