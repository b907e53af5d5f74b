"""The words of a PDF, as a program of its own: a stranger's file may keep the reader busy for ever, or ask for all memory.

    python -m scoring.review.pdf_words FILE

It prints what it found, or dies; ``reading`` starts it and does not wait long.
"""

from __future__ import annotations

import sys

from pypdf import PdfReader

MOST_PAGES = 400
MOST_CHARACTERS = 400_000
MOST_MEMORY = 2**31


def of_pdf(path: str) -> str:
    reader = PdfReader(path, strict=False)
    pages, length = [], 0
    for page in reader.pages[:MOST_PAGES]:
        pages.append(page.extract_text())
        length += len(pages[-1])
        if length > MOST_CHARACTERS:
            break
    return "\n".join(pages)[:MOST_CHARACTERS]


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time alone is bounded
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


if __name__ == "__main__":
    _bound_memory()
    sys.stdout.buffer.write(of_pdf(sys.argv[1]).encode("utf-8", "replace"))
