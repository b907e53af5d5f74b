"""Anderson acceleration of EM. Pure.

Anderson (1965), Journal of the ACM 12, 547-560; in the form of Walker and Ni (2011), SIAM Journal on Numerical Analysis
49, 1715-1735, with the norm in which EM is symmetric: differences of EM steps are weighed by the complete-data
information, and its product with an EM step is the gradient that the E-step gives (Fisher's identity), so the matrix of
the least-squares problem is made of inner products of steps and gradients.
"""

from __future__ import annotations

import numpy as np

from qbank.statistics.arrays import Floats

DEPTH = 10
LONGEST = 300.0  # an accelerated step against EM's own


class Anderson:
    """Remembers the last steps and proposes where to go."""

    def __init__(self, depth: int = DEPTH) -> None:
        self.depth = depth
        self.last: tuple[Floats, Floats, Floats] | None = None
        self.differences: list[tuple[Floats, Floats, Floats]] = []

    def forget(self) -> None:
        """Begin anew: the function has changed, or a proposal was bad."""
        self.last, self.differences = None, []

    def skip(self) -> None:
        """Keep what was learnt, but take no difference over a change of nodes."""
        self.last = None

    def propose(self, x: Floats, step: Floats, gradient: Floats) -> Floats:
        """The next point, from ``x``, the step that EM would take there and the gradient there."""
        if self.last is not None:
            self.differences.append((x - self.last[0], step - self.last[1], gradient - self.last[2]))
            self.differences = self.differences[-self.depth:]
        self.last = x, step, gradient
        if not self.differences:
            return x + step
        moves, changes, slopes = (np.array(part) for part in zip(*self.differences, strict=True))
        matrix = changes @ slopes.T
        scale = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        matrix = (matrix + matrix.T) / (2 * scale[:, None] * scale)
        mix = np.linalg.lstsq(matrix + 1e-10 * np.eye(len(scale)), (slopes @ step) / scale, rcond=1e-8)[0] / scale
        jump = step - mix @ (moves + changes)
        longest = LONGEST * np.abs(step).max() / max(float(np.abs(jump).max()), 1e-300)
        return np.asarray(x + jump * min(1.0, longest))
