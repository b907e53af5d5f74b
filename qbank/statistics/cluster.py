"""The same calibration with the persons spread over a Dask cluster: a nation.

The engine is Dask (extra ``cluster``); this module only says what goes where. Each worker keeps its chunks arranged in
memory and answers with sums; the sums are added in the order of the chunks, so the result is that of one machine. For a
cluster on several machines ``dask-ssh host1 host2 ...`` starts it; on one machine::

    python -m qbank.statistics.cluster FILE.csv --workers 2
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, Protocol

import numpy as np
import pandas as pd

from qbank.statistics.arrays import Floats
from qbank.statistics.calibration import Calibration
from qbank.statistics.chunks import in_memory
from qbank.statistics.engine.blas import one_thread
from qbank.statistics.engine.estep import Sums
from qbank.statistics.engine.expansion import Form, merged
from qbank.statistics.engine.parameters import Layout, Point
from qbank.statistics.engine.persons import InMemory, Tallies
from qbank.statistics.engine.quadrature import Grid
from qbank.statistics.irt import MOST_ITERATIONS, TOLERANCE, Anchors, calibrate_persons
from qbank.statistics.priors import Priors
from qbank.statistics.responses import NotReached


class Client(Protocol):
    """What is used of ``distributed.Client``."""

    def submit(self, function: Any, *arguments: Any, **options: Any) -> Any: ...

    def gather(self, futures: Any) -> Any: ...


class OnCluster:
    """Persons whose chunks live on the workers."""

    def __init__(self, client: Client, parts: Sequence[Any]) -> None:
        if not parts:
            raise ValueError("there are no chunks")
        self.client, self.parts = client, list(parts)

    def _each(self, method: str, *arguments: Any, **options: Any) -> list[Any]:
        # pure=False: a part remembers its windows, so the same call is not the same work.
        futures = [self.client.submit(_asked, part, method, arguments, options, pure=False) for part in self.parts]
        return list(self.client.gather(futures))

    def tallies(self, ease: Floats | None) -> Tallies:
        found: Tallies = reduce(Tallies.plus, self._each("tallies", ease))
        return found

    def forms(self) -> list[Form]:
        forms = [form for part in self._each("forms") for form in part]
        return merged(forms, max((int(form.items.max(initial=-1)) + 1 for form in forms), default=0))

    def largest_information(self, point: Point, theta: Floats) -> Floats:
        return np.asarray(np.max(self._each("largest_information", point, theta), axis=0))

    def sums(self, point: Point, grid: Grid, *, full: bool = False) -> Sums:
        found: Sums = reduce(Sums.plus, self._each("sums", point, grid, full=full))
        return found

    def missing_information(self, point: Point, layout: Layout, grid: Grid) -> Floats:
        return np.asarray(np.sum(self._each("missing_information", point, layout, grid), axis=0))


def calibrate_on_cluster(client: Client, chunks: Iterable[Any], n_items: int, model: str = "2PL",
                         priors: Priors | Mapping[str, Any] | str | None = None, anchors: Anchors | None = None,
                         labels: Sequence[Any] | None = None, se: bool = True, *, tolerance: float = TOLERANCE,
                         iterations: int = MOST_ITERATIONS, not_reached: NotReached = "not presented",
                         items: Sequence[str] | None = None) -> Calibration:
    """:func:`chunks.calibrate_chunks` on the workers of ``client``, a ``distributed.Client``.

    A chunk is anything that :func:`responses.as_responses` takes, or a future of the client that becomes it on a worker:
    ``client.submit(read, path)`` keeps the sheets away from this machine altogether.
    """
    order = tuple(labels) if labels is not None else (None,)
    parts = [client.submit(in_memory, chunk, n_items, order, not_reached, pure=False) for chunk in chunks]
    return calibrate_persons(OnCluster(client, parts), n_items, model=model, priors=priors, anchors=anchors, labels=order,
                             se=se, tolerance=tolerance, iterations=iterations, items=None if items is None else tuple(items))


@one_thread
def _asked(part: InMemory, method: str, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    return getattr(part, method)(*arguments, **options)


def _local(engine: Any, workers: int) -> Any:
    return engine.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Calibrate a CSV of 0, 1 and blanks, a column for each item, on local workers or a cluster that runs already."""
    import distributed

    engine: Any = distributed
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file")
    parser.add_argument("--model", default="2PL")
    parser.add_argument("--priors", choices=["default"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scheduler", help="address of a cluster that runs already, such as tcp://host:8786")
    parser.add_argument("--rows", type=int, default=100_000, help="persons of one chunk")
    chosen = parser.parse_args(arguments)
    names = pd.read_csv(chosen.file, nrows=0).columns
    local = None if chosen.scheduler else _local(engine, chosen.workers)
    with engine.Client(chosen.scheduler or local) as client:
        chunks = (frame.to_numpy(np.float64) for frame in pd.read_csv(chosen.file, chunksize=chosen.rows))
        found = calibrate_on_cluster(client, chunks, len(names), chosen.model, priors=chosen.priors, items=list(names))
    if local is not None:
        local.close()
    table = pd.DataFrame({"item": names, "n": found.n, "a": found.a, "b": found.b, "c": found.c,
                          "se_a": found.se_a, "se_b": found.se_b, "se_c": found.se_c})
    print(table.to_csv(index=False), end="")
    print(f"# log likelihood {found.log_likelihood:.4f}, gradient {found.gradient_norm:.2g}, "
          f"{found.iterations} iterations, {'converged' if found.converged else 'NOT converged'}")


if __name__ == "__main__":
    main()
