"""The blind second answer: read as the reviewer gave it, compared with the key. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from qbank.items.answers import blanks_of
from qbank.items.draft import CHOICES, LONGEST_WRITTEN, WRITTEN
from qbank.items.writing import clean

SIGNS = {"T": "正确", "F": "错误"}


def read(kind: str, letters: str, blanks: int, given: Sequence[str]) -> str:
    """The answer in the writing of a key. ValueError with a Chinese sentence for what is no answer.

    ``letters`` are those of the options; ``blanks`` is the number of blanks. Fill: one part for each blank.
    """
    parts = [clean(part) for part in given]
    if kind in CHOICES:
        chosen = "".join(sorted({part for part in parts if part}))
        if not chosen or any(len(part) != 1 or part not in letters for part in parts if part):
            raise ValueError("请先选出您认为正确的选项，再提交作答。")
        if kind == "single" and len(chosen) > 1:
            raise ValueError("单选题只能选一个选项，请改选后提交作答。")
        return chosen
    if kind == "judge":
        if parts not in (["T"], ["F"]):
            raise ValueError("请选择“正确”或“错误”，再提交作答。")
        return parts[0]
    if kind == "fill":
        if len(parts) != blanks or not all(parts):
            raise ValueError(f"这道题有 {blanks} 个空，请全部填写后提交作答。")
        return "\n".join(part.replace("\n", " ") for part in parts)
    text = parts[0] if parts else ""
    if not text or len(text) > LONGEST_WRITTEN:
        raise ValueError(f"请简要写出答案要点（不超过 {LONGEST_WRITTEN} 字），再提交作答。")
    return text


def agrees(kind: str, key: str, answer: str) -> bool | None:
    """Whether ``answer`` is what ``key`` says; None for written kinds, which a person compares."""
    if kind in WRITTEN:
        return None
    if kind != "fill":
        return answer == key
    blanks, lines = blanks_of(key), answer.split("\n")
    return len(blanks) == len(lines) and all(blank.accepts(line) for blank, line in zip(blanks, lines, strict=True))


def spoken(kind: str, answer: str) -> str:
    """An answer as it is read out."""
    if kind == "judge":
        return SIGNS.get(answer, answer)
    return "；".join(answer.split("\n")) if kind == "fill" else answer
