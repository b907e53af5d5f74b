"""From the pieces of one typed item to its draft, with what is ambiguous in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from qbank.exchange.drafts import Found
from qbank.exchange.typed_keys import (
    UNDERLINED,
    blanks_of_stem,
    choice_key,
    fill_key,
    has_steps,
    judge_key,
    key_at_end,
    key_in_stem,
    steps,
    without_points,
)
from qbank.exchange.typed_signs import EMPTY_BRACKET, Line, mask, quoted
from qbank.items.answers import blanks_in
from qbank.items.draft import KINDS, LETTERS, Draft, judgement, normalise
from qbank.items.writing import half_width

DIFFICULTIES = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "易": 1, "容易": 1, "简单": 1, "低": 1, "较易": 2, "中": 3, "中等": 3, "一般": 3,
                "适中": 3, "较难": 4, "难": 5, "困难": 5, "高": 5}
BANDS = ((0.85, 1), (0.70, 2), (0.50, 3), (0.30, 4), (0.0, 5))
CODE = re.compile(r"(?<![A-Za-z0-9])(?P<path>[A-Z](?:\s*[-－—]\s*[A-Z]{1,2}){1,4})\s*[-－—\s]\s*(?P<point>\d{1,3})(?!\d)")
PATH = re.compile(r"[A-Za-z0-9]{1,3}(?:\s*[-－—]\s*[A-Za-z0-9]{1,3}){0,5}")
SEGMENT = re.compile(r"\d{1,3}")
UNSTATED = 0  # no difficulty in the file


@dataclass
class Part:
    """A part of a paper (一、单项选择题) with the items in it."""

    kind: str = ""
    title: str = ""
    ordinal: str = ""
    place: str = ""
    instructions: str = ""
    style: str = ""  # how its items are numbered
    material: bool = False  # its items share texts
    items: list[Item] = field(default_factory=list)
    answered: bool = False
    by_number: dict[int, list[Item]] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        self.items.append(item)
        self.by_number.setdefault(item.number, []).append(item)

    def take_back(self) -> None:
        """Without its last item."""
        item = self.items.pop()
        self.by_number[item.number].remove(item)


@dataclass
class Item:
    """The pieces of one item as they were found."""

    number: int
    line: Line
    part: Part
    numbered: bool = True
    style: str = ""
    kind: str = ""  # as said at the item itself
    stem: list[str] = field(default_factory=list)
    options: list[tuple[str, list[str]]] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)
    listed: list[tuple[str, str]] = field(default_factory=list)  # keys of the answer list, each with where it stood
    beside: str = ""  # the key in the bracket before the number
    stimulus: str = ""
    problems: list[str] = field(default_factory=list)
    bulky: bool = False  # lines without a sign went into it

    def said(self, name: str) -> str:
        return "\n".join(self.fields.get(name, ())).strip()

    @property
    def probable_kind(self) -> str:
        return self.kind or self.part.kind

    @property
    def written(self) -> bool:
        return self.probable_kind in {"short", "essay"} and not self.options

    @property
    def complete(self) -> bool:
        """Whether a new item may begin after what has been read."""
        if self.probable_kind in {"single", "multiple", "choice"}:
            return len(self.options) >= 2
        return bool(self.stem) or bool(self.options)


def found_of(item: Item) -> Found:
    """The draft of an item, normalised, with its problems."""
    stem = "\n".join(item.stem).strip("\n")
    options = _without_semicolons(tuple("\n".join(lines).strip() for _, lines in item.options))
    problems = list(item.problems)
    kind = _kind(item, stem, options)
    if kind == "fill":
        stem, key = _fill(item, stem)
    elif kind in {"short", "essay"}:
        key = item.said("key") or "\n".join(text for text, _ in item.listed)
    else:
        stem, options, key = _chosen(item, stem, options, kind, problems)
        if kind == "choice":
            kind = "multiple" if len(key) > 1 else "single"
    key, guide = _guide(item, kind, key)
    if not key.strip():
        problems.append(f"没有找到答案：{item.line.place}的题目{_name(item)}在题干、题后和答案表里都没有答案，请补填。")
    path, point, knowledge = _point(item)
    draft = normalise(Draft(
        kind=kind, stem=_plain(stem), options=tuple(_plain(text) for text in options), key=_plain(key),
        explanation=_plain(item.said("explanation")), source=_plain(item.said("source")), difficulty=_difficulty(item.said("difficulty")),
        range_path=path, point_segment=point, guide=_plain(guide), stimulus=_plain(item.stimulus),
        source_page=_plain(item.said("page")), source_author=_plain(item.said("author"))))
    problems += _letters_wrong(draft, item)
    return Found(draft, item.line.place, item.line.number, tuple(dict.fromkeys(problems)), knowledge)


def _without_semicolons(options: tuple[str, ...]) -> tuple[str, ...]:
    """甲；乙；丙。 as options: the signs part them and belong to none."""
    if len(options) < 2 or not all(option.endswith(("；", ";")) for option in options[:-1]):
        return options
    return tuple(option.rstrip("；;。 ") for option in options)


def _name(item: Item) -> str:
    return f"（第 {item.number} 题）" if item.number else ""


def _plain(text: str) -> str:
    return UNDERLINED.sub(r"\1", text)


def _kind(item: Item, stem: str, options: tuple[str, ...]) -> str:
    """What the item says of itself, what its part says, what it looks like; what has options is no written item."""
    kind = item.kind or item.part.kind
    words = [judgement(option) for option in options]
    if len(words) == 2 and set(words) == {"T", "F"}:
        return "judge" if kind in {"judge", "", "choice", "single"} else kind
    if len(options) >= 2:
        return kind if kind in {"single", "multiple"} else "choice"
    if kind == "choice":
        return "single"
    if kind:
        return kind
    key = item.said("key") or item.beside or "".join(text for text, _ in item.listed)
    if judge_key(key) and not (choice_key(key) and options):
        return "judge"
    if _judged_in_stem(stem):
        return "judge"
    if not key and EMPTY_BRACKET.search(mask(stem)[-6:]) and not blanks_in(stem):
        return "judge"
    return "fill" if blanks_in(half_width(stem)) or UNDERLINED.search(stem) else "short"


def _judged_in_stem(stem: str) -> bool:
    return bool(key_in_stem(stem, "", True, "")[1] or key_at_end(stem, True)[1])


def _chosen(item: Item, stem: str, options: tuple[str, ...], kind: str, problems: list[str]) -> tuple[str, tuple[str, ...], str]:
    """Stem and options without the key, and the key of an item that is answered by choosing; two keys are a problem."""
    judged = kind == "judge"
    read = judge_key if judged and not options else lambda text: choice_key(text) or judge_key(text) if judged else choice_key(text)
    letters = LETTERS[:len(options)]
    said = item.said("key")
    keys: list[tuple[str, str]] = []
    if said:
        keys.append((read(said) or said, f"答案行写的是“{said[:20]}”"))
    keys += [(read(text) or text, f"{where}写的是“{text[:20]}”") for text, where in item.listed]
    if item.beside:
        keys.append((read(item.beside) or item.beside, f"题号前的括号写的是“{item.beside}”"))
    certain = keys[0][0] if keys else ""
    stem, inside = key_in_stem(stem, letters, judged, certain)
    if not inside and not certain:
        stem, inside = key_at_end(stem, judged)
    if not inside and not certain and options:
        last, inside = _behind_last(options[-1], letters)
        options = (*options[:-1], last)
    if inside:
        keys.append((inside, f"题干括号里写的是“{(judged and not options and {'T': '√', 'F': '×'}[inside]) or inside}”"))
    if len({key for key, _ in keys}) > 1:
        problems.append(f"{item.line.place}的题目{_name(item)}有两个不同的答案：{'，'.join(where for _, where in keys)}，请核对后只保留一个。")
    return stem, options, keys[0][0] if keys else ""


def _behind_last(option: str, letters: str) -> tuple[str, str]:
    """The key behind the last option: "D. 瓦特（B）", "D. 瓦特   B"."""
    found = re.search(r"(?:\s+|(?=[(（【]))[(（【]?\s*([A-J]{1,10})\s*[)）】]?\s*$", half_width(option))
    if found and found.start() and set(found[1]) <= set(letters):
        return option[:found.start()].rstrip(), choice_key(found[1])
    return option, ""


def _fill(item: Item, stem: str) -> tuple[str, str]:
    said = item.said("key") or "\n".join(text for text, _ in item.listed)
    stem, underlined = blanks_of_stem(stem)
    if underlined and any(underlined) and not said:
        return stem, "\n".join(underlined)
    if not blanks_in(stem) and not said:
        return _bracketed_answers(stem)
    return stem, fill_key(said, blanks_in(stem)) if said else ""


def _bracketed_answers(stem: str) -> tuple[str, str]:
    """电流的单位是（安培）。 in a part of fill-in items: the brackets hold the answers, if they have space around or are the only ones."""
    found = list(re.finditer(r"[（(](\s*)([^（()）]{1,30}?)(\s*)[）)]", stem))
    roomy = [one for one in found if one[1] or one[3]] or (found if len(found) == 1 else [])
    for one in reversed(roomy):
        stem = f"{stem[:one.start()]}____{stem[one.end():]}"
    return stem, "\n".join(one[2].strip() for one in roomy)


def _guide(item: Item, kind: str, key: str) -> tuple[str, str]:
    """(model answer, marking guide). Points at the end of the answer's own steps make a guide of them."""
    guide = item.said("guide")
    if kind not in {"short", "essay"}:
        return key, guide
    if not guide and has_steps(key):
        guide, rest = steps(key)
        return without_points(key), "\n".join([guide, *rest]).strip()
    if guide:
        made, rest = steps(guide)
        guide = "\n".join([made, *rest]).strip()
    return key, guide


