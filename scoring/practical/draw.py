"""The draw (抽签): which task and station each candidate of a plan gets, stored so that anybody can draw it again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans import drift, qualification
from examroom.plans.condition_models import Qualification
from examroom.plans.models import Enrolment, ExamPlan, PlanState
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from qbank.standards.models import Subject, WeightTable
from qbank.standards.ratios import PRACTICAL
from scoring.practical.bank_models import (
    DrawnTask,
    DrawState,
    PracticalDraw,
    PracticalTask,
    TaskState,
    TaskVersion,
    UnitChoice,
)
from scoring.practical.duties import require
from scoring.practical.lots import Lot, ModulePool, Pool, deal, fingerprint
from scoring.practical.models import PracticalGroup
from scoring.practical.modules import current_draw
from scoring.practical.structure import in_force
from scoring.practical.structure_models import ContentStructure, Mode, PracticalModule
from scoring.practical.tasks import fits

MOST_STATIONS = 500


def structure_for(session: Session, plan: ExamPlan) -> ContentStructure | None:
    """The structure in force for the plan's standard and level at its school."""
    table = session.scalar(sa.select(WeightTable).where(WeightTable.standard_id == plan.standard_id,
                                                        WeightTable.level == plan.level,
                                                        WeightTable.subject == Subject.SKILL))
    return in_force(session, table.id, plan.institution_id) if table else None


def usable(session: Session, module: PracticalModule) -> dict[str, list[TaskVersion]]:
    """Unit -> the approved versions of its tasks that fit the module; a unit without any has an empty list."""
    found: dict[str, list[TaskVersion]] = {unit: [] for unit in module.options or [""]}
    held = session.scalars(sa.select(TaskVersion).join(PracticalTask)
                           .where(PracticalTask.module_id == module.id, TaskVersion.state == TaskState.APPROVED)
                           .order_by(PracticalTask.code))
    for version in held:
        if version.task.option in found and fits(version):
            found[version.task.option].append(version)
    return found


def lacking(session: Session, plan: ExamPlan, structure: ContentStructure) -> list[str]:
    """What keeps the draw from being held, a line each."""
    found = []
    for module in structure.modules:
        for unit, tasks in usable(session, module).items():
            if not tasks:
                found.append(f"模块“{module.name}”{f'的考核单元“{unit}”' if unit else ''}还没有已审定、比重一致的试题")
        if module.mode is Mode.CHOSEN and (undecided := _undecided(session, plan, module)):
            found.append(f"模块“{module.name}”任选一项，还有 {len(undecided)} 名考生没有选定考核单元："
                         f"{'、'.join(one.candidate.name for one in undecided[:5])}{'等' if len(undecided) > 5 else ''}")
    return found


def choose_unit(session: Session, plan: ExamPlan, module: PracticalModule, enrolment_ids: Sequence[int], option: str,
                who: Viewer) -> int:
    """Record which unit these candidates take in a 任选 module."""
    require(session, plan, who, Role.EXAM_OFFICER)
    structure = structure_for(session, plan)
    if structure is None or module.structure_id != structure.id or module.mode is not Mode.CHOSEN or option not in module.options:
        raise Refused("no_unit", "请选择本计划“任选一项”模块的一个考核单元。")
    if current_draw(session, plan):
        raise Refused("drawn", "已经抽签，不能再改考核单元。需要更改请申请重抽。")
    wanted = set(enrolment_ids)
    found = [one for one in plan.enrolments if one.id in wanted]
    if not found or len(found) != len(wanted):
        raise Refused("other_plan", "请勾选本计划的考生。")
    held = {one.enrolment_id: one for one in session.scalars(sa.select(UnitChoice).where(UnitChoice.module_id == module.id))}
    for enrolment in found:
        if enrolment.id in held:
            held[enrolment.id].option = option
        else:
            session.add(UnitChoice(enrolment_id=enrolment.id, module_id=module.id, option=option))
    session.flush()
    return len(found)


def draw(session: Session, plan: ExamPlan, who: Viewer, *, stations: Mapping[int, int], starts_at: datetime,
         seed: str | None = None, now: datetime) -> PracticalDraw:
    """Hold the draw; ``stations``: module id -> how many 工位 it has. Without ``seed`` one is made from the system's chance."""
    require(session, plan, who, Role.EXAM_OFFICER)
    if current_draw(session, plan):
        raise Refused("drawn", "本计划已经抽签。需要重抽请写明理由申请，由另一名考务员同意。")
    if plan.state is not PlanState.APPROVED:
        raise Refused("plan_not_approved", "考务方案还没有批准，不能抽签。")
    drift.require_planned(plan, PRACTICAL, starts_at)
    if waiting := qualification.counts(session, plan.id)[Qualification.PENDING]:
        raise Refused("not_qualified", f"还有 {waiting} 名考生的资格没有审核。抽签只有一次，请先审核完，再抽签。")
    if starts_at <= now:
        raise Refused("in_the_past", "操作技能考核的开始时间已经过去，请填写今后的时间；考核开始后不能抽签。")
    if session.scalar(sa.select(PracticalGroup.id).where(PracticalGroup.plan_id == plan.id).limit(1)):
        raise Refused("already_grouped", "本计划已经编了考核组。请先撤销考核组，抽签后按抽到的试题编组。")
    structure = structure_for(session, plan)
    if structure is None:
        raise Refused("no_structure", "这个职业等级还没有启用的考核内容结构表，请先编制并启用。")
    if missing := lacking(session, plan, structure):
        raise Refused("not_ready", "现在还不能抽签，请先补齐下面各项。", missing)
    return _hold(session, plan, structure, who, stations, starts_at, seed or secrets.token_hex(16), now)


