"""Aiken: a stem, options ``A)`` or ``A.``, and ``ANSWER: B``, as Moodle documents it. Pure.

What Moodle's importer reports as an error of a line is a row with that line here. Aiken knows choices only: no
explanation, no pictures, no knowledge, no difficulty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from qbank.exchange.drafts import Drafts
from qbank.exchange.gathering import Gathering, sound_text
from qbank.exchange.plaintext import as_judge, plain_markup, text_of
from qbank.items.draft import LETTERS, Draft
from qbank.items.writing import half_width

OPTION = re.compile(r"(?P<letter>[A-Z])[).、．]\s*(?P<text>.*)", re.DOTALL)
ANSWER = re.compile(r"ANSWER\s*:\s*(?P<key>.*)", re.IGNORECASE)


@dataclass
class _Question:
    line: int
    stem: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)


def read(content: bytes, name: str) -> Drafts:
    """The questions of an Aiken file; its errors are rows named by their line."""
    gathering = Gathering("aiken")
    open_question: _Question | None = None
    after_blank = False
    for number, line in enumerate(sound_text(text_of(content, name)).split("\n"), start=1):
        text = line.strip()
        typed = half_width(text)
        if not text:
            after_blank = True
            continue
        if found := ANSWER.fullmatch(typed):
            _close(gathering, open_question, number, found["key"].strip())
            open_question = None
        elif found := OPTION.fullmatch(typed):
            open_question = _option(gathering, open_question, number, found["letter"], text[found.start("text"):].strip())
        elif open_question is None or open_question.options or after_blank:
            _abandon(gathering, open_question, number)
            open_question = _Question(number, [text])
        else:
            open_question.stem.append(text)
        after_blank = False
    _abandon(gathering, open_question, 0)
    return gathering.drafts(name)


def _option(gathering: Gathering, question: _Question | None, number: int, letter: str, text: str) -> _Question | None:
    if question is None:
        _error(gathering, _Question(number, [], [letter], [text]), f"第 {number} 行的选项 {letter} 前面没有题干。", number)
        return None
    question.letters.append(letter)
    question.options.append(text)
    return question


def _close(gathering: Gathering, question: _Question | None, number: int, key: str) -> None:
    """At an ANSWER line."""
    if question is None:
        _error(gathering, _Question(number), f"第 {number} 行的答案前面没有题目。", number)
        return
    problems = []
    if len(question.options) < 2:
        problems.append(f"第 {number} 行：题目至少要有 2 个选项，现在有 {len(question.options)} 个。")
    if question.letters != list(LETTERS[:len(question.letters)]):
        problems.append(f"选项字母应从 A 起依次排列，现在是 {'、'.join(question.letters[:12])}。")
    chosen = [letter for letter in re.split(r"[\s,，、;]*", key.upper()) if letter]
    if not chosen or any(letter not in question.letters for letter in chosen):
        problems.append(f"第 {number} 行的答案“{key[:20]}”不是这道题的选项。")
    _add(gathering, question, "".join(sorted(set(chosen))), tuple(problems))


def _add(gathering: Gathering, question: _Question, key: str, problems: tuple[str, ...]) -> None:
    options = tuple(plain_markup(text) for text in question.options)
    stem, judged = plain_markup("\n".join(question.stem)), as_judge(question.options, key)
    draft = Draft("judge", stem, (), judged, "", "", 0, "", "") if judged and not problems else \
        Draft("multiple" if len(key) > 1 else "single", stem, options, key[:26], "", "", 0, "", "")
    gathering.add(draft, f"第 {question.line} 行", question.line, problems)


def _abandon(gathering: Gathering, question: _Question | None, number: int) -> None:
    """At the stem of the next question or, ``number`` 0, at the end of the file."""
    if question is not None:
        where = f"到第 {number} 行下一题开始时" if number else "到文件末尾"
        _error(gathering, question, f"这道题{where}还没有 ANSWER 行，不完整。", question.line)


def _error(gathering: Gathering, question: _Question, sentence: str, number: int) -> None:
    draft = Draft("single", plain_markup("\n".join(question.stem)), tuple(map(plain_markup, question.options)), "", "", "", 0, "", "")
    gathering.add(draft, f"第 {number} 行", number, (sentence,))
