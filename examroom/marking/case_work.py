"""Long work of a bad item: what a remedy would change, and marking again, off the request with progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.delivery.models import Sheet
from examroom.marking import cases, desk
from examroom.marking.case_models import CaseState, ItemCase
from examroom.marking.keys import ruling_of, told
from examroom.marking.models import TheoryScore
from examroom.marking.scoring import Marking
from examroom.plans.models import Sitting
from qbank.kernel.jobs import Work, kind
from qbank.kernel.refused import Refused

AT_ONCE = 100  # scores in one transaction: others wait no longer than that
Progress = Callable[[int, int, str], None]


@kind(cases.PREVIEW, "预览问题试题的影响")
def preview(work: Work) -> str:
    """Compute without a lock, write in one short transaction."""
    with work.reading() as session:
        case = session.get_one(ItemCase, work.arguments["case"])
        asked = (case.remedy, list(case.keys))
        changes, scored = consequences(session, case, work.progress)
    with work.transaction() as session:
        case = session.get_one(ItemCase, work.arguments["case"])
        if case.state is not CaseState.REPORTED or (case.remedy, list(case.keys)) != asked:
            raise Refused("changed", "处理办法在预览期间又改了，请等待新的预览。")
        case.preview, case.scored, case.previewed_at = changes, scored, work.now()
        cases.move(case, CaseState.PREVIEWED)
    return str(work.arguments["result"])


@kind(cases.REMARK, "按问题试题处理重新评分")
def remark(work: Work) -> str:
    """Mark again what two persons approved, and nothing else: other consequences than they saw go back to them.

    Scores are written a hundred at a time; what broke off is asked for again and goes on where it stopped.
    """
    with work.reading() as session:
        case = session.get_one(ItemCase, work.arguments["case"])
        if case.state is not CaseState.APPROVED:
            raise Refused("wrong_state", f"这件问题试题现在是“{case.state.chinese}”，不需要重新评分。")
        because, approved = f"问题试题 {case.id} 号：{told(case)}", {tuple(row) for row in case.preview}
        sittings = [sitting.id for sitting in cases.sittings_with(session, case)]
        changes, _ = consequences(session, case, work.progress)
        unseen = {tuple(row) for row in changes} - approved
    if unseen:
        with work.transaction() as session:
            case = session.get_one(ItemCase, work.arguments["case"])
            case.preview, case.previewed_at = changes, work.now()
            cases.move(case, CaseState.PREVIEWED)
        raise Refused("other_consequences", f"批准以后成绩又有变化，有 {len(unseen)} 人的结果与批准时看到的不同。已换成新的预览，请两人重新批准。")
    for done, sitting_id in enumerate(sittings):
        _mark_again(work, sitting_id, case.id, because, done, len(sittings))
    with work.transaction() as session:
        case = session.get_one(ItemCase, work.arguments["case"])
        cases.move(case, CaseState.DONE)
        case.done_at = work.now()
        for sitting_id in sittings[-1:]:
            desk.ask_for_statistics(session, session.get_one(Sitting, sitting_id), now=work.now())
    return str(work.arguments["result"])


def consequences(session: Session, case: ItemCase, progress: Progress) -> tuple[list[list[int]], int]:
    """[sheet id, before, after] of every score that the remedy of ``case`` changes, and how many scores there are."""
    proposed, changes, scored = {case.version_id: ruling_of(case)}, [], 0
    sittings = cases.sittings_with(session, case)
    for done, sitting in enumerate(sittings):
        progress(done, len(sittings), f"正在计算“{sitting.name}”…")
        markings = desk.score(session, sitting, proposed)
        for sheet_id, before in _scores(session, sitting.id):
            scored += 1
            if (after := markings[sheet_id].half_points) != before:
                changes.append([sheet_id, before, after])
    return changes, scored


def _mark_again(work: Work, sitting_id: int, case_id: int, because: str, done: int, of: int) -> None:
    with work.reading() as session:
        markings = desk.score(session, session.get_one(Sitting, sitting_id))
    sheet_ids = sorted(markings)
    for start in range(0, len(sheet_ids), AT_ONCE):
        work.progress(done * 1000 + 1000 * start // max(len(sheet_ids), 1), of * 1000, f"已重新评分 {start} / {len(sheet_ids)} 份")
        with work.transaction() as session:
            _write(session, sitting_id, {key: markings[key] for key in sheet_ids[start:start + AT_ONCE]}, case_id, because, work.now())


def _write(session: Session, sitting_id: int, markings: dict[int, Marking], case_id: int, because: str, now: Any) -> None:
    sitting = session.get_one(Sitting, sitting_id)
    voids = desk.voided(session, sitting)
    scores = {score.sheet_id: score for score in session.scalars(
        sa.select(TheoryScore).where(TheoryScore.sheet_id.in_(markings)).options(sa.orm.joinedload(TheoryScore.sheet)))}
    for sheet_id, score in sorted(scores.items()):
        desk.write(session, score, score.sheet, markings[sheet_id], voids.get(sheet_id, []), now, case_id=case_id, because=because)


def _scores(session: Session, sitting_id: int) -> list[tuple[int, int]]:
    rows = session.execute(sa.select(TheoryScore.sheet_id, TheoryScore.half_points).join(TheoryScore.sheet)
                           .where(Sheet.sitting_id == sitting_id).order_by(TheoryScore.sheet_id))
    return [(sheet_id, half_points) for sheet_id, half_points in rows]
