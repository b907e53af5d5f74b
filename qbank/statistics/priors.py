"""Prior distributions of item parameters, as densities of a, b and c themselves. Pure.

The estimate is the posterior mode in (a, b, c): log likelihood + log p(a) + log p(b) + log p(c), without a Jacobian.
Mislevy (1986), Psychometrika 51, 177-195; the families are those of BILOG.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, expit

from qbank.statistics.arrays import Floats

Family: TypeAlias = tuple[str, npt.ArrayLike, npt.ArrayLike]


@dataclass(frozen=True)
class Priors:
    """One family for each kind of parameter, None for none. Its two numbers may be arrays (items,): NaN is no prior.

    ``a`` ("lognormal", mean of log a, sd of log a) or ("normal", mean, sd); ``b`` ("normal", mean, sd): here go the
    authors' and reviewers' estimates; ``c`` ("beta", alpha, beta). The defaults are weak: half of all slopes between 0.71
    and 1.40, difficulties with a standard deviation of 2, guessing of mode 0.2 worth 20
    answers of persons who know nothing.
    """

    a: Family | None = ("lognormal", 0.0, 0.5)
    b: Family | None = ("normal", 0.0, 2.0)
    c: Family | None = ("beta", 5.0, 17.0)

    def __post_init__(self) -> None:
        for name, known in (("a", ("lognormal", "normal")), ("b", ("normal",)), ("c", ("beta",))):
            family = getattr(self, name)
            if family is None:
                continue
            if len(family) != 3 or family[0] not in known:
                raise ValueError(f"the prior of {name} is one of {known} with two numbers, not {family!r}")
            spread = np.asarray(family[2], dtype=np.float64)
            lowest = 1.0 if name == "c" else 0.0
            numbers = [spread, np.asarray(family[1], dtype=np.float64)] if name == "c" else [spread]
            if any((part[~np.isnan(part)] < lowest).any() or (part == 0).any() for part in numbers):
                raise ValueError(f"the prior of {name} has no mode: {family!r}")


DEFAULT = Priors()


def as_priors(priors: Priors | Mapping[str, Any] | str | None) -> Priors | None:
    """None: maximum likelihood. "default": :data:`DEFAULT`. A mapping: what it names, nothing for the rest."""
    if priors is None or isinstance(priors, Priors):
        return priors
    if isinstance(priors, str):
        if priors != "default":
            raise ValueError(f"priors are Priors, a mapping, 'default' or None, not {priors!r}")
        return DEFAULT
    if unknown := set(priors) - {"a", "b", "c"}:
        raise ValueError(f"no such parameter: {', '.join(sorted(unknown))}")
    return Priors(**{name: priors.get(name) for name in ("a", "b", "c")})


@dataclass(frozen=True, eq=False)
class Terms:
    """log p (items,); its gradient (items, 3) and Hessian (items, 3, 3) by (a, d, g); ``curvature`` the part of minus the
    Hessian that is never negative."""

    value: Floats
    gradient: Floats
    hessian: Floats
    curvature: Floats

    @classmethod
    def none(cls, n: int) -> Terms:
        return cls(np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3, 3)), np.zeros((n, 3, 3)))


def terms(priors: Priors | None, items: Floats) -> Terms:
    """The priors of all three parameters at ``items`` (items, 3) of a, d, g."""
    found = Terms.none(len(items))
    if priors is not None:
        _slope(priors.a, items, found)
        _difficulty(priors.b, items, found)
        _guessing(priors.c, items, found)
    return found


def _numbers(family: Family, n: int) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    first = np.broadcast_to(np.asarray(family[1], dtype=np.float64), n)
    other = np.broadcast_to(np.asarray(family[2], dtype=np.float64), n)
    some = ~(np.isnan(first) | np.isnan(other))
    return np.where(some, first, 0.0), np.where(some, other, 2.0), some


def _slope(family: Family | None, items: Floats, out: Terms) -> None:
    if family is None:
        return
    mean, sd, some = _numbers(family, len(items))
    a = items[:, 0]
    if family[0] == "normal":
        z, first = (a - mean) / sd, -(a - mean) / sd**2
        value, other, safe = -0.5 * z * z - np.log(sd), -1 / sd**2, 1 / sd**2
    else:
        a = np.maximum(a, 1e-6)
        z = (np.log(a) - mean) / sd
        value, first = -0.5 * z * z - np.log(sd * a), -(1 + z / sd) / a
        other, safe = (1 + z / sd - 1 / sd**2) / a**2, 1 / (sd * a) ** 2
    out.value[:] += np.where(some, value - 0.5 * np.log(2 * np.pi), 0.0)
    out.gradient[:, 0] += np.where(some, first, 0.0)
    out.hessian[:, 0, 0] += np.where(some, other, 0.0)
    out.curvature[:, 0, 0] += np.where(some, safe, 0.0)


def _difficulty(family: Family | None, items: Floats, out: Terms) -> None:
    if family is None:
        return
    mean, sd, some = _numbers(family, len(items))
    a = np.where(np.abs(items[:, 0]) < 1e-6, 1e-6, items[:, 0])
    b = -items[:, 1] / a
    weight = some / sd**2
    by = np.stack([-b / a, -1 / a], axis=1)  # of b by a and d
    twice = np.stack([np.stack([2 * b / a**2, 1 / a**2], axis=1), np.stack([1 / a**2, np.zeros_like(a)], axis=1)], axis=1)
    outer = weight[:, None, None] * by[:, :, None] * by[:, None, :]
    first = -weight * (b - mean)
    out.value[:] += some * (-0.5 * ((b - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi))
    out.gradient[:, :2] += first[:, None] * by
    out.hessian[:, :2, :2] += first[:, None, None] * twice - outer
    out.curvature[:, :2, :2] += outer


def _guessing(family: Family | None, items: Floats, out: Terms) -> None:
    if family is None:
        return
    alpha, beta, some = _numbers(family, len(items))
    some = some & (items[:, 2] > -np.inf)
    g = np.where(some, items[:, 2], 0.0)
    c = expit(g)
    log_c, log_rest = -np.logaddexp(0.0, -g), -np.logaddexp(0.0, g)
    bend = (alpha + beta - 2) * c * (1 - c)
    out.value[:] += np.where(some, (alpha - 1) * log_c + (beta - 1) * log_rest - betaln(alpha, beta), 0.0)
    out.gradient[:, 2] += np.where(some, (alpha - 1) * (1 - c) - (beta - 1) * c, 0.0)
    out.hessian[:, 2, 2] -= np.where(some, bend, 0.0)
    out.curvature[:, 2, 2] += np.where(some, bend, 0.0)
