"""The inside of a .docx: which part is what, relationships, pictures, list numbers as the reader sees them."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict

from lxml import etree

from qbank.exchange.archives import Archive, macros_in, open_archive, parse_xml
from qbank.kernel.refused import Refused

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
# Word's "Strict Open XML" names the same things otherwise.
STRICT = tuple((f"http://purl.oclc.org/ooxml/{strict}".encode(), f"http://schemas.openxmlformats.org/{usual}".encode()) for strict, usual in (
    ("wordprocessingml/main", "wordprocessingml/2006/main"), ("officeDocument/relationships", "officeDocument/2006/relationships"),
    ("officeDocument/math", "officeDocument/2006/math"), ("drawingml/main", "drawingml/2006/main"),
    ("drawingml/wordprocessingDrawing", "drawingml/2006/wordprocessingDrawing"), ("drawingml/picture", "drawingml/2006/picture"),
    ("drawingml/chart", "drawingml/2006/chart"), ("drawingml/diagram", "drawingml/2006/diagram")))
OLD_BINARY = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CHINESE_DIGITS = "〇一二三四五六七八九"
MOST_LEVELS = 9


def w(name: str) -> str:
    return f"{{{W}}}{name}"


class Package:
    """An opened document. Refuses with a sentence what is no .docx or not safe to read."""

    def __init__(self, content: bytes, name: str) -> None:
        self.name = name
        _check_kind(content, name)
        self.archive: Archive = open_archive(content, name)
        if macros_in(self.archive) or b"macroEnabled" in self.archive.get("[Content_Types].xml", b""):
            raise Refused("macros", f"“{name}”带有宏，没有读取。请在 Word 或 WPS 中另存为“Word 文档（.docx）”后再上传。")
        self.main = self._main()
        self.document = self.xml(self.main)
        self.targets = self._targets(self.main)

    def xml(self, part: str) -> etree._Element:
        content = self.archive[part]
        if b"purl.oclc.org/ooxml" in content:
            for strict, usual in STRICT:
                content = content.replace(strict, usual)
        return parse_xml(content, self.name)

    def optional(self, ending: str) -> etree._Element | None:
        """The part that the document's relationships name by the end of their type."""
        part = next((target for kind, target in self.targets.values() if kind.endswith(ending) and target in self.archive), None)
        return self.xml(part) if part else None

    def parts(self, ending: str) -> list[etree._Element]:
        names = dict.fromkeys(target for kind, target in self.targets.values() if kind.endswith(ending) and target in self.archive)
        return [self.xml(name) for name in names]

    def linked(self, relation: str) -> bytes | None:
        """What a relationship of the document leads to; None: nothing, or something outside of the file."""
        target = self.targets.get(relation, ("", ""))[1]
        return self.archive.get(target)

    def _main(self) -> str:
        if "_rels/.rels" in self.archive:
            for one in self.xml("_rels/.rels"):
                if one.get("Type", "").endswith("/officeDocument"):
                    part = (one.get("Target") or "").lstrip("/")
                    if part in self.archive and part.endswith(".xml") and not part.startswith(("xl/", "ppt/")):
                        return part
        if "word/document.xml" in self.archive:
            return "word/document.xml"
        raise Refused("wrong_file_type", f"“{self.name}”是压缩包或其他文档，不是 Word 文档。请在 Word 或 WPS 中另存为 .docx 后再上传。")

    def _targets(self, part: str) -> dict[str, tuple[str, str]]:
        folder, file = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{file}.rels")
        if relations not in self.archive:
            return {}
        made = {}
        for one in self.xml(relations):
            target = one.get("Target") or ""
            outside = one.get("TargetMode") == "External"
            path = "" if outside else target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            made[one.get("Id") or ""] = (one.get("Type") or "", path)
        return made


