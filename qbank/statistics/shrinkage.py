"""Small groups shrunk towards what experts expected of each item (empirical Bayes). Pure.

A difficulty from twelve answers is mostly noise. Model: right answers x of n are beta-binomial around the expert's
estimate e of that item, x | p ~ Bin(n, p), p ~ Beta(M e, M (1 - e)). The prior weight M, counted in answers, says how
much this bank's experts are worth; it is estimated from all items at once by marginal maximum likelihood (Morris 1983,
Journal of the American Statistical Association 78, 47-65; beta-binomial likelihood: Skellam 1948, Journal of the Royal
Statistical Society B 10, 257-261).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from qbank.statistics.engine.blas import one_thread

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST, MOST = 1.0, 2000.0  # bounds of the prior weight, in answers
FEW_ITEMS = 5  # below this many items with answers the prior weight cannot be estimated
ASSUMED = 20.0  # and is taken to be this


@dataclass(frozen=True)
class Shrunk:
    """Difficulties (items,) of persons and experts together.

    ``estimate`` the posterior mean; ``low`` and ``high`` its credible interval; ``weight`` the share of the data in it
    (0 the expert alone, 1 the data alone); ``shrunk`` where n is below the threshold, so that a page must mark the
    number; ``prior_weight`` M in answers, ``shift`` by how much the experts were corrected on the logit scale (positive:
    items are easier than the experts say), ``estimated`` whether M comes from these data.
    """

    estimate: Floats
    low: Floats
    high: Floats
    weight: Floats
    shrunk: Flags
    prior_weight: float
    shift: float
    estimated: bool


def shrink(right: npt.ArrayLike, n: npt.ArrayLike, expert: npt.ArrayLike | None = None, *, threshold: int = 30,
           prior_weight: float | None = None, correct_experts: bool = True, level: float = 0.95) -> Shrunk:
    """Beta-binomial empirical Bayes estimates of difficulty; arrays (items,).

    ``expert`` the expected share right, e.g. of an Angoff panel or of an author's grade; NaN where nobody said anything
    and None for nobody at all: then the common mean of the items stands in. ``correct_experts`` also estimates one common
    shift of all experts on the logit scale (panels are too strict or too lenient together). ``prior_weight`` fixes M.
    ValueError when an expert's share is not inside (0, 1) or more are right than answered.
    """
    x, answered = np.asarray(right, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if x.shape != answered.shape or (x < 0).any() or (x > answered).any():
        raise ValueError("right answers must be between 0 and n for every item")
    expected, spoken = _expected(x, answered, expert)
    weight, shift, estimated = _fitted(x, answered, expected, prior_weight, correct_experts and bool(spoken.any()))
    centre = special.expit(special.logit(expected) + np.where(spoken, shift, 0.0))
    above, below = x + weight * centre, answered - x + weight * (1 - centre)
    tail = (1 - level) / 2
    low, high = (np.asarray(stats.beta.ppf(point, above, below), dtype=np.float64) for point in (tail, 1 - tail))
    return Shrunk(above / (above + below), low, high,
                  answered / (answered + weight), answered < threshold, weight, shift, estimated)


def _expected(x: Floats, n: Floats, expert: npt.ArrayLike | None) -> tuple[Floats, Flags]:
    """The prior mean of every item, and which of them an expert gave."""
    common = (x.sum() + 1) / (n.sum() + 2)
    said = np.full(x.shape, np.nan) if expert is None else np.asarray(expert, dtype=np.float64)
    if said.shape != x.shape:
        raise ValueError(f"experts {said.shape} and items {x.shape}")
    spoken = ~np.isnan(said)
    if ((said[spoken] <= 0) | (said[spoken] >= 1)).any():
        raise ValueError("an expert's share right must be inside (0, 1)")
    return np.where(spoken, said, common), spoken


@one_thread
def _fitted(x: Floats, n: Floats, expected: Floats, fixed: float | None, shifting: bool) -> tuple[float, float, bool]:
    """Prior weight, shift of the experts, and whether the weight was estimated."""
    used = n > 0
    if used.sum() < FEW_ITEMS or (fixed is not None and not shifting):
        return (ASSUMED if fixed is None else fixed), 0.0, False
    logits = special.logit(expected[used])

    def minus_log_likelihood(parameters: Floats) -> float:
        weight = np.exp(parameters[0]) if fixed is None else fixed
        centre = special.expit(logits + (parameters[-1] if shifting else 0.0))
        return -float(beta_binomial_log_likelihood(x[used], n[used], weight * centre, weight * (1 - centre)).sum())

    bounds = ([] if fixed is not None else [(np.log(LEAST), np.log(MOST))]) + ([(-3.0, 3.0)] if shifting else [])
    starts = [np.array(([] if fixed is not None else [np.log(start)]) + ([0.0] if shifting else []))
              for start in (5.0, 50.0)]
    found = min((optimize.minimize(minus_log_likelihood, start, bounds=bounds, method="L-BFGS-B") for start in starts),
                key=lambda result: float(result.fun))
    shift = float(found.x[-1]) if shifting else 0.0
    return (float(np.exp(found.x[0])), shift, True) if fixed is None else (fixed, shift, False)


def beta_binomial_log_likelihood(x: Floats, n: Floats, alpha: Floats, beta: Floats) -> Floats:
    """log P(x of n) but for the binomial coefficient, elementwise: log B(x + alpha, n - x + beta) - log B(alpha, beta)."""
    return np.asarray(special.betaln(x + alpha, n - x + beta) - special.betaln(alpha, beta), dtype=np.float64)
