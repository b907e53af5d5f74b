"""考评员评分一致性: what assessors gave the same candidates, through qbank.statistics.raters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.plans.models import Enrolment, ExamPlan
from qbank.kernel.access import Viewer, visible
from qbank.kernel.accounts import Account
from qbank.kernel.export import SCORE, Chart
from qbank.kernel.refused import Refused
from qbank.statistics.arrays import Floats
from qbank.statistics.raters import intraclass, severity, weighted_kappa
from qbank.statistics.reports_print import Document, Section
from scoring.practical.models import GroupMember, Mark, MarkSheet, PracticalGroup, RubricRow
from scoring.reports import plots
from scoring.reports.cohort import Cohort

FAR = 3.0  # standard errors: a mark that neither the candidate's other marks nor the assessor's habit explains
SIGNED = ("考务负责人（签字）：", "日期：　　　年　　月　　日")


@dataclass(frozen=True, eq=False)
class Ratings:
    """``points`` (candidates, assessors) out of 100, NaN where somebody did not mark; ``groups`` (candidates,)."""

    candidates: tuple[str, ...]
    tickets: tuple[str, ...]
    groups: tuple[str, ...]
    assessors: tuple[str, ...]
    points: Floats

    def of_group(self, name: str) -> Floats:
        """The marks of one group by those who marked in it."""
        table = self.points[[place for place, group in enumerate(self.groups) if group == name]]
        return np.asarray(table[:, ~np.isnan(table).all(axis=0)], dtype=float)


def ratings_of(session: Session, plan: ExamPlan, viewer: Viewer) -> Ratings:
    """The signed totals that ``viewer`` may see: nobody's before everybody has signed."""
    total = sa.func.coalesce(sa.func.sum(Mark.half_points), 0)
    full = dict(session.execute(sa.select(RubricRow.rubric_id, sa.func.sum(RubricRow.most)).group_by(RubricRow.rubric_id)
                                .where(RubricRow.rubric_id.in_(sa.select(PracticalGroup.rubric_id).where(PracticalGroup.plan_id == plan.id)))).tuples().all())
    seen = visible(MarkSheet, viewer).with_only_columns(MarkSheet.id).where(MarkSheet.signed_at.is_not(None))
    rows = session.execute(
        sa.select(GroupMember.id, Enrolment.ticket_number, Account.name, PracticalGroup.name, MarkSheet.assessor_id, PracticalGroup.rubric_id, total)
        .select_from(MarkSheet).join(GroupMember, GroupMember.id == MarkSheet.member_id)
        .join(PracticalGroup, PracticalGroup.id == GroupMember.group_id).join(Enrolment, Enrolment.id == GroupMember.enrolment_id)
        .join(Account, Account.id == Enrolment.account_id).outerjoin(Mark, Mark.mark_sheet_id == MarkSheet.id)
        .where(PracticalGroup.plan_id == plan.id, MarkSheet.id.in_(seen))
        .group_by(GroupMember.id, Enrolment.ticket_number, Account.name, PracticalGroup.name, MarkSheet.assessor_id, PracticalGroup.rubric_id)
        .order_by(Enrolment.ticket_number, GroupMember.id)).all()
    judges = {row[4] for row in rows}
    names = dict(session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(judges)).order_by(Account.name, Account.id)).tuples().all())
    members = list(dict.fromkeys(row[:4] for row in rows))
    table = np.full((len(members), len(names)), np.nan)
    place, seat = {member[0]: at for at, member in enumerate(members)}, {key: at for at, key in enumerate(names)}
    for member, _, _, _, judge, rubric, half_points in rows:
        table[place[member], seat[judge]] = 100 * float(half_points or 0) / (full[rubric] or 1)
    return Ratings(tuple(name for _, _, name, _ in members), tuple(ticket for _, ticket, _, _ in members),
                   tuple(group for _, _, _, group in members), tuple(names.values()), table)


def assessors_document(cohort: Cohort, found: Ratings) -> Document:
    """Agreement of each group, severity of each assessor, marks that stand apart."""
    if len(found.assessors) < 2:
        raise Refused("no_ratings", "还没有全部签字的操作技能评分，不能分析考评员的一致性。")
    return Document("考评员评分报告", cohort.facts, [_agreement(found), _severity(found), _pairs(found, cohort), _apart(found)],
                    ["宽严和一致性由考评员对同一批考生的总分算出，用来发现需要校准的地方，不是对考评员的结论。人数少时区间很宽。"], signatures=SIGNED)


