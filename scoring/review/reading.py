"""The words of a handed-in paper: PDF or Word, from strangers, so within bounds and never trusted to be well made."""

from __future__ import annotations

import logging
import subprocess
import sys
import zipfile
from pathlib import Path

from docx import Document

from qbank.kernel.attachments import DOCX
from scoring.review import pdf_words
from scoring.review.pdf_words import MOST_CHARACTERS

LOG = logging.getLogger(__name__)
HOUSE = Path(__file__).parents[2]
CHILD_SECONDS = 60.0
MOST_UNPACKED = 200 * 2**20  # bytes of a Word document's parts together
LITTLE = 100  # fewer characters than a paragraph: probably pictures of a page


def words(path: Path, media_type: str) -> tuple[str, str]:
    """The text, and what is to be said of it (empty: nothing). Unreadable files give no text, never an error."""
    try:
        text = _of_word(path) if media_type == DOCX else _of_pdf(path)
    except subprocess.TimeoutExpired:
        return "", f"文件太复杂，{CHILD_SECONDS:.0f} 秒内没有读完其中的文字，请人工核对。"
    except Exception as error:  # a parser of strangers' files may fail in any way; a person then reads the file instead
        LOG.warning("a handed-in paper could not be read: %s", error)
        return "", "文件中的文字无法提取（文件可能已加密或损坏），请人工核对。"
    text = text.replace("\x00", "")[:MOST_CHARACTERS]
    if len("".join(text.split())) < LITTLE:
        return text, "文件中几乎没有可提取的文字（可能是扫描件或图片），请人工核对。"
    return text, ""


def _of_pdf(path: Path) -> str:
    done = subprocess.run([sys.executable, "-m", pdf_words.__name__, str(path)], cwd=HOUSE, capture_output=True, timeout=CHILD_SECONDS, check=False)  # noqa: S603  # our own program
    if done.returncode:
        raise ValueError(f"the reader ended with {done.returncode}: {done.stderr[-200:].decode('utf-8', 'replace')}")
    return done.stdout.decode("utf-8")


def _of_word(path: Path) -> str:
    with zipfile.ZipFile(path) as package:
        if sum(part.file_size for part in package.infolist()) > MOST_UNPACKED:
            raise ValueError("unpacked size over the limit")
    document = Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
