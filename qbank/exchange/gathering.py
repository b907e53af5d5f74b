"""What a reader gathers on its way through a file, and what all writers say alike about pictures. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from qbank.exchange.drafts import Drafts, Found, Loss
from qbank.items.draft import Draft
from qbank.kernel.refused import Refused

MOST_ITEMS = 20_000
MOST_NOTES = 200
MEDIA = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}
PICTURE = re.compile(r"!\[(?P<caption>[^\]\n]*)\]\(media:(?P<hash>[0-9a-f]{64})\)")
UNSOUND = re.compile("[\x00\ud800-\udfff]")
FIELDS = {"stem": "题干", "options": "选项", "key": "答案", "explanation": "解析", "guide": "评分标准", "stimulus": "共用题干"}


class Gathering:
    """Items, pictures and notes in the order in which a reader meets them."""

    def __init__(self, format_name: str) -> None:
        self.format = format_name
        self.items: list[Found] = []
        self.pictures: dict[str, bytes] = {}
        self._notes: dict[str, None] = {}

    def add(self, draft: Draft, place: str, number: int, problems: tuple[str, ...] = (), knowledge: str = "") -> None:
        if len(self.items) >= MOST_ITEMS:
            raise Refused("too_many_items", f"文件超过 {MOST_ITEMS} 题，请拆成几个文件分别导入。")
        self.items.append(Found(draft, place, number, tuple(dict.fromkeys(problems)), knowledge))

    def note(self, sentence: str) -> None:
        """Something that stood in the file and was left out; the same sentence counts once."""
        self._notes.setdefault(sentence)

    def keep(self, content: bytes) -> str:
        """``content`` among the pictures; its name for a text."""
        name = hashlib.sha256(content).hexdigest()
        self.pictures[name] = content
        return name

    def drafts(self, file_name: str) -> Drafts:
        """All that was gathered. Refuses a file without items."""
        notes = list(self._notes)
        if not self.items:
            raise Refused("nothing_to_read", f"“{file_name}”里没有找到题目。请确认文件内容和格式后重新上传。", notes[:20])
        if len(notes) > MOST_NOTES:
            notes = [*notes[:MOST_NOTES], f"还有 {len(notes) - MOST_NOTES} 条类似的说明没有列出。"]
        return Drafts(tuple(self.items), self.format, self.pictures, tuple(notes))


def sound_text(text: str) -> str:
    """Without what no database stores: NUL and halves of surrogate pairs."""
    return UNSOUND.sub("", text)


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
