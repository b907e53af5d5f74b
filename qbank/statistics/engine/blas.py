"""Linear algebra on one thread. Pure.

The products of an E-step are small. On two threads they gain little on an idle machine, and on a busy one each waits for the
other's time slice: ten times slower was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import scipy.linalg  # noqa: F401  # brings a library of its own, which the controller must see
from threadpoolctl import ThreadpoolController

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """``function``, during which BLAS and LAPACK of this process use one thread."""
    @wraps(function)
    def limited(*arguments: P.args, **options: P.kwargs) -> R:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*arguments, **options)
    return limited
