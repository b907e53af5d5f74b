"""The words of a handed-in paper: PDF or Word, from strangers, so within bounds and never trusted to be well made."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

from docx import Document
from pypdf import PdfReader

from qbank.kernel.attachments import DOCX

LOG = logging.getLogger(__name__)
MOST_PAGES = 400
MOST_CHARACTERS = 400_000
MOST_UNPACKED = 200 * 2**20  # bytes of a Word document's parts together
LITTLE = 100  # fewer characters than a paragraph: probably pictures of a page


def words(path: Path, media_type: str) -> tuple[str, str]:
    """The text, and what is to be said of it (empty: nothing). Unreadable files give no text, never an error."""
    try:
        text = _of_word(path) if media_type == DOCX else _of_pdf(path)
    except Exception as error:  # a parser of strangers' files may fail in any way; a person then reads the file instead
        LOG.warning("a handed-in paper could not be read: %s", error)
        return "", "文件中的文字无法提取（文件可能已加密或损坏），请人工核对。"
    text = text.replace("\x00", "")[:MOST_CHARACTERS]
    if len("".join(text.split())) < LITTLE:
        return text, "文件中几乎没有可提取的文字（可能是扫描件或图片），请人工核对。"
    return text, ""


def _of_pdf(path: Path) -> str:
    reader = PdfReader(path, strict=False)
    pages, length = [], 0
    for page in reader.pages[:MOST_PAGES]:
        pages.append(page.extract_text())
        length += len(pages[-1])
        if length > MOST_CHARACTERS:
            break
    return "\n".join(pages)


def _of_word(path: Path) -> str:
    with zipfile.ZipFile(path) as package:
        if sum(part.file_size for part in package.infolist()) > MOST_UNPACKED:
            raise ValueError("unpacked size over the limit")
    document = Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
