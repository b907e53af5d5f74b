"""What a sheet shows, rendered and compressed when it is dealt: a start only reads it and sends it.

The body is the opening of the JSON text of ``state``: everything that follows from the layout and the sealed paper. It is
compressed by itself, on a byte boundary and without an end; what is known only now (time, answers) is compressed after it.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery import shuffle
from examroom.delivery.cards import Card
from examroom.delivery.content import JUDGE_TEXTS
from examroom.delivery.models import Answer, Presence, Sheet, SheetBody, SittingPicture
from examroom.plans.models import Enrolment
from qbank.items import markup
from qbank.items.answers import blanks_in
from qbank.items.models import ItemVersion, Picture
from qbank.items.states import ItemKind
from qbank.kernel.accounts import Account
from qbank.kernel.db import table_of
from qbank.papers.contents import items_of, policy_of
from qbank.papers.models import Paper, PaperItem

GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
RAW = -zlib.MAX_WBITS
_BODIES, _PRESENCES = table_of(SheetBody), table_of(Presence)
_BODY = sa.select(_BODIES.c.sheet_id, _BODIES.c.content, _BODIES.c.checksum, _BODIES.c.length).where(
    _BODIES.c.sheet_id.in_(sa.bindparam("sheets", expanding=True)))
_LEFT = sa.select(_PRESENCES.c.left).where(_PRESENCES.c.sheet_id == sa.bindparam("sheet"))
_STORED = sa.select(Answer.number, Answer.answer, Answer.flagged, Answer.sequence).where(Answer.sheet_id == sa.bindparam("sheet"))


@dataclass(frozen=True, slots=True)
class Body:
    """A compressed body: raw deflate, CRC-32 and length of its text."""

    content: bytes
    checksum: int
    length: int


@dataclass(frozen=True)
class Rendering:
    """A paper in pieces of JSON text, put together for each sheet. ``pictures``: hashes of what it shows."""

    head: str  # parts, materials, and the opening of the questions: the same on every sheet
    stems: Mapping[int, str]  # paper number → the question up to its options
    options: Mapping[int, Mapping[str, str]]  # paper number → canonical letter → HTML as JSON
    pictures: frozenset[str] = field(default_factory=frozenset)

    def text(self, layout: Sequence[shuffle.Entry]) -> str:
        """The body of one sheet: an object that is still open, with no letters and no paper numbers in it."""
        questions = (f'{self.stems[entry["number"]]}{",".join(self.options[entry["number"]][letter] for letter in entry["options"])}]}}'
                     for entry in layout)
        return f'{self.head}{",".join(questions)}]'


def render(session: Session, paper: Paper) -> Rendering:
    """Render an opened paper once. Never a key, a guide or an explanation."""
    items = items_of(paper)
    texts = list(dict.fromkeys(item.version.stimulus.text for item in items if item.version.stimulus))
    head = _json({"parts": _parts(session, paper, items), "materials": [_html(text) for text in texts]})[:-1] + ',"questions":['
    shown = [text for item in items for text in _texts(item.version)]
    return Rendering(head, {item.number: _stem(item.version, texts) for item in items},
                     {item.number: _options(item.version) for item in items},
                     frozenset(sha256 for text in shown for sha256 in markup.pictures_in(text)))


def compress(text: str) -> Body:
    raw = text.encode()
    squeezer = zlib.compressobj(6, zlib.DEFLATED, RAW)
    return Body(squeezer.compress(raw) + squeezer.flush(zlib.Z_FULL_FLUSH), zlib.crc32(raw), len(raw))


def packed(body: Body, rest: str) -> bytes:
    """The whole text as gzip. ``rest``: a JSON object without its opening brace."""
    raw = f",{rest}".encode()
    squeezer = zlib.compressobj(1, zlib.DEFLATED, RAW)
    end = squeezer.compress(raw) + squeezer.flush()
    return GZIP_HEAD + body.content + end + struct.pack("<II", zlib.crc32(raw, body.checksum), (body.length + len(raw)) % 2**32)


def plain(body: Body, rest: str) -> bytes:
    return zlib.decompressobj(RAW).decompress(body.content) + f",{rest}".encode()


def check(text: str, layout: Sequence[shuffle.Entry]) -> None:
    """Raises ValueError unless the body can be read and shows as many questions and options as the layout."""
    shown = json.loads(text + "}")["questions"]
    if [(one["kind"], len(one["options"])) for one in shown] != [(entry["kind"], len(entry["options"])) for entry in layout]:
        raise ValueError("the rendered sheet does not show what the layout says")


def keep(session: Session, found: Mapping[int, Body]) -> None:
    """Store bodies: sheet id → body, instead of any former ones."""
    session.execute(sa.delete(SheetBody).where(SheetBody.sheet_id.in_(found)))
    rows = [{"sheet_id": key, "content": body.content, "checksum": body.checksum, "length": body.length} for key, body in found.items()]
    if rows:
        session.connection().execute(sa.insert(SheetBody), rows)


def keep_pictures(session: Session, sitting_id: int, institution_id: int, hashes: Iterable[str]) -> None:
    """Store which pictures a sitting shows."""
    session.execute(sa.delete(SittingPicture).where(SittingPicture.sitting_id == sitting_id))
    keys = session.scalars(sa.select(Picture.id).where(Picture.institution_id == institution_id, Picture.sha256.in_(set(hashes))))
    if rows := [{"sitting_id": sitting_id, "picture_id": key} for key in keys]:
        session.connection().execute(sa.insert(SittingPicture), rows)


def read(session: Session, sheet_id: int) -> Body:
    """The stored body; made now for a sheet that was dealt by an earlier release."""
    body = held(session.connection(), [sheet_id]).get(sheet_id)
    if body is not None:
        return body
    sheet = session.get_one(Sheet, sheet_id)
    return compress(render(session, sheet.paper).text(sheet.layout))


def held(connection: sa.Connection, sheet_ids: Sequence[int]) -> dict[int, Body]:
    """The stored bodies of these sheets."""
    return {sheet_id: Body(*body) for sheet_id, *body in connection.execute(_BODY, {"sheets": sheet_ids})} if sheet_ids else {}


def outdated(session: Session, sitting_id: int) -> int:
    """How many sheets of a sitting were dealt by an earlier release: nothing was rendered for them, and no picture is theirs."""
    made = sa.exists().where(SheetBody.sheet_id == Sheet.id)
    return session.scalar(sa.select(sa.func.count()).select_from(Sheet).where(Sheet.sitting_id == sitting_id, ~made)) or 0


def shown(session: Session, sheet: Sheet) -> dict[str, Any]:
    """``{"parts": [...], "materials": [...], "questions": [...]}`` as the page gets it: for the rehearsal and for tests."""
    return json.loads(zlib.decompressobj(RAW).decompress(read(session, sheet.id).content) + b"}")  # type: ignore[no-any-return]  # made here


def dynamic(session: Session, card: Card) -> dict[str, Any]:
    """What ``state`` carries beyond body and standing: the answers held, by shown number and in shown letters, and the page's own."""
    stored = {number: rest for number, *rest in session.connection().execute(_STORED, {"sheet": card.sheet_id})}
    answers = {}
    for place, entry in enumerate(card.layout, 1):
        if entry["number"] in stored:
            answer, flagged, sequence = stored[entry["number"]]
            answers[str(place)] = {"answer": shuffle.to_shown(entry, str(answer)), "flagged": flagged, "sequence": sequence}
    return untouched(card) | {"answers": answers, "left": session.connection().scalar(_LEFT, {"sheet": card.sheet_id}) or 0}


