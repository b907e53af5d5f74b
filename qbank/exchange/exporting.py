"""Items of a bank into a file: which ones, in which format, and what the format could not carry."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload
from werkzeug.datastructures import MultiDict

from qbank.exchange.drafts import Drafts, Found, Loss, LossReport
from qbank.exchange.models import ExportFile
from qbank.exchange.readers import known
from qbank.exchange.writers import write
from qbank.items.bank import banks_for, draft_of, label
from qbank.items.filters import Filters
from qbank.items.listing import versions
from qbank.items.models import BANK_ROLES, Item, ItemVersion
from qbank.items.pictures import contents_of
from qbank.items.review import hidden_keys
from qbank.items.states import ItemState
from qbank.kernel.access import Viewer
from qbank.kernel.jobs import Work
from qbank.kernel.refused import Refused
from qbank.kernel.times import local
from qbank.standards.models import LEVEL_NAMES, WeightTable

KEPT_FOR = timedelta(days=1)
AT_ONCE = 500


@dataclass(frozen=True)
class Wish:
    """What somebody wants: items of one bank, by the filters of the list, in a format."""

    institution_id: int
    table_id: int
    filters: dict[str, str]
    format: str


def ask(session: Session, form: MultiDict[str, str], who: Viewer) -> Wish:
    """Read and check what was asked for."""
    banks = {f"{school.id}-{table.id}": (school.id, table.id) for school, table in banks_for(session, who, *BANK_ROLES)}
    if form.get("bank", "") not in banks:
        raise Refused("no_bank", "请选择要导出哪一个题库（职业、等级）。")
    school_id, table_id = banks[form["bank"]]
    if not known(form.get("format", "")).writable:
        raise Refused("no_format", "请选择导出的格式。")
    wish = Wish(school_id, table_id, Filters.read(form).arguments(), form["format"])
    if not count(session, wish, who):
        raise Refused("nothing_to_export", "没有符合条件的试题，请放宽条件。")
    return wish


def count(session: Session, wish: Wish, who: Viewer) -> int:
    """How many versions the wish is about."""
    query = _query(wish, who).order_by(None).with_only_columns(ItemVersion.id)
    return session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0


def gather(session: Session, wish: Wish, who: Viewer) -> Iterator[ItemVersion]:
    """The versions, some hundred at a time."""
    keys = list(session.scalars(_query(wish, who).with_only_columns(ItemVersion.id)))
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start:start + AT_ONCE]
        found = {version.id: version for version in session.scalars(
            sa.select(ItemVersion).where(ItemVersion.id.in_(part))
            .options(selectinload(ItemVersion.options), selectinload(ItemVersion.stimulus), selectinload(ItemVersion.point)))}
        yield from (found[key] for key in part if key in found)


def drafts_of(session: Session, institution_id: int, found: Sequence[ItemVersion], format: str) -> Drafts:
    """Versions as a writer takes them, with the pictures that their texts name."""
    items = [Found(draft_of(version), label(version), version.item_id) for version in found]
    texts = [text for one in items for text in (one.draft.stem, one.draft.key, one.draft.explanation, one.draft.guide,
                                                one.draft.stimulus, *one.draft.options) if "](media:" in text]
    return Drafts(tuple(items), format, contents_of(session, institution_id, texts))


def gathered(session: Session, wish: Wish, who: Viewer) -> tuple[Drafts, list[Loss]]:
    """What is wished for as a writer takes it, and what ``who`` must not see yet."""
    found = list(gather(session, wish, who))
    waiting = hidden_keys(session, [version.id for version in found], who)
    hidden = [Loss(label(version), "整题", "您还要先盲答这道题，答案暂不可见，没有导出。") for version in found if version.id in waiting]
    return drafts_of(session, wish.institution_id, [version for version in found if version.id not in waiting], wish.format), hidden


def run(work: Work) -> str:
    """The job: read without a lock, write the file to one row."""
    wish = Wish(**work.arguments["wish"])
    with work.reading() as session:
        total = count(session, wish, work.who)
        work.progress(0, total, "正在读取试题…")
        drafts, hidden = gathered(session, wish, work.who)
        table = session.get_one(WeightTable, wish.table_id)
        name = (f"{table.standard.occupation.name}{LEVEL_NAMES[table.level].split('/')[0]}_{local(work.now()):%Y%m%d}_"
                f"{len(drafts.items)}题{known(wish.format).extension}")
    work.progress(total // 2, total, "正在写文件…")
    stream = io.BytesIO()
    report = write(drafts, stream, wish.format)
    report = dataclasses.replace(report, losses=(*hidden, *report.losses))
    with work.transaction() as session:
        row = keep(session, wish, name, _with_report(stream, name, report), report, work.who, now=work.now())
        return f"/exchange/exports/{row.id}"


def keep(session: Session, wish: Wish, name: str, content: bytes, report: LossReport, who: Viewer, *, now: datetime,
         content_too: bool = True) -> ExportFile:
    """Remember who took what, and for a day the file itself."""
    row = ExportFile(account_id=who.account_id, institution_id=wish.institution_id, table_id=wish.table_id,
                     format=wish.format, file_name=name[:200], written=report.written, made_at=now, content=content if content_too else None,
                     losses=[[loss.place, loss.field, loss.sentence] for loss in report.losses])
    session.add(row)
    session.flush()
    return row


def report_text(file: ExportFile) -> str:
    """The loss report as a text file."""
    lines = [f"{file.file_name}：{file.written} 道题，导出为 {known(file.format).chinese}", ""]
    lines += [f"{place}　{field}：{sentence}" for place, field, sentence in file.losses] or ["没有内容损失。"]
    return "\r\n".join(lines) + "\r\n"


def forget(session: Session, now: datetime) -> None:
    """The content of old files goes; who took what stays on record."""
    for row in session.scalars(sa.select(ExportFile).where(ExportFile.content.is_not(None),
                                                           ExportFile.made_at < now - KEPT_FOR)):
        row.content = None


def _query(wish: Wish, who: Viewer) -> sa.Select[ItemVersion]:
    filters = Filters.read({**wish.filters, "table": str(wish.table_id)})
    query = versions(who, filters).where(Item.institution_id == wish.institution_id)
    return query if filters.state else query.where(ItemVersion.state != ItemState.RETIRED)


def _with_report(stream: io.BytesIO, name: str, report: LossReport) -> bytes:
    """A package takes the list of what it lost along; our own loses nothing and is checked by its hashes."""
    if report.losses and name.endswith(".zip") and report.format != "package":
        lines = [f"{loss.place}　{loss.field}：{loss.sentence}" for loss in report.losses]
        with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("export-losses.txt", "\r\n".join(lines) + "\r\n")
    return stream.getvalue()
