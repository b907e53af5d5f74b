"""One QTI item as a draft. Takes an assessmentItem under the names of 2.2 without namespaces. Pure."""

from __future__ import annotations

from typing import Any

from qbank.exchange.fill_keys import number_line, words_line
from qbank.exchange.fragments import Fragments
from qbank.exchange.plaintext import as_judge, letters_of
from qbank.exchange.qti_body import INTERACTIONS, Body, html_of, plain_content, read_body
from qbank.exchange.qti_metadata import About
from qbank.items.draft import Draft, stays_last

SHORT_LINES, SHORT_LENGTH = 8, 300  # up to here a written answer is short (简答), beyond it an essay (论述)
FULL_ONLY = "部分得分没有读取，只有满分的答案算对。"


def draft_of_item(item: Any, about: About, texts: Fragments) -> Draft:
    """The item as far as a draft can hold it; the rest goes to the problems and notes of ``texts``."""
    if item.get("adaptive") == "true":
        texts.problem("这是自适应题（分几步作答），题库没有这种题。")
    if item.find("templateDeclaration") is not None or item.find("templateProcessing") is not None:
        texts.problem("题里有随机变量，题库的题目是固定的。")
    choices = _choices(item, texts)  # before the body takes the interactions out
    body = read_body(item, texts)
    declared = {one.get("identifier"): one for one in item.findall("responseDeclaration")}
    kinds = [one.tag for one in body.interactions]
    kind, key = "", body.key
    options: tuple[str, ...] = ()
    if kinds == ["choiceInteraction"]:
        kind, options, key = _choice(body.interactions[0], choices, declared, texts)
    elif kinds and set(kinds) == {"textEntryInteraction"}:
        kind, key = "fill", "\n".join(_blank(one, declared, item, texts) for one in body.interactions)
    elif kinds == ["extendedTextInteraction"]:
        kind, key = _written(body, declared)
    else:
        _name_interactions(kinds, texts)
    return Draft(kind, body.stem, options, key, body.explanation, about.source, about.difficulty, about.range_path,
                 about.point_segment, body.guide, body.stimulus, about.source_page, about.source_author)


def _name_interactions(kinds: list[str], texts: Fragments) -> None:
    names = list(dict.fromkeys(f"{INTERACTIONS.get(kind, '不认识的作答方式')}（{kind}）" for kind in kinds))
    if not kinds:
        texts.problem("这道题没有作答的地方。")
    elif len(names) == 1 and kinds[0] not in {"choiceInteraction", "extendedTextInteraction"}:
        texts.problem(f"作答方式是{names[0]}，题库没有这种题型。")
    else:
        texts.problem(f"一道题里有 {len(kinds)} 个作答的地方：{'、'.join(names)}。请拆成几道题。")


def _choices(item: Any, texts: Fragments) -> list[tuple[str, str, bool]]:
    """(identifier, text, fixed) of every simpleChoice."""
    made = []
    for one in texts.first(item.iter("simpleChoice")):
        plain_content(one, texts)
        text = texts.markup(html_of(one))
        made.append((one.get("identifier") or "", text, one.get("fixed") == "true"))
    return made


def _choice(interaction: Any, choices: list[tuple[str, str, bool]], declared: dict[Any, Any],
            texts: Fragments) -> tuple[str, tuple[str, ...], str]:
    declaration = declared.get(interaction.get("responseIdentifier"))
    single = interaction.get("maxChoices", "1") == "1"
    correct = _correct(declaration)
    values = _mapped(declaration)
    if not correct and values:
        best = max(values.values())
        correct = [name for name, value in values.items() if value > 0 and (value == best or not single)]
    if not correct:
        texts.problem("题里没有标准答案（correctResponse），或答案由程序计算，请填写答案。")
    if any(name not in correct and value > 0 for name, value in values.items()) or (values and not single):
        texts.note(FULL_ONLY)
    options = tuple(text for _, text, _ in choices)
    key = letters_of([name in correct for name, _, _ in choices])
    if unknown := [name for name in correct if name not in {one for one, _, _ in choices}]:
        texts.problem(f"答案“{unknown[0][:40]}”不是这道题的选项。")
    if judged := as_judge(options, key) if single else None:
        return "judge", (), judged
    if any(fixed and not stays_last(text) for _, text, fixed in choices):
        texts.note("选项固定位置的要求没有读取。")
    if interaction.get("shuffle") != "true":
        texts.note("选项固定顺序的要求（shuffle=false）没有读取。")
    return "single" if single else "multiple", options, key


def _blank(interaction: Any, declared: dict[Any, Any], item: Any, texts: Fragments) -> str:
    """One line of the key."""
    name = interaction.get("responseIdentifier") or ""
    declaration = declared.get(name)
    if interaction.get("patternMask"):
        texts.note("答案的格式要求（patternMask）没有读取。")
    base = declaration.get("baseType") if declaration is not None else ""
    if base in {"float", "integer"}:
        made = _numbers(item, name, _correct(declaration))
    else:
        values, correct = _mapped(declaration), _correct(declaration)
        best = max(values.values(), default=0)
        if any(0 < value < best for value in values.values()):
            texts.note(FULL_ONLY)
        accepted = dict.fromkeys([*(text for text in correct if values.get(text, best) == best),
                                  *(text for text, value in values.items() if value == best and value > 0)])
        made = [words_line(text) for text in accepted]
    for _, problem in made:
        if problem:
            texts.problem(problem)
    if not made:
        texts.problem("有一个空没有标准答案，或答案由程序计算，请填写答案。")
    return "|".join(line for line, _ in made)


def _numbers(item: Any, name: str, correct: list[str]) -> list[tuple[str, str]]:
    """Numbers with the tolerance that the response processing gives them."""
    made = []
    for equal in item.iter("equal"):
        if not any(one.get("identifier") == name for one in equal.iter("variable")):
            continue
        values = [one.text or "" for one in equal.iter("baseValue")] or correct
        margins = (equal.get("tolerance") or "").split()
        mode = equal.get("toleranceMode", "exact")
        if len(set(margins)) > 1:
            made.append((values[0] if values else "", f"数值答案的误差上下不同（{' '.join(margins)[:40]}），请改写。"))
        elif values:
            margin = margins[0] if margins and mode in {"absolute", "relative"} else ""
            made.append(number_line(values[0], margin, percent=mode == "relative"))
    return made or [number_line(value) for value in correct]


def _written(body: Body, declared: dict[Any, Any]) -> tuple[str, str]:
    interaction = body.interactions[0]
    lines, length = _count(interaction.get("expectedLines")), _count(interaction.get("expectedLength"))
    kind = "short" if 0 < (lines or 0) <= SHORT_LINES or (not lines and 0 < (length or 0) <= SHORT_LENGTH) else "essay"
    return kind, body.key or "\n".join(_correct(declared.get(interaction.get("responseIdentifier"))))


def _correct(declaration: Any | None) -> list[str]:
    """What the declaration calls right, in its order."""
    if declaration is None:
        return []
    return ["".join(value.itertext()).strip() for one in declaration.findall("correctResponse") for value in one.findall("value")]


def _mapped(declaration: Any | None) -> dict[str, float]:
    """What each answer is worth."""
    made: dict[str, float] = {}
    for entry in declaration.iter("mapEntry") if declaration is not None else ():
        try:
            made[entry.get("mapKey") or ""] = float(entry.get("mappedValue") or 0)
        except ValueError:
            continue
    return made


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 9 else None
