"""The answers at the end of a typed paper: lists, tables and long answers, brought home to their items. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qbank.exchange.typed_items import Item, Part
from qbank.exchange.typed_keys import (
    FIRST_WORD,
    after_ordinal,
    choice_key,
    headed_keys,
    judge_key,
    keys_in_line,
    unnumbered_keys,
)
from qbank.exchange.typed_signs import Grid, Line, kind_in, mask, numbered, split_labels

if TYPE_CHECKING:
    from qbank.exchange.typed_standing import Standing


class Answers:
    """Where in the paper the answers are that are being read."""

    def __init__(self, paper: Standing) -> None:
        self.paper = paper
        self.on = False
        self.part: Part | None = None
        self.item: Item | None = None
        self.field = "key"
        self.last = 0
        self.lost: list[tuple[str, int, str]] = []  # place, number, key

    def open(self, part: Part | None) -> None:
        self.on, self.part, self.item, self.last = True, part, None, 0

    def turn_to(self, kind: str, ordinal: str) -> bool:
        """To the part that a heading among the answers means; False: there is none, it is a new part of questions."""
        waiting = [part for part in self.paper.parts if part.items and not part.answered]
        same = [part for part in waiting if part.kind == kind and (not ordinal or part.ordinal == ordinal)] or \
               [part for part in waiting if part.kind == kind or ({part.kind, kind} <= {"single", "choice", "multiple"} and
                part.ordinal == ordinal)]
        if not same and not kind:
            same = waiting[:1]
        if not same:
            return False
        self.open(same[0])
        return True

    def _turn_to_as_many(self, count: int) -> bool:
        """To the part that waits for just so many keys."""
        part = next((part for part in self.paper.parts if part.items and len(self.waiting(part)) == count), None)
        self.part = part or self.part
        return part is not None

    def of_whole_part(self, words: str, item: Item) -> bool:
        """答案：BACDA under the last of five items without a key. ABC, in order, may be three letters for one item."""
        if item.probable_kind not in {"single", "judge"} or item.said("key"):
            return False
        keys = unnumbered_keys(words)
        return len(keys) > 1 and keys != sorted(set(keys)) and len(keys) == len(self.waiting(item.part))

    @staticmethod
    def waiting(part: Part) -> list[Item]:
        """The items of a part that have no key yet."""
        return [item for item in part.items if not item.listed and not item.said("key") and not item.beside]

    def kind_of(self, ordinal: str) -> str:
        """The kind of the part that was headed with ``ordinal``."""
        return next((part.kind for part in self.paper.parts if part.items and part.ordinal == ordinal), "")

    def all_seen(self) -> bool:
        return all(item.listed or item.fields or item.beside for item in self.paper.items())

    def table(self, pairs: Sequence[tuple[int, str]], grid: Grid) -> None:
        if not self.on:
            self.open(self.paper.part if self._within(self.paper.part, [number for number, _ in pairs]) else None)
        self.take(pairs, Line("", grid.place, grid.number))

    def take(self, pairs: Sequence[tuple[int, str]], line: Line) -> None:
        for number, key in pairs:
            item = self._target(number)
            if item is None:
                self.lost.append((line.place, number, key))
            else:
                item.listed.append((key, f"{line.place}的答案表"))
                item.part.answered = True
                self.item = item
        self.field = "key"

    def line(self, line: Line, text: str, masked: str) -> None:
        ordinal, rest = after_ordinal(text)
        if ordinal:
            self.turn_to(self.kind_of(ordinal), ordinal)
            text, masked = rest, mask(rest)
        word, keys = headed_keys(text)
        if keys and self.turn_to(kind_in(word), ""):
            self._in_order(keys, line)
            return
        written = self.part is not None and self.part.kind in {"fill", "short", "essay"}
        if not written and (pairs := keys_in_line(text)):
            self.take(pairs, line)
            return
        if not written and (keys := unnumbered_keys(text)) and (self.part or self._turn_to_as_many(len(keys))):
            self._in_order(keys, line)
            return
        head, labels = split_labels(text)
        mark = numbered(masked)
        if mark and mark.style != "bare" and not mark.tight and self._is_next(mark.number):
            item = self._target(mark.number)
            if item:
                self.item, self.field = item, "key"
                item.part.answered = True
                self._words(item, head[mark.end:].strip() if len(head) >= mark.end else "", line)
                self._labels(item, labels, line)
                return
        if self.item is None:
            self.paper.strays.append(line)
            return
        if head.strip():
            self._words(self.item, head.strip(), line, goes_on=True)
        self._labels(self.item, labels, line)

    def _labels(self, item: Item, labels: Sequence[tuple[str, str]], line: Line) -> None:
        for name, words in labels:
            self.field = name
            if name == "key":
                self._words(item, words, line)
            elif words:
                item.fields.setdefault(name, []).append(words)

    def _words(self, item: Item, words: str, line: Line, *, goes_on: bool = False) -> None:
        """The answer of one item: a key, and what follows a short key explains it."""
        words = re.sub(r"^\s*(?:答|解)\s*[:：]\s*", "", words)
        if not words:
            return
        if self.field != "key":
            item.fields.setdefault(self.field, []).append(words)
            return
        found = None if item.written or item.probable_kind == "fill" or (goes_on and item.listed) else FIRST_WORD.match(mask(words))
        if found and (choice_key(found["key"]) or judge_key(found["key"])):
            item.listed.append((found["key"], f"{line.place}的答案"))
            rest = words[found.end("key"):].strip(" 。.;；,，:：)）】]")
            if len(rest) > 1:
                item.fields.setdefault("explanation", []).append(rest)
                self.field = "explanation"
            return
        if item.written or item.probable_kind == "fill" or not (item.options or item.listed):
            item.fields.setdefault("key", []).append(words)
        else:
            item.fields.setdefault("explanation", []).append(words)

    def _is_next(self, number: int) -> bool:
        """A number in an answer is the next item's only if it goes on; lists inside of answers begin with 1 again."""
        if self.item is None or self.part is None:
            return self._find(number) is not None
        written = self.item.written
        return number > self.item.number if not written else number == self.item.number + 1

    def _target(self, number: int) -> Item | None:
        if self.part is None and self.last and number <= self.last:
            self._next_part()
        self.last = number
        return self._find(number)

    def _next_part(self) -> None:
        for part in self.paper.parts:
            if part.items and any(item.listed or item.fields for item in part.items):
                part.answered = True

    def _find(self, number: int) -> Item | None:
        places = [self.part] if self.part else []
        places += [part for part in self.paper.parts if part is not self.part and (not part.answered or self.part is None)]
        named = [item for part in places for item in part.by_number.get(number, ())]
        fresh = [item for item in named if not item.listed]
        if self.part is None:
            fresh = [item for item in fresh if not item.part.answered or item.part is (self.item.part if self.item else None)] or fresh
        if fresh:
            return fresh[0]
        return named[0] if named else None

    def _in_order(self, keys: Sequence[str], line: Line) -> None:
        """Keys without numbers, for the items of the part from the first one without a key on."""
        part = self.part
        if part is None:
            return
        waiting = [item for item in part.items if not item.listed]
        for item, key in zip(waiting, keys, strict=False):
            item.listed.append((key, f"{line.place}的答案表"))
        for key in keys[len(waiting):]:
            self.lost.append((line.place, 0, key))
        part.answered = True

    @staticmethod
    def _within(part: Part, numbers: Sequence[int]) -> bool:
        return bool(part.items) and set(numbers) <= {item.number for item in part.items}
