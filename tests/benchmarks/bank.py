"""Import, near-duplicates and search at 1,000, 10,000 and 50,000 items: one JSON object a line with name, value, unit, target, ok.

Run: python tests/benchmarks/bank.py [sizes...]. Everything is measured on this machine through the rules and pages that
people use; the bank is written in bulk below the audit trail (tests/qbank/bank_big.py).
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import sqlalchemy as sa
from datasketch import MinHash, MinHashLSH
from rapidfuzz import fuzz, process
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app import create_app
from qbank.exchange import batches
from qbank.items import pairs
from qbank.items.models import Item, ItemVersion
from qbank.items.pair_search import AT_ONCE, add_pairs
from qbank.items.similarity import ALIKE, Index, comparable, similar
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Institution
from qbank.kernel.db import Actor, Database
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from qbank.standards.models import WeightTable
from tests.conftest import PASSWORD, People
from tests.qbank.bank_big import WORDS, fill, stems
from tests.qbank.bank_world import book, row, theory_table

SIZES = (1_000, 10_000, 50_000)
BATCH = 500
CLOCK = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
ROUNDS = 8  # of every address
# What people ask for: nothing, each kind of filter, words that are common and rare, every order, a late page.
ASKED = ("", "sort=-difficulty", "sort=point", "sort=author", "sort=-made", "sort=ease", "sort=-last_used", "state=draft", "kind=judge",
         "range=A", "range=B-A", "importance=Z", "difficulty=5", "q=变压器", "q=绝缘 整定值", "q=没有这样的词", "q=%2317",
         "ease_to=30", "rest_below=0.1&sort=rest", "uses_from=4", "used_before=2025-06-01", "author=命题", "made_since=2026-05-30",
         "state=approved&range=A-A&kind=single&q=电动机&sort=-ease")


def seconds(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began


def say(name: str, value: float, unit: str, target: float | None = None, *, least: bool = False) -> None:
    ok = target is None or (value >= target if least else value <= target)
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, "target": target, "ok": ok}), flush=True)


def new_batch(bank: list[str], seed: int) -> list[str]:
    """A file of 500 stems: 300 new ones, 200 that are like one of the bank (characters lost or changed)."""
    drawn = random.Random(seed)
    near = []
    for stem in drawn.sample(bank, 200):
        letters = [letter if drawn.random() > 0.05 else drawn.choice(WORDS) for letter in stem if drawn.random() > 0.05]
        near.append("".join(letters))
    return stems(300, seed=seed + 1) + near


class World:
    """A school with a bank of ``size`` items in a scratch database, and an author with a browser."""

    def __init__(self, folder: Path, size: int) -> None:
        self.settings = Settings.from_environment({"EXAMROOM_JOBS_INLINE": "1"}, folder=folder)
        self.database = Database.of(self.settings)
        upgrade(self.database.engine)
        with self.database.open(Actor(None, "bench"), clock=lambda: CLOCK) as session:
            people = People(session)
            self.author: Viewer = people("命题员", Role.ITEM_AUTHOR)
            others = [people.account(f"命题{n}", Role.ITEM_AUTHOR).id for n in range(20)]
            self.table_id, self.school_id = theory_table(session).id, people.home.id
            session.commit()
            fill(session, self.table_id, self.school_id, others, size, CLOCK)
            session.commit()
        with self.database.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
            connection.commit()

    def browser(self) -> Any:
        app = create_app(self.settings, clock=lambda: CLOCK)
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        client = app.test_client()
        assert client.post("/accounts/sign-in", data={"login": self.author.login, "password": PASSWORD}).status_code == 302
        return client


def measure_search(world: World, size: int) -> None:
    client = world.browser()
    client.get("/items/")
    times: dict[str, list[float]] = {asked: [] for asked in ASKED}
    late = "after=" + _late_place(client)
    worked: list[float] = []
    for asked in (*ASKED, late):
        _opened(client, f"/items/?table={world.table_id}&{asked}")  # templates and statements are compiled once
    for _ in range(ROUNDS):
        for asked in (*ASKED, late):
            address = f"/items/?table={world.table_id}&{asked}"
            began = process_time()
            times.setdefault(asked, []).append(seconds(partial(_opened, client, address)))
            worked.append(process_time() - began)
    say(f"{size} items: a page without filters, 95th percentile", _p95(times[""] + times[late]), "s", 0.2)
    say(f"{size} items: a page with filters, words or another order, 95th percentile",
        _p95([time for asked, found in times.items() if asked not in {"", late} for time in found]), "s", 0.2)
    say(f"{size} items: any of these pages, processor time alone, 95th percentile", _p95(worked), "s", 0.2)
    slowest = max(times, key=lambda asked: statistics.median(times[asked]))
    say(f"{size} items: the slowest address ({slowest}), median", statistics.median(times[slowest]), "s")


def measure_duplicates(world: World, size: int) -> None:
    with world.database.open(Actor(None, "bench"), reads_only=True) as session:
        bank = list(session.scalars(sa.select(ItemVersion.stem).order_by(ItemVersion.id)))
        table = session.get_one(WeightTable, world.table_id)
        batch = new_batch(bank, seed=size)
        found: list[Any] = []
        say(f"{size} items: a batch of {BATCH} checked, reading the bank and building the index included",
            seconds(lambda: found.append(pairs.alike_rows(session, table, world.school_id, batch))), "s", 10.0)
        say(f"{size} items: the same batch again, index in memory",
            seconds(lambda: pairs.alike_rows(session, table, world.school_id, batch)), "s")
        say(f"{size} items: one stem on saving, index in memory",
            seconds(lambda: pairs.alike_rows(session, table, world.school_id, batch[:1])), "s", 1.0)
        searched = pairs.bank_of(session, world.table_id, world.school_id)
    index, plain = Index(bank), [comparable(text) for text in batch]
    sample = range(0, BATCH, 5)
    ours = {(match.i, match.key) for match in similar(batch, index) if match.i % 5 == 0}
    scored = process.cdist([plain[i] for i in sample], index.texts, scorer=fuzz.ratio, score_cutoff=100 * ALIKE, dtype=np.uint8)
    truth = {(sample[int(i)], int(j)) for i, j in np.argwhere(scored)}
    say(f"{size} items: share found of the pairs that scoring every pair finds (100 stems, {len(truth)} pairs)",
        len(ours & truth) / max(1, len(truth)), "share", 1.0, least=True)
    say(f"{size} items: scoring every pair of the batch with rapidfuzz alone",
        seconds(lambda: process.cdist(plain, index.texts, scorer=fuzz.ratio, score_cutoff=80, dtype=np.uint8)), "s")
    for line in minhash(index.texts, plain, truth, sample):
        say(f"{size} items: MinHash LSH of datasketch for comparison, {line[0]}", line[1], line[2])
    say(f"{size} items: the matrix of bigrams of the bank", seconds(lambda: searched.index.transposed.nnz), "s")
    parts = -(-size // AT_ONCE)
    starts = sorted({AT_ONCE * (parts * place // 8) for place in (0, 1, 3, 5, 7)})  # the first part is compared with most
    spent = [seconds(partial(add_pairs, searched, start, start + AT_ONCE, {})) for start in starts]
    say(f"{size} items: all alike pairs inside the bank (from {len(starts)} of {parts} parts)", statistics.mean(spent) * parts, "s")


def minhash(texts: list[str], batch: list[str], truth: set[tuple[int, int]], sample: range) -> Iterator[tuple[str, float, str]]:
    """Time and recall of LSH over bigrams with 128 permutations; a score of 0.8 is about a Jaccard of 0.45 on bigrams."""
    found: set[tuple[int, int]] = set()

    def search() -> None:
        hashed = MinHash.bulk([_grams(text) for text in texts], num_perm=128)
        lsh = MinHashLSH(threshold=0.45, num_perm=128)
        with lsh.insertion_session() as inserting:
            for key, one in enumerate(hashed):
                inserting.insert(key, one)
        for i, one in enumerate(MinHash.bulk([_grams(text) for text in batch], num_perm=128)):
            found.update((i, int(key)) for key in lsh.query(one) if fuzz.ratio(batch[i], texts[int(key)]) >= 100 * ALIKE)

    yield "time with building", seconds(search), "s"
    yield "share of the pairs found", len({pair for pair in found if pair[0] in sample} & truth) / max(1, len(truth)), "share"


def measure_import(world: World, size: int) -> None:
    rows = [row(n, 题干=text, 选项A=f"甲{n}") for n, text in enumerate(stems(BATCH, seed=size + 7))]
    content = book(*rows)
    with world.database.transaction(world.author.actor, clock=lambda: CLOCK) as session:
        session.info["jobs"] = None
        table = session.get_one(WeightTable, world.table_id)
        assert session.get(Institution, world.school_id) is not None
        made: list[Any] = []
        say(f"{size} items: a workbook of {BATCH} rows read and checked",
            seconds(lambda: made.append(batches.upload(session, table, world.school_id, "题.xlsx", content, world.author, now=CLOCK))), "s", 10.0)
        say(f"{size} items: these rows put into the bank, with the audit trail",
            seconds(partial(_apply, session, made[0], world.author)), "s", 10.0)
        held = session.scalar(sa.select(sa.func.count()).select_from(Item)) or 0
    say(f"{size} items: items that the workbook added", held - size, "items")


def _apply(session: Session, batch: Any, who: Viewer) -> None:
    batches.apply(session, batch, who, now=CLOCK)
    session.commit()


def _make(made: list[World], folder: Path, size: int) -> None:
    made.append(World(folder, size))


def _opened(client: Any, address: str) -> None:
    assert client.get(address).status_code == 200


def _late_place(client: Any) -> str:
    """The cursor some pages on: as quick as the first page, wherever it stands."""
    after = ""
    for _ in range(10):
        text = client.get(f"/items/?after={after}").get_data(as_text=True)
        if 'rel="next"' not in text:
            break
        after = text.split('rel="next"')[1].split("after=")[1].split('"')[0].split("&")[0]
    return after


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _grams(text: str) -> list[bytes]:
    return [text[place:place + 2].encode() for place in range(max(1, len(text) - 1))]


def main() -> None:
    for size in [int(text) for text in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as name:
            made: list[World] = []
            say(f"{size} items written in bulk for the benchmark", seconds(partial(_make, made, Path(name), size)), "s")
            measure_search(made[0], size)
            measure_duplicates(made[0], size)
            measure_import(made[0], size)
            made[0].database.engine.dispose()


if __name__ == "__main__":
    main()
