"""案卷: the documents of a batch in the volumes that the trade orders them by, with cover, contents and closing note."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from examroom.plans.models import ExamPlan
from qbank.kernel.printing import typeset
from qbank.kernel.times import local_date, spoken
from qbank.standards.models import LEVEL_NAMES
from qbank.standards.packs import pack_for
from scoring.archive.checklist import Document, documents
from scoring.archive.filed import VOLUMES, standing
from scoring.archive.models import ArchivePack, FiledDocument
from scoring.archive.retention import keep_until

TEMPLATE = Path(__file__).with_name("volumes.typ")
SAID = {True: "有", False: "缺", None: "未登记"}


def covers(session: Session, plan: ExamPlan, *, now: datetime, pack: ArchivePack | None = None) -> bytes:
    """The PDF: for each volume a cover, its contents, the closing note. Of a packed batch it carries the proof of the pack."""
    values = json.dumps(_values(session, plan, now, pack), ensure_ascii=False)
    return typeset(TEMPLATE.read_text(encoding="utf-8"), {"archive": values}, made_at=now)


def _values(session: Session, plan: ExamPlan, now: datetime, pack: ArchivePack | None) -> dict[str, Any]:
    listed, filed, rules = documents(session, plan), standing(session, plan), pack_for(session, plan.institution)
    day = local_date(pack.packed_at if pack else now)
    kept = pack.keep_until if pack else keep_until(day, rules.archive_years)
    paper = (pack.paper_until if pack else None) or keep_until(day, rules.archive_paper_years)
    return {
        "title": plan.title, "school": plan.institution.name, "number": plan.number, "date": spoken(day),
        "facts": [["认定批次", f"{plan.title}（{plan.number}）"],
                  ["职业（工种）、等级", f"{plan.standard.label}　{LEVEL_NAMES[plan.level]}"], ["首考日", spoken(plan.starts_on)],
                  ["保管期限", f"纸质至 {spoken(paper)}，电子至 {spoken(kept)}"], ["密级", "内部资料，查阅须登记"]],
        "proof": [["整卷 SHA-256", pack.sha256], ["目录 SHA-256", pack.manifest], ["审计链首", pack.audit_head],
                  ["签名密钥", pack.signed_by]] if pack and pack.manifest else [],
        "remark": "电子归档卷与本卷对应，任何改动均可核验。" if pack else "本批次尚未生成电子归档卷。",
        "volumes": [_volume(plan, place, name, [one for one in listed if one.volume == name], filed)
                    for place, name in enumerate(VOLUMES, 1)],
    }


def _volume(plan: ExamPlan, place: int, name: str, listed: Sequence[Document], filed: Sequence[FiledDocument]) -> dict[str, Any]:
    rows: list[list[str]] = []
    for one in listed:
        scans = [each for each in filed if each.line == one.line] if one.line else []
        for each in scans:
            where = "；".join(part for part in (f"{each.pages} 页" if each.pages else "", each.place, each.attachment.sha256[:16] + "…"
                                               if each.attachment else "") if part)
            rows.append([str(len(rows) + 1), each.title, "扫描" if each.attachment else "纸质", "有", where])
        if not scans:
            rows.append([str(len(rows) + 1), one.name, one.held, SAID[one.present], one.detail])
    there = sum(row[3] == "有" for row in rows)
    return {"name": name, "code": f"{plan.number}-{place:02d}", "rows": rows, "lacking": [one.name for one in listed if one.is_lacking],
            "summary": f"共 {len(rows)} 项材料，其中 {there} 项已入卷"}
