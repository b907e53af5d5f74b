"""Papers as Chinese teachers type them, from the paste box or from the lines of a document, to drafts. Pure.

What is understood, with examples, stands in ``tests/qbank/test_exchange_typed.py``: numbered stems, options in any of the
usual writings, keys in brackets, behind the item, at the end as a list or a table, part headings, labelled lines
(【解析】 …), fill-in and written items with marking guides, shared materials. Nothing is left out silently.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from qbank.exchange.drafts import Drafts, Found
from qbank.exchange.typed_items import Item, Part, found_of
from qbank.exchange.typed_keys import typed_table
from qbank.exchange.typed_paper import Paper
from qbank.exchange.typed_signs import COUNT, EACH, TOTAL, Grid, Line, mask, quoted
from qbank.items.writing import clean
from qbank.kernel.refused import Refused

MOST_LINES = 200_000
MOST_ITEMS = 20_000
FORMULA = re.compile(r"(?<!\\)\$(?P<inside>[^$\n]*?)(?<!\\)\$")
LATEX = re.compile(r"[\\^_{}=+]|^\s*[A-Za-z0-9]{1,3}\s*$|[A-Za-z]\s*[<>*/-]")
LONE = re.compile(r"(?<!\\)\$")
EDGE_BOLD = re.compile(r"^(\s*)\*\*([^*]{1,12}?)\*\*(?=\s*\S)")


def read_text(text: str) -> Drafts:
    """What somebody pasted. Never refuses: a text without items gives no drafts, and notes that say so."""
    lines, gap = [], False
    for number, typed in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MOST_LINES], start=1):
        line = clean(typed) if not typed.lstrip().startswith("|") else typed.strip()
        if line:
            lines.append(Line(as_markup(line), f"第 {number} 行", number, gap=gap))
        gap = not line
    return read_blocks(lines, "text")


def read(content: bytes, name: str) -> Drafts:
    """A text file, UTF-8 or GBK."""
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            break
    else:
        raise Refused("unreadable", f"“{name}”不是文本文件，请选择 .txt 文件，或把题目复制后粘贴。")
    drafts = read_text(text)
    if not drafts.items:
        raise Refused("nothing_to_read", f"“{name}”里没有找到题目。请用 1. 2. 3. 给题目编号，选项以 A. B. C. D. 开头。", drafts.notes[:20])
    return drafts


def read_blocks(blocks: Sequence[Line | Grid], format_name: str, notes: Sequence[str] = ()) -> Drafts:
    """The items of lines and tables in their order. ``notes`` are those of the file's reader."""
    paper = Paper()
    paper.read(list(_with_tables(blocks)))
    items = list(paper.items())
    _number_gaps(paper.parts)
    if len(items) > MOST_ITEMS:
        raise Refused("too_many_items", f"文件超过 {MOST_ITEMS} 题，请拆成几个文件分别导入。")
    found = tuple(found_of(item) for item in items)
    return Drafts(found, format_name, {}, tuple(dict.fromkeys([*notes, *_notes(paper, found)])))


def _with_tables(blocks: Sequence[Line | Grid]) -> Iterator[Line | Grid]:
    """Answer tables that were typed as two lines become tables."""
    skipped = False
    for block, following in itertools.zip_longest(blocks, blocks[1:]):
        if skipped:
            skipped = False
        elif isinstance(block, Line) and isinstance(following, Line) and (rows := typed_table(block.text, following.text)):
            skipped = True
            yield Grid(rows, block.place, block.number)
        else:
            yield block


def as_markup(line: str) -> str:
    """A pasted line as markup: what looks like LaTeX between ``$`` stays a formula, any other ``$`` becomes a sign."""
    if "**" in line:
        line = EDGE_BOLD.sub(r"\1\2", line)
    if "$" not in line or "$$" in line:
        return line
    made, place = "", 0
    for found in FORMULA.finditer(line):
        if LATEX.search(found["inside"]) and found["inside"].strip() == found["inside"] and found["inside"]:
            made += LONE.sub(r"\\$", line[place:found.start()]) + found.group()
            place = found.end()
    return made + LONE.sub(r"\\$", line[place:])


def _number_gaps(parts: Sequence[Part]) -> None:
    """A number that is missing was often swallowed by the item before it. Many gaps: an excerpt, nothing is wrong."""
    for part in parts:
        items = [item for item in part.items if item.numbered]
        gaps = [(one, other) for one, other in itertools.pairwise(items) if other.number not in {one.number, one.number + 1}]
        if len(gaps) > max(2, len(items) // 5):
            continue
        for one, other in gaps:
            missing = f"{one.number + 1}" if other.number == one.number + 2 else f"{one.number + 1}～{other.number - 1}"
            what = f"第 {missing} 题没有找到" if other.number > one.number else "题号变小了"
            target = one if one.bulky else other
            target.problems.append(f"第 {one.number} 题（{one.line.place}）后面是第 {other.number} 题（{other.line.place}）：{what}，"
                                   "请核对题号，看有没有题目并进了前一题。")


def _notes(paper: Paper, found: Sequence[Found]) -> Iterator[str]:
    found_items = list(paper.items())
    if not found:
        yield "没有找到题目：题目应以 1. 2. 3. 编号，选项以 A. B. C. D. 开头，答案写在题干括号里、题后（答案：B）或文末。"
    for part in paper.parts:
        yield from _part_notes(part, found)
    if paper.furniture:
        named = "、".join(f"{line.place}{quoted(line.text)}" for line in paper.furniture[:12])
        more = f"等 {len(paper.furniture)} 处" if len(paper.furniture) > 12 else ""
        yield f"标题、页眉页脚或考生信息，没有当作题目：{named}{more}。"
    points = [item for item in found_items if item.said("points")]
    if points:
        yield f"{points[0].line.place}等 {len(points)} 道题写了分值（{points[0].said('points')}），分值属于试卷，不随题目入库。"
    if ignored := [item for item in found_items if item.said("ignored")]:
        yield f"{ignored[0].line.place}等 {len(ignored)} 道题写了考生的答案（{quoted(ignored[0].said('ignored'))}），没有读取。"
    for line in paper.strays:
        yield f"{line.place}{quoted(line.text, 40)}不属于任何题目，没有读取。"
    for place, what in paper.grids:
        yield f"{place}是{what}，没有读取。"
    for place, number, key in paper.answers.lost:
        yield f"{place}的答案里有{f'第 {number} 题' if number else '多出来的一个'}（{key}），试卷里没有这道题。"


def _part_notes(part: Part, found: Sequence[Found]) -> Iterator[str]:
    if not part.title:
        return
    words = mask(part.instructions)
    each, total, count = EACH.search(words), TOTAL.search(words), COUNT.search(words)
    expected = int(count[1]) if count else 0
    if not expected and each and total and float(each[1]) and "空" not in each[0]:
        expected = round(float(total[1]) / float(each[1]))
    if not part.items:
        yield f"{part.place}“{part.title}”下面没有读到题目。"
    elif expected and expected != len(part.items):
        yield f"“{part.title}”应有 {expected} 题，读到 {len(part.items)} 题，请核对。"
    if each or total:
        per = "空" if each and "空" in each[0] else "题"
        points = "、".join(text for text in (f"每{per} {each[1]} 分" if each else "", f"共 {total[1]} 分" if total else "") if text)
        yield f"“{part.title}”的分值（{points}）属于试卷，不随题目入库。"


__all__ = ["Grid", "Item", "Line", "read", "read_blocks", "read_text"]
