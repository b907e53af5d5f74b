"""Files that people hand in as evidence: judged by their content, kept once under its hash, never changed.

The row says what a file is and who brought it; its bytes lie in the store, so that a video does not swell the
database. A row without an owner shows nothing to anybody: the room that asked for a file guards it with its own row.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from flask import Response, send_file
from PIL import Image
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship
from werkzeug.datastructures import FileStorage

from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Base, Id, Line, after_commit
from qbank.kernel.forms import plain_name
from qbank.kernel.refused import Refused
from qbank.kernel.store import Store

LOG = logging.getLogger(__name__)
PDF, PNG, JPEG, MP4 = "application/pdf", "image/png", "image/jpeg", "video/mp4"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
NAMES = {PDF: "PDF", DOCX: "Word 文档（.docx）", PNG: "PNG 图片", JPEG: "JPG 图片", MP4: "MP4 视频"}
EXTENSIONS = {PDF: ".pdf", DOCX: ".docx", PNG: ".png", JPEG: ".jpg", MP4: ".mp4"}
DOCUMENTS = (PDF, PNG, JPEG)
MEGABYTE = 2**20
CHUNK = 2**16
MOST_PIXELS = 100_000_000


class Attachment(Base):
    """One file as it was handed in. Two uploads of the same content share the bytes, not the row."""

    __tablename__ = "attachments"

    id: Mapped[Id]
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    name: Mapped[Line]  # as the person called it; never a path
    media_type: Mapped[str] = mapped_column(sa.String(80))
    size: Mapped[int]  # bytes; 0: they were taken away for good
    uploaded_by: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    uploaded_at: Mapped[datetime]
    uploader: Mapped[Account] = relationship()

    @property
    def told(self) -> str:
        if not self.size:
            return self.name
        size = f"{self.size / MEGABYTE:.1f} MB" if self.size >= MEGABYTE else f"{-(-self.size // 1024)} KB"
        return f"{self.name}（{NAMES[self.media_type]}，{size}）"


def keep(session: Session, upload: FileStorage | None, who: Viewer, *, kinds: Collection[str] = DOCUMENTS,
         most_megabytes: int | Mapping[str, int] = 20, now: datetime) -> Attachment:
    """Take a file in. Refuses by what it is and not by its name: other kinds, too large, empty, unreadable, none.

    ``most_megabytes`` may say another size for each kind.
    """
    most = most_megabytes if isinstance(most_megabytes, Mapping) else dict.fromkeys(kinds, most_megabytes)
    allowed = "、".join(f"{NAMES[kind]} 不超过 {most[kind]} MB" for kind in kinds)
    if upload is None or not upload.filename:
        raise Refused("no_file", f"请选择要上传的文件（{allowed}）。")
    name = plain_name(upload.filename)
    kind = _kind(upload.stream)
    if kind not in kinds:
        raise Refused("wrong_file_type", f"“{name}”不能上传：请上传 {allowed}。只改扩展名不能改变文件的类型。")
    if kind in (PNG, JPEG):
        _check_picture(upload.stream, name)
    sha256, size = _take(store_of(session), upload.stream, name, most[kind] * MEGABYTE)
    made = Attachment(sha256=sha256, name=name, media_type=kind, size=size, uploaded_by=who.account_id, uploaded_at=now)
    session.add(made)
    session.flush()
    return made


def path_of(session: Session, attachment: Attachment) -> Path:
    """The bytes, to be read now. Refuses when they are gone, which a backup without them brings about."""
    if not attachment.size:
        raise Refused("file_erased", "该附件已在保存期满后删除，不能再查看。")
    found = store_of(session).find(attachment.sha256)
    if found is None:
        raise Refused("file_missing", f"附件“{attachment.name}”的文件不在媒体文件夹中，请从备份恢复 media 文件夹。")
    return found


def place_of(session: Session, sha256: str) -> Path:
    """Where content with this hash lies on this machine, or would lie."""
    return store_of(session).place(sha256)


def store_of(session: Session) -> Store:
    """Where the bytes lie."""
    found: Store | None = session.info.get("media")
    if found is None:
        raise RuntimeError("this session was opened without a store")
    return found


def put(session: Session, content: bytes) -> str:
    """Keep content that no attachment is: its hash, which a row that ``NAMED`` knows has to name."""
    return _take(store_of(session), BytesIO(content), "", len(content))[0]


def named(session: Session) -> set[str]:
    """The hashes of all content that rows name: the rest of the store is nobody's."""
    return {sha256 for names in NAMED for sha256 in names(session)}


