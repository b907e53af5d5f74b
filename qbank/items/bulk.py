"""The same thing done with many items: first what would happen to how many and why not to others, then doing it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items import bank
from qbank.items.listing import reached
from qbank.items.models import BulkRun, Item, ItemVersion
from qbank.items.moves import MOVES
from qbank.items.states import ItemState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Point, Range

S = ItemState
AT_ONCE = 200  # in one request, and in one transaction of a job
MOST_NAMED = 200
ACTIONS: Mapping[str, str] = {"submit": "提交审核", "move": "移到其他鉴定点", "retire": "停用", "suspend": "暂停使用"}
ROLES: Mapping[str, tuple[Role, ...]] = {
    "submit": (Role.ITEM_AUTHOR,), "move": (Role.ITEM_AUTHOR,), "retire": (Role.ITEM_AUTHOR,),
    "suspend": (Role.ITEM_AUTHOR, Role.ITEM_REVIEWER)}
BECOMES = {"submit": S.SUBMITTED, "retire": S.RETIRED, "suspend": S.SUSPENDED}
UNDOABLE = frozenset({"move", "suspend"})
EFFECTS = {
    "submit": "成为“待审”，由审题员审核。提交后不能自行撤回",
    "retire": "成为“已停用”，不再用于组卷。停用后不能恢复；已封存的试卷不受影响",
    "suspend": "成为“暂停使用”，核实后由审题员恢复",
}
WHY_NOT = {
    "submit": {S.RETURNED: "已被退回，请先按审题意见修改", S.SUBMITTED: "已在审核中"},
    "retire": {S.SUBMITTED: "正在审核，等审核结束后再停用"},
    "suspend": {S.DRAFT: "还没有入库，不需要暂停", S.SUBMITTED: "还没有入库，不需要暂停"},
}


@dataclass(frozen=True)
class Row:
    """A version as far as a bulk action needs to know it."""

    id: int
    item_id: int
    number: int
    state: ItemState
    point_id: int
    table_id: int
    newest: bool
    mine: bool  # within reach of the roles that the action needs

    @property
    def name(self) -> str:
        return f"题 {self.item_id} 第 {self.number} 版"


@dataclass(frozen=True)
class Plan:
    """What would happen: effect → the rows it happens to; reason → the rows it does not happen to."""

    action: str
    effects: Mapping[str, Sequence[Row]]
    refusals: Mapping[str, Sequence[Row]]

    @property
    def able(self) -> list[Row]:
        return [row for rows in self.effects.values() for row in rows]

    @property
    def refused(self) -> list[str]:
        return [f"{row.name}：{reason}" for reason, rows in self.refusals.items() for row in rows]


def rows_of(session: Session, query: sa.Select[ItemVersion], action: str, who: Viewer) -> list[Row]:
    """The versions of ``query`` (joined to their items) as rows, without loading what they say."""
    newest = (sa.select(sa.func.max(ItemVersion.number)).where(ItemVersion.item_id == Item.id)
              .correlate(Item).scalar_subquery())
    columns = (ItemVersion.id, ItemVersion.item_id, ItemVersion.number, ItemVersion.state, ItemVersion.point_id, Item.table_id,
               (newest == ItemVersion.number).label("newest"), reached(session, who, *ROLES[action]).label("mine"))
    found = session.execute(query.with_only_columns(*columns, maintain_column_froms=True).order_by(None).order_by(ItemVersion.id))
    return [Row(*row[:6], bool(row[6]), bool(row[7])) for row in found]


def plan(action: str, rows: Sequence[Row], point: Point | None = None) -> Plan:
    """Sort the rows by what would happen to them."""
    effects: defaultdict[str, list[Row]] = defaultdict(list)
    refusals: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if reason := _why_not(action, row, point):
            refusals[reason].append(row)
        else:
            effects[_effect(action, row)].append(row)
    return Plan(action, effects, refusals)


def do(session: Session, action: str, keys: Sequence[int], who: Viewer, *, reason: str, point: Point | None,
       now: datetime) -> tuple[list[list[int]], list[str]]:
    """Do it with these versions, each by the rule for one. Returns changes as :class:`BulkRun` keeps them, and what was
    refused meanwhile, a sentence each."""
    changes, refused = [], []
    versions = {version.id: version for version in session.scalars(sa.select(ItemVersion).where(ItemVersion.id.in_(keys)))}
    for key in keys:
        if (version := versions.get(key)) is None:
            continue
        before = version.point_id
        try:
            after = _do_one(session, action, version, who, reason=reason, point=point, now=now)
        except Refused as refusal:
            refused.append(f"{bank.label(version)}：{refusal.sentence}")
        else:
            changes.append([key, after.id, before])
    session.flush()
    return changes, refused


def remember(session: Session, action: str, who: Viewer, changes: Sequence[list[int]], refused: Sequence[str], *,
             reason: str, point: Point | None, now: datetime) -> BulkRun:
    """A row that shows what was done."""
    more = [f"……共 {len(refused)} 道"] if len(refused) > MOST_NAMED else []
    run = BulkRun(account_id=who.account_id, action=action, reason=reason, point_id=point.id if point else None, at=now,
                  changes=list(changes), refused=[*refused[:MOST_NAMED], *more])
    session.add(run)
    session.flush()
    return run


def undo(session: Session, run: BulkRun, who: Viewer, *, now: datetime) -> tuple[int, list[str]]:
    """Take a move or a suspension back, as far as nobody went on from it: how many, and a sentence for each that stays."""
    if run.action not in UNDOABLE:
        raise Refused("no_way_back", f"“{ACTIONS[run.action]}”不能撤销。")
    if run.undone_at is not None:
        raise Refused("undone", "这次批量办理已经撤销过。")
    done, left = 0, []
    for _, after, point_id in run.changes:
        version = session.get(ItemVersion, after)
        if version is None:
            continue
        try:
            if run.action == "suspend":
                bank.resume(session, version, who, f"撤销批量暂停（{run.reason}）", now=now)
            else:
                _move(session, version, session.get_one(Point, point_id), who, reason="撤销批量移动", now=now)
            done += 1
        except Refused as refusal:
            left.append(f"{bank.label(version)}：{refusal.sentence}")
    run.undone_at = now
    session.flush()
    return done, left


def point_named(session: Session, table_ids: set[int], text: str) -> Point:
    """The point that was chosen on the page; all the items have to be of its table."""
    if len(table_ids) != 1:
        raise Refused("tables", "勾选的试题属于不同的题库，请先按题库筛选，再移动。")
    if not text.isdecimal() or len(text) > 9:
        raise Refused("no_point", "请选择要移到的鉴定点。")
    point = session.scalar(sa.select(Point).join(Point.range).where(Point.id == int(text), Range.table_id.in_(table_ids)))
    if point is None:
        raise Refused("no_point", "这个鉴定点不在这些试题的细目表里，请重新选择。")
    return point


def _why_not(action: str, row: Row, point: Point | None) -> str:
    if not row.mine:
        return f"您不是这个题库的{'或'.join(role.chinese for role in ROLES[action])}"
    if action == "move":
        if not row.newest:
            return "已有更新的版本，请移动最新的版本"
        if row.state in {S.RETIRED, S.SUPERSEDED}:
            return f"状态为“{row.state.chinese}”，不能移动"
        return "已经在这个鉴定点" if point is not None and row.point_id == point.id else ""
    if BECOMES[action] in MOVES[row.state]:
        return ""
    return WHY_NOT[action].get(row.state, f"状态为“{row.state.chinese}”，不能{ACTIONS[action]}")


def _effect(action: str, row: Row) -> str:
    if action != "move":
        return EFFECTS[action]
    if row.state is S.DRAFT:
        return "草稿：内容不变，保存为放在新鉴定点的新草稿，取代原来的草稿"
    if row.state in {S.SUBMITTED, S.RETURNED}:
        return "审核中或被退回的：生成放在新鉴定点的新草稿，原来的审核随之结束，需要重新提交"
    return "已入库的：生成放在新鉴定点的新版本（草稿），需要提交审核；通过之前，原版本继续使用"


def _do_one(session: Session, action: str, version: ItemVersion, who: Viewer, *, reason: str, point: Point | None,
            now: datetime) -> ItemVersion:
    if action == "submit":
        bank.submit(session, version, who, now=now)
    elif action == "retire":
        bank.retire(session, version, who, reason, now=now)
    elif action == "suspend":
        bank.suspend(session, version, who, reason, now=now)
    elif point is not None:
        return _move(session, version, point, who, reason=reason, now=now)
    return version


def _move(session: Session, version: ItemVersion, point: Point, who: Viewer, *, reason: str, now: datetime) -> ItemVersion:
    draft = dataclasses.replace(bank.draft_of(version), range_path=point.range.path, point_segment=point.segment)
    return bank.edit(session, version, draft, who, now=now, reason=reason or f"移到鉴定点 {point.label}")
