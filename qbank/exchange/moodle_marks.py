"""How our own Moodle and GIFT files carry what those formats have no place for: marked divisions, tags, categories. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree, html

from qbank.exchange.fragments import Fragments
from qbank.items.draft import Draft

MARKS = ("stimulus", "key", "guide")  # class="examroom-…"
TAGS = {"难度": "difficulty", "出处": "source", "出处页码": "source_page", "出处作者": "source_author"}
LONGEST_TAG = 50  # Moodle cuts longer ones
CODES = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*")
NOTHING_SAID = re.compile(r"top|未分类|\$\w+\$|Default for .*|.*的默认分类|默认", re.IGNORECASE)


@dataclass(frozen=True)
class Tags:
    """What tags say; 0 and empty where they say nothing."""

    difficulty: int = 0
    source: str = ""
    source_page: str = ""
    source_author: str = ""


def tags_of(written: Sequence[str], texts: Fragments) -> Tags:
    """Our tags; others are noted."""
    found: dict[str, str] = {}
    for tag in written:
        name, _, value = tag.partition("：")
        if name in TAGS and value:
            found[TAGS[name]] = value
        elif tag:
            texts.note(f"标签“{tag[:40]}”没有读取。")
    level = found.pop("difficulty", "")
    return Tags(int(level) if level in {"1", "2", "3", "4", "5"} else 0, **found)


def tags_for(draft: Draft) -> tuple[list[str], list[tuple[str, str]]]:
    """The tags of a draft, and what is too long for one as (field, value)."""
    tags: list[str] = []
    lost = []
    for name, field in TAGS.items():
        value = str(getattr(draft, field))
        if value and len(f"{name}：{value}") <= LONGEST_TAG and not re.search(r"[\n\[\],<>&]", value):
            tags.append(f"{name}：{value}")
        elif value:
            lost.append((name, value))
    return tags, lost


def category_of(path: str) -> tuple[str, str, str]:
    """(range path, point, words) that a category means: codes where it ends in ``B-A-C/001``, else its words."""
    names = [name.replace("//", "/").strip() for name in re.split(r"(?<!/)/(?!/)", path)]
    names = [name for name in names if name and not NOTHING_SAID.fullmatch(name)]
    if len(names) >= 2 and CODES.fullmatch(names[-2]) and re.fullmatch(r"\d{3}", names[-1]):
        return names[-2], names[-1], ""
    return "", "", " / ".join(names)[:200]


def category_for(draft: Draft, knowledge: str = "") -> str:
    """The category of a draft's point; ``knowledge`` is the point in words, where the draft has no codes."""
    names = [draft.range_path or "未分类", draft.point_segment or "未分类"]
    if not (draft.range_path or draft.point_segment) and knowledge:
        names = knowledge.split(" / ")
    return "/".join(["$course$", "top", *(re.sub(r"\s+", " ", name).replace("/", "//") for name in names)])


def marked(text: str) -> dict[str, str]:
    """HTML cut at our divisions: their names → what is in them, ``""`` → the rest."""
    made = dict.fromkeys(("", *MARKS), "")
    if "examroom-" not in text:
        return made | {"": text}
    try:
        tree = html.fragment_fromstring(text, create_parent="div")
    except (etree.LxmlError, ValueError):
        return made | {"": text}
    for part in list(tree.iter("div")):
        name = (part.get("class") or "").removeprefix("examroom-")
        if name in MARKS and part is not tree and part.getparent() is not None:
            made[name] = etree.tostring(part, method="html", encoding="unicode", with_tail=False)
            part.drop_tree()
    return made | {"": etree.tostring(tree, method="html", encoding="unicode")}


def mark(name: str, inside: str) -> str:
    """A division that :func:`marked` finds."""
    return f'<div class="examroom-{name}">{inside}</div>' if inside else ""
