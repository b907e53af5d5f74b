"""QTI 2.1, 2.2 and 3.0 by one set of names: those of 2.2, without namespaces. Pure.

QTI 3.0 writes ``qti-choice-interaction`` and ``response-identifier`` where 2.x writes ``choiceInteraction`` and
``responseIdentifier``, and wraps the content of feedback and rubrics in ``qti-content-body``.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

QTI1 = "http://www.imsglobal.org/xsd/imsqti_v2p1"
QTI2 = "http://www.imsglobal.org/xsd/imsqti_v2p2"
QTI3 = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
MATH = "http://www.w3.org/1998/Math/MathML"
FORMATS = {"imsqti_v2p0": "qti21", "imsqti_v2p1": "qti21", "imsqti_v2p2": "qti22", "imsqtiasi_v3p0": "qti30"}
TEMPLATES = {"qti22": "http://www.imsglobal.org/question/qti_v2p1/rptemplates/{}",
             "qti30": "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/{}.xml"}
HTML = frozenset({"div", "br", "strong", "code", "img", "table", "thead", "tbody", "tr", "th", "td"})  # of our texts
ITEM_ROOTS = frozenset({"assessmentItem", "assessmentStimulus", "assessmentTest"})


def local_name(part: Any) -> str:
    """The name of an element without its namespace; empty for comments and the like."""
    return part.tag.rpartition("}")[2] if isinstance(part.tag, str) else ""


def namespace(part: Any) -> str:
    return part.tag[1:].partition("}")[0] if isinstance(part.tag, str) and part.tag.startswith("{") else ""


def version_of(root: Any) -> str:
    """``qti21``, ``qti22`` or ``qti30``; empty for anything else."""
    found = FORMATS.get(namespace(root).rpartition("/")[2], "")
    return found or ("qti30" if local_name(root).startswith("qti-") else "qti22" if local_name(root) in ITEM_ROOTS else "")


def in_one_language(part: Any) -> Any:
    """A copy of ``part`` and all in it under the names of 2.2, without namespaces."""
    made = etree.Element(_name_of_two(local_name(part)))
    made.text, made.tail = part.text, part.tail
    for name, value in part.attrib.items():
        if not name.startswith("{"):
            made.set(name if name.startswith(("data-", "aria-")) else _camel(name), value)
    for child in part:
        if not isinstance(child.tag, str):  # what is left of an entity: its text stays
            _append_text(made, child.tail)
        elif local_name(child) == "qti-content-body":
            _unwrap(child, made)
        else:
            made.append(in_one_language(child))
    return made


def in_one(part: Any) -> Any:
    """A copy of what a writer made, in the namespace of 2.1."""
    return _copied(part, QTI1, lambda name: name, lambda name: name)


def in_two(part: Any) -> Any:
    """A copy of what a writer made, in the namespace of 2.2."""
    return _copied(part, QTI2, lambda name: name, lambda name: name)


def in_three(part: Any) -> Any:
    """A copy of what a writer made, as 3.0 says it."""
    made = _copied(part, QTI3, lambda name: name if name in HTML else f"qti-{_kebab(name)}", _kebab)
    for one in list(made.iter(f"{{{QTI3}}}qti-rubric-block", f"{{{QTI3}}}qti-modal-feedback")):
        body = etree.Element(f"{{{QTI3}}}qti-content-body")
        body.text, one.text = one.text, None
        body.extend(list(one))
        one.append(body)
        if local_name(one) == "qti-rubric-block" and "use" not in one.attrib:
            one.set("use", "scoring")
    for one in made.iter(f"{{{QTI3}}}qti-response-processing"):
        if template := one.get("template"):
            one.set("template", TEMPLATES["qti30"].format(template.rpartition("/")[2]))
    return made


def _copied(part: Any, space: str, element_name: Any, attribute_name: Any) -> Any:
    inside_math = local_name(part) == "math" or namespace(part) == MATH
    here = MATH if inside_math else space
    name = local_name(part)
    made = etree.Element(f"{{{here}}}{name if inside_math else element_name(name)}", nsmap={None: here})
    made.text, made.tail = part.text, part.tail
    for key, value in part.attrib.items():
        made.set(key if inside_math or key.startswith(("{", "data-")) else attribute_name(key), value)
    for child in part:
        if inside_math and not namespace(child):
            child.tag = f"{{{MATH}}}{child.tag}"
        made.append(_copied(child, space, element_name, attribute_name))
    return made


def _name_of_two(name: str) -> str:
    return _camel(name.removeprefix("qti-")) if name.startswith("qti-") else name


def _camel(name: str) -> str:
    return re.sub(r"-([a-z0-9])", lambda found: found[1].upper(), name)


def _kebab(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"-{found[0].lower()}", name)


def _unwrap(wrapper: Any, into: Any) -> None:
    _append_text(into, wrapper.text)
    for child in wrapper:
        if isinstance(child.tag, str):
            into.append(in_one_language(child))
        else:
            _append_text(into, child.tail)
    _append_text(into, wrapper.tail)


def _append_text(into: Any, text: str | None) -> None:
    if not text:
        return
    if len(into):
        into[-1].tail = (into[-1].tail or "") + text
    else:
        into.text = (into.text or "") + text
