"""Merging the parts of one candidate into an outcome that says why (notice 五(三); domain.md 1.5, 3.4). Pure.

Every required part is out of 100 and must reach its own least score, never below 60: no averaging, no compensation.
Every level needs theory and practical, levels 2 and 1 (and further ones where the rule pack says so) also the
comprehensive review. Scores are half-points: 119 is 59.5 and fails, however the rule pack rounds. A part may have several
records (an examination and its make-up, a substitution, a competition, a score carried over); which of them counts does
not depend on the order in which they were entered.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from qbank.standards.rounding import rounded
from qbank.standards.rulepack import FULL_HALF_POINTS, RulePack
from scoring.practical.joining import spoken_points

THEORY, PRACTICAL, REVIEW = PARTS = ("理论知识", "操作技能", "综合评审")
PENDING = "尚无成绩"  # ends the sentence of a part that is still to come


class Source(enum.StrEnum):
    """Where a score comes from. The order of the members decides between records that are equally good."""

    EXAM = "exam"
    SUBSTITUTE = "substitute"
    COMPETITION = "competition"
    CARRIED = "carried"

    @property
    def chinese(self) -> str:
        return {"exam": "本次考核", "substitute": "成绩替代", "competition": "竞赛成绩", "carried": "保留成绩"}[self.value]


class Standing(enum.StrEnum):
    """What a record is: a score, an absence, or a score made void for misconduct. No record: still to come."""

    SCORED = "scored"
    ABSENT = "absent"
    VOID = "void"


class Verdict(enum.StrEnum):
    """Five different things. Void before incomplete before failed before absent: a part that failed has been examined."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    VOID = "void"
    INCOMPLETE = "incomplete"

    @property
    def chinese(self) -> str:
        return {"passed": "合格", "failed": "不合格", "absent": "缺考", "void": "成绩无效", "incomplete": "成绩不全"}[self.value]


@dataclass(frozen=True)
class PartRecord:
    """One record of one part. ``half_points`` is there exactly when it is scored; ``vetoed``: a ★ row was violated;
    ``note`` is shown beside a score that does not come from this examination."""

    part: str
    standing: Standing = Standing.SCORED
    half_points: int | None = None
    source: Source = Source.EXAM
    vetoed: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise ValueError(f"unknown part {self.part!r}")
        if (self.standing is Standing.SCORED) != (self.half_points is not None):
            raise ValueError("a scored record has half-points, and no other has")
        if self.half_points is not None and not 0 <= self.half_points <= FULL_HALF_POINTS:
            raise ValueError(f"half-points must lie between 0 and {FULL_HALF_POINTS}")


@dataclass(frozen=True)
class Outcome:
    """``reasons``: one sentence for every required part, in order. ``counted``: the record that stands for each part, its
    score rounded as the rule pack says. ``label``: what the rule pack calls the verdict."""

    verdict: Verdict
    reasons: tuple[str, ...]
    counted: Mapping[str, PartRecord] = field(default_factory=dict)
    label: str = ""

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED

    @property
    def complete(self) -> bool:
        """Whether no part is still to come; what is incomplete is never posted."""
        return self.verdict is not Verdict.INCOMPLETE


def required_parts(level: int, pack: RulePack | None = None) -> tuple[str, ...]:
    """The parts that ``level`` (5 to 1) is made of under ``pack`` (None: the defaults)."""
    return PARTS if (pack or RulePack()).reviews(level) else (THEORY, PRACTICAL)


def least_of(part: str, pack: RulePack) -> int:
    """The half-points that ``part`` must reach."""
    return 2 * {THEORY: pack.theory_least, PRACTICAL: pack.practical_least, REVIEW: pack.review_least}[part]


def merge(level: int, records: Iterable[PartRecord], pack: RulePack) -> Outcome:
    """The outcome of a candidate at ``level`` from the records of the parts, by the numbers of ``pack``.

    Of several records of a part a void one overrides the others; then the best score counts, one without a veto before
    any with; an absence counts only where there is no score. A part that the level does not have is ignored.
    """
    held = list(records)
    counted, reasons, verdicts = {}, [], set()
    for part in required_parts(level, pack):
        own = [_on_grid(record, pack) for record in held if record.part == part]
        record = min(own, key=_rank) if own else None
        if record is not None:
            counted[part] = record
        verdict, reason = _judged(part, record, least_of(part, pack))
        verdicts.add(verdict)
        reasons.append(reason)
    order = (Verdict.VOID, Verdict.INCOMPLETE, Verdict.FAILED, Verdict.ABSENT, Verdict.PASSED)
    verdict = next(one for one in order if one in verdicts)
    return Outcome(verdict, tuple(reasons), counted, label_of(verdict, counted.values(), pack))


def label_of(verdict: Verdict, counted: Iterable[PartRecord], pack: RulePack) -> str:
    """What ``pack`` calls ``verdict``; of a pass, where grades are in use, by the lowest part."""
    if verdict is Verdict.PASSED and pack.graded_labels:
        lowest = min((record.half_points or 0 for record in counted), default=0)
        for label, least in (("优秀", pack.excellent_from), ("良好", pack.good_from)):
            if lowest >= 2 * least:
                return label
    return {Verdict.PASSED: pack.label_passed, Verdict.FAILED: pack.label_failed, Verdict.ABSENT: pack.label_absent,
            Verdict.VOID: pack.label_void, Verdict.INCOMPLETE: pack.label_incomplete}[verdict]


def _on_grid(record: PartRecord, pack: RulePack) -> PartRecord:
    """``record`` with its score rounded by ``pack``: what did not pass before does not pass after."""
    if record.half_points is None:
        return record
    score = rounded(record.half_points, pack.rounding, least_of(record.part, pack))
    return record if score == record.half_points else replace(record, half_points=score)


def _rank(record: PartRecord) -> tuple[bool, bool, bool, int, int, str]:
    """The least rank counts."""
    return (record.standing is not Standing.VOID, record.standing is Standing.ABSENT, record.vetoed,
            -(record.half_points or 0), list(Source).index(record.source), record.note)


def _judged(part: str, record: PartRecord | None, least: int) -> tuple[Verdict, str]:
    if record is None:
        return Verdict.INCOMPLETE, f"{part}{PENDING}"
    if record.standing is Standing.VOID:
        return Verdict.VOID, f"{part}成绩因违纪{f'（{record.note}）' if record.note else ''}作无效处理"
    if record.half_points is None:
        return Verdict.ABSENT, f"{part}缺考"
    origin = "" if record.source is Source.EXAM else f"（{'：'.join(filter(None, (record.source.chinese, record.note)))}）"
    told = f"{part} {spoken_points(record.half_points)} 分{origin}"
    if record.vetoed:
        return Verdict.FAILED, f"{told}，但违反 ★ 关键技能要求，按一票否决判为不合格"
    if record.half_points < least:
        return Verdict.FAILED, f"{told}，未达到 {least // 2} 分"
    return Verdict.PASSED, f"{told}，合格"
