"""Out of the directory before the time: by the school's will, a year without a sitting, violations, a failed evaluation."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from examroom.filing import standing
from examroom.filing.duties import require_duty
from examroom.filing.models import FiledScope
from examroom.filing.scopes import NOTICE, end_scope, void_scope
from examroom.filing.standing_models import Removal
from examroom.filing.states import Ground, RemovalState
from qbank.kernel import attachments
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.kernel.times import local_date, spoken

OFFICES = (Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
PROPOSERS = {Ground.OWN_WILL: (Role.EXAM_OFFICER,), Ground.INACTIVE: OFFICES, Ground.VIOLATION: OFFICES}


def propose(session: Session, institution: Institution, ground: Ground, reason: str, who: Viewer, *, scope: FiledScope | None = None,
            upload: FileStorage | None = None, now: datetime) -> Removal:
    """Open a case. A violation is verified by the city before it reports it (五(六)): facts and evidence are required."""
    roles = PROPOSERS.get(ground)
    if roles is None:
        raise Refused("by_evaluation", "评估不合格由省鉴定中心在评估报告上决定，不单独提出。")
    require_duty(session, who, institution.id, *roles)
    if not reason.strip():
        raise Refused("reason_missing", "请写明事实和理由。")
    today = local_date(now)
    if scope is not None and (scope.institution_id != institution.id or ground is Ground.INACTIVE):
        raise Refused("wrong_scope", "请选择本校的备案；视同自行退出适用于学校的全部备案。")
    if not standing.valid_scopes(session, institution.id, today=today):
        raise Refused("nothing_filed", f"{institution.name}现在没有有效的备案。")
    if ground is Ground.INACTIVE:
        _check_inactive(session, institution, today)
    if ground is Ground.VIOLATION and (upload is None or not upload.filename):
        raise Refused("no_evidence", f"违规违纪经核实后才能报省取消试点资格（{NOTICE} 五(六)），请上传核实材料。")
    open_case = session.scalars(sa.select(Removal).where(Removal.institution_id == institution.id, Removal.state == RemovalState.PROPOSED)).first()
    if open_case is not None:
        raise Refused("one_open", f"该校已有一件待决定的事项（{open_case.ground.chinese}）。请等省鉴定中心决定后再提出。")
    file = attachments.keep(session, upload, who, now=now) if upload is not None and upload.filename else None
    made = Removal(institution=institution, scope=scope, ground=ground, reason=reason.strip(), attachment=file, proposed_by=who.account_id,
                   state=RemovalState.PROPOSED, proposed_at=now)
    session.add(made)
    session.flush()
    return made


def _check_inactive(session: Session, institution: Institution, today: date) -> None:
    lapse = standing.lapses_on(session, [institution.id], today=today).get(institution.id)
    if lapse is None or lapse > today:
        raise Refused("not_inactive", f"{institution.name}最近一年内开展过认定（或备案未满一年），不属于连续一年不开展工作（{NOTICE} 五(六)）。")


def decide(session: Session, removal: Removal, who: Viewer, removes: bool, decision: str, *, last_day: date | None = None, now: datetime) -> None:
    """The province's act: what is filed ends after ``last_day`` (yesterday: at once), or the case is dismissed."""
    require_duty(session, who, removal.institution_id, Role.PROVINCE_OFFICER)
    if removal.state is not RemovalState.PROPOSED:
        raise Refused("wrong_state", f"这件事项已经决定（{removal.state.chinese}）。")
    if not decision.strip():
        raise Refused("comment_missing", "请填写决定意见。")
    today = local_date(now)
    if removes:
        _remove(session, removal, who, decision.strip(), last_day or today - timedelta(days=1), today)
    removal.state = RemovalState.DONE if removes else RemovalState.DISMISSED
    removal.decision, removal.decided_by, removal.decided_at = decision.strip(), who.account_id, now
    session.flush()


def _remove(session: Session, removal: Removal, who: Viewer, decision: str, last_day: date, today: date) -> None:
    if last_day < today - timedelta(days=1):
        raise Refused("last_day", f"最后有效日不能早于{spoken(today - timedelta(days=1))}：已经开展的认定不追溯。")
    if removal.ground is Ground.INACTIVE:
        _check_inactive(session, removal.institution, today)
    scopes = [removal.scope] if removal.scope else standing.valid_scopes(session, removal.institution_id, today=today)
    if all(scope.valid_until <= last_day for scope in scopes):
        raise Refused("last_day", f"到{spoken(last_day)}备案已经期满，不需要移出。请填写更早的最后有效日。")
    reason = f"{removal.ground.chinese}（{removal.ground.clause}）：{decision}"
    for scope in scopes:
        if scope.valid_from > last_day:
            void_scope(session, scope, who, day=today - timedelta(days=1), reason=reason, kind=removal.ground.event, removal=removal)
        elif scope.valid_until > last_day:
            end_scope(session, scope, who, last_day=last_day, reason=reason, kind=removal.ground.event, removal=removal)
    removal.last_day = last_day
