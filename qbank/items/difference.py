"""What one version says otherwise than another, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from rapidfuzz.distance import Indel

from qbank.items.draft import KINDS, LETTERS, Draft

WORD = re.compile(r"[A-Za-z0-9_.]+|\s+|!\[[^\]]*\]\(media:[0-9a-f]+\)|.", re.DOTALL)
THOROUGH = 1_500_000  # pairs of words; beyond it the quick comparison, whose result is right but reads less well
SAME, GONE, NEW = "same", "gone", "new"


@dataclass(frozen=True)
class Piece:
    """A run of text that is in both (same), only in the old one (gone) or only in the new one (new)."""

    state: str
    text: str


@dataclass(frozen=True)
class Field:
    """One field of both versions."""

    name: str
    pieces: tuple[Piece, ...]

    @property
    def changed(self) -> bool:
        return any(piece.state != SAME for piece in self.pieces)

    @property
    def before(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.state != NEW]

    @property
    def after(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.state != GONE]


def compare(old: Draft, new: Draft) -> list[Field]:
    """Every field that says something in either version, in the order of the item's page."""
    before, after = _fields(old), _fields(new)
    fields = [Field(name, pieces(before[name], after[name])) for name in before]
    return [field for field in fields if field.pieces]


def pieces(old: str, new: str) -> tuple[Piece, ...]:
    """How ``old`` becomes ``new``: joining same and gone gives ``old``, joining same and new gives ``new``."""
    before, after = WORD.findall(old), WORD.findall(new)
    found: list[Piece] = []
    for kind, old_start, old_end, new_start, new_end in _operations(before, after):
        if kind == "equal":
            _add(found, SAME, before[old_start:old_end])
        else:
            _add(found, GONE, before[old_start:old_end])
            _add(found, NEW, after[new_start:new_end])
    return tuple(_readable(found))


def _operations(before: Sequence[str], after: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    if len(before) * len(after) <= THOROUGH:
        return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [(step.tag, step.src_start, step.src_end, step.dest_start, step.dest_end) for step in Indel.opcodes(before, after)]


def _add(found: list[Piece], state: str, words: Sequence[str]) -> None:
    if words:
        found.append(Piece(state, "".join(words)))


def _readable(found: list[Piece]) -> list[Piece]:
    """One sign that happens to be the same between two changes only confuses: it is counted as changed."""
    made: list[Piece] = []
    gone = new = ""
    for place, piece in enumerate(found):
        lone = piece.state == SAME and len(piece.text) < 2 and 0 < place < len(found) - 1
        if piece.state == SAME and not lone:
            made += [Piece(state, text) for state, text in ((GONE, gone), (NEW, new), (SAME, piece.text)) if text]
            gone = new = ""
            continue
        gone += piece.text if piece.state != NEW else ""
        new += piece.text if piece.state != GONE else ""
    return made + [Piece(state, text) for state, text in ((GONE, gone), (NEW, new)) if text]


def _fields(draft: Draft) -> dict[str, str]:
    key = {"T": "正确", "F": "错误"}.get(draft.key, draft.key) if draft.kind == "judge" else draft.key
    options = dict.fromkeys(LETTERS, "") | dict(zip(LETTERS, draft.options, strict=False))
    return {"题型": KINDS.get(draft.kind, draft.kind), "鉴定点": f"{draft.range_path}-{draft.point_segment}", "共用材料": draft.stimulus,
            "题干": draft.stem, **{f"选项{letter}": text for letter, text in options.items()}, "答案": key, "评分标准": draft.guide,
            "解析": draft.explanation, "难度": str(draft.difficulty), "出处": draft.source, "出处页码": draft.source_page,
            "出处作者": draft.source_author}