def _hold(session: Session, plan: ExamPlan, structure: ContentStructure, who: Viewer, stations: Mapping[int, int],
          starts_at: datetime, seed: str, now: datetime) -> PracticalDraw:
    pool = _pool(session, plan, structure, stations)
    lots = deal(seed, pool)
    number = session.scalar(sa.select(sa.func.count()).where(PracticalDraw.plan_id == plan.id)) or 0
    made = PracticalDraw(plan=plan, structure=structure, number=number + 1, seed=seed, starts_at=starts_at, pool=pool.to_json(),
                         fingerprint=fingerprint(lots), drawn_by=who.account_id, drawn_at=now)
    by_ticket = {one.ticket_number: one for one in plan.enrolments}
    made.lots = [DrawnTask(enrolment=by_ticket[lot.candidate], module_id=int(lot.module), version_id=int(lot.task),
                           turn=lot.turn, station=lot.station) for lot in sorted(lots)]
    session.add(made)
    session.flush()
    return made


def _pool(session: Session, plan: ExamPlan, structure: ContentStructure, stations: Mapping[int, int]) -> Pool:
    tickets = {one.id: one.ticket_number for one in qualification.accepted(plan.enrolments)}
    if not tickets:
        raise Refused("no_candidates", "本计划还没有资格审核通过的考生，不能抽签。")
    modules = []
    for module in structure.modules:
        number = stations.get(module.id, 0)
        if not 1 <= number <= MOST_STATIONS:
            raise Refused("no_stations", f"模块“{module.name}”的工位数应为 1 到 {MOST_STATIONS}。")
        units = {unit: [str(one.id) for one in versions] for unit, versions in usable(session, module).items()}
        chosen = session.scalars(sa.select(UnitChoice).where(UnitChoice.module_id == module.id, UnitChoice.enrolment_id.in_(tickets)))
        chosen_by = {tickets[one.enrolment_id]: one.option for one in chosen} if module.mode is Mode.CHOSEN else {}
        modules.append(ModulePool(str(module.id), units, number, chosen_by))
    return Pool(sorted(tickets.values()), modules)


def repeats(found: PracticalDraw) -> bool:
    """Draw again from the stored seed and pool: whether the same comes out, and is what the lots say."""
    again = deal(found.seed, Pool.from_json(found.pool))
    held = [Lot(str(one.module_id), one.turn, one.station, one.enrolment.ticket_number, str(one.version_id)) for one in found.lots]
    return fingerprint(again) == found.fingerprint == fingerprint(held)


# Drawing anew

def ask_redraw(session: Session, found: PracticalDraw, reason: str, who: Viewer, *, now: datetime) -> None:
    """Ask for a new draw, with a reason; another officer has to agree before the start."""
    _check_redraw(session, found, who, now)
    if not reason.strip():
        raise Refused("no_reason", "请写明重抽的理由，例如“设备故障，试题 DG4-J1-02 无法考核”。")
    found.redraw_reason, found.redraw_asked_by, found.redraw_asked_at = reason.strip()[:1000], who.account_id, now
    session.flush()


def decline_redraw(session: Session, found: PracticalDraw, who: Viewer, *, now: datetime) -> None:
    """Leave the draw as it is."""
    _check_redraw(session, found, who, now)
    found.redraw_reason, found.redraw_asked_by, found.redraw_asked_at = "", None, None
    session.flush()


def redraw(session: Session, found: PracticalDraw, who: Viewer, *, seed: str | None = None, now: datetime) -> PracticalDraw:
    """The second person agrees: the draw is replaced by a new one with another seed. The old one stays on record."""
    _check_redraw(session, found, who, now)
    if found.redraw_asked_by is None:
        raise Refused("not_asked", "还没有人申请重抽。请先写明理由申请。")
    if found.redraw_asked_by == who.account_id:
        raise Refused("same_person", "申请重抽和同意重抽必须是两个人，请另一名考务员同意。")
    structure = structure_for(session, found.plan)
    if structure is None or (missing := lacking(session, found.plan, structure)):
        raise Refused("not_ready", "现在还不能重抽，请先补齐下面各项。", missing if structure else ["没有启用的考核内容结构表"])
    used = {int(one.key): one.stations for one in Pool.from_json(found.pool).modules}
    before = {one.id: used.get(one.id) or used.get(one.previous_id or 0, 0) for one in structure.modules}
    found.state = DrawState.REPLACED
    session.flush()
    return _hold(session, found.plan, structure, who, before, found.starts_at, seed or secrets.token_hex(16), now)


def _check_redraw(session: Session, found: PracticalDraw, who: Viewer, now: datetime) -> None:
    require(session, found.plan, who, Role.EXAM_OFFICER)
    if found.state is not DrawState.CURRENT:
        raise Refused("replaced", "这次抽签已经作废，请到新的抽签结果上办理。")
    if now >= found.starts_at:
        raise Refused("started", f"操作技能考核已于 {spoken(found.starts_at)} 开始，不能重抽。")
    if session.scalar(sa.select(PracticalGroup.id).where(PracticalGroup.plan_id == found.plan_id).limit(1)):
        raise Refused("already_grouped", "已经按抽签结果编了考核组。需要重抽请先撤销考核组。")


def _undecided(session: Session, plan: ExamPlan, module: PracticalModule) -> list[Enrolment]:
    decided = set(session.scalars(sa.select(UnitChoice.enrolment_id).where(UnitChoice.module_id == module.id,
                                                                           UnitChoice.option.in_(module.options))))
    return [one for one in qualification.accepted(plan.enrolments) if one.id not in decided]
