"""From a weight table to sealed papers: specify, assemble, seal, verify, discard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.bank import require_reach
from qbank.items.models import ItemVersion
from qbank.items.states import STANDING, ItemKind
from qbank.kernel.access import Role, Viewer
from qbank.kernel.refused import Refused
from qbank.papers import holds, report  # noqa: F401  # holds registers itself with the practice bank
from qbank.papers.assembly_before import Assembly
from qbank.papers.assembly_before import assemble as search
from qbank.papers.compliance import Candidate, Demands, holdings, shortages
from qbank.papers.contents import quotas_of, weights_of
from qbank.papers.models import Paper, PaperItem, Quota, Specification, SpecificationPart
from qbank.papers.pool import Pool, pool_of
from qbank.papers.sealing import discard, seal, verify
from qbank.papers.specification import LeafRange, Part, Quotas, check_parts, derive_quotas, kind_name
from qbank.standards.models import WeightTable

__all__ = ["Choice", "again", "assemble", "choose", "discard", "keep", "seal", "specify", "verify"]
MOST_FORMS = 3
LONGEST_NAME = 100
DELIVERED = frozenset({ItemKind.SINGLE, ItemKind.MULTIPLE, ItemKind.JUDGE})  # what the exam page can show and mark
MINUTES = (30, 240)


@dataclass(frozen=True)
class Choice:
    """The forms that were found, by version id, and the bank they were found in; nothing is stored yet."""

    assembly: Assembly
    pool: Pool
    demands: Demands


def specify(session: Session, table: WeightTable, institution_id: int, name: str, parts: Sequence[Part], who: Viewer, *,
            minutes: int, now: datetime) -> Specification:
    """A specification with its quotas, derived from the weights and, as far as they allow, from what the bank holds."""
    require_reach(session, table, institution_id, Role.PAPER_COMPOSER, who)
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise Refused("name", f"请填写方案名称，不超过 {LONGEST_NAME} 字。")
    if not MINUTES[0] <= minutes <= MINUTES[1]:
        raise Refused("minutes", f"考试时间应在 {MINUTES[0]} 到 {MINUTES[1]} 分钟之间，现在是 {minutes}。")
    if table.standard.occupation.is_access_type:
        raise Refused("access_type", f"{table.standard.occupation.name}属于准入类职业，不在职业技能等级认定范围内，不能组卷。")
    parts = [part for part in parts if part.count]
    if any(part.kind not in DELIVERED for part in parts):
        raise Refused("bad_parts", "题型只能是单选题、多选题或判断题。")
    check_parts(parts)
    weights = weights_of(session, table)
    pool = pool_of(session, table.id, institution_id, who.account_id)
    quotas = derive_quotas([LeafRange(path, weight) for path, weight in weights.items()], parts,
                           holdings(pool.candidates, Demands(barred=pool.barred)))
    specification = Specification(
        institution_id=institution_id, table=table, name=name, minutes=minutes, weights=weights,
        within_bank=quotas.within_bank, created_by=who.account_id, created_at=now,
        parts=[SpecificationPart(position=p, kind=ItemKind(part.kind), count=part.count, half_points=part.half_points)
               for p, part in enumerate(parts)])
    ranges = {found.path: found for found in table.ranges}
    specification.quotas = [Quota(range=ranges[path], position=p, count=count)
                            for (path, p), count in quotas.counts.items() if count]
    session.add(specification)
    session.flush()
    return specification


def assemble(session: Session, specification: Specification, who: Viewer, *, now: datetime, seed: int,
             forms: int = 1) -> list[Paper]:
    """Draft papers (A, B, C) that meet the specification. Refuses with every shortage when the bank is too small."""
    return keep(session, specification, choose(session, specification, who, seed=seed, forms=forms), who, now=now)


def choose(session: Session, specification: Specification, who: Viewer, *, seed: int, forms: int = 1) -> Choice:
    """The search alone: it only reads, and may take seconds."""
    require_reach(session, specification.table, specification.institution_id, Role.PAPER_COMPOSER, who)
    if not 1 <= forms <= MOST_FORMS:
        raise Refused("forms", f"一次可组 1 到 {MOST_FORMS} 套试卷，现在是 {forms}。")
    if not 0 <= seed < 2**53:
        raise Refused("seed", "随机种子应是 0 到 9007199254740991 之间的整数。")
    if weights_of(session, specification.table) != specification.weights:
        raise Refused("weights_changed", "权重表在制定本方案后修改过，配额已不符合。请按现在的权重表新建组卷方案。")
    quotas = quotas_of(session, specification)
    pool = pool_of(session, specification.table_id, specification.institution_id, who.account_id)
    demands = Demands(barred=pool.barred, apart=pool.apart, together=pool.together, forms=forms, seed=seed)
    _refuse_shortages(specification, pool, quotas, demands)
    return Choice(search(pool.candidates, quotas, demands), pool, demands)


def keep(session: Session, specification: Specification, choice: Choice, who: Viewer, *, now: datetime) -> list[Paper]:
    """Store what the search found as draft papers."""
    quotas = quotas_of(session, specification)
    by_key = {item.key: item for item in choice.pool.candidates}
    forms = {"ABC"[i]: keys for i, keys in enumerate(choice.assembly.forms)}
    _refuse_changed_bank(session, {key for keys in forms.values() for key in keys})
    run = 1 + (session.scalar(sa.select(sa.func.count()).where(Paper.specification_id == specification.id,
                                                               Paper.form == "A")) or 0)
    papers = []
    for letter, keys in forms.items():
        chosen = [by_key[key] for key in keys]
        sheet = report.counted(session, specification, quotas, chosen, choice.demands)
        sheet |= report.provenance(choice.pool, len(forms), choice.assembly.status,
                                   choice.assembly.gap)
        sheet |= report.companies(choice.pool, keys)
        sheet["overlap_forms"] = report.overlap_between(forms, letter)
        sheet["overlap_sealed"] = report.overlap_with_sealed(
            session, [choice.pool.item_ids[key] for key in keys], specification.institution_id)
        papers.append(Paper(
            specification=specification, institution_id=specification.institution_id, form=letter,
            name=f"{specification.name} 第{run:02d}次 {letter}卷", seed=choice.demands.seed, composer_id=who.account_id,
            created_at=now, compliance=sheet, items=_numbered(chosen, quotas)))
    session.add_all(papers)
    session.flush()
    return papers


def again(session: Session, paper: Paper, seed: int, forms: int) -> tuple[str, int, tuple[tuple[int, ...], ...]]:
    """The call that made the paper, once more on the bank as it is, with uses as they were: bank digest and size, forms."""
    specification = paper.specification
    pool = pool_of(session, specification.table_id, specification.institution_id, paper.composer_id, before=paper.created_at)
    quotas = quotas_of(session, specification)
    demands = Demands(barred=pool.barred, apart=pool.apart, together=pool.together, forms=forms, seed=seed)
    return pool.digest, len(pool.candidates), search(pool.candidates, quotas, demands).forms


def _numbered(chosen: Sequence[Candidate], quotas: Quotas) -> list[PaperItem]:
    """Continuous numbers across the parts; ``chosen`` is in paper order."""
    place = {part.kind: (position, part.half_points) for position, part in enumerate(quotas.parts)}
    return [PaperItem(number=number, position=place[item.kind][0], version_id=item.key,
                      half_points=place[item.kind][1]) for number, item in enumerate(chosen, start=1)]


def _refuse_shortages(specification: Specification, pool: Pool, quotas: Quotas, demands: Demands) -> None:
    short = shortages(pool.candidates, quotas, demands)
    if not short:
        return
    names = {found.path: found.name for found in specification.table.ranges}
    lines = [f"{line.range_key} {names[line.range_key]}：{kind_name(line.kind)}需要 {line.need} 道，可用 {line.have} 道，"
             f"缺 {line.missing} 道" for line in short]
    if pool.own:
        lines.append(f"题库中有 {len(pool.own)} 道题由您命制或修改过，按命题与组卷分离的要求没有计入；可请其他组卷员组卷。")
    if pool.torn:
        lines.append(f"有 {len(pool.torn)} 道题所在的共用题干题组还不完整（有的题未入库、已暂停或材料版本不同），没有计入。")
    missing = sum(line.missing for line in short)
    raise Refused("bank_too_small", f"题库不够组卷：{len(short)} 处不足，共缺 {missing} 道。请先补充下列范围的题目并审核入库，再组卷。", lines)


def _refuse_changed_bank(session: Session, version_ids: set[int]) -> None:
    approved = sa.select(sa.func.count()).where(ItemVersion.id.in_(version_ids), ItemVersion.state.in_(STANDING))
    if session.scalar(approved) != len(version_ids):
        raise Refused("bank_changed", "组卷期间题库有变动，选中的题有的已停用或有了新版本。请重新组卷。")
