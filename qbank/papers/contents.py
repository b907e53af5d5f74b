"""A stored specification and paper as the values that the pure modules take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session, selectinload

from qbank.items.models import ItemVersion
from qbank.items.policy import Policy
from qbank.kernel.accounts import Institution
from qbank.kernel.refused import Refused
from qbank.papers.compliance import Candidate
from qbank.papers.fingerprint import BlueprintKey, NumberedItem, PaperContent, PaperOption, PaperPart
from qbank.papers.models import Paper, PaperItem, PaperState, Specification
from qbank.papers.specification import LeafRange, Part, Quotas
from qbank.standards.models import Point, WeightTable
from qbank.standards.packs import pack_for
from qbank.standards.tables import leaves, load_tree


def parts_of(specification: Specification) -> tuple[Part, ...]:
    return tuple(Part(part.kind.value, part.count, part.half_points) for part in specification.parts)


def weights_of(session: Session, table: WeightTable) -> dict[str, int]:
    """Leaf range path -> half-per-cent, in the order of the printed table."""
    load_tree(session, table)
    return {leaf.path: leaf.weight for leaf in leaves(table)}


def quotas_of(session: Session, specification: Specification) -> Quotas:
    """The stored quotas, with the ranges in the order of the printed table."""
    parts = parts_of(specification)
    order = [path for path in weights_of(session, specification.table) if path in specification.weights]
    counts = {(path, position): 0 for path in order for position in range(len(parts))}
    for quota in specification.quotas:
        counts[quota.range.path, quota.position] = quota.count
    actual = {path: sum(counts[path, p] * part.half_points for p, part in enumerate(parts)) for path in order}
    return Quotas(tuple(LeafRange(path, specification.weights[path]) for path in order), parts, counts,
                  {path: specification.weights[path] for path in order}, actual, specification.within_bank)


def items_of(paper: Paper) -> list[PaperItem]:
    """The items of a draft or an opened paper in their order, with everything that a page or a check reads, in few queries.

    A shut paper is refused: its items are in its pack, and nobody sees them before two persons have opened it.
    """
    if paper.is_shut:
        raise Refused("shut", f"试卷“{paper.name}”已封存，还没有启封，不能查看内容。需要使用时，请由两人共同启封。")
    session = object_session(paper)
    if session is None:
        return list(paper.items)
    version = selectinload(PaperItem.version)
    query = sa.select(PaperItem).where(PaperItem.paper_id == paper.id).order_by(PaperItem.number).options(
        version.selectinload(ItemVersion.options), version.selectinload(ItemVersion.stimulus), version.selectinload(ItemVersion.item),
        version.selectinload(ItemVersion.point).selectinload(Point.range))
    return list(session.scalars(query))


def candidate_of(item: PaperItem, exposure: int, grade: int | None = None) -> Candidate:
    """An item of a paper as the compliance sheet counts it; ``grade`` by its statistics, None: the author's."""
    version = item.version
    return Candidate(version.id, version.point.range.path, str(version.point_id), version.point.importance.value,
                     version.kind.value, grade or version.difficulty, version.key, exposure)


def content_of(paper: Paper, items: Sequence[PaperItem] | None = None, salt: str | None = None,
               scoring: Mapping[str, bool] | None = None) -> PaperContent:
    """What the fingerprint is taken of, read from the stored rows; of a shut paper ``items`` and ``salt`` are its pack's.

    ``scoring``: how a draft will be scored; None: as the paper says."""
    scored = paper.compliance.get("scoring", {}) if scoring is None else scoring
    specification = paper.specification
    quotas: dict[str, list[int]] = {}
    for quota in specification.quotas:
        quotas.setdefault(quota.range.path, [0] * len(specification.parts))[quota.position] = quota.count
    return PaperContent(
        blueprint=_blueprint_key(specification.table), specification=specification.name, minutes=specification.minutes,
        weights=specification.weights, quotas={path: tuple(counts) for path, counts in quotas.items()},
        parts=tuple(PaperPart(part.position, part.kind.value, part.count, part.half_points)
                    for part in specification.parts),
        items=tuple(_numbered(item) for item in (items_of(paper) if items is None else items)), salt=salt or paper.salt or "",
        scoring={name: value for name, value in scored.items() if value})


def policy_of(session: Session, paper: Paper) -> Policy:
    """How the paper is scored: as it was sealed, whatever the rule pack says now; a draft as the rule pack says now."""
    if paper.state is PaperState.SEALED:
        return Policy(**paper.compliance.get("scoring", {}))  # nothing: sealed when there was nothing but all or nothing
    pack = pack_for(session, session.get_one(Institution, paper.institution_id))
    return Policy(pack.partial_credit_multiple, pack.partial_credit_fill)


def _blueprint_key(table: WeightTable) -> BlueprintKey:
    standard = table.standard
    return BlueprintKey(standard.occupation.catalogue_edition, standard.occupation.code, standard.edition,
                        standard.work_type, table.level, table.subject.value)


def _numbered(item: PaperItem) -> NumberedItem:
    version = item.version
    return NumberedItem(item.number, item.position, version.id, version.kind.value, version.stem,
                        {option.letter: PaperOption(option.text, option.stays_last) for option in version.options},
                        version.key, item.half_points, version.stimulus.text if version.stimulus else "", version.guide)
