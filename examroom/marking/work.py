"""Long work after marking: a new run of statistics over a whole bank and the reports of its sittings, off the sweep."""

from __future__ import annotations

from typing import Any

from examroom.marking import integrity, integrity_data
from examroom.marking.responses import responses_of, sittings_of
from qbank.kernel.jobs import Work, kind
from qbank.statistics import runs
from qbank.statistics.bank_analysis import SatPaper, analyse

STATISTICS = "marking.statistics"


@kind(STATISTICS, "计算试题统计")
def statistics(work: Work) -> str:
    """Read without a lock, compute, and write in one short transaction. ``sitting``: make its report again in any case."""
    school, table = work.arguments["institution"], work.arguments["table"]
    with work.reading() as session:
        sittings = sorted(sittings_of(session, school, table), key=lambda sitting: (sitting.starts_at, sitting.id))
        names = {sitting.id: f"{sitting.plan.title} {sitting.name}" for sitting in sittings}
        due = integrity_data.waiting(session, sittings, work.arguments.get("sitting"))
        sat: list[SatPaper] = []
        seated: list[integrity.Seated] = []
        for done, sitting in enumerate(sittings):
            work.progress(done, len(sittings) + len(due) + 1, f"正在读取“{sitting.name}”的答卷…")
            if found := responses_of(session, sitting):
                sat += found
                seated += [integrity_data.seated(session, sitting, found)] if sitting.id in due else []
        versions = {version for part in sat for version in part.version_ids}
        expectations = runs.expectations_of(session, versions)
        scale, limits = runs.scale_of(session, school, table), runs.limits_of(session, school)
        care = integrity_data.care_of(session, school)
    work.progress(len(sittings), len(sittings) + len(due) + 1, "正在计算…")
    analysis = analyse(sat, expectations, scale, limits)
    if analysis is None:
        return str(work.arguments.get("nothing", ""))
    history = integrity.history_of(sat, names)
    drift = integrity.drifting(history, care)
    reports: list[tuple[integrity.Seated, dict[str, Any]]] = []
    for done, one in enumerate(seated, len(sittings) + 1):
        work.progress(done, len(sittings) + len(due) + 1, f"正在分析“{names[one.part.sitting_id]}”…")
        reports.append((one, integrity.report(one, history, care, limits)))
    with work.transaction() as session:
        run_id = runs.store(session, school, table, analysis, work.arguments["occasion"], now=work.now()).id
        if drift is not None:
            integrity_data.keep_drift(session, run_id, dict(zip(history.versions, drift.adjusted_p.tolist(), strict=True)))
        for one, told in reports:
            integrity_data.keep(session, one.part.sitting_id, len(one.sheets), told, now=work.now())
    return str(work.arguments.get("result", "")).replace("{run}", str(run_id))
