"""Check-lists (检查表): the centre's own, numbered; a standard one of each kind to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.oversight.inspection_models import CheckPoint, CheckTemplate
from examroom.oversight.kinds import InspectionKind, Severity
from examroom.oversight.regions import require_region
from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused

MOST_POINTS = 200
LONGEST = 300


@dataclass(frozen=True)
class PointDraft:
    """One question as typed."""

    section: str
    text: str
    basis: str = ""
    severity: Severity = Severity.MINOR


def make(session: Session, region: str, kind: InspectionKind, title: str, drafts: Sequence[PointDraft], who: Viewer, *,
         now: datetime) -> CheckTemplate:
    """A new list of this kind for the region; the one before retires and stays with the inspections that used it."""
    require_region(who, region)
    _check(title, drafts)
    held = session.scalars(sa.select(CheckTemplate).where(CheckTemplate.region == region, CheckTemplate.kind == kind)).all()
    for one in held:
        one.retired_at = one.retired_at or now
    made = CheckTemplate(region=region, kind=kind, number=max((one.number for one in held), default=0) + 1, title=title.strip(),
                         made_by=who.account_id, made_at=now)
    made.points = [CheckPoint(place=place, section=draft.section.strip(), text=draft.text.strip(), basis=draft.basis.strip(),
                              severity=draft.severity) for place, draft in enumerate(drafts, 1)]
    session.add(made)
    session.flush()
    return made


def in_force(session: Session, region: str, kind: InspectionKind) -> CheckTemplate | None:
    """The list of the narrowest region that holds ``region``."""
    held = session.scalars(sa.select(CheckTemplate).where(CheckTemplate.kind == kind, CheckTemplate.retired_at.is_(None))
                           .order_by(sa.func.length(CheckTemplate.region).desc()))
    return next((one for one in held if region.startswith(one.region)), None)


def require(session: Session, institution: Institution, kind: InspectionKind) -> CheckTemplate:
    """The list by which this school is inspected."""
    found = in_force(session, institution.region, kind)
    if found is None:
        raise Refused("no_list", f"还没有“{kind.chinese}”的检查表。请鉴定中心先在“检查表”页采用标准检查表或自行编制。")
    return found


def _check(title: str, drafts: Sequence[PointDraft]) -> None:
    if not title.strip():
        raise Refused("no_title", "请填写检查表名称。")
    if not 0 < len(drafts) <= MOST_POINTS:
        raise Refused("points", f"检查表应有 1 到 {MOST_POINTS} 个检查要点。")
    for place, draft in enumerate(drafts, 1):
        if not draft.section.strip() or not draft.text.strip():
            raise Refused("points", f"第 {place} 个检查要点没有填写分类或内容。")
        if max(len(draft.section), len(draft.text), len(draft.basis)) > LONGEST or len(draft.section) > 100 or len(draft.basis) > 100:
            raise Refused("points", f"第 {place} 个检查要点太长：内容不超过 {LONGEST} 字，分类和依据不超过 100 字。")


M, A, G = Severity.MINOR, Severity.MAJOR, Severity.GRAVE
_ROOMS = (
    PointDraft("条件", "有专门的认定办公场所、试卷档案保管场所，保管场所双人双锁、有监控", "一（三）", A),
    PointDraft("条件", "场地、设施设备与认定职业（工种）、等级和人数相适应，安全措施到位", "一（四）", A),
    PointDraft("条件", "视频监控覆盖考场、试卷保管和考务场所，时间准确，录像可以回放", "一（四）", A),
    PointDraft("条件", "专职工作人员、专家、考评人员在岗，与备案一致", "一（三）", M))
_SCOPE = (
    PointDraft("范围", "认定的职业（工种）、等级、有效期都在备案范围内", "五（六）", G),
    PointDraft("范围", "没有授权或委托其他机构开展认定", "五（六）", G),
    PointDraft("范围", "参加认定的是本校学生，申报条件有证明材料", "一（一）", A))
_FILES = (
    PointDraft("留痕", "建立工作台账和管理数据库，报名、试卷、成绩、公示、影像等原始文档齐全，按 3 年以上保存", "五（二）", A),
    PointDraft("留痕", "问题回溯和责任追究制度执行到位，以往检查的问题已整改", "五（六）", A))
_FEES = (PointDraft("收费", "收费标准向社会公示并报备，按标准收费，不以营利为目的", "五（五）", A),)
_PLAN = (
    PointDraft("计划", "考务方案提前 10 个工作日报送并经审核，按批准的时间、地点、人员实施", "四（一）", A),
    PointDraft("结果", "认定结果公示不少于 7 天，异议有答复", "四（二）", A),
    PointDraft("结果", "认定结果按程序报市初审、省审核后发证", "四（三）", A))
_HALL = (
    PointDraft("考前", "试卷启封由两人办理，记录完整，启封前密封完好", "五（三）", G),
    PointDraft("考前", "考生入场逐一核验身份证件和准考证，人证一致", "四（二）", A),
    PointDraft("考前", "考场座位、监考人员与批准的方案一致，监考员每考场不少于 2 人", "四（一）", A),
    PointDraft("考中", "监考员认真履职，考场安静，没有替考、夹带、传递、使用通讯工具等行为", "四（二）", G),
    PointDraft("考中", "突发情况按预案处置，加时、换机等有记录和理由", "四（二）", M),
    PointDraft("考中", "操作技能考核的考评员人数、资格符合规定，独立评分，没有应回避未回避", "五（三）", A),
    PointDraft("考后", "收卷、关闭考场按程序办理，考场情况记录单由监考员签字", "四（二）", M),
    PointDraft("考后", "影像资料完整保存", "五（二）", M))
STANDARD: dict[InspectionKind, tuple[PointDraft, ...]] = {
    InspectionKind.DAILY: (*_SCOPE, *_ROOMS, *_PLAN, *_FEES, *_FILES),
    InspectionKind.EVALUATION: (*_SCOPE, *_ROOMS, *_PLAN, *_FEES, *_FILES,
                                PointDraft("质量", "题库建设、考评人员队伍建设达到要求", "五（一）", M),
                                PointDraft("质量", "专业设置、课程内容、教学过程与职业、标准、工作过程对接", "五（四）", M),
                                PointDraft("质量", "认定合格率、成绩分布没有异常，异常的已查明原因", "五（六）", A)),
    InspectionKind.SITE: (*_SCOPE[:1], *_HALL), InspectionKind.SPOT: (*_SCOPE, *_HALL, *_ROOMS[2:3])}


def adopt(session: Session, region: str, kind: InspectionKind, who: Viewer, *, now: datetime) -> CheckTemplate:
    """The standard list as the region's own."""
    return make(session, region, kind, f"{kind.chinese}检查表（标准）", STANDARD[kind], who, now=now)
