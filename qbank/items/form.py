"""The form in which an item is typed: reading it, and what the page needs to show it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload
from werkzeug.datastructures import MultiDict

from qbank.items.draft import KINDS, LETTERS, Draft, findings, normalise
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range, WeightTable

EMPTY = Draft(kind="single", stem="", options=(), key="", explanation="", source="", difficulty=3, range_path="",
              point_segment="")


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


def read_draft(session: Session, form: MultiDict[str, str], table: WeightTable) -> Draft:
    """What was typed, as it was typed; the rules say what is wrong with it."""
    kind = form.get("kind", "")
    point = _point(session, form.get("point", ""), table)
    key = form.get("judgement", "") if kind == "judge" else "".join(form.getlist("key"))[:40]
    difficulty = form.get("difficulty", "")
    return Draft(
        kind=kind, stem=form.get("stem", ""), key=key, explanation=form.get("explanation", ""),
        options=() if kind == "judge" else tuple(form.get(f"option_{letter}", "") for letter in LETTERS),
        source=form.get("source", ""), difficulty=int(difficulty) if difficulty in {"1", "2", "3", "4", "5"} else 0,
        range_path=point.range.path if point else "", point_segment=point.segment if point else "")


def beginning(session: Session, asked: MultiDict[str, str], table: WeightTable) -> Draft:
    """An empty form; the next of several items begins at the point and with the kind of the one before."""
    point = _point(session, asked.get("point", ""), table)
    kind = asked.get("kind", "")
    return replace(EMPTY, kind=kind if kind in KINDS else EMPTY.kind, range_path=point.range.path if point else "",
                   point_segment=point.segment if point else "")


def leaf_ranges(session: Session, table: WeightTable) -> list[Range]:
    """The ranges of ``table`` that have points, with their points."""
    query = sa.select(Range).where(Range.table_id == table.id, Range.points.any())
    return list(session.scalars(query.options(selectinload(Range.points)).order_by(Range.path)))


def _point(session: Session, text: str, table: WeightTable) -> Point | None:
    if not text.isdecimal() or len(text) > 9:
        return None
    return session.scalar(sa.select(Point).join(Point.range).where(Point.id == int(text), Range.table_id == table.id))
