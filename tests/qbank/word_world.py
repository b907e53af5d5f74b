"""Word documents for tests: made with python-docx, with the pieces of XML that it has no words for."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from docx import Document
from docx.document import Document as DocumentObject
from docx.oxml import parse_xml
from docx.text.paragraph import Paragraph

NAMES = ('xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
         'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
         'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
         'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
         'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
         'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"')
OHM = ('<m:oMath><m:r><m:t>R=</m:t></m:r><m:f><m:num><m:r><m:t>U</m:t></m:r></m:num><m:den><m:r><m:t>I</m:t></m:r></m:den></m:f></m:oMath>')


def png(shade: int = 0) -> bytes:
    """A real picture, 20 by 10."""
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = zlib.compress((b"\0" + bytes([shade, 90, 160]) * 20) * 10)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 10, 8, 2, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def media(content: bytes, caption: str = "") -> str:
    return f"![{caption}](media:{hashlib.sha256(content).hexdigest()})"


def raw(paragraph: Paragraph, xml: str) -> Paragraph:
    """``xml`` (of the names w, m, v …) behind what the paragraph says."""
    for element in list(parse_xml(f"<w:p {NAMES}>{xml}</w:p>")):
        paragraph._p.append(element)
    return paragraph


def saved(document: DocumentObject) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def paper(*lines: str | Callable[[DocumentObject], object]) -> bytes:
    """A document of paragraphs; a function is called with the document to write something of its own."""
    document = Document()
    for line in lines:
        if isinstance(line, str):
            document.add_paragraph(line)
        else:
            line(document)
    return saved(document)


def numbering(document: DocumentObject, *levels: tuple[str, str]) -> str:
    """A list definition with levels (format, text); its numId. Each call makes a list of its own."""
    part = document.part.numbering_part.element
    identity = str(900 + len(part))
    inner = "".join(f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
                    for at, (kind, text) in enumerate(levels))
    abstract = parse_xml(f'<w:abstractNum {NAMES} w:abstractNumId="{identity}">{inner}</w:abstractNum>')
    part.insert(0, abstract)
    part.append(parse_xml(f'<w:num {NAMES} w:numId="{identity}"><w:abstractNumId w:val="{identity}"/></w:num>'))
    return identity


def listed(document: DocumentObject, text: str, number: str, level: int = 0) -> Paragraph:
    """A paragraph with an automatic number."""
    paragraph = document.add_paragraph(text)
    paragraph._p.get_or_add_pPr().append(parse_xml(
        f'<w:numPr {NAMES}><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'))
    return paragraph


def repacked(content: bytes, **changes: bytes | None) -> bytes:
    """The same archive with entries added or changed; names are given with __ for / and _dot_ for points."""
    stream = io.BytesIO()
    wanted = {name.replace("__", "/").replace("_dot_", "."): new for name, new in changes.items()}
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in old.namelist():
            if entry not in wanted:
                made.writestr(entry, old.read(entry))
        for name, new in wanted.items():
            if new is not None:
                made.writestr(name, new)
    return stream.getvalue()
