"""Printing off the request: booklets, answer sheets, keys, personal copies; encrypted as soon as they are made."""

from __future__ import annotations

import hashlib
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items import pictures
from qbank.kernel import attachments
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.export import Table, workbook
from qbank.kernel.jobs import Work, kind
from qbank.kernel.keyring import KEY_BYTES, open_bytes, seal_bytes
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.papers import embargo, looks, packs, printed
from qbank.papers.booklet import sections_of, texts_of
from qbank.papers.contents import items_of, policy_of
from qbank.papers.copies import Placed, arrange
from qbank.papers.models import Paper
from qbank.papers.printed import Sheet
from qbank.papers.sealed import PaperPrint

MOST_COPIES = 1000
AT_ONCE = 10  # copies of one PDF: fewer repeat the fonts, and typst keeps what it set last, 5 MB a copy of ten PDFs
FORMERLY = "prints"  # the folder, beside the database, of prints made before the store took them: <name>.bin
TITLES = {"paper": "试卷与答题卡", "key": "标准答案与评分标准", "copies": "个人卷"}
SIGNS = {"T": "√", "F": "×"}


@kind("papers.print", "打印试卷")
def make(work: Work) -> str:
    """Arguments: paper, what (a key of TITLES), copies, items, options. Leads to the prints of the paper."""
    asked, now = work.arguments, work.now()
    with work.reading() as session:
        paper = session.get_one(Paper, int(asked["paper"]))
        looks.require(session, paper, work.who)
        if asked["what"] == "key":
            embargo.require(session, [paper.id], now=now)
        sheet = sheet_of(session, paper, work.who, now)
        tables = [one.options for one in prints_of(session, paper) if one.options.get("seed")] if asked["what"] == "key" else []
        opened = sheet.head, sheet.notes  # everything is loaded: nothing below needs the session
    seed = secrets.token_hex(16) if asked["what"] == "copies" else ""
    options = {"what": asked["what"], "copies": int(asked.get("copies", 0)), "items": bool(asked.get("items")),
               "options": bool(asked.get("options")), "seed": seed}
    files = list(_files(sheet, options, tables, now, work.progress))
    content, pages = _zipped(files), sum(count_pages(content) for name, content in files if name.endswith(".pdf"))
    with work.transaction() as session:
        keep(session, session.get_one(Paper, paper.id), work.who, f"{opened[0]['title']} {TITLES[options['what']]}", content, options,
             pages, now=work.now())
    return f"/papers/{paper.id}/prints"


def sheet_of(session: Session, paper: Paper, who: Viewer, now: datetime) -> Sheet:
    """The paper with its pictures, marked with the name of who prints it."""
    items = items_of(paper)
    held = pictures.held(session, paper.institution_id, [text for item in items for text in texts_of(item.version)])
    return Sheet(paper, session.get_one(Institution, paper.institution_id).name, sections_of(items, policy_of(session, paper)), held,
                 f"{who.name}　{spoken(now)} 打印")


def _files(sheet: Sheet, options: dict[str, Any], tables: Sequence[dict[str, Any]], now: datetime,
           progress: Callable[[int, int, str], None]) -> Iterator[tuple[str, bytes]]:
    form = f"{sheet.paper.form}卷"
    if options["what"] == "key":
        yield f"{form}_标准答案与评分标准.pdf", printed.key_sheet(sheet, made_at=now)
        for number, held in enumerate(tables, start=1):
            yield f"{form}_个人卷答案对照表_{number}.xlsx", key_table(sheet, held, now)
        return
    yield f"{form}_答题卡.pdf", printed.answer_sheet(sheet, made_at=now)
    if options["what"] == "paper":
        yield f"{form}_试卷.pdf", printed.booklet(sheet, {"": printed.in_order(sheet.sections)}, made_at=now)
        return
    total = options["copies"]
    for start in range(1, total + 1, AT_ONCE):
        progress(start - 1, total, f"正在排版个人卷，第 {start} 份，共 {total} 份…")
        numbers = range(start, min(start + AT_ONCE, total + 1))
        made = {f"{number:04d}": placed(sheet, options, number) for number in numbers}
        yield f"{form}_个人卷_{numbers[0]:04d}-{numbers[-1]:04d}.pdf", printed.booklet(sheet, made, made_at=now)
    progress(total, total, "正在加密保存…")