def untouched(card: Card) -> dict[str, Any]:
    """As :func:`dynamic`, of a sheet that was started this moment."""
    return {"answers": {}, "left": 0, "calculator": card.calculator, "watermark": f"{card.name} {card.ticket} {card.seat}座"}


def picture(session: Session, sha256: str, account_id: int, generation: int) -> tuple[bytes, str] | None:
    """Content and type of a picture that this candidate's started sitting shows."""
    row = session.execute(
        sa.select(Picture.content, Picture.media_type).join(SittingPicture, SittingPicture.picture_id == Picture.id)
        .join(Sheet, Sheet.sitting_id == SittingPicture.sitting_id).join(Enrolment, Enrolment.id == Sheet.enrolment_id)
        .join(Account, Account.id == Enrolment.account_id)
        .where(Picture.sha256 == sha256, Account.id == account_id, Account.generation == generation, Account.active,
               Sheet.started_at.is_not(None)).limit(1)).first()
    return None if row is None else (row[0], row[1])


def _parts(session: Session, paper: Paper, items: Sequence[PaperItem]) -> list[dict[str, Any]]:
    policy, parts, place = policy_of(session, paper), [], 1
    for _, group in groupby(items, key=lambda item: item.position):
        rows = list(group)
        kind = rows[0].version.kind
        points = max(row.half_points for row in rows)  # items on trial earn nothing, and look like the others
        parts.append({"title": kind.chinese, "kind": kind, "first": place, "last": place + len(rows) - 1,
                      "points": f"{points / 2:g}", "policy": policy.sentence(kind)})
        place += len(rows)
    return parts


def _stem(version: ItemVersion, materials: Sequence[str]) -> str:
    told: dict[str, Any] = {"kind": version.kind, "stem": _html(version.stem),
                            "material": materials.index(version.stimulus.text) if version.stimulus else None}
    if version.kind is ItemKind.FILL:
        told["blanks"] = blanks_in(version.stem)
    return _json(told)[:-1] + ',"options":['


def _options(version: ItemVersion) -> dict[str, str]:
    texts = JUDGE_TEXTS if version.kind is ItemKind.JUDGE else {option.letter: option.text for option in version.options}
    return {letter: _json(_html(text)) for letter, text in texts.items()}


def _texts(version: ItemVersion) -> list[str]:
    return [version.stem, *(option.text for option in version.options), version.stimulus.text if version.stimulus else ""]


def _html(text: str) -> str:
    return str(markup.to_html(text, lambda sha256: f"/exam/media/{sha256}"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
