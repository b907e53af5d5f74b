"""Whether a line begins an item: numbers of the paper told from numbers in lists, decimals and dates. Pure."""

from __future__ import annotations

import re

from qbank.exchange.typed_heads import Heads
from qbank.exchange.typed_items import Part
from qbank.exchange.typed_keys import key_at_end, key_in_stem
from qbank.exchange.typed_options import begins_with, options_in
from qbank.exchange.typed_signs import EMPTY_BRACKET, LABEL, LONG_FIELDS, QUESTION, Line, Numbered, numbered

FARTHEST = 15  # a jump of numbers beyond this is no item number


class Numbers(Heads):
    """Tells where items begin."""

    def _is_item(self, mark: Numbered, text: str, masked: str, line: Line, index: int) -> bool:
        last = self._last_number()
        rest = masked[mark.end:]
        if mark.number > 999 and mark.number != last + 1:
            return False
        if not rest.strip() and not self._goes_on_after(index):
            return False
        bare = mark.style == "bare" and self.part.style == "plain" and "\u4e00" <= rest[:1] <= "\u9fff"
        if self.part.style and mark.style != self.part.style and not bare:
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

    def _subquestions(self, mark: Numbered, index: int) -> bool:
        """(1) … (2) … under a case: items of their own where each has its own answer or options."""
        item = self.item
        if not self.part.material or item is None or item.options or self.state not in {"stem"} or not item.stem:
            return False
        if not self._has_answer(mark, index):
            return False
        self.part.take_back()
        self.material, self.span, self.item = item.stem, None, None
        self.parts.append(Part(self.part.kind, self.part.title, self.part.ordinal, self.part.place, material=True))
        self.parts[-1].instructions = ""
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
