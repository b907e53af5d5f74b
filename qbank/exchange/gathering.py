"""What a reader gathers on its way through a file, and what all writers say alike about pictures. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from qbank.exchange.drafts import Drafts, Found, Loss
from qbank.exchange.plaintext import as_judge
from qbank.items.draft import Draft, findings
from qbank.items.markup import formula_problems
from qbank.kernel.refused import Refused

MOST_ITEMS = 20_000
MOST_NOTES = 200
LONGEST_TEXT = 20_000
MOST_ANSWERS = 50  # options or accepted answers of one item that are looked at
MEDIA = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}
PICTURE = re.compile(r"!\[(?P<caption>[^\]\n]*)\]\(media:(?P<hash>[0-9a-f]{64})\)")
UNSOUND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
FIELDS = {"stem": "题干", "options": "选项", "key": "答案", "explanation": "解析", "guide": "评分标准", "stimulus": "共用题干"}


class Gathering:
    """Items, pictures and notes in the order in which a reader meets them."""

    def __init__(self, format_name: str, most: int = MOST_ITEMS) -> None:
        self.format, self._most = format_name, most
        self.items: list[Found] = []
        self.pictures: dict[str, bytes] = {}
        self._notes: dict[str, None] = {}
        self._places: dict[str, dict[str, None]] = {}

    def add(self, draft: Draft, place: str, number: int, problems: tuple[str, ...] = (), knowledge: str = "") -> None:
        if len(self.items) >= self._most:
            raise Refused("too_many_items", f"文件超过 {self._most} 题，请拆成几个文件分别导入。")
        if any(len(text) > LONGEST_TEXT for _, text in texts_of(draft)):
            draft = _cut(draft)
            problems = (*problems, f"有的文字超过 {LONGEST_TEXT} 字，只读取了开头。")
        self.items.append(Found(draft, place, number, tuple(dict.fromkeys(problems)), knowledge))

    def note(self, sentence: str) -> None:
        """Something that stood in the file and was left out; the same sentence counts once."""
        self._notes.setdefault(sentence)

    def keep(self, content: bytes) -> str:
        """``content`` among the pictures; its name for a text."""
        name = hashlib.sha256(content).hexdigest()
        self.pictures[name] = content
        return name

    def note_at(self, place: str, sentence: str) -> None:
        """The same, with its place: the places of one sentence stand together."""
        self._places.setdefault(sentence, {}).setdefault(place)

    def drafts(self, file_name: str) -> Drafts:
        """All that was gathered. Refuses a file without items."""
        notes = [*(_together(list(places), sentence) for sentence, places in self._places.items()), *self._notes]
        if not self.items:
            raise Refused("nothing_to_read", f"“{file_name}”里没有找到题目。请确认文件内容和格式后重新上传。", notes[:20])
        if len(notes) > MOST_NOTES:
            notes = [*notes[:MOST_NOTES], f"还有 {len(notes) - MOST_NOTES} 条类似的说明没有列出。"]
        return Drafts(tuple(self.items), self.format, self.pictures, tuple(notes))


def _together(places: list[str], sentence: str) -> str:
    more = f"等 {len(places)} 处" if len(places) > 12 else ""
    return f"{'、'.join(places[:12])}{more}：{sentence}"


def _cut(draft: Draft) -> Draft:
    """No item of the bank is as long: whoever previews it should not have to wait for it."""
    return _changed(draft, lambda text: text[:LONGEST_TEXT])


def sound_text(text: str) -> str:
    """Without what no database stores and no XML can say: control characters and halves of surrogate pairs."""
    return UNSOUND.sub("", text)


def sound_draft(draft: Draft) -> Draft:
    """``draft`` with sound texts only, for writers."""
    return _changed(draft, sound_text)


def _changed(draft: Draft, change: Callable[[str], str]) -> Draft:
    changed: dict[str, Any] = {name: change(value) if isinstance(value, str) else tuple(map(change, value))
                               for name, value in vars(draft).items() if not isinstance(value, int)}
    return dataclasses.replace(draft, **changed)


def in_the_way(found: Found, draft: Draft) -> str:
    """Why a foreign format cannot say this item at all; empty: it can. A missing point or difficulty is no reason."""
    if found.problems:
        return found.problems[0]
    return next((sentence for field, sentence in findings(draft) if field in {"stem", "options", "key"}), "")


def media_name(content: bytes, folder: str) -> str:
    """Where a package keeps a picture: ``folder``, the hash of its content, and the ending that its content asks for."""
    endings = (ending for start, ending in MEDIA.items() if content.startswith(start))
    ending = next(endings, ".svg" if b"<svg" in content[:1000] else ".bin")
    return f"{folder}{hashlib.sha256(content).hexdigest()}{ending}"


def texts_of(draft: Draft) -> Iterator[tuple[str, str]]:
    """Every text of a draft that may hold markup, with its field's name in Chinese."""
    for field, chinese in FIELDS.items():
        value = getattr(draft, field)
        for text in value if isinstance(value, tuple) else (value,):
            yield chinese, text


def picture_losses(place: str, draft: Draft, pictures: Mapping[str, bytes]) -> Iterator[Loss]:
    """A loss for each picture that the draft names and the drafts do not bring along."""
    for chinese, text in texts_of(draft):
        for found in PICTURE.finditer(text):
            if found["hash"] not in pictures:
                yield Loss(place, chinese, f"图片“{found['caption'] or found['hash'][:8]}”的内容不在题库里，没有写出。")


def shown_losses(place: str, draft: Draft) -> Iterator[Loss]:
    """A loss for each text with a formula that cannot be read, and one where the kind cannot be told apart by others."""
    for chinese, text in texts_of(draft):
        for problem in formula_problems(text):
            yield Loss(place, chinese, f"{problem}写出的是公式的原文。")
    if draft.kind == "single" and as_judge(draft.options, draft.key):
        yield Loss(place, "题型", "只有对错两个选项的单选题，读回时会成为判断题。")
