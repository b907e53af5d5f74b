"""Our own package ``.examroom.zip``: everything that an item says, and every picture, with nothing lost. Pure.

A zip archive with three kinds of entries::

    manifest.json       what is in the package, by hash
    items.jsonl         one item a line, UTF-8, in order
    media/HASH.png      pictures by the SHA-256 of their content (.png, .jpg, .svg, otherwise .bin)

``manifest.json``::

    {"format": "examroom.items", "version": 1, "items": 2,
     "files": {"items.jsonl": "sha256 of its content", "media/9f86….png": "9f86…"}}

A line of ``items.jsonl`` is an object with the fields of ``qbank.items.draft.Draft`` by name: ``kind`` (single, multiple,
judge, fill, short, essay), ``stem``, ``options`` (a list), ``key``, ``explanation``, ``source``, ``source_page``,
``source_author``, ``difficulty`` (1..5), ``range_path`` ("B-A-C"), ``point_segment`` ("001"), ``guide``, ``stimulus``; and
where they are not empty ``knowledge`` (the point in words) and ``problems`` (what a reader could not make out). Texts are
written in the markup of ``qbank.items.markup``: ``$…$`` and ``$$…$$`` LaTeX, ``\\$``, ``![caption](media:HASH)``, pipe
tables, ``**bold**``, ``____``. Items with the same ``stimulus`` are one set.

Version 1 is the only one so far. A later version is refused by name; a field that version 1 does not know is noted. The
same items make the same bytes: dates in the archive are fixed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from typing import Any, BinaryIO

from qbank.exchange.archives import Archive, is_archive, open_archive
from qbank.exchange.drafts import Drafts, Found, Loss, LossReport
from qbank.exchange.gathering import Gathering, media_name, picture_losses, sound_text
from qbank.items.draft import Draft
from qbank.kernel.refused import Refused

FORMAT, VERSION = "examroom.items", 1
MANIFEST, ITEMS = "manifest.json", "items.jsonl"
MOST, MOST_BYTES = 200_000, 100 * 1024 * 1024  # items, and bytes of items.jsonl: a whole bank, no more than fits in memory
LONG_AGO = (1980, 1, 1, 0, 0, 0)
FIELDS = {field.name: field for field in dataclasses.fields(Draft)}
EMPTY = Draft("", "", (), "", "", "", 0, "", "")


def write(items: Drafts, stream: BinaryIO) -> LossReport:
    """``items`` as a package on ``stream``. Loses only pictures that the drafts name and do not bring along."""
    lines = [json.dumps(_record(found), ensure_ascii=False, separators=(",", ":")) for found in items.items]
    contents = {ITEMS: "".join(f"{line}\n" for line in lines).encode()}
    contents |= {media_name(content, "media/"): content for content in items.pictures.values()}
    manifest = {"format": FORMAT, "version": VERSION, "items": len(lines),
                "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {MANIFEST: json.dumps(manifest, ensure_ascii=False, indent=1).encode(), **contents}.items():
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    losses: list[Loss] = []
    for number, found in enumerate(items.items, start=1):
        losses += picture_losses(found.place or f"第 {number} 题", found.draft, items.pictures)
    return LossReport("package", len(lines), tuple(losses))


def read(content: bytes, name: str) -> Drafts:
    """The items of a package. Refuses what is not one, is of a later version, or was changed after it was packed."""
    if not is_archive(content):
        raise Refused("wrong_file_type", f"“{name}”不是题库包（.examroom.zip）。请选择由本系统导出的题库包。")
    archive = open_archive(content, name)
    manifest = _manifest(archive, name)
    _check_files(archive, manifest["files"], name)
    gathering = Gathering("package", MOST)
    for entry in archive:
        if entry.startswith("media/"):
            gathering.pictures[hashlib.sha256(archive[entry]).hexdigest()] = archive[entry]
    for number, line in enumerate(archive[ITEMS].decode(errors="replace").split("\n"), start=1):
        if line.strip():
            gathering.add(*_item(line, number, gathering))
    if len(gathering.items) != manifest["items"]:
        raise Refused("tampered", f"“{name}”的目录说有 {manifest['items']} 题，实际有 {len(gathering.items)} 题。请重新导出后再上传。")
    return gathering.drafts(name)


def _record(found: Found) -> dict[str, Any]:
    more = {"knowledge": found.knowledge, "problems": list(found.problems)}
    return dataclasses.asdict(found.draft) | {name: value for name, value in more.items() if value}


def _manifest(archive: Archive, name: str) -> dict[str, Any]:
    manifest = _json(archive[MANIFEST]) if MANIFEST in archive else None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Refused("wrong_file_type", f"“{name}”是压缩包，但不是题库包：里面没有 {MANIFEST} 或它说的是别的格式。请选择由本系统导出的题库包。")
    version = manifest.get("version")
    if not isinstance(version, int) or version < 1:
        raise Refused("unreadable", f"“{name}”的版本号“{str(version)[:20]}”无法识别。请重新导出后再上传。")
    if version > VERSION:
        raise Refused("newer_version", f"“{name}”是第 {version} 版题库包，本系统只认识到第 {VERSION} 版。请升级本系统，"
                                       "或在导出它的系统里改用较旧的版本。")
    if not isinstance(manifest.get("files"), dict) or not isinstance(manifest.get("items"), int):
        raise Refused("unreadable", f"“{name}”的目录 {MANIFEST} 不完整。请重新导出后再上传。")
    return manifest


def _check_files(archive: Archive, listed: dict[str, Any], name: str) -> None:
    present = set(archive) - {MANIFEST}
    if missing := sorted(({ITEMS} | set(listed)) - present):
        raise Refused("tampered", f"“{name}”里缺少“{missing[0][:80]}”。文件可能没有传完整，请重新导出后再上传。")
    if foreign := sorted(present - set(listed)):
        raise Refused("tampered", f"“{name}”里的“{foreign[0][:80]}”不在目录里，是后来放进去的。请重新导出后再上传。")
    if archive.size(ITEMS) > MOST_BYTES:
        raise Refused("too_large", f"“{name}”里的题目超过 {MOST_BYTES // 1024 // 1024} MB，请分成几个题库包导出。")
    for entry, expected in listed.items():
        if hashlib.sha256(archive[entry]).hexdigest() != expected:
            raise Refused("tampered", f"“{name}”里的“{entry[:80]}”与目录记的校验值不符，导出后被改动过或已损坏。请重新导出后再上传。")


def _item(line: str, number: int, gathering: Gathering) -> tuple[Draft, str, int, tuple[str, ...], str]:
    """What ``Gathering.add`` takes, from one line."""
    record, place = _json(line), f"第 {number} 题"
    if not isinstance(record, dict):
        return EMPTY, place, number, (f"{ITEMS} 的第 {number} 行不是一道题的记录，没有读取。",), ""
    problems: list[str] = []
    values: dict[str, Any] = {}
    for field, value in record.items():
        if field not in FIELDS and field not in {"knowledge", "problems"}:
            gathering.note(f"{place}的字段“{str(field)[:40]}”不认识，没有读取。")
        elif _fits(field, value):
            values[field] = _sound(value)
        else:
            problems.append(f"字段“{field}”的内容不对，没有读取。")
    problems += values.pop("problems", ())
    knowledge = values.pop("knowledge", "")
    return dataclasses.replace(EMPTY, **values), place, number, tuple(problems), knowledge


def _fits(field: str, value: Any) -> bool:
    if field in {"options", "problems"}:
        return isinstance(value, list) and all(isinstance(text, str) for text in value)
    return type(value) is int and abs(value) < 1000 if field == "difficulty" else isinstance(value, str)


def _sound(value: Any) -> Any:
    if isinstance(value, str):
        return sound_text(value)
    return tuple(sound_text(text) for text in value) if isinstance(value, list) else value


def _json(content: bytes | str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
