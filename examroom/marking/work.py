"""Long work after marking: a new run of statistics over a whole bank, off the sweep."""

from __future__ import annotations

from examroom.marking.responses import responses_of, sittings_of
from qbank.kernel.jobs import Work, kind
from qbank.statistics import runs
from qbank.statistics.bank_analysis import analyse

STATISTICS = "marking.statistics"


@kind(STATISTICS, "计算试题统计")
def statistics(work: Work) -> str:
    """Read without a lock, compute, and write in one short transaction."""
    school, table = work.arguments["institution"], work.arguments["table"]
    with work.reading() as session:
        sittings = sittings_of(session, school, table)
        sat = []
        for done, sitting in enumerate(sittings):
            work.progress(done, len(sittings) + 1, f"正在读取“{sitting.name}”的答卷…")
            if (found := responses_of(session, sitting)) is not None:
                sat.append(found)
        versions = {version for part in sat for version in part.version_ids}
        expectations = runs.expectations_of(session, versions)
        scale, limits = runs.scale_of(session, school, table), runs.limits_of(session, school)
    work.progress(len(sittings), len(sittings) + 1, "正在计算…")
    analysis = analyse(sat, expectations, scale, limits)
    if analysis is None:
        return str(work.arguments.get("nothing", ""))
    with work.transaction() as session:
        run = runs.store(session, school, table, analysis, work.arguments["occasion"], now=work.now())
        run_id = run.id
    return str(work.arguments.get("result", "")).replace("{run}", str(run_id))
