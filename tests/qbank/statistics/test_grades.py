"""Assembly reads how hard an item really is."""

from __future__ import annotations

import pytest

from qbank.statistics.grades import grade_of


@pytest.mark.parametrize(("share", "grade"), [(1.0, 1), (0.86, 1), (0.84, 2), (0.73, 2), (0.72, 3), (0.58, 3), (0.57, 4),
                                              (0.43, 4), (0.42, 5), (0.0, 5), (0.85, 1)])
def test_a_share_has_the_grade_whose_share_is_nearest(share: float, grade: int) -> None:
    assert grade_of(share) == grade  # the grades stand for 0.90, 0.80, 0.65, 0.50 and 0.35
