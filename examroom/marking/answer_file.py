"""The file that a candidate's browser writes when its server is gone: read, checked, refused with a sentence. Pure.

JSON: ``{"format": "examroom-answers", "version": 1, "sheet", "page_generation", "acknowledged", "events": [{"sequence",
"number", "answer", "flagged"}, …], "made_at", "digest", "proof"}``. Numbers and letters are those that the candidate saw.
The same may come as the lines that a scanner types from the page's QR codes: ``EXAMROOM 2/3 <mark> <piece>``, in any order.
``digest`` is the SHA-256 of the events in one canonical writing; ``proof`` an HMAC of the digest with the hash of the token
of the page that wrote it, which only that page and the server know.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from qbank.kernel.refused import Refused

FORMAT, VERSION = "examroom-answers", 1
MOST_BYTES = 10_000_000
MOST_EVENTS = 20_000
HIGHEST = 1_000_000
UNWRITABLE = re.compile(r"[\x00\ud800-\udfff]")  # no database holds it
LINE = re.compile(r"EXAMROOM ([0-9]{1,2})/([0-9]{1,2}) ([0-9a-f]{8}) (\S+)")
TAMPERED = "文件内容与它自己的校验码不符：传送中损坏或被改动过，不能使用。请让考生页面重新生成文件。"


@dataclass(frozen=True)
class Written:
    """One event as the file has it."""

    sequence: int
    number: int
    answer: str
    flagged: bool


@dataclass(frozen=True)
class Found:
    """A file that is what it says it is. ``digest`` covers everything but ``made_at`` and ``proof``."""

    sheet: int
    page_generation: int
    acknowledged: int
    events: tuple[Written, ...]
    made_at: str
    digest: str
    proof: str


def read(content: bytes) -> Found:
    """Refuses what is too large, no JSON, no answer file, out of order or changed."""
    if len(content) > MOST_BYTES:
        raise Refused("too_large", f"文件超过 {MOST_BYTES // 1_000_000} MB，不是考生页面生成的答案文件。")
    try:
        text = content.decode("utf-8-sig")
        body = _scanned(text) if text.lstrip().startswith("EXAMROOM") else json.loads(text)
    except (UnicodeDecodeError, ValueError, TypeError, RecursionError):
        raise Refused("not_json", "这不是答案文件：内容不是 JSON。请选择考生页面“保存答案文件”得到的文件。") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise Refused("not_ours", "这不是答案文件。请选择考生页面“保存答案文件”得到的文件。")
    if body.get("version") != VERSION:
        raise Refused("version", f"答案文件的版本是 {str(body.get('version'))[:20]}，本系统只能读取第 {VERSION} 版。")
    found = Found(_whole(body, "sheet"), _whole(body, "page_generation"), _whole(body, "acknowledged"), _events(body.get("events")),
                  _text(body.get("made_at")), _text(body.get("digest")), _text(body.get("proof")))
    if not hmac.compare_digest(found.digest.encode("utf-8", "replace"), digest(found.sheet, found.page_generation, found.acknowledged, found.events).encode()):
        raise Refused("tampered", TAMPERED)
    return found


def _scanned(text: str) -> dict[str, Any]:
    """What was scanned, put together; ValueError when it is no answer file."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [LINE.fullmatch(line) for line in lines]
    garbled = [place for place, one in enumerate(found, 1) if one is None]
    if garbled:
        raise Refused("scan_garbled", f"第 {'、'.join(map(str, garbled))} 行不是完整的二维码文字。请删去后重新扫描那一张。")
    known = [one.groups() for one in found if one is not None]
    if len({(count, mark) for _, count, mark, _ in known}) > 1:
        raise Refused("scan_mixed", "扫描的二维码不属于同一份作答文件。请清空文字框，从第一张起重新扫描。")
    pieces = {int(number): piece for number, _, _, piece in known}
    missing = [str(number) for number in range(1, int(known[0][1]) + 1) if number not in pieces]
    if missing:
        raise Refused("scan_incomplete", f"还缺第 {'、'.join(missing)} 张二维码，请补扫后再上传。")
    sheet, generation, acknowledged, made_at, of, proven, rows = json.loads("".join(pieces[number] for number in sorted(pieces)))
    events = [{"sequence": sequence, "number": number, "answer": answer, "flagged": bool(flagged)} for sequence, number, answer, flagged in rows]
    return {"format": FORMAT, "version": VERSION, "sheet": sheet, "page_generation": generation, "acknowledged": acknowledged,
            "events": events, "made_at": made_at, "digest": of, "proof": proven}


def digest(sheet: int, page_generation: int, acknowledged: int, events: Sequence[Written]) -> str:
    """SHA-256 over the canonical writing, as the page computes it."""
    rows = [[event.sequence, event.number, event.answer, event.flagged] for event in events]
    text = json.dumps([sheet, page_generation, acknowledged, rows], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def proof(token_hash: str, of: str) -> str:
    """What a page whose token has this hash writes under a digest."""
    return hmac.new(token_hash.encode(), of.encode(), hashlib.sha256).hexdigest()


def _events(rows: Any) -> tuple[Written, ...]:
    if not isinstance(rows, list) or len(rows) > MOST_EVENTS:
        raise Refused("events", "答案文件里没有作答记录，或记录多得不可能。")
    found = []
    for row in rows:
        fields = row if isinstance(row, dict) else {}
        sequence, number, answer, flagged = (fields.get(name) for name in ("sequence", "number", "answer", "flagged"))
        if not (type(sequence) is int and type(number) is int and isinstance(answer, str) and isinstance(flagged, bool)
                and 1 <= sequence <= HIGHEST and UNWRITABLE.search(answer) is None):
            raise Refused("events", "答案文件里有不完整的作答记录，文件已损坏。请让考生页面重新生成文件。")
        found.append(Written(sequence, number, answer, flagged))
    if any(one.sequence >= other.sequence for one, other in pairwise(found)):
        raise Refused("sequence", "答案文件里作答记录的序号不是依次增大的，文件已损坏。请让考生页面重新生成文件。")
    return tuple(found)


def _whole(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise Refused("not_ours", "答案文件不完整，缺少答卷编号或页面编号。请让考生页面重新生成文件。")
    return value


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""