def missing(session: Session) -> list[str]:
    """The hashes of what rows name and the store has not, although nobody took it away by the rules."""
    taken_away = {sha256 for names in TAKEN_AWAY for sha256 in names(session)}
    return sorted(named(session) - taken_away - store_of(session).held().keys())


def discard(session: Session, hashes: Iterable[str]) -> None:
    """Take bytes away for good once the transaction stands. What cannot be reached now is nobody's from then on and is found as such."""
    store, gone = store_of(session), list(hashes)

    def remove() -> None:
        for sha256 in gone:
            try:
                store.remove(sha256)
            except (OSError, Refused):
                LOG.exception("not taken away: %s; run `examroom media verify --remove-orphans`", sha256)

    after_commit(session, remove)


def intact(session: Session, attachment: Attachment) -> bool:
    """Whether the bytes still are what was handed in."""
    with path_of(session, attachment).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == attachment.sha256


def download(session: Session, attachment: Attachment, name: str = "") -> Response:
    """The file for a browser: always saved, never shown inside our pages. The caller has checked who may have it.

    ``name`` stands for the one it was handed in under, where that would say whose it is.
    """
    return send_file(path_of(session, attachment), mimetype=attachment.media_type, as_attachment=True,
                     download_name=name or attachment.name, conditional=True)


def _kind(stream: IO[bytes]) -> str:
    head = stream.read(16)
    stream.seek(0)
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_package(stream)
    return MP4 if head[4:8] == b"ftyp" else ""


def _kind_of_package(stream: IO[bytes]) -> str:
    """A Word document is a ZIP archive that says so inside; a workbook or any other archive is none."""
    try:
        with zipfile.ZipFile(stream) as package:
            names = set(package.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        names = set()
    finally:
        stream.seek(0)
    return DOCX if {"[Content_Types].xml", "word/document.xml"} <= names and "word/vbaProject.bin" not in names else ""


def _check_picture(stream: IO[bytes], name: str) -> None:
    try:
        with Image.open(stream) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Refused("picture_too_large", f"图片“{name}”尺寸过大（{picture.width}×{picture.height}），请缩小后再上传。")
            picture.verify()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused("broken_file", f"图片“{name}”已损坏，无法读取，请重新导出后上传。") from error
    finally:
        stream.seek(0)


def _take(store: Store, stream: IO[bytes], name: str, most: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with store.coming() as (target, beside):
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > most:
                raise Refused("file_too_large", f"“{name}”超过 {most // MEGABYTE} MB，请压缩后再上传。")
            digest.update(chunk)
            target.write(chunk)
        store.keep(target, beside, digest.hexdigest())
    return digest.hexdigest(), size


def from_bytes(content: bytes, name: str) -> FileStorage:
    """Content at hand as an upload: for the demo, the shell and tests."""
    return FileStorage(BytesIO(content), filename=name)


# What names content in the store: rows of this room, and of those that keep files of their own there.
NAMED: list[Callable[[Session], Iterable[str]]] = [lambda session: session.scalars(sa.select(Attachment.sha256).distinct())]
# ... and what was destroyed although a row still tells of it.
TAKEN_AWAY: list[Callable[[Session], Iterable[str]]] = []
