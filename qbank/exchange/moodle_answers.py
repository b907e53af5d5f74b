"""What the answers of Moodle's question types mean as a key; GIFT has the same types. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qbank.exchange.fill_keys import number_line, words_line
from qbank.exchange.fragments import Fragments
from qbank.exchange.plaintext import as_judge, letters_of
from qbank.items.answers import blanks_in

FULL = 99.9
SHORT_LINES = 8  # up to here an essay question is a short one (简答)
CLOZE = re.compile(r"\{(?P<weight>\d*):(?P<type>[A-Z_]+):(?P<answers>(?:\\.|[^\\}])*)\}", re.DOTALL)
CLOZE_TYPES = {"SHORTANSWER": False, "SA": False, "MW": False, "SHORTANSWER_C": False, "SAC": False, "MWC": False,
               "NUMERICAL": True, "NM": True}
PARTIAL = "部分得分没有读取，只有满分的答案算对。"


@dataclass(frozen=True)
class Answer:
    """One answer of a question: as markup, as it stands, and its worth in per cent."""

    shown: str
    text: str
    fraction: float
    tolerance: str = "0"


@dataclass(frozen=True)
class Read:
    """What the answers say. ``stem`` empty: the question text as it is."""

    kind: str
    options: tuple[str, ...] = ()
    key: str = ""
    stem: str = ""


Reader = Callable[[Any, list[Answer], str, Fragments], Read]


def reader_of(kind: str) -> Reader | None:
    """The reader for a question type of Moodle; None: our bank has no such type."""
    return {"multichoice": _multichoice, "truefalse": _truefalse, "shortanswer": _shortanswer, "numerical": _numerical,
            "essay": _essay, "cloze": _cloze, "multianswer": _cloze}.get(kind)


def choices(answers: Sequence[Answer], single: bool, texts: Fragments) -> Read:
    """A choice question from its answers' worth."""
    full = [one.fraction >= FULL if single else one.fraction > 0 for one in answers]
    worth = {one.fraction for one in answers if one.fraction > 0}
    if any(one.fraction < 0 for one in answers) and single:
        texts.note("选错扣分没有读取。")
    if len(worth) > 1:
        texts.note(PARTIAL)
    if not any(full):
        texts.problem("没有满分的选项，请填写答案。")
    options, key = tuple(one.shown for one in answers), letters_of(full)
    if single and (judged := as_judge(options, key)):
        return Read("judge", (), judged)
    if not single and len(key) == 1:
        texts.note("只有一个正确选项的多选题按单选题读取。")
        single = True
    return Read("single" if single else "multiple", options, key)


def short_answers(answers: Sequence[Answer], texts: Fragments) -> str:
    """A line of a fill-in key from accepted wordings. Moodle's ``*`` stands for anything."""
    made = []
    for one in answers:
        if one.fraction < FULL:
            if one.fraction > 0:
                texts.note(PARTIAL)
            continue
        if re.search(r"(?<!\\)\*", one.text):
            texts.problem(f"答案“{one.text[:40]}”里的 * 是通配符，题库的答案不能用通配符，请改写。")
        line, problem = words_line(one.text.replace(r"\*", "*"))
        made.append(line)
        if problem:
            texts.problem(problem)
    return _line(made, texts)


def numerical(answers: Sequence[Answer], units: tuple[str, ...], optional: bool, texts: Fragments) -> str:
    """A line of a fill-in key from accepted numbers; ``optional``: a bare number is enough."""
    made = []
    for one in answers:
        if one.fraction < FULL:
            if one.fraction > 0:
                texts.note(PARTIAL)
            continue
        for wanted in ([units, ()] if units and optional else [units]):
            line, problem = number_line(one.text, one.tolerance, units=wanted)
            made.append(line)
            if problem:
                texts.problem(problem)
    return _line(made, texts)


def with_blank(stem: str) -> str:
    """A fill-in stem shows its blank; a question that only asks gets one at its end."""
    return stem if blanks_in(stem) else f"{stem} ____".strip()


