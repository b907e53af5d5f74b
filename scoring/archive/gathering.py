"""What goes into a pack: every row that a plan left behind, the files those rows name, its papers, and the trail.

Rows are taken table by table and column by column (``scoring.archive.reach``), streamed, so that neither a new table nor
a large batch asks for a change here. Secret columns stay out (identity numbers appear masked only), except where the pack
would prove nothing without them.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import CandidatePhoto, ExamPlan
from qbank.items.models import Picture
from qbank.kernel import audit, linking
from qbank.kernel.accounts import Account
from qbank.kernel.attachments import EXTENSIONS, Attachment, path_of
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Base, table_of
from qbank.kernel.refused import Refused
from qbank.papers.contents import content_of
from qbank.papers.fingerprint import canonical, fingerprint
from qbank.papers.models import Paper, PaperState
from qbank.papers.sealed import SealedPack
from scoring.archive import reach
from scoring.archive.packing import PackWriter, chunks, line

PROVES = {("panel_marks", "points"), ("panel_marks", "opinion"),  # sealed only while the review goes on
          ("sheets", "layout"),  # secret until the exam is over; without it no answer can be read back to its screen
          ("answer_files", "events"),  # the candidate's answers, as they came in
          ("papers", "seed"), ("papers", "compliance"), ("paper_families", "seed"), ("paper_families", "report")}  # as a paper is made
AT_ONCE = 1000  # rows held at a time
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/svg+xml": ".svg"}


@dataclass
class Taken:
    """What has been written so far: the keys of audited rows by table, and who and which files they name."""

    keys: dict[str, set[str]] = field(default_factory=dict)
    accounts: set[int] = field(default_factory=set)
    attachments: set[int] = field(default_factory=set)
    rows: int = 0


def write_rows(session: Session, plan: ExamPlan, pack: PackWriter, table: sa.Table, taken: Taken) -> None:
    """One table of the plan as ``rows/TABLE.jsonl``; an empty one is written too: that there was nothing is evidence."""
    pack.add(f"rows/{table.name}.jsonl", _rows(session, plan, table, taken))


def _rows(session: Session, plan: ExamPlan, table: sa.Table, taken: Taken) -> Iterator[bytes]:
    columns = [column for column in table.columns if not column.info.get("secret") or (table.name, column.name) in PROVES]
    keys = list(table.primary_key.columns)
    refers = [(column.name, held) for column in table.columns for key in column.foreign_keys
              if (held := {"accounts": taken.accounts, "attachments": taken.attachments}.get(key.column.table.name)) is not None]
    audited = None if table.name in UNAUDITED else taken.keys.setdefault(table.name, set())
    found = session.execute(sa.select(*columns, *(key.label(f"key_{key.name}") for key in keys)).where(reach.within(table, plan.id))
                            .order_by(*keys), execution_options={"yield_per": AT_ONCE})
    for row in found.mappings():
        for name, held in refers:
            if row[name] is not None:
                held.add(row[name])
        if audited is not None:
            audited.add(",".join(str(row[f"key_{key.name}"]) for key in keys))
        taken.rows += 1
        yield line({column.name: plain(row[column.name]) for column in columns})


UNAUDITED = {mapper.local_table.name for mapper in Base.registry.mappers if mapper.class_.__unaudited__
             if isinstance(mapper.local_table, sa.Table)}


def plain(value: Any) -> Any:
    """A value as JSON holds it; moments with microseconds in UTC, as the chains cover them."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return value


def write_people(session: Session, pack: PackWriter, taken: Taken) -> None:
    """Who the rows name: account, login, name, masked identity number."""
    found = session.scalars(sa.select(Account).where(Account.id.in_(taken.accounts)).order_by(Account.id))
    pack.add("people.jsonl", [line({"id": one.id, "login": one.login, "name": one.name, "identity": one.identity_masked}) for one in found])


# The trail

