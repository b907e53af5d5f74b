"""问题试题: an item that proved wrong after the exam. Report, remedy, preview, two approvals, marking again; and keys that
the answers made suspect, checked by name before scores go out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Sheet
from examroom.filing.duties import require_duty
from examroom.marking.case_models import APPROVERS, CaseApproval, CaseState, ItemCase, KeyCheck, Remedy
from examroom.marking.keys import told
from examroom.marking.models import SittingReport
from examroom.plans.models import Sitting, SittingPaper, SittingState
from qbank.items.answers import blanks_of
from qbank.items.bank import bar
from qbank.items.draft import CHOICES, WRITTEN, judgement
from qbank.items.models import ItemVersion
from qbank.items.writing import half_width
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.jobs import Job, enqueue
from qbank.kernel.refused import Refused
from qbank.papers.models import PaperItem
from qbank.standards.packs import pack_for

APPROVALS = 2
PREVIEW, REMARK = "marking.preview", "marking.remark"
OPEN = (CaseState.REPORTED, CaseState.PREVIEWED, CaseState.APPROVED)
MOVES: dict[CaseState, set[CaseState]] = {
    CaseState.REPORTED: {CaseState.PREVIEWED, CaseState.WITHDRAWN},
    CaseState.PREVIEWED: {CaseState.REPORTED, CaseState.APPROVED, CaseState.WITHDRAWN},
    CaseState.APPROVED: {CaseState.DONE, CaseState.PREVIEWED},
    CaseState.DONE: set(), CaseState.WITHDRAWN: set(),
}


def report(session: Session, sitting: Sitting, version_id: int, reason: str, who: Viewer, *, now: datetime) -> ItemCase:
    """Somebody of the school says that an item of a sitting is wrong. One open case for a version."""
    school = sitting.plan.institution
    require_duty(session, who, school.id, Role.EXAM_OFFICER, plan_id=sitting.plan_id)
    version = session.get(ItemVersion, version_id)
    if version is None or version_id not in versions_of(session, sitting):
        raise Refused("not_on_paper", "本场次的试卷里没有这道题。")
    if sitting.state not in {SittingState.CLOSED, SittingState.MARKED}:
        raise Refused("not_closed", "收卷以后才能登记问题试题。")
    if not reason.strip():
        raise Refused("no_reason", "请写明这道题有什么问题、依据是什么。")
    if session.scalar(sa.select(ItemCase.id).where(ItemCase.version_id == version_id, ItemCase.institution_id == school.id,
                                                   ItemCase.state.in_(OPEN))):
        raise Refused("case_open", "这道题已登记为问题试题，正在处理，不必重复登记。")
    case = ItemCase(institution_id=school.id, version=version, reason=reason.strip()[:2000], reported_by=who.account_id, reported_at=now)
    session.add(case)
    session.flush()
    return case


def propose(session: Session, case: ItemCase, remedy: Remedy, keys: Sequence[str], who: Viewer, *, now: datetime, result: str = "") -> Job:
    """Say what is to be done; the preview of what it changes is made in the background. Approvals given before are void."""
    _require_member(session, case, who)
    if case.state not in {CaseState.REPORTED, CaseState.PREVIEWED}:
        raise Refused("wrong_state", f"这件问题试题现在是“{case.state.chinese}”，不能再改处理办法。")
    case.keys = _keys(case.version, remedy, keys)
    case.remedy, case.proposed_by = remedy, who.account_id
    school = session.get_one(Institution, case.institution_id)
    case.rescaled = pack_for(session, school).removed_item_rescaled if remedy is Remedy.REMOVED else None
    case.preview, case.scored, case.previewed_at = [], 0, None
    if case.state is CaseState.PREVIEWED:
        move(case, CaseState.REPORTED)
    session.flush()
    return enqueue(session, PREVIEW, {"case": case.id, "result": result}, who, now=now)


def approve(session: Session, case: ItemCase, approves: bool, comment: str, who: Viewer, *, now: datetime, result: str = "") -> Job | None:
    """One of two persons, neither of whom proposed it, decides on the preview. With the second approval the item version is
    barred and marking again begins; a rejection sends the case back."""
    require_duty(session, who, case.institution_id, *APPROVERS)
    session.refresh(case, with_for_update=True)
    if case.state is not CaseState.PREVIEWED or case.previewed_at is None:
        raise Refused("wrong_state", f"这件问题试题现在是“{case.state.chinese}”，没有等待批准的处理办法。")
    if who.account_id == case.proposed_by:
        raise Refused("own_proposal", "处理办法由您提出，须由另外两人批准。")
    given = approvals_of(case)
    if any(one.account_id == who.account_id for one in given):
        raise Refused("approved_before", "您已经批准过，须由另一人再批准。")
    if not approves and not comment.strip():
        raise Refused("no_comment", "不同意时请写明理由。")
    case.approvals.append(CaseApproval(account_id=who.account_id, approves=approves, comment=comment.strip()[:2000], at=now,
                                       previewed_at=case.previewed_at))
    if not approves:
        move(case, CaseState.REPORTED)
    elif len(given) + 1 >= APPROVALS:
        move(case, CaseState.APPROVED)
        _bar(session, case)
        return remark(session, case, who, now=now, result=result)
    session.flush()
    return None


def remark(session: Session, case: ItemCase, who: Viewer, *, now: datetime, result: str = "") -> Job:
    """Mark again in the background; asked once more when a job broke off."""
    require_duty(session, who, case.institution_id, *APPROVERS)
    if case.state is not CaseState.APPROVED:
        raise Refused("wrong_state", f"这件问题试题现在是“{case.state.chinese}”，不需要重新评分。")
    session.flush()
    return enqueue(session, REMARK, {"case": case.id, "result": result}, who, now=now)


def withdraw(session: Session, case: ItemCase, reason: str, who: Viewer) -> None:
    """The item is right after all, as long as nothing was marked again."""
    _require_member(session, case, who)
    if not reason.strip():
        raise Refused("no_reason", "请写明撤销登记的理由。")
    move(case, CaseState.WITHDRAWN)
    case.reason = f"{case.reason}\n撤销：{reason.strip()[:500]}"
    session.flush()


def approvals_of(case: ItemCase) -> list[CaseApproval]:
    """The approvals of the preview that stands now."""
    return [one for one in case.approvals if one.approves and one.previewed_at == case.previewed_at]


def move(case: ItemCase, to: CaseState) -> None:
    if to not in MOVES[case.state]:
        raise Refused("wrong_state", f"这件问题试题现在是“{case.state.chinese}”，不能变为“{to.chinese}”。请刷新页面查看最新状态。")
    case.state = to


def sittings_with(session: Session, case: ItemCase) -> Sequence[Sitting]:
    """The marked sittings whose sheets hold the version."""
    papers = sa.select(PaperItem.paper_id).where(PaperItem.version_id == case.version_id)
    return session.scalars(sa.select(Sitting).where(
        Sitting.state == SittingState.MARKED,
        Sitting.id.in_(sa.select(Sheet.sitting_id).where(Sheet.paper_id.in_(papers)))).order_by(Sitting.starts_at, Sitting.id)).all()


def versions_of(session: Session, sitting: Sitting) -> set[int]:
    """What stood on the forms of a sitting."""
    forms = sa.select(SittingPaper.paper_id).where(SittingPaper.sitting_id == sitting.id)
    return set(session.scalars(sa.select(PaperItem.version_id).where(PaperItem.paper_id.in_(forms))))


def check_key(session: Session, sitting: Sitting, version_id: int, comment: str, who: Viewer, *, now: datetime) -> KeyCheck:
    """Somebody compared a suspect key with its source and stands for it."""
    require_duty(session, who, sitting.plan.institution_id, Role.EXAM_OFFICER, plan_id=sitting.plan_id)
    if version_id not in {one["version"] for one in suspects(session, sitting)}:
        raise Refused("not_suspect", "本场次的统计没有对这道题的答案提出疑问，或已有人核对。")
    if len(comment.strip()) < 4:
        raise Refused("no_comment", "请写明怎样核对的、结论是什么（例如：对照教材第 35 页，答案无误）。")
    found = KeyCheck(sitting_id=sitting.id, version_id=version_id, comment=comment.strip()[:2000], checked_by=who.account_id, at=now)
    session.add(found)
    session.flush()
    return found


def suspects(session: Session, sitting: Sitting) -> list[dict[str, object]]:
    """The keys of the sitting's report that chance does not explain and nobody has dealt with: neither checked nor ruled on."""
    found = session.scalar(sa.select(SittingReport).where(SittingReport.sitting_id == sitting.id))
    if found is None:
        return []
    checked = set(session.scalars(sa.select(KeyCheck.version_id).where(KeyCheck.sitting_id == sitting.id)))
    ruled = set(session.scalars(sa.select(ItemCase.version_id).where(
        ItemCase.institution_id == sitting.plan.institution_id, ItemCase.state == CaseState.DONE)))
    return [one for one in found.found["keys"] if one["certain"] and one["version"] not in checked | ruled]


