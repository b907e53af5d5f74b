"""Results: merged, posted for public notice, objections answered, submitted, decided by city and province."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.marking.cases import require_keys_checked
from examroom.marking.chains import require_intact
from examroom.plans import guard
from examroom.plans.models import ExamPlan
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.papers import embargo
from qbank.standards.packs import pack_for, version_for
from qbank.standards.rulepack import RulePack
from scoring.practical.duties import require
from scoring.results.difference import Fresh
from scoring.results.merge import merge
from scoring.results.models import Result, ResultDecision, ResultList, ResultState
from scoring.results.notice import last_day, notice_end
from scoring.results.objections import answer, record_objection
from scoring.results.packs_used import keep_pack, pack_of
from scoring.results.parts import CandidateParts, gather, join_all, open_sittings
from scoring.results.rechecks import require_calendar, require_settled
from scoring.results.route import DESKS, OFF_NOTICE, move

__all__ = ["ResultList", "answer", "check", "check_mergeable", "decide", "list_of", "merge_plan", "outcomes", "outdated", "publish",
           "record_objection", "reopen", "submit", "withdraw"]
CORRECTING = {ResultState.NOTICED: "需要更正时请先撤回公示。", ResultState.SUBMITTED: "需要更正时请市鉴定中心退回。",
              ResultState.CITY_CHECKED: "需要更正时请省鉴定中心退回。", ResultState.FINAL: "需要更正时请报省鉴定中心退回更正。"}


def list_of(session: Session, plan: ExamPlan) -> ResultList | None:
    return session.scalar(sa.select(ResultList).where(ResultList.plan_id == plan.id))


def merge_plan(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> ResultList:
    """Merge every candidate's parts; again as long as the list is not posted. Incomplete candidates do not pass."""
    result_list = check_mergeable(session, plan, who, now=now)
    join_all(session, plan, now=now)
    candidates = gather(session, plan)
    if not candidates:
        raise Refused("no_candidates", "本计划没有考生，无法合成成绩。")
    if result_list is None:
        result_list = ResultList(plan=plan, rule_pack="", merged_at=now)
        session.add(result_list)
    elif result_list.state is ResultState.RETURNED:
        move(result_list, ResultState.DRAFT, who, now=now, comment="按退回意见重新合成")
    pack = pack_for(session, plan.institution)
    keep_pack(result_list, pack)
    result_list.pack_version = version_for(session, plan.institution)
    result_list.merged_at, result_list.merged_by = now, who.account_id
    result_list.checked_at = result_list.checked_by = None
    _write_results(result_list, outcomes(result_list, plan, candidates, pack))
    session.flush()
    return result_list


def check_mergeable(session: Session, plan: ExamPlan, who: Viewer, *, now: datetime) -> ResultList | None:
    """Refuse a merge that must not be; otherwise the list that it would change (None: it makes the first one)."""
    require(session, plan, who, Role.EXAM_OFFICER)
    guard.require_plan_in_scope(session, plan)
    _check_marked(session, plan)
    embargo.require(session, [paper.id for sitting in plan.sittings for paper in sitting.papers], now=now)
    result_list = list_of(session, plan)
    if result_list is not None and result_list.state not in OFF_NOTICE:
        raise Refused("wrong_state", f"结果现在是“{result_list.state.chinese}”，已公布的结果不能再次合成。{CORRECTING[result_list.state]}")
    return result_list


def pack_for_list(session: Session, plan: ExamPlan, result_list: ResultList | None) -> RulePack:
    """The pack that holds for a list: of one that is posted the one it was computed under, otherwise the present one."""
    if result_list is not None and result_list.state not in OFF_NOTICE:
        return pack_of(result_list)
    return pack_for(session, plan.institution)


def _check_marked(session: Session, plan: ExamPlan) -> None:
    if not plan.sittings:
        raise Refused("no_sittings", "本计划还没有理论考试场次，不能合成成绩。")
    if unmarked := open_sittings(session, plan):
        raise Refused("not_marked", "以下理论考试场次还没有评分，请待评分完成后再合成。",
                      [f"{one.name}（{spoken(one.starts_at)}，{one.state.chinese}）" for one in unmarked])


