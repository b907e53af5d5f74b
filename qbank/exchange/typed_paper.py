"""Reading a typed paper line by line: parts, items, options, labelled lines, shared materials. Pure.

Nothing is dropped: what belongs to no item is kept in ``strays`` (sentences to be) or ``furniture`` (names, page numbers).
"""

from __future__ import annotations

from collections.abc import Sequence

from qbank.exchange.typed_grids import Shape, item_lines, lines_of, markup_of, shape_of
from qbank.exchange.typed_items import Item, Part
from qbank.exchange.typed_keys import FIRST_WORD, UNDERLINED, answer_pairs, keys_in_line, spelled_key
from qbank.exchange.typed_numbers import Numbers
from qbank.exchange.typed_options import Option, options_in
from qbank.exchange.typed_signs import (
    FURNITURE,
    KIND_TAG,
    LABEL,
    LONG_FIELDS,
    MATERIAL,
    POINTS_AT_END,
    POINTS_TAG,
    QUESTION_WORD,
    Grid,
    Line,
    Numbered,
    kind_in,
    mask,
    numbered,
    split_labels,
)
from qbank.items.draft import LETTERS


class Paper(Numbers):
    """Reads line after line into items."""

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
        mark = numbered(masked)
        if not text:
            pass
        elif FURNITURE.fullmatch(masked) and not (mark and mark.style == "plain") and not (line.soft and self.state in LONG_FIELDS):
            self.furniture.append(line)
        elif self._answers_begin(masked, index, line) or self._heading(line, text, masked):
            self.state = "" if self.state != "material" else self.state
        elif self.answers.on and not self._leaves_answers(masked, index):
            self.answers.line(line, text, masked)
        elif self._material(line, text, masked):
            self.boxed = True
        elif mark and self._is_item(mark, text, masked, line, index):
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
        if part.by_number.get(mark.number):
            twin = part.by_number[mark.number][0]
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
        item.part.add(item)
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

    def _take_options(self, head: str, masked: str, found: Sequence[Option], item: Item) -> str:
        first = found[0]
        begin = masked.rfind(first.letter if first.letter in masked[:first.begin] else first.letter.lower(), 0, first.begin)
        while begin > 0 and masked[begin - 1] in "([【* ":
            begin -= 1
        for option in found:
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
        if name == "key" and (spelled := spelled_key(words, ["\n".join(lines) for _, lines in item.options])):
            words = spelled
        if name == "key" and not item.written and item.probable_kind != "fill" and (found := FIRST_WORD.match(mask(words))):
            rest = words[found.end("end") if found["end"] not in "(【" else found.start("end"):].strip(" 。.;；,，:：")
            words = found["key"]
            if item.said(name):
                item.listed.append((words, "又一处答案"))
            else:
                item.fields[name] = [words]
            if len(rest) > 1:
                item.fields.setdefault("explanation", []).append(rest)
            self.state = "key" if len(rest) <= 1 else "explanation"
            return
        item.fields.setdefault(name, [])
        if words:
            item.fields[name].append(words)
        self.state = name

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
            self.answers.open(self.part if {number for number, _ in keys} <= set(self.part.by_number) else None)
            self.answers.take(keys, line)
            return
        if name == "key" and item and self.answers.of_whole_part(words, item):
            self.answers.open(item.part)
            self.answers.line(line, words, mask(words))
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
        (item.fields.setdefault(self.state, []) if self.state in LONG_FIELDS else item.stem).append(markup)