def _point(item: Item) -> tuple[str, str, str]:
    """(path of the range, segment of the point, what the file says about it in words)."""
    area, lines = item.said("range"), [line.strip() for line in item.said("knowledge").split("\n") if line.strip()]
    path = area if PATH.fullmatch(half_width(area)) else ""
    point, words = "", [] if path else [area]
    for line in lines:
        if coded := CODE.search(half_width(line)):
            path, point = coded["path"], coded["point"]
            words += [line] if len(line) > len(coded.group()) else []
        elif SEGMENT.fullmatch(half_width(line)) and not point:
            point = line
        else:
            words.append(line)
    return path, point, " ".join(word for word in words if word)


def _difficulty(text: str) -> int:
    word = half_width(text).strip().removesuffix("级").strip("。. ")
    if stars := word.count("★"):
        return min(stars, 5)
    if re.fullmatch(r"0?\.\d+|1\.0+", word):
        return next(grade for least, grade in BANDS if float(word) >= least)
    return DIFFICULTIES.get(word, UNSTATED)


def _letters_wrong(draft: Draft, item: Item) -> Iterator[str]:
    if draft.kind in {"single", "multiple"} and draft.options and draft.key:
        letters = LETTERS[:len(draft.options)]
        if wrong := [letter for letter in draft.key if letter not in letters]:
            yield (f"{item.line.place}的题目{_name(item)}答案是{quoted(draft.key)}，但选项只有 {letters[0]}～{letters[-1]}，"
                   f"没有“{'、'.join(wrong[:3])}”，请核对答案和选项。")
    elif draft.kind in {"single", "multiple"} and not draft.options:
        yield f"{item.line.place}的题目{_name(item)}是{KINDS[draft.kind]}，但没有找到选项，请补上选项或修改题型。"
