"""The kinds of items, the states of items and batches, and what people decide about them."""

from __future__ import annotations

import enum

from qbank.items.draft import KINDS


class ItemKind(enum.StrEnum):
    """题型."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    JUDGE = "judge"
    FILL = "fill"
    SHORT = "short"
    ESSAY = "essay"

    @property
    def chinese(self) -> str:
        return KINDS[self.value]


class ItemState(enum.StrEnum):
    """draft → submitted → approved | returned; approved → in use with the first sealed paper; approved, in use ⇄
    suspended; all but submitted → retired.

    An edit makes a new version: it supersedes a draft, submitted or returned one at once, a standing one when the new
    one is approved. The moves are a table in ``qbank.items.bank``.
    """

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    IN_USE = "in_use"
    SUSPENDED = "suspended"
    RETIRED = "retired"
    SUPERSEDED = "superseded"

    @property
    def chinese(self) -> str:
        return {"draft": "草稿", "submitted": "待审", "returned": "退回修改", "approved": "已入库", "in_use": "已用于试卷",
                "suspended": "暂停使用", "retired": "已停用", "superseded": "已被新版本取代"}[self.value]


STANDING = (ItemState.APPROVED, ItemState.IN_USE)  # what papers may use; at most one version of an item


class Purpose(enum.StrEnum):
    """What an item serves. exam → practice, never back: what candidates have seen is no secret any more."""

    EXAM = "exam"
    PRACTICE = "practice"

    @property
    def chinese(self) -> str:
        return {"exam": "考试题库", "practice": "练习题库"}[self.value]


class Verdict(enum.StrEnum):
    """A reviewer's verdict. Only an acceptance counts as an approval; both others send the version back."""

    ACCEPT = "accept"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def chinese(self) -> str:
        return {"accept": "通过", "minor": "小改后再审", "major": "大改后再审"}[self.value]


class PairKind(enum.StrEnum):
    """What somebody decided about two items that look alike."""

    ENEMY = "enemy"
    SIMILAR = "similar"
    DISTINCT = "distinct"

    @property
    def chinese(self) -> str:
        return {"enemy": "互相提示（不同卷）", "similar": "内容相近（不同卷）", "distinct": "已核对，不相近"}[self.value]


class RowVerdict(enum.StrEnum):
    """What the check made of a row of an uploaded file. Unmatched: all is well but the point was not found.

    Dropped: somebody said that it is not to be imported. Imported: it is in the bank.
    """

    WRONG = "wrong"
    UNMATCHED = "unmatched"
    DUPLICATE = "duplicate"
    GOOD = "good"
    DROPPED = "dropped"
    IMPORTED = "imported"

    @property
    def chinese(self) -> str:
        return {"wrong": "有错误", "unmatched": "待匹配鉴定点", "duplicate": "重复，跳过", "good": "可导入",
                "dropped": "不导入", "imported": "已导入"}[self.value]


class BatchState(enum.StrEnum):
    """checking → mapping | previewed | refused; mapping → checking; previewed → applying → applied; applied → reverting →
    reverted; whatever is not applied may be discarded.

    Applying and reverting are written in slices; a crash between two of them is taken up again (``qbank.exchange.work``).
    """

    CHECKING = "checking"
    MAPPING = "mapping"
    PREVIEWED = "previewed"
    APPLYING = "applying"
    APPLIED = "applied"
    REVERTING = "reverting"
    REVERTED = "reverted"
    DISCARDED = "discarded"
    REFUSED = "refused"

    @property
    def chinese(self) -> str:
        return {"checking": "正在检查", "mapping": "待指定各列", "previewed": "待确认", "applying": "正在导入",
                "applied": "已导入", "reverting": "正在撤销", "reverted": "已撤销", "discarded": "已放弃",
                "refused": "无法读取"}[self.value]
