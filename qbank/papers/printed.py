"""A paper as the values that the printed things read: the booklet, the answer sheet, the key and marking guide."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from qbank.items.answers import blanks_in
from qbank.items.models import Picture
from qbank.items.spoken import blanks as spoken_blanks
from qbank.items.spoken import steps as spoken_steps
from qbank.items.states import ItemKind
from qbank.kernel.printing import drawing, typeset
from qbank.papers.booklet import Section, columns_of, in_stem, printed_key
from qbank.papers.copies import LETTERS, Master, Placed
from qbank.papers.models import Paper, PaperItem, PaperState
from qbank.papers.typesetting import typeset as blocks
from qbank.standards.models import LEVEL_NAMES

HERE = Path(__file__).parent
LINES = {ItemKind.SHORT: 5, ItemKind.ESSAY: 12}  # ruled lines to write on, on the paper itself and on the answer sheet
CHOICES = frozenset({ItemKind.SINGLE, ItemKind.MULTIPLE, ItemKind.JUDGE})
ONE_LINE = 30  # characters of a stem that surely fit on one line
UNSEALED = "草稿，不得用于考试"


@dataclass(frozen=True)
class Sheet:
    """What stands on every printed thing of one paper."""

    paper: Paper
    school: str
    sections: Sequence[Section]
    pictures: Sequence[Picture]
    watermark: str

    @property
    def head(self) -> dict[str, Any]:
        table = self.paper.specification.table
        standard = table.standard
        work = f"（{standard.work_type}）" if standard.work_type else ""
        code = f"{self.paper.id:06d}" + (f"—{self.paper.fingerprint[:8].upper()}" if self.paper.fingerprint else "")
        name = f"{standard.occupation.name}{work}{LEVEL_NAMES[table.level]}理论知识试卷"
        return {"title": f"{name} {self.paper.form}卷", "authority": f"{self.school}职业技能等级认定", "name": name,
                "form": f"{self.paper.form} 卷　编号 {code}", "foot": f"{standard.occupation.name}{LEVEL_NAMES[table.level]}　{self.paper.form} 卷",
                "watermark": self.watermark, "unsealed": "" if self.paper.state is PaperState.SEALED else UNSEALED,
                "pictures": {picture.sha256: drawn(picture) for picture in self.pictures}}

    @property
    def notes(self) -> list[str]:
        """What the candidate reads first."""
        specification = self.paper.specification
        standard = specification.table.standard
        own = [line.strip() for line in specification.instructions.splitlines() if line.strip()]
        return [f"考试时间：{specification.minutes} 分钟。", f"本试卷依据{standard.edition}年版《{standard.title}》命制。",
                *(own or ["请首先按要求在试卷的密封处填写您的姓名、准考证号和所在单位的名称。", "请仔细阅读各种题目的答题要求，在规定的位置填写您的答案。",
                          "不要在试卷上乱写乱画，不要在密封区填写无关的内容。"])]


def masters(sections: Sequence[Section]) -> list[Master]:
    """The items as their copies are arranged from."""
    return [Master(item.number, item.position, "".join(option.letter for option in item.version.options),
                   "".join(option.letter for option in item.version.options if option.stays_last),
                   item.version.key if item.version.kind in CHOICES else "", item.version.stimulus_id or 0)
            for section in sections for item in section.items]


def booklet(sheet: Sheet, copies: Mapping[str, Sequence[Placed]], *, made_at: datetime) -> bytes:
    """The paper, once for each of ``copies`` (its number → the items in its order); "" is the paper itself."""
    items = {item.number: item for section in sheet.sections for item in section.items}
    data = sheet.head | {
        "notes": sheet.notes, "items": {str(number): _item(item) for number, item in items.items()},
        "copies": [{"number": number, "sections": [_section(section, placed) for section in sheet.sections]}
                   for number, placed in copies.items()]}
    return _print("booklet", data, made_at, tagged=len(copies) == 1)


def answer_sheet(sheet: Sheet, *, made_at: datetime) -> bytes:
    """The 答题卡 of the paper; it fits all its copies, whose numbers are the same."""
    return _print("answer_sheet", sheet.head | {"parts": [_answers(section) for section in sheet.sections]}, made_at)


def key_sheet(sheet: Sheet, *, made_at: datetime) -> bytes:
    """Key and marking guide, apart from the paper."""
    return _print("key", sheet.head | {"parts": [_keys(section) for section in sheet.sections]}, made_at)


def in_order(sections: Sequence[Section]) -> list[Placed]:
    """The paper's own order."""
    return [Placed(one.number, one.number, one.options, one.key) for one in masters(sections)]


