"""What every item of a bank measures: calibrated parameters, or what its difficulty grade stands for, and where the cut is.

An item without calibration has the prior of the statistics room: slope 1, no guessing, and the difficulty at which persons
of a standard normal ability have the share right that its grade stands for (:data:`qbank.statistics.grades.SHARES`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from scipy import optimize
from scipy.special import expit, logit
from sqlalchemy.orm import Session

from qbank.standards.rulepack import FULL_HALF_POINTS, PASS_HALF_POINTS
from qbank.statistics.bank_analysis import PROBIT
from qbank.statistics.grades import SHARES
from qbank.statistics.models import FormStatistic, StatisticRun
from qbank.statistics.runs import scale_of

Floats = npt.NDArray[np.float64]
PASS_SHARE = PASS_HALF_POINTS / FULL_HALF_POINTS
FARTHEST = 6.0
PRIOR_B: Mapping[int, float] = {grade: float(-np.sqrt(PROBIT) * logit(share)) for grade, share in SHARES.items()}


@dataclass(frozen=True, eq=False)
class Parameters:
    """``a``, ``b``, ``c`` (items,): P = c + (1 - c) / (1 + exp(-a (θ - b))); ``calibrated`` (items,) whether from answers."""

    a: Floats
    b: Floats
    c: Floats
    calibrated: npt.NDArray[np.bool_]

    def expected(self, theta: float) -> Floats:
        """Expected share of each item's points at ``theta``, (items,)."""
        return np.asarray(self.c + (1 - self.c) * expit(self.a * (theta - self.b)))

    def information(self, thetas: Sequence[float]) -> Floats:
        """Fisher information of each item at each ability, (items, abilities)."""
        right = np.stack([self.expected(theta) for theta in thetas], axis=1)
        a, c = self.a[:, None], self.c[:, None]
        return np.asarray(a ** 2 * (1 - right) / right * ((right - c) / (1 - c)) ** 2)


@dataclass(frozen=True)
class Cut:
    """The ability of the pass mark, and one sentence that says where it comes from."""

    theta: float
    sentence: str


def parameters(scale: Mapping[int, tuple[float, float, float]], versions: Sequence[int], grades: Sequence[int]) -> Parameters:
    """Of each version, from ``scale`` (version → a, b, c) or from its grade 1 to 5."""
    rows = [scale.get(version) or (1.0, PRIOR_B[grade], 0.0) for version, grade in zip(versions, grades, strict=True)]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    return Parameters(table[:, 0], table[:, 1], table[:, 2], np.array([version in scale for version in versions], dtype=bool))


def cut_of(session: Session, table_id: int, institution_id: int, known: Parameters) -> Cut:
    """The cut of the bank's newest run of statistics; before there is one, where the bank's items are worth the pass mark."""
    query = (sa.select(FormStatistic.figures).join(StatisticRun)
             .where(StatisticRun.table_id == table_id, StatisticRun.institution_id == institution_id)
             .order_by(StatisticRun.id.desc(), FormStatistic.id).limit(20))
    for figures in session.scalars(query):
        if (theta := figures.get("cut_theta")) is not None and np.isfinite(theta):
            return Cut(float(theta), "合格线取自最近一次试题统计的等值结果")
    if not len(known.b):
        return Cut(0.0, "题库还没有可用的题")
    edges = [float(known.expected(theta).mean()) - PASS_SHARE for theta in (-FARTHEST, FARTHEST)]
    if edges[0] >= 0 or edges[1] <= 0:
        return Cut(0.0, "题库的题过易或过难，合格线无法按预期得分推算，取 0")
    theta = optimize.brentq(lambda theta: float(known.expected(theta).mean()) - PASS_SHARE, -FARTHEST, FARTHEST)
    return Cut(float(theta), "还没有标定的合格线，取题库各题平均预期得分为 60 % 处")


def parameters_of(session: Session, table_id: int, institution_id: int, versions: Sequence[int],
                  grades: Sequence[int]) -> Parameters:
    """:func:`parameters` with the bank's current calibration."""
    return parameters(scale_of(session, institution_id, table_id), versions, grades)
