"""Rules of the 考核内容结构表: modules drafted against the skill weight table, put in force, replaced by the next version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import Subject, WeightTable
from scoring.practical.bank_models import PracticalTask
from scoring.practical.joining import spoken_points
from scoring.practical.rubrics import sections
from scoring.practical.structure_models import NUMERALS, ContentStructure, Form, Mode, PracticalModule, StructureState

WRITERS = (Role.EXAM_OFFICER, Role.ITEM_AUTHOR)
MOST_MODULES = 30
MOST_MINUTES = 1440


@dataclass(frozen=True)
class ModuleDraft:
    """One module as typed. ``portions``: path of a 职业功能 -> half-percent; what they add up to is the module's weight."""

    name: str
    portions: Mapping[str, int] = field(default_factory=dict)
    minutes: int = 60
    mode: Mode = Mode.REQUIRED
    options: tuple[str, ...] = ()
    form: Form = Form.ON_SITE
    previous_id: int | None = None

    @property
    def weight(self) -> int:
        return sum(self.portions.values())


def plain_modules(table: WeightTable) -> list[ModuleDraft]:
    """One required module for each 职业功能: the beginning of a structure."""
    return [ModuleDraft(one.name, {one.path: one.weight}) for one in sections(table)]


def drafts_of(structure: ContentStructure, *, as_next: bool = False) -> list[ModuleDraft]:
    """The modules as they would be typed; ``as_next``: for the version after this one."""
    return [ModuleDraft(one.name, dict(one.portions), one.minutes, one.mode, tuple(one.options), one.form,
                        one.id if as_next else one.previous_id) for one in structure.modules]


def findings(table: WeightTable, modules: Sequence[ModuleDraft]) -> list[str]:
    """What keeps these modules from being a structure, a line each."""
    found = [f"模块 {number}：{text}" for number, module in enumerate(modules, 1) if (text := _problem(module, table))]
    names = [module.name.strip() for module in modules]
    if len(set(names)) != len(names):
        found.append("两个模块同名，请改名")
    for one in sections(table):
        got = sum(module.portions.get(one.path, 0) for module in modules)
        if got != one.weight:
            found.append(f"“{one.name}”各模块合计 {spoken_points(got)}%，权重表为 {spoken_points(one.weight)}%")
    return found


def _problem(module: ModuleDraft, table: WeightTable) -> str:
    if not module.name.strip() or len(module.name) > 100:
        return "请填写模块名称（不超过 100 字）"
    if not 1 <= module.minutes <= MOST_MINUTES:
        return f"考试时间应为 1 到 {MOST_MINUTES} 分钟"
    known = {one.path for one in sections(table)}
    if not module.portions or module.weight <= 0 or not module.portions.keys() <= known or min(module.portions.values()) < 0:
        return "请至少为一个职业功能填写比重"
    if module.mode is Mode.REQUIRED:
        return "必考模块不分考核单元，请清空或改为任选、抽考" if module.options else ""
    units = [one.strip() for one in module.options]
    if not 2 <= len(units) < len(NUMERALS) or len(set(units)) != len(units) or any(len(one) > 100 for one in units):
        return f"{module.mode.chinese}应列出 2 到 {len(NUMERALS) - 1} 个不同的考核单元，用顿号分开"
    return "" if all(units) else "考核单元不能为空"


def draft_structure(session: Session, table: WeightTable, institution_id: int, who: Viewer,
                    modules: Sequence[ModuleDraft] | None = None, *, source: str = "") -> ContentStructure:
    """A first version, or the next one with the modules of the one in force. One draft at a time."""
    require_duty(session, who, institution_id, *WRITERS, occupation=table.standard.occupation.code)
    if table.subject is not Subject.SKILL:
        raise Refused("not_skill_table", "考核内容结构表按技能要求权重表编制，请另选一张权重表。")
    held = list(session.scalars(versions(table.id, institution_id)))
    if any(one.state is StructureState.DRAFT for one in held):
        raise Refused("has_draft", "这个职业等级已有一份未启用的结构表草稿，请先改好并启用它。")
    in_force = next((one for one in held if one.state is StructureState.IN_FORCE), None)
    if modules is None:
        modules = drafts_of(in_force, as_next=True) if in_force else plain_modules(table)
    _check(table, modules)
    made = ContentStructure(institution_id=institution_id, table=table, number=len(held) + 1, source=source.strip()[:200],
                            created_by=who.account_id, modules=_modules(modules))
    session.add(made)
    session.flush()
    return made


def change_structure(session: Session, structure: ContentStructure, modules: Sequence[ModuleDraft], source: str,
                     who: Viewer) -> None:
    """Write the modules of a draft anew."""
    require_duty(session, who, structure.institution_id, *WRITERS, occupation=structure.table.standard.occupation.code)
    _check_draft(structure)
    _check(structure.table, modules)
    structure.source = source.strip()[:200]
    structure.modules = []
    session.flush()  # the old positions must be gone before the new ones are written
    structure.modules = _modules(modules)
    session.flush()


def discard_structure(session: Session, structure: ContentStructure, who: Viewer) -> None:
    """Throw a draft away."""
    require_duty(session, who, structure.institution_id, *WRITERS, occupation=structure.table.standard.occupation.code)
    _check_draft(structure)
    session.delete(structure)
    session.flush()


def put_in_force(session: Session, structure: ContentStructure, who: Viewer) -> None:
    """From now on tasks belong to this version and draws use it. Tasks follow to the module that continues theirs."""
    require_duty(session, who, structure.institution_id, Role.EXAM_OFFICER, occupation=structure.table.standard.occupation.code)
    _check_draft(structure)
    _check(structure.table, drafts_of(structure))
    for one in session.scalars(versions(structure.table_id, structure.institution_id)):
        if one.state is StructureState.IN_FORCE:
            one.state = StructureState.REPLACED
    structure.state = StructureState.IN_FORCE
    after = {one.previous_id: one for one in structure.modules if one.previous_id}
    for task in session.scalars(sa.select(PracticalTask).where(PracticalTask.module_id.in_(after))):
        task.module = after[task.module_id]
    session.flush()


def in_force(session: Session, table_id: int, institution_id: int) -> ContentStructure | None:
    return session.scalar(versions(table_id, institution_id).where(ContentStructure.state == StructureState.IN_FORCE))


def versions(table_id: int, institution_id: int) -> sa.Select[ContentStructure]:
    return (sa.select(ContentStructure).where(ContentStructure.table_id == table_id,
                                              ContentStructure.institution_id == institution_id)
            .order_by(ContentStructure.number))


def _check_draft(structure: ContentStructure) -> None:
    if structure.state is not StructureState.DRAFT:
        raise Refused("not_a_draft", "启用过的结构表不能再改。请编制下一版，启用后代替这一版。")


def _check(table: WeightTable, modules: Sequence[ModuleDraft]) -> None:
    if not modules or len(modules) > MOST_MODULES:
        raise Refused("no_modules", f"请填写 1 到 {MOST_MODULES} 个考核模块；权重表还没有职业功能的，请先录入权重。")
    if found := findings(table, modules):
        raise Refused("structure_sums", "结构表与技能要求权重表不一致，请按下面逐条修改。", found)


def _modules(drafts: Sequence[ModuleDraft]) -> list[PracticalModule]:
    return [PracticalModule(position=place, name=one.name.strip(), mode=one.mode, options=[unit.strip() for unit in one.options],
                            weight=one.weight, minutes=one.minutes, form=one.form, previous_id=one.previous_id,
                            portions={path: weight for path, weight in one.portions.items() if weight})
            for place, one in enumerate(drafts, 1)]
