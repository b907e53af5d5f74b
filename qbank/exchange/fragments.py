"""Pieces of HTML inside exchange files: into our markup, with what was lost said where it belongs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

from qbank.exchange.gathering import MOST_ANSWERS, Gathering, sound_text
from qbank.items.foreign import from_html

T = TypeVar("T")

DETAILS = ("链接", "斜体", "表单")  # sentences that begin so: the item says the same without it


class Fragments:
    """Reads the texts of one item. ``problems`` are what makes it unusable as it is; details go to the notes."""

    def __init__(self, gathering: Gathering, place: str, fetch: Callable[[str], bytes | None], *, tex: bool = False) -> None:
        self.problems: list[str] = []
        self._gathering, self._place, self._fetch, self._tex = gathering, place, fetch, tex

    def markup(self, html: str, *, fetch: Callable[[str], bytes | None] | None = None) -> str:
        """``html`` as markup; ``fetch`` where this piece has pictures of its own."""
        text, losses = from_html(sound_text(html), lambda content, caption: self._gathering.keep(content), fetch or self._fetch,
                                 tex=self._tex)
        for sentence in losses:
            if sentence.startswith(DETAILS):
                self._gathering.note_at(self._place, sentence)
            else:
                self.problems.append(sentence)
        return text

    def first(self, answers: Iterable[T]) -> list[T]:
        """No more answers than a person would write; a problem where there are more."""
        made = list(islice(answers, MOST_ANSWERS + 1))
        if len(made) > MOST_ANSWERS:
            self.problems.append(f"选项或答案超过 {MOST_ANSWERS} 个，只读取了前面的。")
        return made[:MOST_ANSWERS]

    def problem(self, sentence: str) -> None:
        self.problems.append(sentence)

    def note(self, sentence: str) -> None:
        self._gathering.note_at(self._place, sentence)
