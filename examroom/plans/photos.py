"""Photos of candidates: one by one, or many in a ZIP whose file names carry identity, student or ticket numbers."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import PurePosixPath

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.plans.models import CandidatePhoto, Enrolment, ExamPlan
from examroom.plans.staffing import require_officer
from qbank.items.pictures import LARGEST, PictureFacts, inspect
from qbank.kernel.access import Viewer
from qbank.kernel.identity import IdentityCipher, mask
from qbank.kernel.refused import Refused
from qbank.standards.packs import pack_for
from qbank.standards.rulepack import RulePack

MOST = 2000
MOST_BYTES = 200 * 1024 * 1024  # of all photos of one ZIP, unpacked
SLIMMEST, WIDEST = 1.2, 1.6  # height to width of a photo for documents
NUMBERS = re.compile(r"[0-9A-Za-z]{2,}")  # what may be a number in a file name
LONG_NUMBER = re.compile(r"(?<!\d)\d{11,17}[\dXx]")


@dataclass
class PhotoReport:
    """What became of the files of a ZIP."""

    kept: int = 0
    problems: list[str] = field(default_factory=list)


def keep(session: Session, enrolment: Enrolment, content: bytes, who: Viewer, *, now: datetime) -> CandidatePhoto:
    """The candidate's photo from now on: an upright JPEG or PNG of the rule pack's size that no other candidate of the plan has."""
    require_officer(session, enrolment.plan, who)
    return _keep(session, enrolment, checked(content, pack_for(session, enrolment.plan.institution)), now)


def checked(content: bytes, pack: RulePack) -> PictureFacts:
    """A photo for documents. Refuses other formats, sizes and shapes, saying what is asked for."""
    facts = inspect(content)
    if facts.media_type not in {"image/jpeg", "image/png"}:
        raise Refused("photo_kind", "照片应是 JPG 或 PNG 文件。")
    if len(content) > pack.photo_most_kilobytes * 1024:
        raise Refused("photo_too_large", f"照片有 {len(content) // 1024} KB，超过 {pack.photo_most_kilobytes} KB，请压缩后再上传。")
    least = pack.photo_least_width, pack.photo_least_height
    if facts.width < least[0] or facts.height < least[1]:
        raise Refused("photo_too_small", f"照片只有 {facts.width}×{facts.height} 像素，应不小于 {least[0]}×{least[1]}。请用原始的证件照。")
    if not SLIMMEST <= facts.height / facts.width <= WIDEST:
        raise Refused("photo_shape", f"照片的宽和高是 {facts.width}×{facts.height}，不是竖版证件照。请裁剪成一寸或二寸照的比例。")
    return facts


def _keep(session: Session, enrolment: Enrolment, facts: PictureFacts, now: datetime) -> CandidatePhoto:
    school = enrolment.plan.institution_id
    photo = session.scalar(sa.select(CandidatePhoto).where(CandidatePhoto.institution_id == school,
                                                           CandidatePhoto.sha256 == facts.sha256))
    if photo is None:
        photo = CandidatePhoto(institution_id=school, sha256=facts.sha256, media_type=facts.media_type,
                               content=facts.content, at=now)
        session.add(photo)
        session.flush()
    others = sa.select(Enrolment).where(Enrolment.plan_id == enrolment.plan_id, Enrolment.photo_id == photo.id, Enrolment.id != enrolment.id)
    if double := session.scalars(others.options(joinedload(Enrolment.candidate)).limit(1)).first():
        raise Refused("photo_double", f"这张照片与{double.candidate.name}（{double.ticket_number}）的照片相同，请核对是谁的照片。")
    enrolment.photo_id = photo.id
    session.flush()
    return photo


def keep_all(session: Session, plan: ExamPlan, archive: bytes, who: Viewer, *, cipher: IdentityCipher, now: datetime) -> PhotoReport:
    """Photos out of a ZIP. A file that fits nobody, or two candidates, is named and left out."""
    report = PhotoReport()
    for some in batches(session, plan, archive, who, cipher, report):
        report.kept += keep_batch(session, some, report, now=now)
    return report


@dataclass(frozen=True)
class Fitted:
    """A file of the ZIP that is a photo and fits one candidate."""

    name: str
    enrolment_id: int
    facts: PictureFacts


def batches(session: Session, plan: ExamPlan, archive: bytes, who: Viewer, cipher: IdentityCipher, report: PhotoReport, *,
            size: int = 100, progress: Callable[[int, int], None] = lambda done, total: None) -> Iterator[list[Fitted]]:
    """What fits, ``size`` at a time: looked at here, where nothing is written, and kept by :func:`keep_batch`."""
    require_officer(session, plan, who)
    by_number, pack = _by_number(session, plan), pack_for(session, plan.institution)
    found: list[Fitted] = []
    for done, total, name, content in _files(archive):
        shown = LONG_NUMBER.sub(lambda number: mask(number[0]), name)
        fitting = {key for number in numbers_in(name) for key in by_number.get(number) or _of_identity(by_number, cipher.fingerprints(number))}
        try:
            if len(fitting) != 1:
                raise Refused("whose", "这个号码对应多名考生。" if fitting else "没有这个证件号码、学号或准考证号的考生。")
            found.append(Fitted(shown, fitting.pop(), checked(content, pack)))
        except Refused as refusal:
            report.problems.append(f"{shown}：{refusal.sentence}")
        if len(found) == size:
            yield found
            found = []
            progress(done, total)
    yield found


def keep_batch(session: Session, some: Iterable[Fitted], report: PhotoReport, *, now: datetime) -> int:
    kept = 0
    for one in some:
        try:
            _keep(session, session.get_one(Enrolment, one.enrolment_id), one.facts, now)
            kept += 1
        except Refused as refusal:
            report.problems.append(f"{one.name}：{refusal.sentence}")
    return kept


def numbers_in(name: str) -> list[str]:
    """What may be a number in ``电气/430102200801010019_张三.jpg``: the whole name first, else its parts."""
    stem = PurePosixPath(name).stem.strip()
    return [stem.upper(), *(part.upper() for part in NUMBERS.findall(stem) if part != stem)]


def _of_identity(by_number: dict[str, set[int]], hashes: Iterable[str]) -> set[int]:
    return set().union(*(by_number.get(one, set()) for one in hashes))


def _by_number(session: Session, plan: ExamPlan) -> dict[str, set[int]]:
    """Ticket number, student number or hash of the identity number → enrolments of the plan."""
    found: dict[str, set[int]] = {}
    for enrolment in session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id).options(joinedload(Enrolment.candidate))):
        held = {enrolment.ticket_number, enrolment.student_number.upper(), enrolment.candidate.identity_hash or ""}
        for number in held - {""}:
            found.setdefault(number, set()).add(enrolment.id)
    return found


def _files(archive: bytes) -> Iterator[tuple[int, int, str, bytes]]:
    try:
        with zipfile.ZipFile(BytesIO(archive)) as packed:
            entries = [entry for entry in packed.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename]
            if len(entries) > MOST or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise Refused("zip_too_large", f"压缩包里的文件太多或太大（最多 {MOST} 个、{MOST_BYTES // 2**20} MB），请分几次上传。")
            for place, entry in enumerate(entries, 1):
                with packed.open(entry) as stream:  # never more than one photo may have, whatever the entry says
                    yield place, len(entries), _readable(entry), stream.read(LARGEST + 1)
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise Refused("not_a_zip", "这不是可以读取的 ZIP 压缩包（或设了密码）。请把照片直接压缩成 ZIP 后再上传。") from error


def _readable(entry: zipfile.ZipInfo) -> str:
    """Windows in China writes names in GBK and does not say so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return entry.filename
