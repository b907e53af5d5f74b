"""Long work of the import, off the request: reading and checking hold no lock, writing is one short transaction."""

from __future__ import annotations

from qbank.exchange import batches
from qbank.items.models import ImportBatch
from qbank.kernel.access import fetch
from qbank.kernel.jobs import Work, kind


@kind("exchange.check", "检查导入文件")
def check(work: Work) -> str:
    key = work.arguments["batch"]
    work.progress(0, 0, "正在读取和检查…")
    with work.reading() as session:
        reading = batches.read(session, fetch(session, ImportBatch, key, work.who))
    work.progress(0, 0, f"已检查 {len(reading.rows)} 行，正在保存结果…")
    with work.transaction() as session:
        batches.settle(session, fetch(session, ImportBatch, key, work.who), reading)
    return str(work.arguments["result"])


@kind("exchange.apply", "导入试题")
def apply(work: Work) -> str:
    with work.transaction() as session:
        batches.apply(session, fetch(session, ImportBatch, work.arguments["batch"], work.who), work.who, now=work.now())
    return str(work.arguments["result"])


@kind("exchange.revert", "撤销导入")
def revert(work: Work) -> str:
    with work.transaction() as session:
        batches.revert(session, fetch(session, ImportBatch, work.arguments["batch"], work.who), work.who, now=work.now())
    return str(work.arguments["result"])
