"""What the exam page is told: questions as this candidate sees them, the state, the receipt. Never a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup
from sqlalchemy.orm import Session, selectinload

from examroom.delivery import phase, sheets, shuffle
from examroom.delivery.models import Sheet, SheetState
from qbank.items import markup, pictures
from qbank.items.models import ItemVersion
from qbank.kernel.times import spoken
from qbank.papers.contents import policy_of
from qbank.papers.models import Paper, PaperItem

JUDGE_TEXTS = {"T": "正确", "F": "错误"}


def questions(session: Session, sheet: Sheet) -> dict[str, Any]:
    """``{"parts": [...], "materials": [...], "questions": [...]}`` in the order of the layout, with shown numbers and no
    letters at all.

    Texts are HTML that ``qbank.items.markup`` made: safe, with the pictures inside, so that a page that is offline shows
    all of it. A question names its material by its place in ``materials``.
    """
    version = selectinload(PaperItem.version)
    items = session.scalars(sa.select(PaperItem).where(PaperItem.paper_id == sheet.paper_id).options(
        version.selectinload(ItemVersion.options), version.selectinload(ItemVersion.stimulus)))
    by_number = {item.number: item for item in items}
    shown = [(place, by_number[entry["number"]], entry) for place, entry in enumerate(sheet.layout, 1)]
    paper = session.get_one(Paper, sheet.paper_id)
    html = html_of(session, paper.institution_id, [item.version for item in by_number.values()])
    policy, parts = policy_of(session, paper), []
    for _, group in groupby(shown, key=lambda row: row[1].position):
        rows = list(group)
        first = rows[0][1]
        parts.append({"title": first.version.kind.chinese, "kind": first.version.kind, "first": rows[0][0],
                      "last": rows[-1][0], "points": f"{first.half_points / 2:g}", "policy": policy.sentence(first.version.kind)})
    materials = list(dict.fromkeys(item.version.stimulus.text for _, item, _ in shown if item.version.stimulus))
    return {"parts": parts, "materials": [html(text) for text in materials],
            "questions": [_question(item, entry, html, materials) for _, item, entry in shown]}


def html_of(session: Session, institution_id: int, versions: Collection[ItemVersion]) -> Callable[[str], Markup]:
    """Text → HTML for people who cannot ask the bank for its pictures. Never the key, the guide or the explanation."""
    texts = [text for version in versions for text in (version.stem, *(option.text for option in version.options),
                                                      version.stimulus.text if version.stimulus else "")]
    address = pictures.inline(session, institution_id, texts)
    return lambda text: markup.to_html(text, address)


def _question(item: PaperItem, entry: shuffle.Entry, html: Callable[[str], Markup], materials: list[str]) -> dict[str, Any]:
    texts = {option.letter: option.text for option in item.version.options} | (
        JUDGE_TEXTS if entry["kind"] == shuffle.JUDGE else {})
    stimulus = item.version.stimulus
    return {"kind": entry["kind"], "stem": html(item.version.stem), "options": [html(texts[letter]) for letter in entry["options"]],
            "material": materials.index(stimulus.text) if stimulus else None}


def standing(session: Session, sheet: Sheet, *, now: datetime) -> dict[str, Any]:
    """Time and state: what every answer to the page carries."""
    newest = sheet.time_entries[-1] if sheet.time_entries else None
    return {
        "state": sheet.state, "phase": sheets.phase_of(session, sheet, now=now),
        "remaining_seconds": sheets.remaining_seconds(sheet, now=now),
        "hand_in_in_seconds": phase.seconds_until(sheets.hand_in_from(session, sheet), now),
        "granted_seconds": sheets.granted_seconds(sheet),
        "message": f"监考员已为您调整考试时间 {newest.seconds / 60:+g} 分钟：{newest.reason}" if newest else "",
    } | ({"receipt": receipt(session, sheet), "acknowledged": sheets.acknowledged(session, sheet)}
         if sheet.state is SheetState.HANDED_IN else {})


def held_answers(session: Session, sheet: Sheet) -> dict[str, dict[str, Any]]:
    """Answers and flags by shown number, in shown letters."""
    held = sheets.answers(session, sheet)
    return {str(place): {"answer": shuffle.to_shown(entry, held[entry["number"]].answer),
                         "flagged": held[entry["number"]].flagged}
            for place, entry in enumerate(sheet.layout, 1) if entry["number"] in held}


def receipt(session: Session, sheet: Sheet) -> dict[str, Any]:
    """What a candidate is shown after the hand-in: when, how, how many; the code covers the stored answers."""
    held = {number: answer.answer for number, answer in sheets.answers(session, sheet).items() if answer.answer}
    covered = json.dumps([sheet.seed, sorted(held.items())], separators=(",", ":"))
    return {"at": spoken(sheet.handed_in_at, seconds=True), "how": sheet.handed_in_how and sheet.handed_in_how.chinese,
            "answered": len(held), "of": len(sheet.layout),
            "code": hashlib.sha256(covered.encode()).hexdigest()[:12].upper()}
