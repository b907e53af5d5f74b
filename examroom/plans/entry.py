"""Entry conditions (申报条件) of a standard and level: kept by the office on a page or in a workbook."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.condition_models import EntryCondition
from examroom.plans.predicate import Predicate
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import LEVEL_NAMES, Standard

EDITORS = frozenset({Role.EXAM_OFFICER, Role.PROVINCE_OFFICER, Role.ADMINISTRATOR})
MOST = 99
LONGEST = 500
NUMBER = re.compile(r"^(?:条件|第|[(])?(\d{1,2})(?:[).、条项]|$)")
CIRCLED = {chr(0x2460 + place): str(place + 1) for place in range(20)}


@dataclass(frozen=True)
class ConditionDraft:
    """One option as it is typed."""

    number: int
    text: str
    predicate: Predicate = field(default_factory=Predicate)
    source: str = ""


def conditions_for(session: Session, standard_id: int, level: int) -> list[EntryCondition]:
    """The options in force, in their order."""
    return list(session.scalars(sa.select(EntryCondition).where(
        EntryCondition.standard_id == standard_id, EntryCondition.level == level, EntryCondition.ended_at.is_(None))
        .order_by(EntryCondition.number)))


def set_conditions(session: Session, standard: Standard, level: int, drafts: Sequence[ConditionDraft], who: Viewer, *,
                   now: datetime) -> int:
    """Make ``drafts`` the options of a level; what is unchanged stays. How many were added, changed or ended."""
    _require_editor(who)
    if level not in LEVEL_NAMES:
        raise Refused("level", "请选择五级到一级中的一个等级。")
    wanted = {draft.number: _checked(draft) for draft in drafts}
    if len(wanted) != len(drafts):
        raise Refused("number_double", "申报条件的序号重复了。请逐条编号，每个序号只用一次。")
    held = {condition.number: condition for condition in conditions_for(session, standard.id, level)}
    changed = 0
    for number in sorted(held.keys() | wanted.keys()):
        old, new = held.get(number), wanted.get(number)
        if old is not None and new is not None and _same(old, new):
            continue
        changed += 1
        if old is not None:
            old.ended_at = now
        if new is not None:
            session.add(EntryCondition(standard_id=standard.id, level=level, number=number, text=new.text, source=new.source,
                                       version=_next_version(session, standard.id, level, number), predicate=new.predicate.stored(),
                                       written_by=who.account_id, at=now))
    session.flush()
    return changed


def set_condition(session: Session, standard: Standard, level: int, draft: ConditionDraft, who: Viewer, *, now: datetime) -> None:
    """Add one option, or word the one of this number anew."""
    kept = [_as_draft(held) for held in conditions_for(session, standard.id, level) if held.number != draft.number]
    if not set_conditions(session, standard, level, [*kept, draft], who, now=now):
        raise Refused("nothing_changed", "这一条没有变化。")


def end_condition(session: Session, condition: EntryCondition, who: Viewer, *, now: datetime) -> None:
    """Nobody chooses it any more; who chose it keeps it."""
    _require_editor(who)
    if condition.ended_at is not None:
        raise Refused("ended", "这一条已经停用，请刷新页面。")
    condition.ended_at = now
    session.flush()


def chosen(options: Sequence[EntryCondition], written: str) -> EntryCondition:
    """The one option that is meant by its number or its words. Refuses none and more than one."""
    text = unicodedata.normalize("NFKC", "".join(CIRCLED.get(sign, sign) for sign in written)).strip()
    if not options:
        raise Refused("no_conditions", "这个标准和等级还没有录入申报条件。请先在“申报条件”页按国家职业标准录入。")
    if not text:
        raise Refused("condition", f"没有填写申报条件。请从 {len(options)} 条中选一条，填写序号或原文。")
    by_number = {str(option.number): option for option in options}
    if text.removesuffix(".0") in by_number:
        return by_number[text.removesuffix(".0")]
    alike = [option for option in options if plain(option.text) == plain(text)]
    if len(alike) == 1:
        return alike[0]
    numbered = NUMBER.match(text)
    if numbered and numbered[1] in by_number:
        return by_number[numbered[1]]
    within = [option for option in options if len(plain(text)) >= 6 and plain(text) in plain(option.text)]
    if len(within) == 1:
        return within[0]
    raise Refused("condition", f"申报条件“{written[:40]}”{'可以指第' + '、'.join(str(one.number) for one in within) + '条' if within else '不是已录入的选项'}。"
                               f"请填写序号（{'、'.join(by_number)}）中的一个。")


def plain(text: str) -> str:
    """Without what people write differently: width of signs, spaces, punctuation."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text))


def _require_editor(who: Viewer) -> None:
    if not who.has(*EDITORS):
        raise Refused("not_your_duty", "申报条件由考务员、省鉴定中心或系统管理员维护，您的权限不包括这项工作。")


def _checked(draft: ConditionDraft) -> ConditionDraft:
    text = " ".join(draft.text.split())
    if not 1 <= draft.number <= MOST:
        raise Refused("number", f"申报条件的序号应在 1 到 {MOST} 之间。")
    if not 4 <= len(text) <= LONGEST:
        raise Refused("text", f"第 {draft.number} 条：请照标准原文填写申报条件（4 至 {LONGEST} 个字）。")
    return ConditionDraft(draft.number, text, draft.predicate, draft.source.strip()[:200])


def _same(held: EntryCondition, draft: ConditionDraft) -> bool:
    return (held.text, held.predicate, held.source) == (draft.text, draft.predicate.stored(), draft.source)


def _as_draft(held: EntryCondition) -> ConditionDraft:
    return ConditionDraft(held.number, held.text, Predicate.read(held.predicate), held.source)


def _next_version(session: Session, standard_id: int, level: int, number: int) -> int:
    return 1 + (session.scalar(sa.select(sa.func.max(EntryCondition.version)).where(
        EntryCondition.standard_id == standard_id, EntryCondition.level == level, EntryCondition.number == number)) or 0)


def drafts_of(conditions: Iterable[EntryCondition]) -> list[ConditionDraft]:
    return [_as_draft(condition) for condition in conditions]
