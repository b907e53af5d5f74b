"""Answers for tests of the calibration: two published tables and simulated persons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Law School Admission Test, sections 6 and 7, 1,000 persons: Bock and Lieberman (1970), Psychometrika 35, 179-197, table 1,
# as printed again in Bock and Aitkin (1981), Psychometrika 46, 443-459.
LSAT6 = {
    "00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3, "00111": 4, "01000": 1, "01001": 8,
    "01011": 16, "01101": 3, "01110": 2, "01111": 15, "10000": 10, "10001": 29, "10010": 14, "10011": 81, "10100": 3,
    "10101": 28, "10110": 15, "10111": 80, "11000": 16, "11001": 56, "11010": 21, "11011": 173, "11100": 11, "11101": 61,
    "11110": 28, "11111": 298,
}
LSAT7 = {
    "00000": 12, "00001": 19, "00010": 1, "00011": 7, "00100": 3, "00101": 19, "00110": 3, "00111": 17, "01000": 10,
    "01001": 5, "01010": 3, "01011": 7, "01100": 7, "01101": 23, "01110": 8, "01111": 28, "10000": 7, "10001": 39,
    "10010": 11, "10011": 34, "10100": 14, "10101": 51, "10110": 15, "10111": 90, "11000": 6, "11001": 25, "11010": 7,
    "11011": 35, "11100": 18, "11101": 136, "11110": 32, "11111": 308,
}


def table(patterns: dict[str, int]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """Patterns as rows, and how many persons gave each."""
    rows = np.array([[int(answer) for answer in pattern] for pattern in patterns], dtype=np.int8)
    return rows, np.array(list(patterns.values()), dtype=np.float64)


def persons(patterns: dict[str, int]) -> npt.NDArray[np.int8]:
    """A row for each person."""
    rows, counts = table(patterns)
    return np.repeat(rows, counts.astype(int), axis=0)


class Simulated:
    """Persons from N(mean, sd) and items with lognormal slopes."""

    def __init__(self, n: int, items: int, *, seed: int = 1, c: float = 0.0, spread: float = 0.3, mean: float = 0.0,
                 sd: float = 1.0) -> None:
        draw = np.random.default_rng(seed)
        self.a, self.b, self.c = np.exp(draw.normal(0, spread, items)), draw.normal(0, 1, items), np.full(items, c)
        self.theta = draw.normal(mean, sd, n)
        p = self.c + (1 - self.c) / (1 + np.exp(-self.a * (self.theta[:, None] - self.b)))
        self.answers = (draw.random((n, items)) < p).astype(np.int8)

    def with_gaps(self, share: float, seed: int = 2) -> npt.NDArray[np.int8]:
        """The answers with a share of them not presented, at random."""
        gaps = np.random.default_rng(seed).random(self.answers.shape) < share
        return np.where(gaps, np.int8(-1), self.answers)


def log_likelihood(answers: npt.NDArray[np.int8], a: npt.ArrayLike, d: npt.ArrayLike, c: npt.ArrayLike = 0.0, *,
                   weights: npt.ArrayLike = 1.0, mean: npt.ArrayLike = 0.0, sd: npt.ArrayLike = 1.0) -> float:
    """The marginal log likelihood by brute force: 361 nodes, no windows, no blocks; an independent reference."""
    nodes = np.linspace(-9, 9, 361)
    z = np.asarray(a) * nodes[:, None] + np.asarray(d)
    c = np.asarray(c)
    p = c + (1 - c) / (1 + np.exp(-z))
    right, wrong = np.log(p), np.log1p(-p)
    each = (answers == 1) @ right.T + (answers == 0) @ wrong.T
    mean, sd = np.atleast_1d(mean)[:, None], np.atleast_1d(sd)[:, None]
    prior = -0.5 * ((nodes - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi) + np.log(nodes[1] - nodes[0])
    total = each + prior
    top = total.max(axis=1, keepdims=True)
    marginal = np.log(np.exp(total - top).sum(axis=1)) + top[:, 0]
    return float(np.sum(np.asarray(weights) * marginal))
