"""回执: the office's answer to a batch, an Excel file, read row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames
from scoring.certificates.layout import Layout, Receipt
from scoring.certificates.report_models import LineState, ReportBatch, ReportLine, ReportReceipt
from scoring.certificates.taken import require_officer

MOST_ROWS = 20_000
HEADS_SEARCHED = 20  # lines above the table: titles, instructions
MOST_PROBLEMS = 200
LONGEST_REASON = 500


@dataclass(frozen=True)
class Answer:
    """One row of a receipt: where it stands in the file, by what it names the certificate, what it says."""

    row: int
    number: str
    identity: str
    result: str
    reason: str


def read(session: Session, batch: ReportBatch, file_name: str, content: bytes, who: Viewer, *, cipher: IdentityCipher,
         now: datetime) -> ReportReceipt:
    """Write what the office said to the lines of ``batch``. Rows that cannot be read are named and change nothing."""
    require_officer(session, batch.results, who)
    words = Layout.read(batch.layout).receipt
    answers = answers_in(content, words)
    receipt = ReportReceipt(batch_id=batch.id, file_name=file_name[:200], sha256=hashlib.sha256(content).hexdigest(), accepted=0, rejected=0,
                            problems=[], read_by=who.account_id, at=now)
    session.add(receipt)
    session.flush()
    by_number = {line.certificate.number: line for line in batch.lines}
    by_identity = {line.certificate.identity_hash: line for line in batch.lines}
    said: dict[int, LineState] = {}
    problems: list[str] = []
    for answer in answers:
        line = _line(answer, by_number, by_identity, cipher)
        state = _state(answer.result, words)
        problem = _problem(answer, line, state, said)
        if line is None or state is None or problem:
            problems.append(f"第 {answer.row} 行：{problem}")
            continue
        said[line.id] = state
        line.state, line.receipt_id = state, receipt.id
        line.reason = answer.reason[:LONGEST_REASON] if state is LineState.REJECTED else ""
    if not said:
        raise Refused("nothing_read", "回执中没有一行能对应到本次上报的证书，没有写入任何内容。", problems[:20])
    counts = list(said.values())
    receipt.accepted, receipt.rejected = counts.count(LineState.ACCEPTED), counts.count(LineState.REJECTED)
    receipt.problems = problems[:MOST_PROBLEMS]
    session.flush()
    return receipt


def answers_in(content: bytes, words: Receipt) -> list[Answer]:
    """The rows below the head of the first sheet that has one. Refuses a workbook without the titles of ``words``."""
    sheets = frames(content, Refused("damaged_file", "文件打不开，可能已损坏或加了密码。请在 Excel 或 WPS 中另存为 .xlsx 后重试。"), nrows=MOST_ROWS)
    for sheet in sheets.values():
        lines = [["" if pd.isna(cell) else str(cell).strip() for cell in line] for line in sheet.itertuples(index=False)]
        for place, line in enumerate(lines[:HEADS_SEARCHED]):
            number, identity, result, reason = (_column(line, titles) for titles in (words.number, words.identity, words.result, words.reason))
            if result is not None and (number is not None or identity is not None):
                return [Answer(row, _cell(cells, number), _cell(cells, identity), _cell(cells, result), _cell(cells, reason))
                        for row, cells in enumerate(lines[place + 1:], place + 2) if any(cells)]
    raise Refused("no_head", f"没有找到回执的表头：需要“{words.result[0]}”列，以及“{(*words.number, *words.identity)[0]}”列。"
                             "对方表头不同时，请在“上报表样”中增加它的写法。")


def _column(line: Sequence[str], titles: Sequence[str]) -> int | None:
    plain = ["".join(cell.split()) for cell in line]
    return next((plain.index(title) for title in titles if title in plain), None)


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None else ""


def _line(answer: Answer, by_number: dict[str, ReportLine], by_identity: dict[str, ReportLine], cipher: IdentityCipher) -> ReportLine | None:
    """By the certificate's number where one is written, else by the identity number."""
    if answer.number:
        return by_number.get("".join(answer.number.split()).upper())
    held = cipher.fingerprints("".join(answer.identity.split()).upper()) if answer.identity else []
    return next((by_identity[one] for one in held if one in by_identity), None)


def _state(result: str, words: Receipt) -> LineState | None:
    if result in words.rejected:
        return LineState.REJECTED
    return LineState.ACCEPTED if result in words.accepted else None


def _problem(answer: Answer, line: ReportLine | None, state: LineState | None, said: dict[int, LineState]) -> str:
    if line is None:
        return "证书编号或证件号码不在本次上报中。" if answer.number or answer.identity else "没有证书编号，也没有证件号码。"
    if state is None:
        return f"“{answer.result[:20]}”不是约定的结果用语。" if answer.result else "没有结果。"
    if said.get(line.id, state) is not state:
        return "同一证书在回执中既接收又退回，按先出现的一行处理。"
    return ""
