"""Theory scores that changed after a result list was made of them. The list is never changed by itself: an officer is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from examroom.delivery.models import Sheet
from examroom.marking import released
from examroom.marking.case_models import ScoreChange
from examroom.marking.released import Standing
from examroom.plans.models import Sitting
from scoring.results.models import ResultList
from scoring.results.route import OFF_NOTICE


@released.check
def standings(session: Session, plan_ids: Collection[int]) -> list[Standing]:
    """The lists of these plans, for the rooms below."""
    lists = session.scalars(sa.select(ResultList).where(ResultList.plan_id.in_(plan_ids)).options(joinedload(ResultList.plan))
                            .order_by(ResultList.id))
    return [Standing(one.plan_id, one.state not in OFF_NOTICE, _sentence(one)) for one in lists]


def changes(session: Session, result_list: ResultList) -> Sequence[ScoreChange]:
    """Scores of the plan that were changed after the merge, with both values."""
    return session.scalars(
        sa.select(ScoreChange).join(ScoreChange.sheet).join(Sheet.sitting)
        .where(Sitting.plan_id == result_list.plan_id, ScoreChange.at > result_list.merged_at).order_by(ScoreChange.id)
        .options(joinedload(ScoreChange.sheet).joinedload(Sheet.enrolment))).all()


def _sentence(one: ResultList) -> str:
    if one.state in OFF_NOTICE:
        return f"“{one.plan.title}”的结果{one.state.chinese}，重新评分后须重新合成。"
    return f"“{one.plan.title}”的结果{one.state.chinese}，重新评分不会改动名单；须由考务员撤回公示或按规定报请更正后重新合成。"
