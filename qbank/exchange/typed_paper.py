"""Reading a typed paper line by line: parts, items, options, labelled lines, shared materials. Pure.

Nothing is dropped: what belongs to no item is kept in ``strays`` (sentences to be) or ``furniture`` (names, page numbers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qbank.exchange.typed_answers import Answers
from qbank.exchange.typed_grids import Shape, item_lines, lines_of, markup_of, shape_of
from qbank.exchange.typed_items import Item, Part
from qbank.exchange.typed_keys import (
    FIRST_WORD,
    UNDERLINED,
    answer_pairs,
    key_at_end,
    key_in_stem,
    keys_after_ordinal,
    keys_in_line,
)
from qbank.exchange.typed_options import begins_with, options_in
from qbank.exchange.typed_signs import (
    ANSWERS,
    EMPTY_BRACKET,
    FIELD_OF,
    FURNITURE,
    HEADING,
    INSTRUCTION,
    KIND_TAG,
    LABEL,
    MATERIAL,
    POINTS_AT_END,
    POINTS_TAG,
    QUESTION_WORD,
    REPLIES,
    SECTION,
    SPAN,
    Grid,
    Line,
    Numbered,
    kind_in,
    mask,
    numbered,
)
from qbank.items.draft import LETTERS

LONG_FIELDS = {"key", "explanation", "guide"}
QUESTION = re.compile(r"[?？]\s*$|简述|简要|什么|如何|哪些|为什么|怎样|试述|试分析|论述|叙述|说明|计算|求|写出|列出|解释|谈谈|举例")
MATERIAL_PART = re.compile(r"案例|材料|综合|阅读|分析|共用|组合")
FARTHEST = 15  # a jump of numbers beyond this is no item number


class Paper:
    """What has been read so far, and where the next line goes."""

    def __init__(self) -> None:
        self.parts: list[Part] = [Part()]
        self.furniture: list[Line] = []
        self.strays: list[Line] = []
        self.grids: list[tuple[str, str]] = []  # place and what kind of table was left out
        self.blocks: Sequence[Line | Grid] = ()
        self.item: Item | None = None
        self.state = ""  # where a line without a sign goes: stem, option, material, or a field
        self.boxed = False  # the paragraph began with a label: its soft lines go on with it
        self.material: list[str] = []
        self.span: tuple[int, int] | None = None
        self.answers = Answers(self)

    @property
    def part(self) -> Part:
        return self.parts[-1]

    def items(self) -> Iterator[Item]:
        return (item for part in self.parts for item in part.items)

    def read(self, blocks: Sequence[Line | Grid]) -> None:
        self.blocks = blocks
        for index, block in enumerate(blocks):
            if isinstance(block, Grid):
                self._grid(block, index)
            else:
                self._line(block, index)

    def _line(self, line: Line, index: int) -> None:
        text = line.text.strip(" \t\u3000\xa0")
        if self.part.kind != "fill" and "\ue003" in text:
            text = UNDERLINED.sub(r"\1", text)
        masked = mask(text)
        if line.soft and self.boxed and self._goes_on(text, masked):
            return
        self.boxed = self.boxed and line.soft
        if FURNITURE.fullmatch(masked) and not (line.soft and self.state in LONG_FIELDS):
            self.furniture.append(line)
        elif self._answers_begin(masked, index, line) or self._heading(line, text, masked):
            self.state = "" if self.state != "material" else self.state
        elif self.answers.on and not self._leaves_answers(masked, index):
            self.answers.line(line, text, masked)
        elif self._material(line, text, masked):
            self.boxed = True
        elif (mark := numbered(masked)) and self._is_item(mark, text, masked, line, index):
            self._begin(mark, line, text, index)
        else:
            self._without_number(line, text, masked, index)
        if line.problems and self.item:
            self.item.problems += line.problems
        elif line.problems:
            self.strays.append(Line("；".join(line.problems), line.place, line.number))

    def _goes_on(self, text: str, masked: str) -> bool:
        """A line after a soft break in a paragraph that began with a label belongs to it, whatever it looks like."""
        if (found := LABEL.match(masked)) and (found["boxed"] or found["bare"]):
            return False
        if self.state == "material":
            self.material.append(text)
        elif self.item and not self.answers.on and self.state in self.item.fields:
            self.item.fields[self.state].append(text)
        else:
            return False
        return True

    # Parts and answer lists

    def _answers_begin(self, masked: str, index: int, line: Line) -> bool:
        """A line 参考答案 that opens the answers of the paper, or a line of nothing but numbered keys."""
        if not any(True for _ in self.items()):
            return False
        if not self.answers.on and len(keys_in_line(masked)) >= 2 and (re.search(r"\d\s*[-~—–至到]+\s*\d", masked) or self._keys_known(masked)):
            self.answers.open(self.part if self.part.items else None)
            self.answers.line(line, line.text, masked)
            return True
        if not ANSWERS.fullmatch(masked) or len(masked) > 40:
            return False
        labelled = bool(re.fullmatch(r"[\s*]*(?:【\s*(?:参考|标准)?答案\s*】\s*:?|(?:参考|标准)?答案\s*:)[\s*]*", masked))
        if labelled and self.item and not self.item.said("key") and not self._next_is_answers(index):
            return False
        if self._next_is_answers(index) or not labelled:
            self.answers.open(None)
            return True
        return False

    def _keys_known(self, masked: str) -> bool:
        """Whether the numbers of such a line are those of items without a key, so that it is no list of, say, cases."""
        known = {item.number for item in self.items() if item.probable_kind in {"", "choice", "single", "multiple", "judge"}}
        numbers = [number for number, _ in keys_in_line(masked)]
        return len(numbers) >= 3 and set(numbers) <= known and numbers[0] == min(known, default=0)

    def _next_is_answers(self, index: int) -> bool:
        following = self._next(index)
        if isinstance(following, Grid):
            return bool(answer_pairs(following.rows))
        if following is None:
            return False
        masked = mask(following.text.strip())
        if self.item and self.item.written and not self.item.said("key") and not self._is_heading(masked):
            return len(keys_in_line(masked)) >= 2
        return bool(keys_in_line(masked) or self._is_heading(masked) or keys_after_ordinal(masked)[1]
                    or re.match(r"\(?1\s*[.、:)]", masked))

    def _leaves_answers(self, masked: str, index: int) -> bool:
        """A second paper behind the answers of the first: numbered lines with options again."""
        following = self._next(index)
        if (mark := numbered(masked)) and mark.number == 1 and isinstance(following, Line) \
                and begins_with(mask(following.text), "A") and self.answers.all_seen():
            self.answers.on = False
            self.parts.append(Part())
            return True
        return False

    def _is_heading(self, masked: str) -> re.Match[str] | None:
        found = HEADING.fullmatch(masked)
        if found is None or len(masked) > 160:
            return None
        rest = (found["rest"] or "").strip(" :*")
        ordinal = found["ordinal"] or found["ordinal2"]
        if found["answers"] and not self.parts[0].items and len(self.parts) == 1:
            return None
        if EMPTY_BRACKET.search(rest) and not INSTRUCTION.search(rest) and not re.search(r"分", rest):
            return None
        titled = masked[:found.end("title") + 1].rstrip(" :(").endswith("题") or ordinal
        if not titled or (found["digit"] and not re.match(r"\(.*[题分]", rest) and rest):
            return None
        if rest and not re.match(r"[(【\[]", rest) and not INSTRUCTION.search(rest) and not re.search(r"\d+\s*(?:分|小?题|道)", rest) \
                and not (self.answers.on and keys_in_line(rest)):
            return None
        return found

    def _heading(self, line: Line, text: str, masked: str) -> bool:
        if self.answers.on and keys_after_ordinal(text)[1]:
            return False
        found = self._is_heading(masked)
        if found is None:
            return self._section(line, text, masked) or self._instruction(line, masked)
        title, rest = found["title"], (found["rest"] or "").strip()
        ordinal = found["ordinal"] or found["ordinal2"] or found["digit"] or ""
        kind = kind_in(title)
        if (self.answers.on or found["answers"]) and self.answers.turn_to(kind, ordinal):
            if keys := keys_in_line(rest.strip(" :()")):
                self.answers.take(keys, line)
            return True
        self.answers.on = False
        end = found.end("title")
        self._new_part(Part(kind, text[:end].strip(" *") + ("题" if masked[end:end + 1] == "题" else ""), ordinal, line.place,
                            rest, material=bool(MATERIAL_PART.search(title))))
        return True

    def _section(self, line: Line, text: str, masked: str) -> bool:
        """第一部分 安全知识, 二、仪表: a part that does not say its kind."""
        found = SECTION.fullmatch(masked)
        if found is None or EMPTY_BRACKET.search(masked) or QUESTION.search(masked) or self.state in LONG_FIELDS & {self.state} \
                and self.item is not None and self.item.written:
            return False
        if self.answers.on:
            return self.answers.turn_to("", "")
        self._new_part(Part("", text.strip(" *"), "", line.place))
        return True

    def _instruction(self, line: Line, masked: str) -> bool:
        """A line under a heading that says how to answer."""
        if self.part.items or not self.part.title or self.answers.on or not INSTRUCTION.search(masked) or numbered(masked) \
                or MATERIAL.match(masked):
            return False
        self.part.instructions += masked
        return True

    def _new_part(self, part: Part) -> None:
        if self.part.items or self.part.title:
            self.parts.append(part)
        else:
            self.parts[-1] = part
        self.item, self.state, self.material, self.span = None, "", [], None

    # Materials

    def _material(self, line: Line, text: str, masked: str) -> bool:
        found = MATERIAL.match(masked)
        if found is None or (self.item and not self.item.complete):
            return False
        span = SPAN.search(found["range"] or "") or SPAN.search(masked)
        self.span = (int(span[1]), int(span[2])) if span else None
        rest = text[found.end():].strip()
        instruction = re.fullmatch(r"(?:请?阅读|请?根据|依据|请?结合).{0,80}题.{0,4}", mask(rest))
        self.material = [rest] if rest and not instruction else []
        self.state, self.item = "material", None
        return True

    def _shared(self, number: int) -> str:
        if self.span and number and not self.span[0] <= number <= self.span[1]:
            self.material, self.span = [], None
        return "\n".join(self.material).strip()

    # Items

    def _is_item(self, mark: Numbered, text: str, masked: str, line: Line, index: int) -> bool:
        last = self._last_number()
        rest = masked[mark.end:]
        if mark.number > 999 and mark.number != last + 1:
            return False
        if not rest.strip() and not self._goes_on_after(index):
            return False
        if self.part.style and mark.style != self.part.style:
            return mark.style != "bare" and mark.number == 1 and self._subquestions(mark, index)
        if not self.part.style and mark.style in {"bare", "half"} and (mark.number != 1 or len(rest) < 4):
            return False
        if mark.tight or mark.style == "bare":
            return mark.number == last + 1 and (self.item is None or self.item.complete) and len(rest) > 3
        if self.item is None or (self.state == "material" and mark.number != 1):
            return True
        return self._follows(mark, rest, last, index)

    def _follows(self, mark: Numbered, rest: str, last: int, index: int) -> bool:
        """Whether a number goes on with the paper rather than with a list inside of the item."""
        item = self.item
        if item is None:
            return True
        if item.written or (item.probable_kind == "" and not item.options and self.state in LONG_FIELDS):
            return self._follows_written(mark, rest, last, index)
        if not item.complete and mark.number <= last:
            return False
        if not item.complete and mark.number != last + 1 and not item.said("key"):
            return False
        return mark.number <= last + FARTHEST

    def _follows_written(self, mark: Numbered, rest: str, last: int, index: int) -> bool:
        """In written answers numbered lists are usual: a new item has its own answer line, or asks."""
        if mark.number != last + 1 and not (last < mark.number <= last + 2) and mark.number != 1:
            return False
        if self.state == "stem":
            return mark.number == last + 1 or (mark.number > last and bool(QUESTION.search(rest)))
        if mark.number == 1 and last >= 1:
            return bool(QUESTION.search(rest)) and self._has_answer(mark, index)
        return self._has_answer(mark, index) or bool(QUESTION.search(rest) and re.search(r"[?？。]\s*$|分\s*\)\s*$", rest))

    def _has_answer(self, mark: Numbered, index: int) -> bool:
        """Whether an answer line, or an option, stands between this number and the next one."""
        for block in self.blocks[index + 1:index + 12]:
            if isinstance(block, Grid):
                continue
            masked = mask(block.text.strip())
            if (found := LABEL.match(masked)) and _field(found) == "key" or begins_with(masked, "A"):
                return True
            if (other := numbered(masked)) and other.style == mark.style:
                return False
        return False

    def _subquestions(self, mark: Numbered, index: int) -> bool:
        """(1) … (2) … under a case: items of their own where each has its own answer or options."""
        item = self.item
        if not self.part.material or item is None or item.options or self.state not in {"stem"} or not item.stem:
            return False
        if not self._has_answer(mark, index):
            return False
        self.part.items.pop()
        self.material, self.span, self.item = item.stem, None, None
        self.parts.append(Part(self.part.kind, self.part.title, self.part.ordinal, self.part.place, material=True))
        self.parts[-1].instructions = ""
        return True

    def _goes_on_after(self, index: int) -> bool:
        """A number alone on its line counts where the text stands on the next one."""
        following = self._next(index)
        return isinstance(following, Line) and not numbered(mask(following.text.strip())) and not following.gap

    def _last_number(self) -> int:
        if self.part.items:
            return self.part.items[-1].number
        before = [part for part in self.parts[:-1] if part.items]
        return before[-1].items[-1].number if before and before[-1].items else 0

    def _begin(self, mark: Numbered, line: Line, text: str, index: int) -> None:
        part = self.part
        if part.style and mark.style != part.style and self.part.items:
            part = self.part
        if part.items and mark.number == 1 and part.items[-1].number >= 1 and part.items[-1].numbered:
            shared = self.state == "material" or bool(self.material and self.span is None)
            same = part.items[-1].number == 1 and not shared
            if not same:
                self.parts.append(Part(part.kind if shared else "", part.title if shared else "", part.ordinal, line.place,
                                       material=part.material))
                part = self.part
        part.style = part.style or mark.style
        item = Item(mark.number, line, part, style=mark.style, beside=mark.key)
        twin = next((one for one in part.items if one.number == mark.number), None)
        if twin:
            item.problems.append(f"题号 {mark.number} 出现了两次（{twin.line.place}和{line.place}），请核对是否有一题的题号写错。")
        self._open(item, text[mark.end:], index)

    def _open(self, item: Item, rest: str, index: int) -> None:
        masked = mask(rest)
        if tag := KIND_TAG.match(masked):
            item.kind = kind_in(tag[1])
            rest = rest[tag.end():]
        if points := POINTS_TAG.match(mask(rest)):
            item.fields["points"] = [rest[:points.end()].strip(" ()（）")]
            rest = rest[points.end():]
        if found := MATERIAL.match(mask(rest)):
            rest = rest[found.end():]
        item.stimulus = self._shared(item.number)
        item.part.items.append(item)
        self.item, self.state = item, "stem"
        self._content(rest, index)

    def _content(self, text: str, index: int) -> None:
        """The text of a stem line: the stem, options behind it, labelled ends."""
        item = self.item
        assert item is not None  # noqa: S101 - for the type checker
        head, labels = split_labels(text)
        masked = mask(head)
        if self.state == "stem" and not item.options and "key" not in item.fields:
            found = options_in(masked, "A", at_start=bool(item.stem) and False, follows=self._option_next(index, "B"))
            if found:
                head = self._take_options(head, masked, found, item)
        if head.strip() or not item.stem:
            if points := POINTS_AT_END.search(mask(head)):
                item.fields.setdefault("points", []).append(head[points.start():].strip(" ()（）"))
                head = head[:points.start()]
            if head.strip():
                item.stem.append(head.strip())
        for name, words in labels:
            self._field(name, words)

    def _take_options(self, head: str, masked: str, found: Sequence[object], item: Item) -> str:
        from qbank.exchange.typed_options import Option

        first = found[0]
        assert isinstance(first, Option)  # noqa: S101
        begin = masked.rfind(first.letter if first.letter in masked[:first.begin] else first.letter.lower(), 0, first.begin)
        while begin > 0 and masked[begin - 1] in "([【* ":
            begin -= 1
        for option in found:
            assert isinstance(option, Option)  # noqa: S101
            self._option(option.letter, head[option.begin:option.end].strip(" \t\u3000"), item)
        self.state = "option"
        return head[:begin].rstrip()

    def _option(self, letter: str, text: str, item: Item) -> None:
        expected = LETTERS[len(item.options)] if len(item.options) < len(LETTERS) else ""
        before = [name for name, _ in item.options]
        if letter in before:
            item.problems.append(f"{item.line.place}的题目有两个选项 {letter}，请核对选项字母。")
        elif letter != expected and (not before or letter != chr(ord(before[-1]) + 1)):
            item.problems.append(f"{item.line.place}的题目选项字母不连续：{'、'.join(before) or '开头'}之后是 {letter}，请核对有没有漏掉选项 {expected}。")
            if letter > expected and expected and LETTERS.index(letter) < len(LETTERS):
                item.options += [(missing, []) for missing in LETTERS[len(item.options):LETTERS.index(letter)]]
        item.options.append((letter, [text]))

    def _field(self, name: str, words: str) -> None:
        item = self.item
        assert item is not None  # noqa: S101
        words = words.strip()
        if name == "kind":
            item.kind = kind_in(words) or item.kind
            return
        if name == "key" and "key" in item.fields and item.said("key") and not item.written:
            name = "key"
        if name == "key" and not item.written and item.probable_kind != "fill" and (found := FIRST_WORD.match(mask(words))):
            rest = words[found.end("end") if found["end"] not in "(【" else found.start("end"):].strip(" 。.;；,，:：")
            words = found["key"]
            item.fields.setdefault(name, []).append(words)
            if len(rest) > 1:
                item.fields.setdefault("explanation", []).append(rest)
            self.state = "key" if len(rest) <= 1 else "explanation"
            return
        item.fields.setdefault(name, [])
        if words:
            item.fields[name].append(words)
        self.state = name

    # Lines without a number

    def _without_number(self, line: Line, text: str, masked: str, index: int) -> None:
        item = self.item
        if self.state == "material" and item is None:
            if not QUESTION_WORD.fullmatch(masked):
                self.material.append(text)
            return
        if item is None:
            if self._opens_unnumbered(masked, index):
                self._open(Item(0, line, self.part, numbered=False), text, index)
            else:
                (self.strays if self.part.title else self.furniture).append(line)
            return
        head, labels = split_labels(text)
        if labels and not head.strip(" *"):
            self._labelled(labels, line)
        elif self._options_of_line(text, masked, item, index):
            pass
        elif item.complete and self._opens_unnumbered(masked, index):
            self._open(Item(0, line, self.part, numbered=False), text, index)
        else:
            self._continue(line, text, masked, index)

    def _labelled(self, labels: list[tuple[str, str]], line: Line) -> None:
        name, words = labels[0]
        item = self.item
        if name == "key" and item and not item.written and item.probable_kind != "fill" and len(keys := keys_in_line(words)) >= 2:
            self.answers.open(self.part)
            self.answers.take(keys, line)
            return
        self.boxed = True
        for name, words in labels:
            self._field(name, words)

    def _options_of_line(self, text: str, masked: str, item: Item, index: int) -> bool:
        if self.state not in {"stem", "option"} and not (self.state == "key" and not item.options and not item.written):
            return False
        if self.state == "key" and item.said("key") and item.probable_kind in {"judge", "fill"}:
            return False
        expected = LETTERS[len(item.options)] if len(item.options) < len(LETTERS) else ""
        head, labels = split_labels(text)
        if not expected or (item.written and not self._option_next(index, "B") and not item.options):
            return False
        following = chr(ord(expected) + 1)
        found = options_in(mask(head), expected, follows=self._option_next(index, following) or bool(item.options))
        if not found:
            return False
        for option in found:
            self._option(option.letter, head[option.begin:option.end].strip(" \t\u3000"), item)
        self.state = "option"
        for name, words in labels:
            self._field(name, words)
        return True

    def _opens_unnumbered(self, masked: str, index: int) -> bool:
        """A stem without a number: the next line begins with A, or its own options follow, or it is one more judgement."""
        if any(item.numbered for item in self.part.items) and self.state in {"option", "stem"} and self.item and not self.item.said("key"):
            return bool(self.item.options) and self._option_next(index, "A") and bool(EMPTY_BRACKET.search(masked))
        if begins_with(masked, "A") or numbered(masked) or LABEL.match(masked):
            return False
        if self._option_next(index, "A") or options_in(masked, "A", at_start=False):
            return True
        if self.part.kind == "judge" and not any(item.numbered for item in self.part.items):
            return bool(EMPTY_BRACKET.search(masked) or key_in_stem(masked, "", True, "")[1] or key_at_end(masked, True)[1])
        return False

    def _continue(self, line: Line, text: str, masked: str, index: int) -> None:
        """A line without any sign goes on with what stands before it; after an empty line it must have a reason to."""
        item = self.item
        assert item is not None  # noqa: S101
        if self.state == "stem":
            if line.gap and item.probable_kind == "judge" and item.stem:
                self.strays.append(line)
            elif not QUESTION_WORD.fullmatch(masked):
                item.bulky = item.bulky or bool(item.stem)
                self._content(text, index)
            return
        if self.state == "option" and item.options:
            head, labels = split_labels(text)
            if line.gap and head.strip():
                self.strays.append(line)
                return
            item.bulky = True
            if head.strip():
                item.options[-1][1].append(head.strip())
            for name, words in labels:
                self._field(name, words)
            return
        if self.state == "key" and not item.written and item.probable_kind != "fill" and item.said("key") and (item.options or line.gap):
            self.strays.append(line)
            return
        if self.state in {"difficulty", "knowledge", "range", "page", "author", "kind", "points"}:
            self.strays.append(line)
            return
        head, labels = split_labels(text)
        item.fields.setdefault(self.state, []).append(head.strip() if labels else text)
        for name, words in labels:
            self._field(name, words)

    # Tables

    def _grid(self, grid: Grid, index: int) -> None:
        shape = shape_of(grid)
        if shape is Shape.ANSWERS:
            if not any(True for _ in self.items()):
                self.grids.append((grid.place, "答题栏或答案表出现在题目之前"))
                return
            self.answers.table(answer_pairs(grid.rows), grid)
        elif shape is Shape.LINES:
            for line in lines_of(grid):
                self._line(line, index)
        elif shape is Shape.ITEMS:
            for line in item_lines(grid):
                self._line(line, index)
        elif shape is Shape.LEFT_OUT:
            self.grids.append((grid.place, "得分栏、答题栏或考生信息"))
        elif self.state == "material" and self.item is None:
            self.material.append(markup_of(grid))
        elif self.item and not self.answers.on and self.state:
            self._table_of(self.item, markup_of(grid))
            self.item.problems += grid.problems
        else:
            self.strays.append(Line(" ".join(cell for row in grid.rows for cell in row if cell), grid.place, grid.number))

    def _table_of(self, item: Item, markup: str) -> None:
        if self.state in LONG_FIELDS:
            item.fields.setdefault(self.state, []).append(markup)
        else:
            item.stem.append(markup)

    # Looking ahead

    def _next(self, index: int) -> Line | Grid | None:
        return self.blocks[index + 1] if index + 1 < len(self.blocks) else None

    def _option_next(self, index: int, letter: str) -> bool:
        following = self._next(index)
        if isinstance(following, Grid):
            return bool(following.rows) and bool(following.rows[0]) and begins_with(mask(following.rows[0][0]), letter)
        return following is not None and begins_with(mask(following.text.strip()), letter)


def split_labels(text: str) -> tuple[str, list[tuple[str, str]]]:
    """(text before the first label, the labelled texts with their fields)."""
    masked = mask(text)
    found = list(LABEL.finditer(masked))
    if not found:
        return text, []
    ends = [one.start() for one in found[1:]] + [len(text)]
    labels = []
    for one, end in zip(found, ends, strict=True):
        inside = text[one.start("inside"):one.end("inside")] if one["inside"] else ""
        words = f"{inside} {text[one.end():end]}".strip()
        labels.append((_field(one), words))
    head = text[:found[0].start()]
    if head.rstrip().endswith(("(", "（")) and labels[0][1].rstrip().endswith((")", "）")):
        head = head.rstrip()[:-1]
        labels[0] = (labels[0][0], labels[0][1].rstrip()[:-1])
    return head.rstrip(), labels


def _field(found: re.Match[str]) -> str:
    if found["reply"]:
        return REPLIES[found["reply"]]
    return "key" if found["tight"] else FIELD_OF[found["boxed"] or found["bare"]]
