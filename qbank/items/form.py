"""The form in which an item is typed: reading it, and what the page needs to show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload
from werkzeug.datastructures import MultiDict

from qbank.items.draft import CHOICES, KINDS, LETTERS, WRITTEN, Draft, findings, normalise
from qbank.items.models import Stimulus
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range, WeightTable

EMPTY = Draft(kind="single", stem="", options=(), key="", explanation="", source="", difficulty=3, range_path="",
              point_segment="")
NEW_MATERIAL = "new"


@dataclass(frozen=True)
class Complaint:
    """What is wrong with a form: the sentence on top, the findings that go beside fields, the other lines."""

    sentence: str
    beside: dict[str, list[str]]
    details: tuple[str, ...] = ()

    @classmethod
    def of(cls, refusal: Refused, draft: Draft) -> Complaint:
        if refusal.code != "draft_problems":
            return cls(refusal.sentence, {}, refusal.details)
        beside: dict[str, list[str]] = {}
        for field, sentence in findings(normalise(draft)):
            if field != "point":  # chosen from a list here, not written as codes
                beside.setdefault(field, []).append(sentence)
        if not draft.point_segment:
            beside["point"] = ["请选择鉴定点。"]
        return cls(refusal.sentence, beside, tuple(sentence for found in beside.values() for sentence in found))


def read_draft(session: Session, form: MultiDict[str, str], table: WeightTable, institution_id: int) -> Draft:
    """What was typed, as it was typed; the rules say what is wrong with it."""
    kind = form.get("kind", "")
    point = _point(session, form.get("point", ""), table)
    difficulty = form.get("difficulty", "")
    return Draft(
        kind=kind, stem=form.get("stem", ""), key=_key(kind, form), explanation=form.get("explanation", ""),
        options=tuple(form.get(f"option_{letter}", "") for letter in LETTERS) if kind in CHOICES else (),
        source=form.get("source", ""), difficulty=int(difficulty) if difficulty in {"1", "2", "3", "4", "5"} else 0,
        range_path=point.range.path if point else "", point_segment=point.segment if point else "",
        guide=_guide(form) if kind in WRITTEN else "", stimulus=_stimulus(session, form, table, institution_id),
        source_page=form.get("source_page", ""), source_author=form.get("source_author", ""))


def beginning(session: Session, asked: MultiDict[str, str], table: WeightTable, institution_id: int) -> Draft:
    """An empty form; the next of several items begins at the point, with the kind and the material of the one before."""
    point = _point(session, asked.get("point", ""), table)
    kind = asked.get("kind", "")
    return replace(EMPTY, kind=kind if kind in KINDS else EMPTY.kind, range_path=point.range.path if point else "",
                   point_segment=point.segment if point else "", stimulus=_stimulus(session, asked, table, institution_id))


def leaf_ranges(session: Session, table: WeightTable) -> list[Range]:
    """The ranges of ``table`` that have points, with their points."""
    query = sa.select(Range).where(Range.table_id == table.id, Range.points.any())
    return list(session.scalars(query.options(selectinload(Range.points)).order_by(Range.path)))


def guide_rows(guide: str) -> list[tuple[str, str]]:
    """The rows of a marking guide as they stand in the form, whatever was typed there."""
    split = (line.replace("｜", "|").partition("|") for line in guide.split("\n") if line)
    return [(worth, text) if bar else ("", worth) for worth, bar, text in split]


def _key(kind: str, form: MultiDict[str, str]) -> str:
    if kind == "judge":
        return form.get("judgement", "")
    if kind == "fill":
        return form.get("fill_key", "")
    return form.get("model_answer", "") if kind in WRITTEN else "".join(form.getlist("key"))[:40]


def _guide(form: MultiDict[str, str]) -> str:
    rows = zip_longest(form.getlist("guide_points"), form.getlist("guide_text"), fillvalue="")
    return "\n".join(f"{worth.strip()}|{' '.join(text.split())}" for worth, text in rows if worth.strip() or text.strip())


def _stimulus(session: Session, form: MultiDict[str, str], table: WeightTable, institution_id: int) -> str:
    """The text of the material that was chosen or typed; a material of another bank is none."""
    chosen = form.get("material", "")
    if chosen == NEW_MATERIAL:
        return form.get("stimulus", "")
    if not chosen.isdecimal() or len(chosen) > 9:
        return ""
    return session.scalar(sa.select(Stimulus.text).where(
        Stimulus.id == int(chosen), Stimulus.table_id == table.id, Stimulus.institution_id == institution_id)) or ""


def _point(session: Session, text: str, table: WeightTable) -> Point | None:
    if not text.isdecimal() or len(text) > 9:
        return None
    return session.scalar(sa.select(Point).join(Point.range).where(Point.id == int(text), Range.table_id == table.id))
