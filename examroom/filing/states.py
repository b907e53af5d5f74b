"""States of an application and of what follows it, and the moves between them (pure)."""

from __future__ import annotations

import enum

from qbank.kernel.refused import Refused


class ApplicationKind(enum.StrEnum):
    """What an application asks for."""

    FIRST = "first"
    ADDITION = "addition"
    CHANGE = "change"
    RENEWAL = "renewal"

    @property
    def chinese(self) -> str:
        return {"first": "首次备案", "addition": "增加职业（等级）", "change": "变更标准", "renewal": "延期"}[self.value]


class ApplicationState(enum.StrEnum):
    """draft → submitted → city_passed → decided; a return goes back to the school, a refusal or a withdrawal ends it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CITY_PASSED = "city_passed"
    RETURNED = "returned"
    DECIDED = "decided"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def chinese(self) -> str:
        return {"draft": "草稿", "submitted": "待市鉴定中心审核", "city_passed": "待省鉴定中心复核", "returned": "已退回修改",
                "decided": "复核通过，已公布", "refused": "未通过", "withdrawn": "学校已撤回"}[self.value]

    @property
    def tone(self) -> str:
        return {"draft": "plain", "submitted": "wait", "city_passed": "wait", "returned": "bad", "decided": "good", "refused": "bad",
                "withdrawn": "plain"}[self.value]


A = ApplicationState
WITH_SCHOOL = frozenset({A.DRAFT, A.RETURNED})
OPEN = frozenset({A.DRAFT, A.RETURNED, A.SUBMITTED, A.CITY_PASSED})
MOVES: dict[ApplicationState, frozenset[ApplicationState]] = {
    A.DRAFT: frozenset({A.SUBMITTED, A.WITHDRAWN}), A.RETURNED: frozenset({A.SUBMITTED, A.WITHDRAWN}),
    A.SUBMITTED: frozenset({A.CITY_PASSED, A.RETURNED, A.WITHDRAWN}),
    A.CITY_PASSED: frozenset({A.DECIDED, A.REFUSED, A.RETURNED}),
}


def moved(state: ApplicationState, to: ApplicationState) -> ApplicationState:
    """``to``, when an application in ``state`` may go there. Refuses otherwise."""
    if to not in MOVES.get(state, frozenset()):
        raise Refused("wrong_state", f"申请现在是“{state.chinese}”，不能再转为“{to.chinese}”。请刷新页面查看最新状态。")
    return to


class EventKind(enum.StrEnum):
    """What happened to a line of the directory."""

    PUBLISHED = "published"
    RENEWED = "renewed"
    CHANGED = "changed"
    ENDED = "ended"
    RESIGNED = "resigned"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"

    @property
    def chinese(self) -> str:
        return {"published": "公布", "renewed": "延期", "changed": "变更", "ended": "提前终止", "resigned": "学校自愿退出",
                "lapsed": "视同自行退出", "cancelled": "取消试点资格"}[self.value]


class Ground(enum.StrEnum):
    """Why a school leaves the directory before its time."""

    OWN_WILL = "own_will"
    INACTIVE = "inactive"
    VIOLATION = "violation"
    EVALUATION = "evaluation"

    @property
    def chinese(self) -> str:
        return {"own_will": "学校自愿退出", "inactive": "连续一年不开展工作，视同自行退出", "violation": "违规违纪，取消试点资格",
                "evaluation": "评估不合格，取消试点资格"}[self.value]

    @property
    def clause(self) -> str:
        return {"own_will": "三（三）", "inactive": "五（六）", "violation": "五（六）", "evaluation": "五（七）"}[self.value]

    @property
    def event(self) -> EventKind:
        return {"own_will": EventKind.RESIGNED, "inactive": EventKind.LAPSED, "violation": EventKind.CANCELLED,
                "evaluation": EventKind.CANCELLED}[self.value]


class RemovalState(enum.StrEnum):
    """proposed → done | dismissed."""

    PROPOSED = "proposed"
    DONE = "done"
    DISMISSED = "dismissed"

    @property
    def chinese(self) -> str:
        return {"proposed": "待省鉴定中心决定", "done": "已移出目录", "dismissed": "不予处理"}[self.value]


class Verdict(enum.StrEnum):
    """How the city rates a school's pilot."""

    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"

    @property
    def chinese(self) -> str:
        return {"qualified": "评估合格", "unqualified": "评估不合格"}[self.value]