def require_keys_checked(session: Session, sittings: Sequence[Sitting]) -> None:
    """Refuse to let scores out while a key is suspect or a case is open."""
    lines = []
    for sitting in sittings:
        lines += [f"{sitting.name}：第 {one['number']} 题疑似错误答案，还没有人核对" for one in suspects(session, sitting)]
        lines += [f"{sitting.name}：问题试题 {case.id} 号{case.state.chinese}" for case in open_cases(session, sitting)]
    if lines:
        raise Refused("keys_unchecked", "公布成绩前须先核对可疑的答案，处理完问题试题。", lines)


def open_cases(session: Session, sitting: Sitting) -> Sequence[ItemCase]:
    return session.scalars(sa.select(ItemCase).where(
        ItemCase.institution_id == sitting.plan.institution_id, ItemCase.state.in_(OPEN),
        ItemCase.version_id.in_(versions_of(session, sitting))).order_by(ItemCase.id)).all()


def _require_member(session: Session, case: ItemCase, who: Viewer) -> None:
    require_duty(session, who, case.institution_id, Role.EXAM_OFFICER)


def _bar(session: Session, case: ItemCase) -> None:
    """No new paper takes the version; nor its item's standing version when that says the same under the same key."""
    reason = f"问题试题 {case.id} 号：{case.reason.splitlines()[0][:200]}（处理：{told(case)}）"
    bar(case.version, reason)
    standing = case.version.item.standing
    if standing is not None and (standing.content_hash, standing.key) == (case.version.content_hash, case.version.key):
        bar(standing, reason)
    session.flush()


