"""Where a reader of typed papers stands: what it has read, what comes next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qbank.exchange.typed_answers import Answers
from qbank.exchange.typed_items import Item, Part
from qbank.exchange.typed_options import begins_with
from qbank.exchange.typed_signs import LABEL, Grid, Line, Numbered, field_of, mask, numbered


class Standing:
    """The parts and items so far, and where a line without a sign goes."""

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

    def _last_number(self) -> int:
        if self.part.items:
            return self.part.items[-1].number
        before = [part for part in self.parts[:-1] if part.items]
        return before[-1].items[-1].number if before and before[-1].items else 0

    # Looking ahead

    def _next(self, index: int) -> Line | Grid | None:
        return self.blocks[index + 1] if index + 1 < len(self.blocks) else None

    def _option_next(self, index: int, letter: str) -> bool:
        following = self._next(index)
        if isinstance(following, Grid):
            return bool(following.rows) and bool(following.rows[0]) and begins_with(mask(following.rows[0][0]), letter)
        return following is not None and begins_with(mask(following.text.strip()), letter)

    def _has_answer(self, mark: Numbered, index: int) -> bool:
        """Whether an answer line, or an option, stands between this number and the next one."""
        for block in self.blocks[index + 1:index + 12]:
            if isinstance(block, Grid):
                continue
            masked = mask(block.text.strip())
            if ((found := LABEL.match(masked)) and field_of(found) == "key") or begins_with(masked, "A"):
                return True
            if (other := numbered(masked)) and other.style == mark.style:
                return False
        return False

    def _goes_on_after(self, index: int) -> bool:
        """A number alone on its line counts where the text stands on the next one."""
        following = self._next(index)
        return isinstance(following, Line) and not numbered(mask(following.text.strip())) and not following.gap
