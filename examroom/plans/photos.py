"""Photos of candidates: one by one, or many in a ZIP whose file names are ticket or student numbers."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import PurePosixPath

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.desk import require_officer
from examroom.plans.models import CandidatePhoto, Enrolment, ExamPlan
from qbank.items.pictures import LARGEST, inspect
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused

MOST = 2000
MOST_BYTES = 200 * 1024 * 1024  # of all photos of one ZIP, unpacked


@dataclass
class PhotoReport:
    """What became of the files of a ZIP."""

    kept: int = 0
    problems: list[str] = field(default_factory=list)


def keep(session: Session, enrolment: Enrolment, content: bytes, who: Viewer, *, now: datetime) -> CandidatePhoto:
    """The candidate's photo from now on. JPEG or PNG; the same picture is stored once."""
    require_officer(session, enrolment.plan, who)
    facts = inspect(content)
    if facts.media_type not in {"image/jpeg", "image/png"}:
        raise Refused("photo_kind", "照片应是 JPG 或 PNG 文件。")
    school = enrolment.plan.institution_id
    photo = session.scalar(sa.select(CandidatePhoto).where(CandidatePhoto.institution_id == school,
                                                           CandidatePhoto.sha256 == facts.sha256))
    if photo is None:
        photo = CandidatePhoto(institution_id=school, sha256=facts.sha256, media_type=facts.media_type,
                               content=facts.content, at=now)
        session.add(photo)
        session.flush()
    enrolment.photo_id = photo.id
    session.flush()
    return photo


def keep_all(session: Session, plan: ExamPlan, archive: bytes, who: Viewer, *, now: datetime) -> PhotoReport:
    """Photos out of a ZIP. A file that fits nobody, or two candidates, is named and left out."""
    require_officer(session, plan, who)
    by_name: dict[str, list[Enrolment]] = {}
    for enrolment in session.scalars(sa.select(Enrolment).where(Enrolment.plan_id == plan.id)):
        for name in {enrolment.ticket_number, enrolment.student_number} - {""}:
            by_name.setdefault(name, []).append(enrolment)
    report = PhotoReport()
    for name, content in _files(archive):
        fitting = by_name.get(PurePosixPath(name).stem.strip(), [])
        if len(fitting) != 1:
            report.problems.append(f"{name}：{'有多名考生用这个学号' if fitting else '没有这个准考证号或学号的考生'}。")
            continue
        try:
            keep(session, fitting[0], content, who, now=now)
            report.kept += 1
        except Refused as refusal:
            report.problems.append(f"{name}：{refusal.sentence}")
    return report


def _files(archive: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(BytesIO(archive)) as packed:
            entries = [entry for entry in packed.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename]
            if len(entries) > MOST or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise Refused("zip_too_large", f"压缩包里的文件太多或太大（最多 {MOST} 个、{MOST_BYTES // 2**20} MB），请分几次上传。")
            for entry in entries:
                with packed.open(entry) as stream:  # never more than one photo may have, whatever the entry says
                    yield entry.filename, stream.read(LARGEST + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Refused("not_a_zip", "这不是可以读取的 ZIP 压缩包（或设了密码）。请把照片直接压缩成 ZIP 后再上传。") from error
