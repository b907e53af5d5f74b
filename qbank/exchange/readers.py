"""The one door in: which format a file has, by what is in it, and the reader for it."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PurePath
from typing import BinaryIO, cast

from qbank.exchange.drafts import Drafts
from qbank.exchange.mapping import COLUMNS, column_of
from qbank.exchange.tabular import check_archive, csv_lines, decoded
from qbank.kernel.refused import Refused

MOST_CONTENT = 100 * 1024 * 1024
Reader = Callable[[bytes, str], Drafts]


@dataclass(frozen=True)
class Format:
    """A format that the exchange knows. ``reads`` and ``writes`` name ``module:function``; empty: it does not."""

    name: str
    chinese: str
    extension: str  # of what is written
    about: str
    reads: str = ""
    writes: str = ""
    keeps: str = ""  # what a written file is good for

    @property
    def readable(self) -> bool:
        return _exists(self.reads)

    @property
    def writable(self) -> bool:
        return _exists(self.writes)


ROOM = "qbank.exchange."
FORMATS: Mapping[str, Format] = {one.name: one for one in (
    Format("excel", "Excel 表格", ".xlsx", "本系统的模板，或其他列名的表格（导入时指定各列）；.xlsx、.xls",
           ROOM + "tabular:read_excel", ROOM + "tabular:write_excel",
           "在 Excel、WPS 里修改，改完可以再导入；不含图片"),
    Format("csv", "CSV 表格", ".csv", "UTF-8 或 GBK 编码，用逗号、分号或制表符分列", ROOM + "tabular:read_csv", ROOM + "tabular:write_csv",
           "UTF-8 文本表格，供其他软件读取；不含图片"),
    Format("word", "Word 试卷", ".docx", "按平常出卷的写法：题号、A. B. C. D.、答案写在题后或卷末；.docx",
           ROOM + "word:read", ROOM + "word_out:write", "像试卷一样的文档，图片、公式、表格都在；可以再导入"),
    Format("text", "纯文本", ".txt", "与 Word 试卷同样的写法，也可以直接粘贴", ROOM + "typed:read"),
    Format("moodle", "Moodle XML", ".xml", "Moodle 题库导出的 XML", ROOM + "moodle:read", ROOM + "moodle_out:write",
           "导入 Moodle 的题库，图片在内"),
    Format("gift", "GIFT", ".txt", "Moodle 的 GIFT 文本格式", ROOM + "gift:read", ROOM + "gift_out:write", "Moodle 等平台的文本格式；不含图片"),
    Format("aiken", "Aiken", ".txt", "Aiken 文本格式，只有单选题", ROOM + "aiken:read"),
    Format("qti21", "QTI 2.1", ".zip", "IMS QTI 2.1 试题包或单个 XML", ROOM + "qti:read", ROOM + "qti_out:write_qti21", "国际标准试题包，供其他考试平台导入"),
    Format("qti22", "QTI 2.2", ".zip", "IMS QTI 2.2 试题包或单个 XML", ROOM + "qti:read", ROOM + "qti_out:write_qti22", "国际标准试题包，通用的版本"),
    Format("qti30", "QTI 3.0", ".zip", "1EdTech QTI 3.0 试题包或单个 XML", ROOM + "qti:read", ROOM + "qti_out:write_qti30", "国际标准试题包，最新版本"),
    Format("package", "考评通题库包", ".examroom.zip", "本系统自己的完整格式：图片、评分标准、共用题干都在，原样导回",
           ROOM + "package:read", ROOM + "package:write", "内容完整，一处不少；用于备份，或转给另一套本系统"),
)}


def read(source: str | os.PathLike[str] | BinaryIO, format: str | None = None) -> Drafts:
    """The items of a file (a path) or of a stream opened for bytes, with all that was read about them.

    ``format``: a name of :data:`FORMATS`; None: by what is in the file. Raises Refused, with a sentence, for a file that
    cannot be read as a whole; what is wrong with single items stands in ``Found.problems`` and is found by
    ``qbank.items.draft.problems``.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        name, size = path.name, path.stat().st_size
        _check_size(size, name)
        content = path.read_bytes()
    else:
        name = PurePath(str(getattr(source, "name", "") or "文件")).name
        content = source.read(MOST_CONTENT + 1)
    return read_content(content, name, format)


def read_content(content: bytes, name: str, format: str | None = None) -> Drafts:
    """As :func:`read`, for what is in memory already."""
    _check_size(len(content), name)
    reader = cast(Reader, loaded(known(format or sniff(content, name)).reads))
    return reader(content, name)


def known(name: str) -> Format:
    """The format of this name. Refuses one that nobody knows or reads."""
    if name not in FORMATS:
        raise Refused("unknown_format", f"没有“{name}”这种格式，可用的有：{'、'.join(FORMATS)}。")
    return FORMATS[name]