def outcomes(result_list: ResultList | None, plan: ExamPlan, candidates: Sequence[CandidateParts], pack: RulePack,
             ) -> list[Fresh]:
    """What a merge would write for every candidate, beside what stands in the list now (None: nothing yet)."""
    held = {result.enrolment_id: result for result in result_list.results} if result_list else {}
    return [Fresh(parts, merge(plan.level, parts.records, pack), held.get(parts.enrolment.id)) for parts in candidates]


def _write_results(result_list: ResultList, fresh: Sequence[Fresh]) -> None:
    """Rows are kept by candidate, so that the trail shows what a second merge changed."""
    for line in fresh:
        result = line.held
        if result is None:
            result = Result(enrolment=line.parts.enrolment)
            result_list.results.append(result)
        for name, value in line.values.items():
            setattr(result, name, value)
        result.pack_version = result_list.pack_version
    kept = {line.parts.enrolment.id for line in fresh}
    for gone in [result for result in result_list.results if result.enrolment.id not in kept]:
        result_list.results.remove(gone)


def publish(session: Session, result_list: ResultList, who: Viewer, *, now: datetime) -> None:
    """Post the list for public notice. Posting a changed list starts the days anew."""
    plan = result_list.plan
    require(session, plan, who, Role.EXAM_OFFICER)
    guard.require_plan_in_scope(session, plan)
    require_postable(session, result_list)
    if result_list.checked_at is None:
        raise Refused("not_checked", "结果还没有核对。请由另一名考务员逐项核对后再公示。")
    require_keys_checked(session, plan.sittings)
    require_intact(session, plan.sittings)
    if not plan.contact.strip():
        raise Refused("no_contact", "公示须写明联系人和异议受理电话。请先在考务方案中填写联系人。")
    require_calendar(session, result_list, now=now)
    days = pack_for(session, plan.institution).notice_days
    ends_at = notice_end(now, days)
    with session.no_autoflush:  # state and dates are one change: a CHECK constraint ties them
        move(result_list, ResultState.NOTICED, who, now=now, comment=f"公示 {days} 天，至 {spoken(last_day(ends_at))}止")
        result_list.noticed_at, result_list.notice_ends_at = now, ends_at
    session.flush()


def check(session: Session, result_list: ResultList, who: Viewer, *, approves: bool = True, comment: str = "",
          now: datetime) -> None:
    """A second officer compares the list with the records and lets it be posted, or returns it with what is to be corrected."""
    require(session, result_list.plan, who, Role.EXAM_OFFICER)
    if result_list.state is not ResultState.DRAFT:
        raise Refused("wrong_state", f"结果现在是“{result_list.state.chinese}”，只有合成后还没有公示的结果需要核对。")
    if result_list.merged_by == who.account_id:
        raise Refused("same_person", "核对须由另一名考务员办理，不能核对自己合成的结果。")
    if not approves:
        if not comment.strip():
            raise Refused("no_comment", "退回时请写明需要更正的内容。")
        move(result_list, ResultState.RETURNED, who, now=now, comment=f"核对退回：{comment.strip()}")
    else:
        if result_list.checked_at is not None:
            raise Refused("checked", "这份结果已经核对过，可以公示。")
        require_postable(session, result_list)
        result_list.checked_by, result_list.checked_at = who.account_id, now
        result_list.decisions.append(ResultDecision(decided_by=who.account_id, state=ResultState.DRAFT, at=now,
                                                    comment=f"核对无误。{comment.strip()}"))
    session.flush()


def require_postable(session: Session, result_list: ResultList) -> None:
    """Refuse a list that lacks scores, or that was merged from other scores than there are now."""
    if result_list.state is not ResultState.DRAFT:
        raise Refused("wrong_state", f"结果现在是“{result_list.told}”，不能公示。"
                                     + ("请先更正并重新合成。" if result_list.state is ResultState.RETURNED else ""))
    candidates = gather(session, result_list.plan)
    if missing := [f"{parts.enrolment.candidate.name} {line}" for parts in candidates for line in parts.missing]:
        raise Refused("incomplete", f"还有 {len(missing)} 项成绩没有齐全，不能公示。请补齐成绩，或为没有到场的考生登记缺考，"
                                    "然后重新合成。", missing[:50])
    if outdated(session, result_list, candidates):
        raise Refused("outdated", "合成以后成绩又有变化，请先重新合成，核对后再公示。")


