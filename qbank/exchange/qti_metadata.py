"""What a QTI manifest says about an item beside the item itself: learning object metadata (LOM), in and out. Pure.

The manifest of 2.2 takes IMS metadata 1.2 (``imsmd_v1p2``, lower-case names, every text in a ``langstring``), that of 3.0
takes IEEE LOM. Difficulty, source and the point of the 细目表 fit in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from qbank.exchange.qti_names import local_name
from qbank.items.draft import Draft

IMSMD, LOM = "http://www.imsglobal.org/xsd/imsmd_v1p2", "http://ltsc.ieee.org/xsd/LOM"
DIFFICULTIES = {1: "very easy", 2: "easy", 3: "medium", 4: "difficult", 5: "very difficult"}
POINTS = "examroom:鉴定点"  # the taxonomy: first the path of the range, then the point in it


@dataclass(frozen=True)
class About:
    """What was read; 0 and empty where the manifest says nothing. ``knowledge`` in words where there are no codes."""

    difficulty: int = 0
    source: str = ""
    source_page: str = ""
    source_author: str = ""
    range_path: str = ""
    point_segment: str = ""
    knowledge: str = ""


def about(part: Any | None) -> About:
    """What the metadata under ``part`` says; ``part`` is None where the manifest has none."""
    if part is None:
        return About()
    levels = {name: level for level, name in DIFFICULTIES.items()}
    difficulty = next((levels.get(_said(value).lower(), 0) for one in _all(part, "difficulty") for value in _all(one, "value")), 0)
    path, words = _point(part)
    return About(difficulty, **_source(part), range_path=path[0], point_segment=path[1],
                 knowledge=words or "；".join(_said(one) for one in _all(part, "keyword") if _said(one))[:200])


def imsmd(draft: Draft, knowledge: str = "") -> Any:
    """The ``lom`` element for a manifest of 2.2; ``knowledge`` is the point in words, where the draft has no codes."""
    def worded(parent: Any, name: str, text: str) -> None:
        etree.SubElement(etree.SubElement(parent, f"{{{IMSMD}}}{name}"), f"{{{IMSMD}}}langstring").text = text

    def valued(parent: Any, name: str, value: str) -> None:
        made = etree.SubElement(parent, f"{{{IMSMD}}}{name}")
        worded(made, "source", "LOMv1.0")
        worded(made, "value", value)

    lom = etree.Element(f"{{{IMSMD}}}lom", nsmap={"imsmd": IMSMD})
    if draft.difficulty in DIFFICULTIES:
        valued(etree.SubElement(lom, f"{{{IMSMD}}}educational"), "difficulty", DIFFICULTIES[draft.difficulty])
    if draft.source or draft.source_page or draft.source_author:
        relation = etree.SubElement(lom, f"{{{IMSMD}}}relation")
        valued(relation, "kind", "IsBasedOn")
        resource = etree.SubElement(relation, f"{{{IMSMD}}}resource")
        if draft.source:
            worded(resource, "description", draft.source)
        for catalog, text in (("page", draft.source_page), ("author", draft.source_author)):
            if text:
                entry = etree.SubElement(resource, f"{{{IMSMD}}}catalogentry")
                etree.SubElement(entry, f"{{{IMSMD}}}catalog").text = catalog
                worded(entry, "entry", text)
    coded = bool(draft.range_path or draft.point_segment)
    if coded or knowledge:
        classification = etree.SubElement(lom, f"{{{IMSMD}}}classification")
        valued(classification, "purpose", "Discipline")
        path = etree.SubElement(classification, f"{{{IMSMD}}}taxonpath")
        if coded:
            worded(path, "source", POINTS)
        for code in (draft.range_path, draft.point_segment) if coded else ():
            etree.SubElement(etree.SubElement(path, f"{{{IMSMD}}}taxon"), f"{{{IMSMD}}}id").text = code
        for word in () if coded else knowledge.split(" / "):
            worded(etree.SubElement(path, f"{{{IMSMD}}}taxon"), "entry", word)
    return lom


def ieee_lom(draft: Draft, knowledge: str = "") -> Any:
    """The ``lom`` element for a manifest of 3.0: the same in the names of IEEE LOM."""
    lom = imsmd(draft, knowledge)
    names = {"taxonpath": "taxonPath", "langstring": "string", "catalogentry": "identifier"}
    made = etree.Element(f"{{{LOM}}}lom", nsmap={None: LOM})

    def copied(part: Any, into: Any) -> None:
        for child in part:
            name = local_name(child)
            flat = name == "value" or (name, local_name(part)) == ("entry", "catalogentry") or \
                (name == "source" and local_name(part) != "taxonpath")
            new = etree.SubElement(into, f"{{{LOM}}}{names.get(name, name)}")
            new.text = _said(child) if flat else child.text
            if not flat:
                copied(child, new)

    copied(lom, made)
    return made


def _source(part: Any) -> dict[str, str]:
    found = {"source": "", "source_page": "", "source_author": ""}
    for relation in _all(part, "relation"):
        if not any(_said(kind).lower().endswith("isbasedon") for kind in _all(relation, "kind")):
            continue
        for resource in _all(relation, "resource"):
            found["source"] = next((_said(one) for one in _all(resource, "description")), "")
            for entry in [*_all(resource, "catalogentry"), *_all(resource, "identifier")]:
                name = next((_said(one) for one in _all(entry, "catalog")), "")
                if f"source_{name}" in found:
                    found[f"source_{name}"] = next((_said(one) for one in _all(entry, "entry")), "")
    return found


def _point(part: Any) -> tuple[tuple[str, str], str]:
    """The codes of the point, or where the taxonomy is somebody else's, its words."""
    for path in _all(part, "taxonpath"):
        ids = [_said(one) for taxon in _all(path, "taxon") for one in _all(taxon, "id")]
        if len(ids) == 2 and any(_said(one) == POINTS for one in _all(path, "source")):
            return (ids[0], ids[1]), ""
        entries = [_said(one) for taxon in _all(path, "taxon") for one in _all(taxon, "entry")]
        if words := " / ".join(entry for entry in entries if entry):
            return ("", ""), words[:200]
    return ("", ""), ""


def _all(part: Any, name: str) -> list[Any]:
    return [one for one in part.iter() if local_name(one).lower() == name and one is not part]


def _said(part: Any) -> str:
    return re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(part.itertext())).strip()
