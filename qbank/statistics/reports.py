"""The report of one paper from what a run stored: figures with intervals, curves, its items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from scipy import stats
from sqlalchemy.orm import Session, joinedload

from qbank.items.models import ItemVersion
from qbank.statistics.arrays import Floats
from qbank.statistics.calibration import Calibration, known_items
from qbank.statistics.consistency import decision_consistency
from qbank.statistics.information import probabilities, test_information
from qbank.statistics.models import FormStatistic, ItemStatistic, StatisticRun

THETA = np.linspace(-4.0, 4.0, 81)
PASSING = 0.6
METHODS = (("livingston-lewis", "Livingston-Lewis（1995）"), ("huynh", "Huynh（1976）"), ("lee", "Lee（2010，项目反应理论）"))
INDICES = (("consistency", "判定一致性"), ("accuracy", "判定准确性"), ("kappa", "κ 系数"))


@dataclass(frozen=True)
class Figure:
    """One figure of a report; ``low`` and ``high`` its 95 % interval; None is not defined. ``digits`` it is shown with."""

    title: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    sentence: str
    digits: int = 2

    @property
    def text(self) -> str:
        return "—" if self.value is None else f"{self.value:.{self.digits}f}"

    @property
    def interval(self) -> str:
        return "—" if self.low is None or self.high is None else f"{self.low:.{self.digits}f} 至 {self.high:.{self.digits}f}"


@dataclass(frozen=True, eq=False)
class FormReport:
    """``rows`` in the order of the paper. ``information`` and ``curve`` at ``THETA``, None without a calibration;
    ``others`` name and expected shares of the other papers of the run."""

    form: FormStatistic
    run: StatisticRun
    figures: tuple[Figure, ...]
    rows: tuple[ItemStatistic | None, ...]
    versions: tuple[ItemVersion | None, ...]
    cut: float | None
    information: Floats | None
    curves: tuple[tuple[str, Floats], ...]


def form_report(session: Session, form: FormStatistic, minimum: int) -> FormReport:
    """All of it; numbers that rest on fewer than ``minimum`` answers are left out."""
    stored = {row.version_id: row for row in session.scalars(
        sa.select(ItemStatistic).where(ItemStatistic.run_id == form.run_id)
        .options(joinedload(ItemStatistic.version).joinedload(ItemVersion.point)))}
    rows = tuple(stored.get(version) for version in form.versions)
    calibration = calibration_of(rows)
    cut = form.figures.get("cut_theta")
    curves = [(one.name, shares) for one in [form, *(other for other in form.run.forms if other.id != form.id)][:6]
              if (shares := expected_share(one, [stored.get(version) for version in one.versions])) is not None]
    figures = [*score_figures(form.figures, form.n, form.mean, form.sd, form.items, minimum),
               *consistency_figures(form.figures, lee(calibration, form.run, form.n, minimum), form.n),
               *equated_figures(form.figures, form.n)]
    return FormReport(form, form.run, tuple(figures), rows, tuple(row.version if row else None for row in rows), cut,
                      test_information(calibration, THETA) if calibration is not None else None, tuple(curves))


def calibration_of(rows: Sequence[ItemStatistic | None]) -> Calibration | None:
    """The parameters of a paper's items; None unless all of them have some."""
    known = [(row.a, row.b, row.c or 0.0) for row in rows if row is not None and row.a is not None and row.b is not None]
    if not known or len(known) < len(rows):
        return None
    a, b, c = zip(*known, strict=True)
    return known_items(a, b, c)


def expected_share(form: FormStatistic, rows: Sequence[ItemStatistic | None]) -> Floats | None:
    """Expected share of the points at ``THETA``."""
    calibration = calibration_of(rows)
    if calibration is None:
        return None
    worth = np.array(form.worth if len(form.worth) == len(rows) else [1] * len(rows), dtype=float)
    return np.asarray(probabilities(calibration, THETA) @ worth / worth.sum())


