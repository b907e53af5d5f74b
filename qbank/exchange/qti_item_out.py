"""One item as a QTI assessmentItem, under the names of 2.2 and without a namespace (``qti_names`` adds both). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree, html

from qbank.exchange.drafts import Loss
from qbank.exchange.fill_keys import Alternative, alternatives_of, written_line
from qbank.exchange.qti_names import MATH, TEMPLATES
from qbank.items.answers import steps_of
from qbank.items.draft import LETTERS, Draft, stays_last
from qbank.items.markup import plain, to_html

BLANK = re.compile(r"[_＿]{2,}")
SPACES = re.compile(r"(?<=\s) |^ ", re.MULTILINE)
LINES = {"short": "5", "essay": "15"}  # a reader tells the two kinds apart by it
STIMULUS, STEM, KEY, GUIDE, EXPLANATION = ("examroom-stimulus", "examroom-stem", "examroom-key", "examroom-guide", "explanation")


def assessment_item(draft: Draft, identifier: str, address: Callable[[str], str]) -> Any:
    """The assessmentItem. ``address(sha256)`` gives a picture's address in the package, empty where it is not there."""
    item = etree.Element("assessmentItem", identifier=identifier, title=_title(draft), adaptive="false", timeDependent="false")
    body = etree.Element("itemBody")
    if draft.stimulus:
        _shown(_in(body, "div", **{"class": STIMULUS}), draft.stimulus, address)
    stem = _in(body, "div", **{"class": STEM})
    _shown(stem, draft.stem, address)
    outcomes, processing = [("SCORE", "float", "0")], None
    if draft.kind in {"short", "essay"}:
        _written(item, body, draft, address)
        outcomes.append(("MAXSCORE", "float", _points(draft.guide)))
    elif draft.kind == "fill":
        processing = _fill(item, stem, draft.key)
    else:
        processing = _choice(item, body, draft, address)
    if draft.explanation:
        outcomes.append(("FEEDBACK", "identifier", EXPLANATION))
    for name, base, default in outcomes:
        declared = _in(item, "outcomeDeclaration", identifier=name, cardinality="single", baseType=base)
        _in(_in(declared, "defaultValue"), "value").text = default
    item.append(body)
    if processing is not None:
        item.append(processing)
    if draft.explanation:
        feedback = _in(item, "modalFeedback", outcomeIdentifier="FEEDBACK", identifier=EXPLANATION, showHide="show")
        _shown(_in(feedback, "div"), draft.explanation, address)
    return item


def shape_losses(place: str, draft: Draft) -> Iterator[Loss]:
    """What QTI cannot say of this item, whatever the version."""
    if draft.kind != "fill":
        return
    if any(len(blank) != 4 for blank in BLANK.findall(draft.stem)):
        yield Loss(place, "题干", "空格的下划线长度统一为 4 个。")
    for line in draft.key.split("\n"):
        _, line_as_written = _declared(line)
        if line_as_written != line:
            yield Loss(place, "答案", f"QTI 不能写“{line[:60]}”（数值的误差、单位与文字写法不能并用），写成了“{line_as_written[:60]}”。")


def carries_blanks(draft: Draft) -> bool:
    """Whether every blank of the stem can become a place to write in: those inside formulas cannot."""
    shown = etree.Element("div")
    _shown(shown, draft.stem, lambda name: "x")
    return sum(len(BLANK.findall(text)) for text in _texts(shown)) == len(draft.key.split("\n"))


def _title(draft: Draft) -> str:
    return re.sub(r"\s+", " ", plain(draft.stem))[:40].strip() or "题目"


def _points(guide: str) -> str:
    try:
        return f"{sum(step.half_points for step in steps_of(guide)) / 2:g}"
    except ValueError:
        return "1"


def _choice(item: Any, body: Any, draft: Draft, address: Callable[[str], str]) -> Any:
    multiple = draft.kind == "multiple"
    declared = _in(item, "responseDeclaration", identifier="RESPONSE", cardinality="multiple" if multiple else "single",
                   baseType="identifier")
    correct = _in(declared, "correctResponse")
    for letter in draft.key:
        _in(correct, "value").text = letter
    judged = draft.kind == "judge"
    interaction = _in(body, "choiceInteraction", responseIdentifier="RESPONSE", shuffle="false" if judged else "true",
                      maxChoices="0" if multiple else "1")
    options = [("T", "正确"), ("F", "错误")] if judged else list(zip(LETTERS, draft.options, strict=False))
    for letter, text in options:
        choice = _in(interaction, "simpleChoice", identifier=letter)
        if stays_last(text):
            choice.set("fixed", "true")
        _shown(choice, text, address)
    return etree.Element("responseProcessing", template=TEMPLATES["qti22"].format("match_correct"))