def drawn(picture: Picture) -> dict[str, Any]:
    """A picture as an SVG drawing, which typst takes as text; width in pixels."""
    if picture.media_type == "image/svg+xml":
        return {"svg": picture.content.decode(), "width": picture.width}
    made = drawing(picture.content, picture.media_type)
    return {"svg": made.svg, "width": made.width}


def _print(name: str, data: Mapping[str, Any], made_at: datetime, *, tagged: bool = True) -> bytes:
    source = "\n".join((HERE / f"{part}.typ").read_text(encoding="utf-8") for part in ("common", name))
    return typeset(source, {"data": json.dumps(data, ensure_ascii=False)}, made_at=made_at, tagged=tagged)


def _item(item: PaperItem) -> dict[str, Any]:
    version, columns = item.version, columns_of(item)
    options = {option.letter: blocks(option.text) for option in version.options}
    return {"stem": blocks(version.stem), "long": len(version.stem) > ONE_LINE, "options": options,
            "flat": bool(options) and columns == "four" and all(map(_is_plain, options.values())),
            "columns": {"four": 4, "two": 2, "one": 1}[columns], "brackets": in_stem(item), "lines": LINES.get(version.kind, 0)}


def _is_plain(text: list[Any]) -> bool:
    """One paragraph of nothing but letters: a line of such options needs no grid."""
    return len(text) == 1 and text[0][0] == "p" and all(isinstance(run, str) for run in text[0][1])


def _section(section: Section, placed: Sequence[Placed]) -> dict[str, Any]:
    mine = {item.number: item for item in section.items}
    groups: list[dict[str, Any]] = []
    last = 0
    for one in placed:
        if one.master not in mine:
            continue
        version = mine[one.master].version
        if not (version.stimulus_id and version.stimulus_id == last):
            groups.append({"material": blocks(version.stimulus.text) if version.stimulus else None, "items": [], "numbers": []})
        last = version.stimulus_id or 0
        groups[-1]["items"].append({"number": one.number, "master": one.master, "options": list(zip(LETTERS, one.options, strict=False))})
        groups[-1]["numbers"].append(one.number)
    for group in groups:
        numbers = group.pop("numbers")
        group["instruction"] = (f"阅读下面的材料，回答第 {numbers[0]} 题。" if len(numbers) == 1
                                else f"阅读下面的材料，回答第 {numbers[0]}～{numbers[-1]} 题。")
    return {"numeral": section.numeral, "title": section.title, "rule": section.rule, "kind": section.kind.value, "groups": groups}


def _answers(section: Section) -> dict[str, Any]:
    choices = section.kind in CHOICES
    rows: list[dict[str, Any]] = []
    for item in section.items:
        letters = ["√", "×"] if section.kind is ItemKind.JUDGE else [option.letter for option in item.version.options]
        lines = min(3, max(1, blanks_in(item.version.stem))) if section.kind is ItemKind.FILL else LINES.get(section.kind, 0)
        rows.append({"number": item.number, "letters": letters if choices else [], "lines": lines, "points": f"{item.half_points / 2:g}"})
    return {"numeral": section.numeral, "title": section.title, "rule": section.rule, "choices": choices,
            "blanks": section.kind is ItemKind.FILL, "numbers": rows, "letters": max((len(row["letters"]) for row in rows), default=0)}


def _keys(section: Section) -> dict[str, Any]:
    short = section.kind in CHOICES
    keys: list[dict[str, Any]] = []
    for item in section.items:
        version = item.version
        if short:
            keys.append({"number": item.number, "key": printed_key(item)})
        elif version.kind is ItemKind.FILL:
            keys.append({"number": item.number, "guide": [],
                         "key": [["p", [f"（{place}）{line}"]] for place, line in enumerate(spoken_blanks(version.key), start=1)]})
        else:
            keys.append({"number": item.number, "key": blocks(version.key),
                         "guide": [[_line(text), str(points)] for points, text in spoken_steps(version.guide)]})
    return {"numeral": section.numeral, "title": section.title, "rule": section.rule, "short": short, "keys": keys}


def _line(text: str) -> list[Any]:
    found = blocks(text)
    return list(found[0][1]) if found and found[0][0] == "p" else [text]
