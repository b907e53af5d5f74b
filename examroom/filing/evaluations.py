"""Evaluation reports of the pilot (notice 五, last paragraph): written by the city, collected and decided by the province."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing import annexes, standing
from examroom.filing.application_models import Application
from examroom.filing.duties import require_duty
from examroom.filing.scopes import HIGHEST_LEVEL, NOTICE
from examroom.filing.standing_models import Evaluation, Removal
from examroom.filing.states import Ground, RemovalState, Verdict
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken

LONGEST = 5 * 366  # days


def write(session: Session, institution: Institution, who: Viewer, *, starts_on: date, ends_on: date, verdict: Verdict,
          sections: Mapping[str, str], upload: FileStorage | None = None, held: Evaluation | None = None, now: datetime) -> Evaluation:
    """A report on one school's pilot, or a change of it (``held``) before it is reported. Figures are counted now."""
    require_duty(session, who, institution.id, Role.CITY_OFFICER)
    if institution.kind not in HIGHEST_LEVEL:
        raise Refused("not_a_school", f"“{institution.name}”不是评价机构。")
    if not starts_on <= ends_on <= local_date(now) or (ends_on - starts_on).days > LONGEST:
        raise Refused("period", "评估期间应是已经过去的一段时间，结束日期不早于开始日期，最长五年。")
    made = held or Evaluation(institution=institution)
    if made.reported_at is not None:
        raise Refused("reported", "评估报告已经上报省厅，不能再修改。")
    if upload is not None and upload.filename:
        made.attachment = attachments.keep(session, upload, who, now=now)
    made.starts_on, made.ends_on, made.verdict = starts_on, ends_on, verdict
    made.sections = {field.key: sections.get(field.key, "").strip()[:20_000] for field in annexes.REPORT}
    made.figures = standing.figures(session, institution.id, starts_on, ends_on)
    made.written_by, made.written_at = who.account_id, now
    session.add(made)
    session.flush()
    return made


def report(session: Session, evaluation: Evaluation, who: Viewer, *, now: datetime) -> None:
    """Report it to the province (统一上报省厅). Every part has to be written."""
    require_duty(session, who, evaluation.institution_id, Role.CITY_OFFICER)
    if evaluation.reported_at is not None:
        raise Refused("reported", "评估报告已经上报。")
    empty = [field.title for field in annexes.REPORT if not evaluation.sections.get(field.key, "").strip()]
    if empty:
        raise Refused("incomplete", "评估报告还没有写完：", [f"没有填写“{title}”。" for title in empty])
    evaluation.reported_at = now
    session.flush()


def decide(session: Session, evaluation: Evaluation, who: Viewer, *, continues: bool, decision: str, now: datetime) -> None:
    """The province: who is rated qualified goes on; who is not loses the pilot status (a removal case is opened)."""
    require_duty(session, who, evaluation.institution_id, Role.PROVINCE_OFFICER)
    if evaluation.reported_at is None or evaluation.continues is not None:
        raise Refused("wrong_state", "只有已上报、尚未决定的评估报告可以作出决定。")
    if continues and evaluation.verdict is Verdict.UNQUALIFIED:
        raise Refused("unqualified", f"评估不合格的学校取消试点资格，不能允许继续开展认定（{NOTICE} 五(七)）。不认可评估结论时，请市鉴定中心重新评估。")
    if not decision.strip():
        raise Refused("comment_missing", "请填写决定意见。")
    evaluation.continues, evaluation.decision = continues, decision.strip()
    evaluation.decided_by, evaluation.decided_at = who.account_id, now
    today = local_date(now)
    if not continues and standing.valid_scopes(session, evaluation.institution_id, today=today):
        period = f"{spoken(evaluation.starts_on)}至{spoken(evaluation.ends_on)}"
        session.add(Removal(institution_id=evaluation.institution_id, ground=Ground.EVALUATION, state=RemovalState.PROPOSED,
                            proposed_by=who.account_id, proposed_at=now, reason=f"{period}{evaluation.verdict.chinese}：{decision.strip()}"))
    session.flush()


def latest(session: Session, institution_id: int) -> Evaluation | None:
    """The last evaluation of a school that was reported."""
    return session.scalars(sa.select(Evaluation).where(Evaluation.institution_id == institution_id, Evaluation.reported_at.is_not(None))
                           .order_by(Evaluation.ends_on.desc(), Evaluation.id.desc())).first()


def require_qualified(session: Session, application: Application) -> None:
    """Refuse an extension without an evaluation of the time that ends which lets the school go on (notice 三(三))."""
    found = latest(session, application.institution_id)
    begins = min((row.renews.valid_from for row in application.occupations if row.renews), default=None)
    if found is None or (begins is not None and found.ends_on < begins):
        raise Refused("not_evaluated", f"延期根据评估结果和学校意愿决定（{NOTICE} 三(三)）：本次有效期还没有评估报告，请市鉴定中心先完成评估并上报。")
    if not found.continues:
        raise Refused("not_qualified", f"最近一次评估（{found.verdict.chinese}）尚未决定允许继续开展认定，不能延期（{NOTICE} 三(三)、五(七)）。")


def collected(evaluations: Sequence[Evaluation]) -> bytes:
    """All reports as one workbook, for the province."""
    names = list(dict.fromkeys(name for one in evaluations for name in one.figures))
    columns = [("学校", 30), ("评估期间", 26), ("评估结论", 12), *((name, 12) for name in names), ("上报时间", 18), ("省级决定", 14), ("决定意见", 30),
               *((field.title, 40) for field in annexes.REPORT)]
    rows = [[one.institution.name, f"{spoken(one.starts_on)}至{spoken(one.ends_on)}", one.verdict.chinese, *(one.figures.get(name) for name in names),
             one.reported_at, told(one), one.decision, *(one.sections.get(field.key, "") for field in annexes.REPORT)] for one in evaluations]
    return workbook([Table("试点评估报告", columns, rows, title="职业技能等级认定试点评估报告汇总", frozen=1)])


def told(evaluation: Evaluation) -> str:
    """The province's decision in words."""
    return "待决定" if evaluation.continues is None else "允许继续开展" if evaluation.continues else "取消试点资格"
