"""What stands in a pack, in its order: how to check it, rows, trail, papers, files, documents for people, the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO

from sqlalchemy.orm import Session

from examroom.plans.models import ExamPlan
from qbank.kernel.access import Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import LEVEL_NAMES
from scoring.archive import gathering, reach, signature, verifier
from scoring.archive.checklist import documents
from scoring.archive.packing import PackWriter
from scoring.archive.printed import FOR_PEOPLE
from scoring.certificates.credential import key_id
from scoring.certificates.signing import Seal

Progress = Callable[[int, int, str], None]
README = """归档卷：{title}（{number}）
学校：{school}　职业（工种）、等级：{occupation}
归档：{at}　{who}　保存至：{until}

卷内目录 manifest.json 逐一记下每个文件的 SHA-256，并用学校的证书签名密钥签名（manifest.sig.json）。

怎样核验（不需要数据库）：
  examroom archive verify 归档卷.zip --key 签名密钥指纹
  没有安装本系统时：python3 verify.py 归档卷.zip --key 签名密钥指纹   （verify.py 请另行取得，卷内的一份供对照）
  只核对文件：解压后运行 sha256sum -c SHA256SUMS
签名密钥指纹印在案卷封面上，也可在学校公布的 /certificates/keys.json 中查到（kid）。
考场情况记录单等签字记录单页脚印有审计链首，可用 --head 链首 核对此前的留痕没有被改动。

内容：
  rows/表名.jsonl      本批次在数据库中的全部记录，每行一条（证件号码只有遮盖后的形式）
  audit.jsonl          从本方案建立起的审计留痕；与本批次无关的各条只有散列值，链可以重算
  people.jsonl         记录中出现的人员
  papers/              启封使用过的试卷（封存时的全文，SHA-256 即指纹）；没有启封的备用卷仍为密文（.sealed）
  files/ photos/ pictures/ incidents/   上传的材料和签名、考生照片、试卷插图、考场情况附件
  documents/           供人阅读：台账、档案目录、名册、成绩、记录单、公示、统计报表
没有收入卷内的报表及原因见 manifest.json 的 left_out。影像资料按路径和 SHA-256 登记在 rows/archive_videos.jsonl。
"""


@dataclass(frozen=True)
class Content:
    """What was written."""

    manifest: str  # SHA-256
    signed_by: str
    audit_head: str
    papers: tuple[int, ...]


def silent(done: int, total: int, message: str) -> None:
    """For whoever does not wait on a page."""


def build_into(session: Session, plan: ExamPlan, who: Viewer, target: IO[bytes], seal: Seal, *, keep_until: date, now: datetime,
               progress: Progress = silent) -> Content:
    """Write the whole pack into ``target``."""
    tables, taken = reach.archived(), gathering.Taken()
    steps = len(tables) + len(FOR_PEOPLE) + 2
    with PackWriter(target) as pack:
        pack.add("说明.txt", _readme(plan, who, keep_until, now).encode())
        for done, table in enumerate(tables):
            progress(done, steps, f"正在写出记录：{table.name}（已 {taken.rows} 条）…")
            gathering.write_rows(session, plan, pack, table, taken)
        progress(len(tables), steps, "正在写出人员和审计留痕…")
        gathering.write_people(session, pack, taken)
        start, head = gathering.write_trail(session, pack, taken)
        progress(len(tables) + 1, steps, "正在写出试卷和附件…")
        papers = gathering.write_papers(session, plan, pack)
        gathering.write_files(session, plan, pack, taken)
        left_out = _for_people(session, plan, who, pack, now, lambda done, name: progress(len(tables) + 2 + done, steps, f"正在制作{name}…"))
        pack.add("verify.py", Path(verifier.__file__).read_bytes())
        about = {
            "title": f"归档卷：{plan.title}", "plan": plan.number, "institution": plan.institution.name, "packed_at": now.isoformat(),
            "packed_by": who.name, "keep_until": keep_until.isoformat(), "audit_start": start, "audit_head": head, "rows": taken.rows,
            "left_out": left_out,
            "documents": [{"volume": one.volume, "name": one.name, "present": one.present, "detail": one.detail}
                          for one in documents(session, plan)],
        }
        manifest = pack.finish(about, lambda content: signature.sign(content, seal))
    return Content(hashlib.sha256(manifest).hexdigest(), key_id(seal), head, tuple(paper.id for paper in papers))


def _for_people(session: Session, plan: ExamPlan, who: Viewer, pack: PackWriter, now: datetime,
                say: Callable[[int, str], None]) -> list[dict[str, str]]:
    """The documents that people read; one that a rule refuses (a report without data) is named with its reason."""
    left_out = []
    for done, (name, make) in enumerate(FOR_PEOPLE.items()):
        say(done, name)
        try:
            for file, content in make(session, plan, who, now):
                pack.add(f"documents/{file.replace('/', '／')}", content)
        except Refused as refusal:
            left_out.append({"document": name, "why": refusal.sentence})
    return left_out


def _readme(plan: ExamPlan, who: Viewer, until: date, now: datetime) -> str:
    return README.format(title=plan.title, number=plan.number, school=plan.institution.name, at=now.isoformat(), who=who.name, until=until,
                         occupation=f"{plan.standard.label} {LEVEL_NAMES[plan.level]}")
