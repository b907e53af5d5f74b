"""The moves of a result list (初审、审核; notice 四(二)(三)) as a table, and the step each one writes down."""

from __future__ import annotations

from datetime import datetime

from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from scoring.results.models import ResultDecision, ResultList, ResultState

S = ResultState
MOVES: dict[ResultState, frozenset[ResultState]] = {
    S.DRAFT: frozenset({S.NOTICED, S.RETURNED}),  # returned: the second person found something
    S.NOTICED: frozenset({S.SUBMITTED, S.DRAFT}),  # back to draft: the notice is withdrawn to correct the list
    S.SUBMITTED: frozenset({S.CITY_CHECKED, S.RETURNED}),
    S.CITY_CHECKED: frozenset({S.FINAL, S.RETURNED}),
    S.RETURNED: frozenset({S.DRAFT}),
    S.FINAL: frozenset({S.RETURNED}),  # the province reopens it: a recheck proved a score wrong
}
# Who decides in which state, and what an approval makes of the list.
DESKS: dict[ResultState, tuple[Role, ResultState]] = {
    S.SUBMITTED: (Role.CITY_OFFICER, S.CITY_CHECKED),
    S.CITY_CHECKED: (Role.PROVINCE_OFFICER, S.FINAL),
}
OFF_NOTICE = frozenset({S.DRAFT, S.RETURNED})


def move(result_list: ResultList, to: ResultState, who: Viewer, *, now: datetime, comment: str = "") -> None:
    """Take the list to ``to`` and write the step down. Refuses a move that the table does not have."""
    if to not in MOVES[result_list.state]:
        raise Refused("wrong_state", f"这份结果现在是“{result_list.state.chinese}”，不能变为“{to.chinese}”。请刷新页面查看最新状态。")
    result_list.state = to
    if to in OFF_NOTICE:  # not public, and not shown to candidates, until it is posted again
        result_list.noticed_at = result_list.notice_ends_at = None
        result_list.checked_by = result_list.checked_at = None
    result_list.decisions.append(ResultDecision(decided_by=who.account_id, state=to, comment=comment, at=now))