def loaded(where: str) -> Callable[..., object]:
    """The function that ``module:function`` names."""
    module, _, name = where.partition(":")
    if not _exists(where):
        raise Refused("unknown_format", "这种格式现在还不能读写，请换一种格式。")
    return cast(Callable[..., object], getattr(import_module(module), name))


def sniff(content: bytes, name: str) -> str:
    """The name of the format, by what is in the file; its extension only decides between plain texts. Refuses the rest."""
    if not content:
        raise Refused("empty_file", f"“{name}”是空文件，请检查后重新上传。")
    if content[:2] == b"PK":
        return _sniff_archive(content, name)
    if content[:4] == b"\xd0\xcf\x11\xe0":
        if "WordDocument".encode("utf-16-le") in content:
            raise Refused("old_word", f"“{name}”是旧的 .doc 文档。请用 Word 或 WPS 打开，另存为 .docx 后再上传。")
        return "excel"
    for signature, kind in ((b"%PDF", "PDF"), (b"\x89PNG", "图片"), (b"\xff\xd8\xff", "图片"), (b"Rar!", "RAR 压缩包"),
                            (b"7z\xbc\xaf", "7z 压缩包"), (b"{\\rtf", "RTF 文档")):
        if content.startswith(signature):
            raise Refused("wrong_file_type", f"“{name}”是{kind}，不能导入试题。可以导入 Excel、CSV、Word（.docx）、文本、Moodle XML、GIFT、"
                                             "Aiken、QTI 和题库包。")
    text = decoded(content, name)
    return _sniff_text(text, name)


def _sniff_archive(content: bytes, name: str) -> str:
    names = check_archive(content, name)
    if any(part.startswith("xl/") for part in names):
        return "excel"
    if any(part.startswith("word/") for part in names):
        return "word"
    if any(part.endswith(".jsonl") for part in names):
        return "package"
    manifest = next((part for part in names if PurePath(part).name == "imsmanifest.xml"), None)
    pages = [part for part in names if part.lower().endswith(".xml")]
    if manifest or pages:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in filter(None, (manifest, *pages[:3])):
                try:
                    with archive.open(part) as stream:
                        head = stream.read(65536)
                except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, ValueError):
                    continue
                if version := _qti_version(head.decode("utf-8", "replace")):
                    return version
        return "qti21" if manifest else "unknown"
    raise Refused("wrong_file_type", f"“{name}”是压缩包或其他文档，里面没有试题。可以导入 .xlsx、.docx、QTI 试题包和题库包；其他文件请先解压。")


def _sniff_text(text: str, name: str) -> str:
    head = text.lstrip()[:65536]
    if head.startswith("<"):
        if re.search(r"<quiz\b", head):
            return "moodle"
        if version := _qti_version(head):
            return version
        raise Refused("wrong_file_type", f"“{name}”是网页或其他 XML 文件，里面没有认得的试题格式。如果它是导出的表格，请用 Excel 或 WPS 打开，"
                                         "另存为 .xlsx 后再上传。")
    if re.search(r"^ANSWER\s*:", head, re.MULTILINE) and re.search(r"^[A-Z][).、．]", head, re.MULTILINE):
        return "aiken"
    if re.search(r"^::.*?::", head, re.MULTILINE) or re.search(r"(?<!\\)\{\s*(?:[=~#]|T(?:RUE)?\b|F(?:ALSE)?\b|\})", head) \
            or head.startswith("$CATEGORY:"):
        return "gift"
    return "csv" if _is_table(text, name) else "text"


def _qti_version(head: str) -> str:
    """By the namespace, or by the name of the root."""
    for word, version in (("imsqtiasi_v3p0", "qti30"), ("<qti-assessment-item", "qti30"), ("imsqti_v2p2", "qti22"),
                          ("imsqti_item_v2p2", "qti22"), ("imsqti_v2p1", "qti21"), ("imsqti_item_v2p1", "qti21"),
                          ("imsqti_v2p0", "qti21"), ("imsqti_xmlv1p", "qti21"), ("<assessmentItem", "qti21"),
                          ("imsqti_test_v2p", "qti21")):
        if word in head:
            return version
    return ""


def _is_table(text: str, name: str) -> bool:
    """A csv file has titles that we know in one of its first lines; one that calls itself .csv is believed."""
    try:
        lines = csv_lines(text[:200_000], name)
    except Refused:
        return PurePath(name).suffix.lower() in {".csv", ".tsv"}
    if PurePath(name).suffix.lower() in {".csv", ".tsv"}:
        return True
    return any(len({column_of(cell) for cell in line} & set(COLUMNS)) >= 3 for line in lines[:10])


def _check_size(size: int, name: str) -> None:
    if size > MOST_CONTENT:
        raise Refused("too_large", f"“{name}”超过 {MOST_CONTENT // 1024 // 1024} MB，没有读取。请拆成几个文件。")


def _exists(where: str) -> bool:
    return bool(where) and find_spec(where.partition(":")[0]) is not None