def _written(item: Any, body: Any, draft: Draft, address: Callable[[str], str]) -> None:
    _in(item, "responseDeclaration", identifier="RESPONSE", cardinality="single", baseType="string")
    _in(body, "extendedTextInteraction", responseIdentifier="RESPONSE", expectedLines=LINES[draft.kind])
    for name, text in ((KEY, draft.key), (GUIDE, draft.guide)):
        if text:
            rubric = _in(body, "rubricBlock", view="scorer", **{"class": name})
            _shown(_in(rubric, "div"), text, address)


def _fill(item: Any, stem: Any, key: str) -> Any:
    """Declarations and places to write in; the stem's blanks are replaced in their order."""
    tests = []
    lines = key.split("\n")
    for number, line in enumerate(lines, start=1):
        name = "RESPONSE" if len(lines) == 1 else f"RESPONSE{number}"
        alternatives, _ = _declared(line)
        declared = _in(item, "responseDeclaration", identifier=name, cardinality="single",
                       baseType="float" if alternatives[0].is_number else "string")
        correct = _in(_in(declared, "correctResponse"), "value")
        correct.text = alternatives[0].text
        tests.append(_test(declared, name, alternatives))
    _put_blanks(stem, [f"RESPONSE{number}" for number in range(1, len(lines) + 1)] if len(lines) > 1 else ["RESPONSE"])
    if len(tests) == 1 and tests[0].tag == "gt":
        return etree.Element("responseProcessing", template=TEMPLATES["qti22"].format("map_response"))
    processing = etree.Element("responseProcessing")
    condition = _in(_in(processing, "responseCondition"), "responseIf")
    _in(condition, "and").extend(tests)
    _in(_in(condition, "setOutcomeValue", identifier="SCORE"), "baseValue", baseType="float").text = "1"
    return processing


def _declared(line: str) -> tuple[list[Alternative], str]:
    """What QTI can say of a line of the key: only numbers without units, or only words; and the line that this makes."""
    alternatives = alternatives_of(line)
    if not all(one.is_number and not one.units for one in alternatives):
        alternatives = [one.as_words() for one in alternatives]
    return alternatives, "|".join(written_line(one) for one in alternatives)


def _test(declared: Any, name: str, alternatives: list[Alternative]) -> Any:
    """The condition that one blank is filled rightly; words become a mapping of the declaration."""
    if not alternatives[0].is_number:
        mapping = _in(declared, "mapping", defaultValue="0", upperBound="1")
        for one in dict.fromkeys(alternatives):
            _in(mapping, "mapEntry", mapKey=one.text, mappedValue="1", caseSensitive="false")
        above = etree.Element("gt")
        _in(above, "mapResponse", identifier=name)
        _in(above, "baseValue", baseType="float").text = "0"
        return above
    choices = etree.Element("or")
    for one in alternatives:
        equal = _in(choices, "equal", toleranceMode="exact")
        if one.tolerance:
            equal.set("toleranceMode", "relative" if one.percent else "absolute")
            equal.set("tolerance", f"{one.tolerance} {one.tolerance}")
        _in(equal, "variable", identifier=name)
        _in(equal, "baseValue", baseType="float").text = one.text
    return choices


def _put_blanks(part: Any, names: list[str]) -> None:
    """``____`` in the text of ``part`` becomes a textEntryInteraction, in the order of ``names``."""
    if part.tag == f"{{{MATH}}}math":
        return
    children, part_text = list(part), part.text or ""
    part.text = None
    for child in children:
        part.remove(child)
    _cut(part, part_text, names)
    for child in children:
        tail, child.tail = child.tail or "", None
        _put_blanks(child, names)
        part.append(child)
        _cut(part, tail, names)


def _cut(part: Any, text: str, names: list[str]) -> None:
    end = 0
    for found in BLANK.finditer(text):
        if names:
            _append_text(part, text[end:found.start()])
            _in(part, "textEntryInteraction", responseIdentifier=names.pop(0), expectedLength="15")
            end = found.end()
    _append_text(part, text[end:])


def _append_text(part: Any, text: str) -> None:
    if len(part):
        part[-1].tail = (part[-1].tail or "") + text
    else:
        part.text = (part.text or "") + text


def _shown(into: Any, text: str, address: Callable[[str], str]) -> None:
    """What ``text`` shows, inside ``into``; a picture without an address as its caption."""
    made = html.fragment_fromstring(str(to_html(text, address)), create_parent="div")
    for image in list(made.iter("img")):
        if not image.get("src"):
            image.tail = f"［图：{image.get('alt') or '缺'}］{image.tail or ''}"
            image.drop_tree()
    for math in list(made.iter("math")):
        for part in math.iter():
            part.tag = f"{{{MATH}}}{part.tag}"
    into.text = made.text
    into.extend(list(made))
    for part in into.iter():
        part.text, part.tail = (SPACES.sub("\xa0", one) if one else one for one in (part.text, part.tail))


def _texts(part: Any) -> Iterator[str]:
    if part.tag == f"{{{MATH}}}math":
        return
    yield part.text or ""
    for child in part:
        yield from _texts(child)
        yield child.tail or ""


def _in(parent: Any, name: str, **attributes: str) -> Any:
    return etree.SubElement(parent, name, attributes)