def write_trail(session: Session, pack: PackWriter, taken: Taken) -> tuple[str, str]:
    """``audit.jsonl``: the trail from the first entry about the plan on to its head. Returns where it begins and the head.

    What is not about these rows stands as its hash only: enough to recompute the chain, and it tells nothing."""
    first = session.execute(sa.select(AuditEntry.id, AuditEntry.previous).where(
        AuditEntry.table_name == ExamPlan.__tablename__, AuditEntry.row_key.in_(taken.keys[ExamPlan.__tablename__]))
        .order_by(AuditEntry.id).limit(1)).first()
    head = audit.head(session)
    if first is None:  # the plan was written by a release without a trail
        pack.add("audit.jsonl", b"")
        return head, head
    pack.add("audit.jsonl", _entries(session, first.id, taken))
    return str(first.previous), head


def _entries(session: Session, first: int, taken: Taken) -> Iterator[bytes]:
    entries = table_of(AuditEntry)
    found = session.execute(sa.select(entries).where(entries.c.id >= first).order_by(entries.c.id),
                            execution_options={"yield_per": AT_ONCE})
    for row in found.mappings():
        entry = {name: row[name] for name in linking.FIELDS} | {"at": row["at"].isoformat()}
        if row["row_key"] in taken.keys.get(row["table_name"], ()):
            yield line(entry | {"id": row["id"], "digest": row["digest"]})
        elif linking.link(row["previous"], folded := linking.folded(entry)) == row["digest"]:
            yield line({"id": row["id"], "folded": folded})
        else:  # of an earlier release
            yield line({"id": row["id"], "digest": row["digest"]})


# Files

def write_papers(session: Session, plan: ExamPlan, pack: PackWriter) -> list[Paper]:
    """An opened paper as it was sealed, keys and all; one that nobody opened stays shut: encrypted, with its fingerprint."""
    table = table_of(Paper)
    found = list(session.scalars(sa.select(Paper).where(reach.within(table, plan.id)).order_by(Paper.id)))
    for paper in found:
        name = f"papers/{paper.name.replace('/', '／')}-{paper.id}"
        if not paper.is_shut:
            pack.add(f"{name}.json", sealed_text(paper).encode())
        elif (sealed := session.scalar(sa.select(SealedPack.content).where(SealedPack.paper_id == paper.id))) is not None:
            pack.add(f"{name}.sealed", sealed)
    return [paper for paper in found if not paper.is_shut]


def sealed_text(paper: Paper) -> str:
    """The canonical form of a sealed paper. Refuses one that no longer has its fingerprint."""
    content = content_of(paper)
    if paper.state is PaperState.SEALED and fingerprint(content) != paper.fingerprint:
        raise Refused("paper_changed", f"试卷“{paper.name}”的内容与封存时的指纹不一致，可能被改动过，不能归档。请立即报告系统管理员。")
    return canonical(content)


def write_files(session: Session, plan: ExamPlan, pack: PackWriter, taken: Taken) -> None:
    """The bytes: uploads under their hash, photos of candidates, pictures of the papers, files of incidents."""
    seen: set[str] = set()
    rows: list[Attachment] = list(session.scalars(sa.select(Attachment).where(Attachment.id.in_(taken.attachments)).order_by(Attachment.id)))
    pack.add("rows/attachments.jsonl", [line({column.name: plain(getattr(one, column.name)) for column in table_of(Attachment).columns})
                                        for one in rows])
    for one in rows:
        if one.sha256 not in seen:
            seen.add(one.sha256)
            with path_of(session, one).open("rb") as stream:
                pack.add(f"files/{one.sha256}{EXTENSIONS[one.media_type]}", chunks(stream))
    for folder, model in (("photos", CandidatePhoto), ("pictures", Picture)):
        _contents(session, plan, pack, folder, table_of(model))
    _contents(session, plan, pack, "incidents", Base.metadata.tables["incident_files"])


def _contents(session: Session, plan: ExamPlan, pack: PackWriter, folder: str, table: sa.Table) -> None:
    seen: set[str] = set()
    keys = session.execute(sa.select(table.c.id, table.c.sha256, table.c.media_type).where(reach.within(table, plan.id)).order_by(table.c.id)).all()
    for key, sha256, media_type in keys:
        if sha256 not in seen:
            seen.add(sha256)
            content = session.scalar(sa.select(table.c.content).where(table.c.id == key))
            pack.add(f"{folder}/{sha256}{SUFFIXES.get(media_type) or EXTENSIONS.get(media_type, '.bin')}", content or b"")