def _agreement(found: Ratings) -> Section:
    rows = []
    for name in sorted(set(found.groups)):
        one = intraclass(found.of_group(name))
        rows.append([name, one.n, one.k, *map(_known, (one.single, *one.single_interval, one.mean, *one.mean_interval)), judged(one.single)])
    columns = (("考核组", 20), ("考生", 8), ("考评员", 8), ("单人 ICC(2,1)", 13), ("下限", 8), ("上限", 8), ("平均 ICC(2,k)", 13), ("下限 ", 8),
               ("上限 ", 8), ("说明", 24))
    return Section("各组一致性", columns, rows, [
        "ICC 接近 1 表示换一名考评员分数也差不多。单人 ICC 说的是一名考评员的分数，平均 ICC 说的是记入成绩的平均分（Shrout 与 Fleiss，1979）。"],
        formats=dict.fromkeys(("单人 ICC(2,1)", "下限", "上限", "平均 ICC(2,k)", "下限 ", "上限 "), "0.00"))


def judged(icc: float) -> str:
    """Koo and Li (2016), Journal of Chiropractic Medicine 15, 155-163: below 0.5 poor, to 0.75 moderate, to 0.9 good."""
    if np.isnan(icc):
        return "人数不足，无法计算"
    return "一致性差，应当校准" if icc < 0.5 else "一致性一般" if icc < 0.75 else "一致性好" if icc < 0.9 else "一致性很好"


def severity_bars(found: Ratings) -> tuple[plots.Bar, ...]:
    """Each assessor's effect with its 95 % interval, the most severe first."""
    model = severity(found.points)
    bars = [(name, float(effect), _known(effect - 1.96 * error), _known(effect + 1.96 * error))
            for name, effect, error in zip(found.assessors, model.effects, model.errors, strict=True) if not np.isnan(effect)]
    return tuple(sorted(bars, key=lambda bar: bar[1]))


def _severity(found: Ratings) -> Section:
    bars = severity_bars(found)
    means = {name: np.nanmean(found.points[:, at]) for at, name in enumerate(found.assessors)}
    marked = {name: int((~np.isnan(found.points[:, at])).sum()) for at, name in enumerate(found.assessors)}
    rows = [[name, marked[name], float(means[name]), value, low, high, severity_words(value, low, high)] for name, value, low, high in bars]
    columns = (("考评员", 14), ("评分人数", 10), ("平均给分", 10), ("宽严（分）", 11), ("95% 下限", 10), ("95% 上限", 10), ("说明", 26))
    chart = [Chart("bar", "考评员宽严（分）", "考评员", ["宽严（分）"], bounds=("95% 下限", "95% 上限"), y_title="分")] if rows else []
    return Section("考评员宽严", columns, rows, ["正数偏宽，负数偏严；只与评过同一批考生的其他考评员比较。"], [plots.severity(bars)] if bars else [], chart,
                   formats=dict.fromkeys(("平均给分", "宽严（分）", "95% 下限", "95% 上限"), SCORE))


def severity_words(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None or low <= 0 <= high:
        return "与其他考评员没有明显差别"
    return f"明显偏{'宽' if value > 0 else '严'}，平均{'多' if value > 0 else '少'}给 {abs(value):.1f} 分"


def _pairs(found: Ratings, cohort: Cohort) -> Section:
    least, rows = cohort.least[cohort.parts[1]] / 2, []
    for one, two in combinations(range(len(found.assessors)), 2):
        both = ~np.isnan(found.points[:, one]) & ~np.isnan(found.points[:, two])
        if not both.any():
            continue
        first, second = found.points[both, one], found.points[both, two]
        passes = (first >= least).tolist(), (second >= least).tolist()
        agreed = weighted_kappa(*passes, [False, True], weights="none")
        rows.append([found.assessors[one], found.assessors[two], agreed.n, float(np.mean(np.abs(first - second))),
                     float(np.mean(np.array(passes[0]) == np.array(passes[1]))), _known(agreed.kappa)])
    columns = (("考评员甲", 14), ("考评员乙", 14), ("共同考生", 10), ("平均相差（分）", 13), ("合格判定一致", 12), ("κ", 8))
    return Section("两两比较", columns, rows, ["“合格判定一致”是两人都判合格或都判不合格的比例；κ 扣除了碰巧一致，两人都判全部合格时无法计算。"],
                   formats={"平均相差（分）": SCORE, "合格判定一致": "0.0%", "κ": "0.00"})


def _apart(found: Ratings) -> Section:
    model = severity(found.points)
    rows = [[found.tickets[at], found.candidates[at], found.groups[at], found.assessors[judge], float(found.points[at, judge]),
             float(model.residuals[at, judge]), float(model.standardised[at, judge])]
            for at, judge in np.argwhere(np.abs(np.nan_to_num(model.standardised)) >= FAR).tolist()]
    said = f"考虑了考生的水平和考评员的宽严以后，仍相差 {FAR:g} 个标准误以上的评分，应查看评分记录和录像。"
    columns = (("准考证号", 18), ("姓名", 11), ("考核组", 16), ("考评员", 12), ("给分", 8), ("偏离（分）", 10), ("标准化", 8))
    return Section("离群评分", columns, rows, [said if rows else f"{said}没有发现。"], formats=dict.fromkeys(("给分", "偏离（分）", "标准化"), SCORE))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
