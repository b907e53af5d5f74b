"""Judging rows: what is wrong with each and where, which point it means, and which say what already stands somewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from qbank.exchange.matching import Matcher
from qbank.exchange.rows import WORDS, cell_findings, draft_of_cells
from qbank.exchange.sheets import SheetRow
from qbank.items.bank import contradicts, label
from qbank.items.draft import LETTERS, Draft, answer_texts, content_hash
from qbank.items.models import ItemVersion
from qbank.items.states import RowVerdict
from qbank.kernel.refused import Refused

InBank = Callable[[Collection[str]], Mapping[str, ItemVersion]]  # content hashes → the versions that stand there


@dataclass(eq=False)
class CheckedRow:
    """A row with its draft, its point (0: none) and what was found. ``errors``: (column title or "", sentence).

    A row whose point was matched by words has codes in its cells, and the words in another one.
    """

    row: SheetRow
    cells: dict[str, str]
    draft: Draft
    content_hash: str = ""
    errors: list[tuple[str, str]] = field(default_factory=list)
    unmatched: str = ""
    duplicate_of: str = ""
    point_id: int = 0

    @property
    def verdict(self) -> RowVerdict:
        if self.errors:
            return RowVerdict.WRONG
        if self.duplicate_of:
            return RowVerdict.DUPLICATE
        return RowVerdict.UNMATCHED if self.unmatched else RowVerdict.GOOD

    @property
    def all_errors(self) -> list[list[str]]:
        """As a row keeps them: what is unmatched stands beside the point."""
        return [list(one) for one in self.errors] + ([["鉴定点", self.unmatched]] if self.unmatched else [])


def check_rows(rows: Sequence[SheetRow], points: Matcher, in_bank: InBank) -> list[CheckedRow]:
    """Every row with its verdict, in the order given."""
    checked = [check_row(row, points) for row in rows]
    by_content: dict[str, list[CheckedRow]] = defaultdict(list)
    for one in checked:
        if not one.errors:
            by_content[one.content_hash].append(one)
    for alike in by_content.values():
        _compare(alike)
    bank = in_bank(list(by_content))
    for key, version in bank.items():
        for one in by_content.get(key, ()):
            _compare_with_bank(one, version)
    return checked


def check_row(row: SheetRow, points: Matcher) -> CheckedRow:
    """One row by itself: its own errors and its point."""
    cells = dict(row.cells)
    one = CheckedRow(row, cells, draft_of_cells(cells))
    one.errors = [*(("", sentence) for sentence in row.problems), *cell_findings(cells, one.draft)]
    one.content_hash = content_hash(one.draft) if one.draft.kind and one.draft.stem else ""
    try:
        place, coded = points.find(cells.get("鉴定范围", ""), cells.get("鉴定点", ""))
    except Refused as refusal:
        one.unmatched = refusal.sentence
        return one
    if not coded:
        cells[WORDS] = " ".join(filter(None, (cells.get("鉴定范围"), cells.get("鉴定点"))))
    cells["鉴定范围"], cells["鉴定点"] = place.path, place.segment
    one.point_id = place.point_id
    one.draft = draft_of_cells(cells)
    return one


def _compare(alike: list[CheckedRow]) -> None:
    """Rows that ask the same: the first counts, unless their answers differ, then none can be trusted."""
    first, *others = alike
    if len({_answer(one.draft) for one in alike}) > 1:
        for one in alike:
            where = "、".join(_place(other, one) for other in alike if other is not one)
            one.errors.append(("答案", f"与{where}题目相同但答案不同，请核对后只保留正确的一行。"))
        return
    for one in others:
        one.duplicate_of = f"本文件{_place(first, one)}"


def _compare_with_bank(one: CheckedRow, version: ItemVersion) -> None:
    where = f"题库中的{label(version)}（{version.state.chinese}{f'，批次 {version.batch_id}' if version.batch_id else ''}）"
    if contradicts(version, one.draft):
        one.errors.append(("答案", f"与{where}题目相同但答案不同，请核对；如题库有误，请在题库里修改那道题。"))
    else:
        one.duplicate_of = where


def _answer(draft: Draft) -> frozenset[str]:
    return answer_texts(draft.kind, dict(zip(LETTERS, draft.options, strict=False)), draft.key)


def _place(one: CheckedRow, seen_from: CheckedRow) -> str:
    if one.row.place:
        return f"“{one.row.place}”"
    sheet = "" if one.row.sheet == seen_from.row.sheet else f"工作表“{one.row.sheet}”"
    return f"{sheet}第 {one.row.number} 行"