def placed(sheet: Sheet, options: dict[str, Any], number: int) -> list[Placed]:
    """The items of one copy, from the seed that the print keeps."""
    return arrange(printed.masters(sheet.sections), options["seed"], number, items_too=options["items"], options_too=options["options"])


def key_table(sheet: Sheet, options: dict[str, Any], now: datetime) -> bytes:
    """Excel: the key of each copy in its own letters, and which item of the paper stands where."""
    copies = [placed(sheet, options, number) for number in range(1, options["copies"] + 1)]
    heads = [str(one.number) for one in copies[0]] if copies else []
    columns = [("卷号", 8), *((head, 5) for head in heads)]
    note = [f"种子 {options['seed']}：凭种子和试卷可以重新生成每份个人卷及其答案。", "判断题 √ 为正确，× 为错误；文字作答的题不列答案，见评分标准。"]
    return workbook([
        Table("答案", columns, [[f"{number:04d}", *(SIGNS.get(one.key, one.key) for one in copy)] for number, copy in enumerate(copies, 1)],
              f"个人卷答案对照表 {sheet.paper.name}", note),
        Table("题序", columns, [[f"{number:04d}", *(one.master for one in copy)] for number, copy in enumerate(copies, 1)],
              f"个人卷题序（母卷题号） {sheet.paper.name}", note[:1])], made_at=now)


def keep(session: Session, paper: Paper, who: Viewer, title: str, content: bytes, options: dict[str, Any], pages: int, *,
         now: datetime) -> PaperPrint:
    """Encrypt under a key of its own and put it into the store; the row says whose it is."""
    key = secrets.token_bytes(KEY_BYTES)
    about = _about(paper)
    name, wrapped = packs.keyring_of(session).wrap(key, about)
    row = PaperPrint(paper_id=paper.id, account_id=who.account_id, title=title[:200], options=options, digest=hashlib.sha256(content).hexdigest(),
                     pages=pages, file_name=attachments.put(session, seal_bytes(key, content, about)), wrapped_key=wrapped, key_name=name,
                     made_at=now)
    session.add(row)
    looks.record(session, paper, who, "copies" if options["what"] == "copies" else "printed", now=now, detail=title)
    session.flush()
    return row


def take(session: Session, row: PaperPrint, who: Viewer, folder: Path, *, now: datetime) -> bytes:
    """What was printed, for somebody who may look at the paper; the look is recorded."""
    looks.require(session, row.paper, who)
    if row.options["what"] == "key":
        embargo.require(session, [row.paper_id], now=now)
    place = folder / FORMERLY / row.file_name if row.file_name.endswith(".bin") else attachments.store_of(session).find(row.file_name)
    if place is None or not place.is_file():
        raise Refused("print_gone", "这次打印的文件已不在，请重新打印。")
    sealed = place.read_bytes()
    about = _about(row.paper)
    content = open_bytes(packs.keyring_of(session).unwrap(row.key_name, row.wrapped_key, about), sealed, about)
    looks.record(session, row.paper, who, "taken", now=now, detail=row.title)
    return content


def prints_of(session: Session, paper: Paper) -> list[PaperPrint]:
    return list(session.scalars(sa.select(PaperPrint).where(PaperPrint.paper_id == paper.id).order_by(PaperPrint.id.desc())
                                .options(sa.orm.joinedload(PaperPrint.account))))


def _zipped(files: Sequence[tuple[str, bytes]]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as box:  # PDFs are compressed already
        for name, content in files:
            box.writestr(name, content)
    return stream.getvalue()


def count_pages(pdf: bytes) -> int:
    """Pages of a PDF that typst made: each has an object of its own in clear."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def _about(paper: Paper) -> bytes:
    return packs.about(paper.id, "print")


attachments.NAMED.append(lambda session: session.scalars(sa.select(PaperPrint.file_name).where(PaperPrint.file_name.not_like("%.bin"))))