def _line(made: list[str], texts: Fragments) -> str:
    if not made:
        texts.problem("没有满分的答案，请填写答案。")
    return "|".join(dict.fromkeys(made))


def _multichoice(question: Any, answers: list[Answer], stem: str, texts: Fragments) -> Read:
    single = (question.findtext("single") or "true").strip().lower() in {"true", "1"}
    return choices(answers, single, texts)


def _truefalse(question: Any, answers: list[Answer], stem: str, texts: Fragments) -> Read:
    right = [one.text.strip().lower() for one in answers if one.fraction >= FULL]
    if right not in (["true"], ["false"]):
        texts.problem("判断题没有唯一的正确答案，请填写答案。")
        return Read("judge")
    return Read("judge", (), "T" if right == ["true"] else "F")


def _shortanswer(question: Any, answers: list[Answer], stem: str, texts: Fragments) -> Read:
    if (question.findtext("usecase") or "0").strip() == "1":
        texts.note("区分大小写的要求没有读取。")
    return Read("fill", (), short_answers(answers, texts), with_blank(stem))


def _numerical(question: Any, answers: list[Answer], stem: str, texts: Fragments) -> Read:
    units = []
    for unit in question.iterfind("units/unit"):
        try:
            same = float(unit.findtext("multiplier") or 1) == 1
        except ValueError:
            same = False
        if same:
            units.append((unit.findtext("unit_name") or "").strip())
        else:
            texts.problem(f"单位“{(unit.findtext('unit_name') or '')[:20]}”要换算，请在答案里写成另一个数值，例如 =220 V|=0.22 kV。")
    shown = (question.findtext("showunits") or "0").strip() != "3"
    optional = (question.findtext("unitgradingtype") or "0").strip() == "0"
    return Read("fill", (), numerical(answers, tuple(filter(None, units)) if shown else (), optional, texts), with_blank(stem))


def _essay(question: Any, answers: list[Answer], stem: str, texts: Fragments) -> Read:
    lines = (question.findtext("responsefieldlines") or "").strip()
    if (question.findtext("attachments") or "0").strip() not in {"0", ""}:
        texts.note("上传附件的要求没有读取。")
    if (question.findtext("responsetemplate/text") or "").strip():
        texts.note("答题模板没有读取。")
    return Read("short" if lines.isdecimal() and len(lines) < 5 and int(lines) <= SHORT_LINES else "essay")


def _cloze(question: Any, answers: list[Answer], stem: str, texts: Fragments) -> Read:
    """Blanks in the text. ``stem`` is markup already, with the blanks' code in it as words."""
    lines: list[str] = []
    others: set[str] = set()

    def blank(found: re.Match[str]) -> str:
        numeric = CLOZE_TYPES.get(found["type"])
        if numeric is None:
            others.add(found["type"])
            return found.group()
        accepted = [_cloze_answer(part, numeric) for part in re.split(r"(?<!\\)~", found["answers"]) if part.strip()]
        lines.append(numerical(accepted, (), False, texts) if numeric else short_answers(accepted, texts))
        return "____"

    stem = CLOZE.sub(blank, stem)
    if others or not lines:
        texts.problem(f"完形填空里有题库没有的作答方式（{'、'.join(sorted(others))[:60] or '没有找到空'}），请拆开或改写。")
        return Read("", stem=stem)
    return Read("fill", (), "\n".join(lines), stem)


def _cloze_answer(part: str, numeric: bool) -> Answer:
    body, _, _ = re.split(r"(?<!\\)(#)", part, maxsplit=1) if re.search(r"(?<!\\)#", part) else (part, "", "")
    worth = 0.0
    if found := re.match(r"\s*(=|%(-?\d+(?:\.\d+)?)%)", body):
        worth = 100.0 if found[1] == "=" else float(found[2])
        body = body[found.end():]
    value, _, tolerance = body.partition(":") if numeric else (body, "", "")
    return Answer("", re.sub(r"\\(.)", r"\1", value).strip(), worth, tolerance.strip() or "0")