def _keys(version: ItemVersion, remedy: Remedy, keys: Sequence[str]) -> list[str]:
    """The keys in canonical writing; refuses what is no answer to the item."""
    if remedy not in {Remedy.NEW_KEY, Remedy.SEVERAL_KEYS}:
        return []
    kind = version.kind.value
    if kind in WRITTEN:
        raise Refused("written", "书面题没有答案可改，请选择全体得满分或删除该题。")
    found = list(dict.fromkeys(key for text in keys if (key := _canonical(version, text))))
    if remedy is Remedy.NEW_KEY and (len(found) != 1 or found[0] == version.key):
        raise Refused("new_key", "请填写一个与原答案不同的新答案。")
    if remedy is Remedy.SEVERAL_KEYS and len(found) < 2:
        raise Refused("several_keys", "请填写两个或更多都算对的答案（原答案仍算对的也要填上）。")
    return found


def _canonical(version: ItemVersion, text: str) -> str:
    kind, clean = version.kind.value, half_width(text).strip()
    if not clean:
        return ""
    if kind == "fill":
        key = "\n".join(line.strip() for line in text.replace("；", "\n").split("\n") if line.strip())
        try:
            fits = len(blanks_of(key)) == len(blanks_of(version.key))
        except ValueError as error:
            raise Refused("bad_key", str(error)) from None
        if not fits:
            raise Refused("bad_key", f"这道题有 {len(blanks_of(version.key))} 个空，每个空的答案之间用“；”隔开。")
        return key
    if kind == "judge":
        if (word := judgement(clean)) not in {"T", "F"}:
            raise Refused("bad_key", f"判断题的答案是 对 或 错，现在是“{clean[:20]}”。")
        return word
    letters = {option.letter for option in version.options}
    key = "".join(sorted(set(clean.upper()) - set(" ,、")))
    if kind in CHOICES and (not set(key) <= letters or (kind == "single" and len(key) != 1)):
        raise Refused("bad_key", f"“{clean[:20]}”不是这道题的选项，请填写选项字母，例如 {min(letters)}。")
    return key
