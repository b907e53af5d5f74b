"""Files from outside, opened with care: zip archives and XML documents. Pure.

An archive is judged by its directory before one byte is unpacked: how many entries, how large they say they are
together, how much they were squeezed, and whether any name leads out of the archive. Sizes in the directory bind:
``zipfile`` never reads past them. XML is parsed with no entities, no document type, no network and libxml2's own limits.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from lxml import etree

from qbank.kernel.refused import Refused

MOST_ENTRIES = 50_000
MOST_UNPACKED = 300 * 1024 * 1024
MOST_RATIO = 250  # unpacked to packed, of an entry worth a look; honest XML stays under 100
WORTH_A_LOOK = 4 * 1024 * 1024
MOST_XML = 64 * 1024 * 1024  # a parsed tree takes many times the file
MACROS = re.compile(r"(^|/)(vbaProject|vbaData|macrosheets/|activeX/)|\.(vbs|js|exe|bat|cmd|ps1)$", re.IGNORECASE)
ENTITY = tuple("<!ENTITY".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, RuntimeError, NotImplementedError,
          IndexError, KeyError)


class Archive(Mapping[str, bytes]):
    """The files of a zip archive by name (``/`` between folders, folders themselves left out), each unpacked when asked."""

    def __init__(self, opened: zipfile.ZipFile, file_name: str) -> None:
        self._opened = opened
        self._file_name = file_name
        self._entries = {_name(entry): entry for entry in opened.infolist() if not _name(entry).endswith("/")}

    def __getitem__(self, name: str) -> bytes:
        entry = self._entries[name]
        try:
            return self._opened.read(entry)
        except BROKEN as error:
            raise _unreadable(self._file_name, f"其中的“{name[:80]}”读不出来。") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def size(self, name: str) -> int:
        """How many bytes ``name`` has unpacked, without unpacking it."""
        return self._entries[name].file_size

    def beside(self, name: str, address: str) -> str | None:
        """The entry that ``address``, as written in the entry ``name``, means; None: no such entry."""
        parts: list[str] = [] if address.startswith("/") else name.split("/")[:-1]
        for part in address.replace("\\", "/").split("/"):
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            elif part not in {"", "."}:
                parts.append(part)
        found = "/".join(parts)
        return found if found in self._entries else None


def is_archive(content: bytes) -> bool:
    return content[:4] == b"PK\x03\x04"


def open_archive(content: bytes, file_name: str, *, most_unpacked: int = MOST_UNPACKED) -> Archive:
    """The archive in ``content``. Refuses what is broken, encrypted, too large unpacked, or leads out of itself."""
    try:
        opened = zipfile.ZipFile(io.BytesIO(content))
        entries = opened.infolist()
    except BROKEN as error:
        raise _unreadable(file_name, "") from error
    if len(entries) > MOST_ENTRIES:
        raise Refused("too_many_entries", f"“{file_name}”里有 {len(entries)} 个文件，超过 {MOST_ENTRIES} 个，请拆成几个文件。")
    if sum(entry.file_size for entry in entries) > most_unpacked:
        raise Refused("too_large", f"“{file_name}”展开后超过 {most_unpacked // 1024 // 1024} MB，"
                                   "请删去大图片和用不着的内容，或拆成几个文件。")
    seen: set[str] = set()
    for entry in entries:
        name = _name(entry)
        _check(entry, name, file_name)
        if name in seen:
            raise Refused("twice_in_archive", f"“{file_name}”里有两个文件都叫“{name[:80]}”，不能确定用哪一个。请重新打包后再上传。")
        seen.add(name)
    return Archive(opened, file_name)


def macros_in(names: Mapping[str, bytes]) -> tuple[str, ...]:
    """Names of entries that hold macros or programs."""
    return tuple(name for name in names if MACROS.search(name))


def parse_xml(content: bytes, file_name: str) -> etree._Element:
    """The root element of an XML document; comments and processing instructions are left out."""
    if len(content) > MOST_XML:
        raise Refused("too_large", f"“{file_name}”超过 {MOST_XML // 1024 // 1024} MB，请删去大图片和音视频，或拆成几个文件。")
    if any(word in content for word in ENTITY):
        raise Refused("entities", f"“{file_name}”带有 DOCTYPE 或实体定义，可能夹带外部内容，没有读取。请用导出它的软件重新导出后再上传。")
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, dtd_validation=False, no_network=True, huge_tree=False,
                             remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise Refused("unreadable", f"“{file_name}”不是完整的 XML 文件：{_where(error)}"
                                    "文件可能没有传完整或被改动过，请重新导出后再上传。") from error
    if root is None or root.getroottree().docinfo.doctype:
        raise Refused("entities", f"“{file_name}”带有 DOCTYPE 或实体定义，可能夹带外部内容，没有读取。请用导出它的软件重新导出后再上传。")
    return root


def _check(entry: zipfile.ZipInfo, name: str, file_name: str) -> None:
    if not name:
        raise _unreadable(file_name, "里面有一个文件没有名字。")
    if name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/"):
        raise Refused("leads_outside", f"“{file_name}”里的“{name[:80]}”指向压缩包以外的位置，没有读取。请重新打包后再上传。")
    if entry.flag_bits & 0x1:
        raise Refused("encrypted", f"“{file_name}”设有密码，请去掉密码后再上传。")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Refused("leads_outside", f"“{file_name}”里的“{name[:80]}”是链接而不是文件，没有读取。请重新打包后再上传。")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _unreadable(file_name, "它的压缩方式不常见，请用“标准”方式重新压缩。")
    if entry.file_size > WORTH_A_LOOK and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        raise Refused("too_large", f"“{file_name}”里的“{name[:80]}”展开后是压缩前的 {entry.file_size // max(entry.compress_size, 1)} 倍，"
                                   "不像正常的文件，没有读取。")


def _name(entry: zipfile.ZipInfo) -> str:
    """Some Windows programs write ``\\`` between folders; ``zipfile`` leaves it as it is on other systems."""
    return entry.filename.replace("\\", "/")


def _unreadable(file_name: str, why: str) -> Refused:
    return Refused("unreadable", f"“{file_name}”打不开：{why or '文件可能已损坏、没有传完整，或不是它的扩展名所说的格式。'}"
                                 "请确认能在本机打开，重新保存或打包后再上传。")


def _where(error: Exception) -> str:
    line = getattr(error, "lineno", None)
    if "huge" in str(error) or "too long" in str(error):
        return "其中一段内容超过 10 MB（多半是内嵌的音视频或大图片），请去掉后重新导出。"
    return f"第 {line} 行有错误。" if line else "里面没有可读的内容。"