def outdated(session: Session, result_list: ResultList, candidates: Sequence[CandidateParts]) -> bool:
    """Whether scores, absences, credits, misconduct or candidates changed since the merge; of a draft, also the rules."""
    pack = pack_for_list(session, result_list.plan, result_list)
    fresh = outcomes(result_list, result_list.plan, candidates, pack)
    return any(line.differs for line in fresh) or len(fresh) != len(result_list.results)


def withdraw(session: Session, result_list: ResultList, who: Viewer, reason: str, *, now: datetime) -> None:
    """Take the notice back to correct the list (an objection was right)."""
    require(session, result_list.plan, who, Role.EXAM_OFFICER)
    if not reason.strip():
        raise Refused("no_reason", "请写明撤回公示的原因。")
    if result_list.state is not ResultState.NOTICED:
        raise Refused("wrong_state", f"结果现在是“{result_list.state.chinese}”，没有正在进行的公示可以撤回。")
    move(result_list, ResultState.DRAFT, who, now=now, comment=f"撤回公示：{reason.strip()}")
    session.flush()


def submit(session: Session, result_list: ResultList, who: Viewer, *, now: datetime) -> None:
    """Send the list to the city centre when the notice is over and every objection is answered."""
    require(session, result_list.plan, who, Role.EXAM_OFFICER)
    if result_list.state is not ResultState.NOTICED or result_list.notice_ends_at is None:
        raise Refused("wrong_state", f"结果现在是“{result_list.state.chinese}”，须先公示，公示期满后才能提交市初审。")
    if now < result_list.notice_ends_at:
        raise Refused("notice_runs", f"公示到 {spoken(last_day(result_list.notice_ends_at))} 24:00 才期满，期满后再提交市初审。")
    if open_ones := [one for one in result_list.objections if one.answered_at is None]:
        raise Refused("unanswered", f"还有 {len(open_ones)} 条异议没有答复，请先答复再提交。",
                      [f"{one.raised_by}：{one.text}" for one in open_ones])
    require_settled(session, result_list)
    if outdated(session, result_list, gather(session, result_list.plan)):
        raise Refused("outdated", "公示以后成绩又有变化，公示的名单已不符。请撤回公示，重新合成、核对和公示，公示天数重新计算。")
    move(result_list, ResultState.SUBMITTED, who, now=now)
    session.flush()


def decide(session: Session, result_list: ResultList, who: Viewer, approves: bool, comment: str, *,
           now: datetime) -> None:
    """City check (初审), then province check (审核), by two persons; or return with a comment."""
    if result_list.state not in DESKS:
        if result_list.state is ResultState.NOTICED and result_list.notice_ends_at is not None:
            raise Refused("notice_runs", f"结果正在公示，公示到 {spoken(last_day(result_list.notice_ends_at))} 24:00 期满，学校提交后才能审核。")
        raise Refused("wrong_state", f"结果现在是“{result_list.state.chinese}”，没有等待审核的步骤。")
    role, approved = DESKS[result_list.state]
    require(session, result_list.plan, who, role)
    if approved is ResultState.FINAL and result_list.decisions[-1].decided_by == who.account_id:
        raise Refused("same_person", "初审和审核应由两个人办理，请由省鉴定中心的另一名工作人员审核。")
    if not approves and not comment.strip():
        raise Refused("no_comment", "退回时请写明需要更正的内容。")
    if approves:
        require_settled(session, result_list)
    move(result_list, approved if approves else ResultState.RETURNED, who, now=now, comment=comment.strip())
    session.flush()


def reopen(session: Session, result_list: ResultList, who: Viewer, reason: str, *, now: datetime) -> None:
    """The province gives a final list back because a score proved wrong. It goes the whole way again."""
    require(session, result_list.plan, who, Role.PROVINCE_OFFICER)
    if result_list.state is not ResultState.FINAL:
        raise Refused("wrong_state", f"结果现在是“{result_list.state.chinese}”，只有省已审核的结果需要退回更正；其他步骤请用“退回”。")
    if not reason.strip():
        raise Refused("no_reason", "请写明退回更正的原因。")
    move(result_list, ResultState.RETURNED, who, now=now, comment=f"省审核后退回更正：{reason.strip()}")
    session.flush()