def lee(calibration: Calibration | None, run: StatisticRun, n: int, minimum: int) -> dict[str, Any]:
    """Decision consistency from the calibration, for persons as the run found them (normal on its own scale)."""
    if calibration is None:
        return {}
    middle, spread = float(run.scale.get("intercept", 0.0)), float(run.scale.get("slope", 1.0))
    nodes = np.linspace(-4.5, 4.5, 91)
    found = decision_consistency(method="lee", a=calibration.a, b=calibration.b, c=calibration.c, theta=middle + spread * nodes,
                                 weights=stats.norm.pdf(nodes), n=n, cut=PASSING, minimum=minimum)
    return flat("lee", found)


def flat(method: str, found: Any) -> dict[str, float | None]:
    """Indices with their bounds under the names that ``FormStatistic.figures`` has for them."""
    made = {}
    for name, _ in INDICES:
        for suffix, part in (("", found.estimate), (" low", found.low), (" high", found.high)):
            value = float(getattr(part, name))
            made[f"{method} {name}{suffix}"] = value if np.isfinite(value) else None
    return made


def score_figures(figures: Any, n: int, mean: float | None, sd: float | None, items: int, minimum: int) -> list[Figure]:
    """Mean, spread, reliability, errors of measurement; points of 100."""
    if n < minimum:
        return []
    error = 1.96 * sd / n**0.5 if sd is not None else None
    centre = (None, None) if mean is None or error is None else (100 * (mean - error), 100 * (mean + error))
    sem, at_cut = (None if figures.get(name) is None else 100 * figures[name] / max(items, 1) for name in ("sem", "sem_at_cut"))
    return [
        Figure("平均分", None if mean is None else 100 * mean, centre[0], centre[1], n, "满分 100。", 1),
        Figure("标准差", None if sd is None else 100 * sd, None, None, n, "考生之间的差别，单位为分。", 1),
        Figure("信度 α（KR-20）", figures.get("alpha"), figures.get("alpha_low"), figures.get("alpha_high"), n, reliability_words(figures.get("alpha"))),
        Figure("分半信度", figures.get("split_half"), None, None, n, "奇偶题分半并校正到全卷长度。"),
        Figure("测量标准误", sem, None, None, n, "同一考生重考，得分约三分之二的时候落在上下一个标准误之内；按每题等值折算到 100 分。", 1),
        Figure("合格线处的测量标准误", at_cut, None, None, n, "60 分附近的考生，得分有这么大的偶然误差。", 1),
    ]


def reliability_words(alpha: float | None) -> str:
    if alpha is None:
        return "作答人数或题目不足，无法计算。"
    if alpha >= 0.9:
        return "得分很稳定。"
    return "得分比较稳定。" if alpha >= 0.8 else "得分的偶然误差偏大，靠近 60 分的结果要慎重。"


def consistency_figures(figures: Any, from_curves: dict[str, Any], n: int) -> list[Figure]:
    """Would the same person pass again, by three methods."""
    held, found = {**figures, **from_curves}, []
    words = {"consistency": "再考一次同等的试卷，得到同样“合格或不合格”结论的考生比例。",
             "accuracy": "结论与真实水平相符的考生比例。", "kappa": "扣除碰巧一致以后的一致性。"}
    for method, name in METHODS:
        found += [Figure(f"{title}，{name}", held.get(f"{method} {index}"), held.get(f"{method} {index} low"),
                         held.get(f"{method} {index} high"), n, words[index])
                  for index, title in INDICES if held.get(f"{method} {index}") is not None]
    return found


def equated_figures(figures: Any, n: int) -> list[Figure]:
    """What the 60 of the reference paper is worth here."""
    cut, error = figures.get("equated_cut"), figures.get("equated_cut_se")
    if cut is None:
        return []
    bounds = (None, None) if not error else (100 * (cut - 1.96 * error), 100 * (cut + 1.96 * error))
    words = "与参照试卷的 60 分同样难得的分数" + ("；本卷就是参照试卷。" if not error else f"，标准误 {100 * error:.1f} 分；合格线仍按规定为 60 分。")
    return [Figure("等值后的合格线", 100 * cut, bounds[0], bounds[1], n, words, 1)]