class Numbering:
    """Counts the automatic numbers of a document in its order, as Word shows them."""

    def __init__(self, package: Package) -> None:
        self._levels: dict[str, dict[int, etree._Element]] = {}
        self._nums: dict[str, tuple[str, dict[int, etree._Element], dict[int, int]]] = {}
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)
        self._restarted: set[str] = set()
        self._styles: dict[str, etree._Element] = {}
        styles = package.optional("/styles")
        for style in styles.iter(w("style")) if styles is not None else ():
            self._styles[style.get(w("styleId")) or ""] = style
        numbering = package.optional("/numbering")
        if numbering is not None:
            self._read(numbering)

    def label(self, properties: etree._Element | None) -> str:
        """What stands before a paragraph with these properties: "3.", "A.", "（二）"; empty for none and for bullets."""
        number, level = self._reference(properties)
        if number not in self._nums:
            return ""
        abstract, overrides, starts = self._nums[number]
        levels = self._levels.get(abstract, {})
        definition = overrides.get(level) if overrides.get(level) is not None else levels.get(level)
        if definition is None or level >= MOST_LEVELS:
            return ""
        counts = self._counts[abstract]
        if starts and number not in self._restarted:
            self._restarted.add(number)
            for at, start in starts.items():
                counts[at] = start - 1
        counts[level] = counts.get(level, _start(definition) - 1) + 1
        for deeper in [at for at in counts if at > level]:
            del counts[deeper]
        return self._written(definition, level, counts, levels)

    def _written(self, definition: etree._Element, level: int, counts: dict[int, int], levels: dict[int, etree._Element]) -> str:
        kind = _value(definition, "numFmt") or "decimal"
        if kind in {"bullet", "none"}:
            return ""
        pattern = _value(definition, "lvlText") or ""
        legal = definition.find(w("isLgl")) is not None

        def number(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            inner = definition if at == level else levels.get(at)
            if inner is None:
                return ""
            count = counts.get(at, _start(inner))
            return str(count) if legal else numeral(count, _value(inner, "numFmt") or "decimal")

        label = re.sub(r"%(\d)", number, pattern)
        return label + ("" if _value(definition, "suff") == "nothing" or not label else " ")

    def _reference(self, properties: etree._Element | None) -> tuple[str, int]:
        """(numId, level) of a paragraph, from itself or from its style and those that this one is based on."""
        if properties is None:
            return "", 0
        own = properties.find(w("numPr"))
        level = _value(own, "ilvl") if own is not None else ""
        if own is not None and (number := _value(own, "numId")):
            return ("", 0) if number == "0" else (number, _integer(level))
        style, seen = _value(properties, "pStyle"), set()
        while style in self._styles and style not in seen:
            seen.add(style)
            inner = self._styles[style].find(f"{w('pPr')}/{w('numPr')}")
            if inner is not None and (number := _value(inner, "numId")):
                return ("", 0) if number == "0" else (number, _integer(level or _value(inner, "ilvl")))
            style = _value(self._styles[style], "basedOn")
        return "", 0

    def _read(self, numbering: etree._Element) -> None:
        links: dict[str, str] = {}
        for abstract in numbering.iter(w("abstractNum")):
            identity = abstract.get(w("abstractNumId")) or ""
            self._levels[identity] = {_integer(level.get(w("ilvl"))): level for level in abstract.iter(w("lvl"))}
            if link := _value(abstract, "styleLink"):
                links[link] = identity
        for abstract in numbering.iter(w("abstractNum")):
            if (link := _value(abstract, "numStyleLink")) in links:
                self._levels[abstract.get(w("abstractNumId")) or ""] = self._levels[links[link]]
        for num in numbering.iter(w("num")):
            overrides, starts = {}, {}
            for one in num.iter(w("lvlOverride")):
                level = _integer(one.get(w("ilvl")))
                if (inner := one.find(w("lvl"))) is not None:
                    overrides[level] = inner
                if start := _value(one, "startOverride"):
                    starts[level] = _integer(start)
            self._nums[num.get(w("numId")) or ""] = (_value(num, "abstractNumId"), overrides, starts)


def numeral(count: int, kind: str) -> str:
    """A number in one of Word's writings."""
    if kind in {"upperLetter", "lowerLetter"}:
        letters = chr(ord("A") + (count - 1) % 26) * ((count - 1) // 26 + 1) if 0 < count < 260 else str(count)
        return letters if kind == "upperLetter" else letters.lower()
    if kind in {"upperRoman", "lowerRoman"}:
        roman = _roman(count)
        return roman if kind == "upperRoman" else roman.lower()
    if "hinese" in kind or "aiwanese" in kind or kind in {"japaneseCounting", "ideographDigital", "japaneseDigitalTenThousand"}:
        return _chinese(count)
    if kind == "decimalEnclosedCircle" and 1 <= count <= 20:
        return chr(0x245F + count)
    if kind == "decimalZero":
        return f"{count:02}"
    if kind == "ideographTraditional" and 1 <= count <= 10:
        return "甲乙丙丁戊己庚辛壬癸"[count - 1]
    return str(count)


def kind_of(content: bytes) -> str:
    """What a picture is, by its first bytes."""
    signs = ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"BM", "bmp"), (b"II*\x00", "tiff"), (b"MM\x00*", "tiff"),
             (b"\xd7\xcd\xc6\x9a", "wmf"), (b"\x01\x00\x09\x00", "wmf"))
    for sign, kind in signs:
        if content.startswith(sign):
            return kind
    if content[40:44] == b" EMF":
        return "emf"
    return "svg" if b"<svg" in content[:2000] else ""


def _check_kind(content: bytes, name: str) -> None:
    kinds = ((b"%PDF", "PDF 文件"), (b"{\\rtf", "RTF 文档"), (b"MIME-Version", "网页格式的文档"), (b"<html", "网页"), (b"<!DOCTYPE", "网页"))
    if content[:8] == OLD_BINARY:
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise Refused("encrypted", f"“{name}”设有打开密码，无法读取。请在 Word 或 WPS 中去掉密码，另存后再上传。")
        raise Refused("old_word", f"“{name}”是旧版 Word（.doc）或 WPS 文档。请用 Word 或 WPS 打开，另存为 .docx 后再上传。")
    for sign, kind in kinds:
        if content.lstrip()[:20].lower().startswith(sign.lower()):
            raise Refused("wrong_file_type", f"“{name}”是{kind}，不是 Word 文档。请在 Word 或 WPS 中打开，另存为 .docx 后再上传。")
    if content[:4] != b"PK\x03\x04":
        raise Refused("wrong_file_type", f"“{name}”不是 Word 文档（.docx）。请在 Word 或 WPS 中打开，另存为 .docx 后再上传。")


def _start(definition: etree._Element) -> int:
    return _integer(_value(definition, "start") or "1")


def _value(element: etree._Element | None, name: str) -> str:
    """The w:val of the child ``name``."""
    part = None if element is None else element.find(w(name))
    return "" if part is None else part.get(w("val")) or ""


def _integer(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text) else 0


def _roman(count: int) -> str:
    made = ""
    for value, sign in ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        while count >= value and len(made) < 20:
            made, count = made + sign, count - value
    return made


def _chinese(count: int) -> str:
    if not 0 < count < 100:
        return str(count)
    tens, ones = divmod(count, 10)
    return ("" if not tens else "十" if tens == 1 else f"{CHINESE_DIGITS[tens]}十") + (CHINESE_DIGITS[ones] if ones else "")
