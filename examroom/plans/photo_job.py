"""Taking photos in off the request: a class is looked at in seconds, a year in minutes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from examroom.plans import photos
from examroom.plans.models import ExamPlan
from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, kind
from qbank.kernel.refused import Refused

KEEP_PHOTOS = "plans.keep_photos"
SHOWN = 200


def put_aside(folder: Path, content: bytes) -> str:
    """Where the worker finds the archive; it goes when it is done with."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="photos-", suffix=".zip", delete=False) as aside:
        aside.write(content)
    return aside.name


@kind(KEEP_PHOTOS, "导入考生照片")
def keep_photos(work: Work) -> str:
    """What fits nobody or is no photo for documents is named at the end; the rest is kept."""
    aside = Path(work.arguments["path"])
    archive = aside.read_bytes()
    aside.unlink()
    report, plan_id = photos.PhotoReport(), work.arguments["plan_id"]
    with work.reading() as session:
        plan = fetch(session, ExamPlan, plan_id, work.who)
        cipher = work.settings.identity_cipher()
        for some in photos.batches(session, plan, archive, work.who, cipher, report,
                                   progress=lambda done, total: work.progress(done, total, "正在核对照片…")):
            with work.transaction() as writing:
                report.kept += photos.keep_batch(writing, some, report, now=work.now())
    if report.problems:
        raise Refused("photos", f"已保存 {report.kept} 张照片，{len(report.problems)} 个文件没有保存。请改正后把这些文件再打包上传。",
                      report.problems[:SHOWN])
    return f"/invigilation/plans/{plan_id}/candidates"
