"""Judging the rows of a workbook: what is wrong with each, and which say what already stands somewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from qbank.exchange.rows import cell_problems, draft_of_cells
from qbank.exchange.sheets import SheetRow
from qbank.items.bank import contradicts, label
from qbank.items.draft import LETTERS, Draft, answer_texts, content_hash, problems
from qbank.items.models import ItemVersion, RowVerdict
from qbank.items.points import Points
from qbank.kernel.refused import Refused

InBank = Callable[[Collection[str]], Mapping[str, ItemVersion]]  # content hashes → the versions that stand there


@dataclass
class CheckedRow:
    """A row with its draft, its point (0: none) and what was found."""

    row: SheetRow
    draft: Draft
    errors: list[str] = field(default_factory=list)
    duplicate_of: str = ""
    point_id: int = 0

    @property
    def verdict(self) -> RowVerdict:
        if self.errors:
            return RowVerdict.WRONG
        return RowVerdict.DUPLICATE if self.duplicate_of else RowVerdict.GOOD


def check_rows(rows: Sequence[SheetRow], points: Points, in_bank: InBank) -> list[CheckedRow]:
    """Every row with its verdict, in the order given."""
    checked = [_check(row, points) for row in rows]
    by_content: dict[str, list[CheckedRow]] = defaultdict(list)
    for one in checked:
        if not one.errors:
            by_content[content_hash(one.draft)].append(one)
    for alike in by_content.values():
        _compare(alike)
    bank = in_bank(list(by_content))
    for key, version in bank.items():
        for one in by_content.get(key, ()):
            _compare_with_bank(one, version)
    return checked


def _check(row: SheetRow, points: Points) -> CheckedRow:
    one = CheckedRow(row, draft_of_cells(row.cells))
    one.errors = [*problems(one.draft), *cell_problems(row.cells)]
    if one.draft.range_path and one.draft.point_segment:
        try:
            one.point_id = points.find(row.cells["鉴定范围"], row.cells["鉴定点"])
        except Refused as refusal:
            one.errors.append(refusal.sentence)
    return one


def _compare(alike: list[CheckedRow]) -> None:
    """Rows that ask the same: the first counts, unless their answers differ, then none can be trusted."""
    first, *others = alike
    if len({_answer(one.draft) for one in alike}) > 1:
        for one in alike:
            where = "、".join(_place(other, one) for other in alike if other is not one)
            one.errors.append(f"与{where}题目相同但答案不同，请核对后只保留正确的一行。")
        return
    for one in others:
        one.duplicate_of = f"本文件{_place(first, one)}"


def _compare_with_bank(one: CheckedRow, version: ItemVersion) -> None:
    where = f"题库中的{label(version)}（{version.state.chinese}{f'，批次 {version.batch_id}' if version.batch_id else ''}）"
    if contradicts(version, one.draft):
        one.errors.append(f"与{where}题目相同但答案不同，请核对；如题库有误，请在题库里修改那道题。")
    else:
        one.duplicate_of = where


def _answer(draft: Draft) -> frozenset[str]:
    return answer_texts(draft.kind, dict(zip(LETTERS, draft.options, strict=False)), draft.key)


def _place(one: CheckedRow, seen_from: CheckedRow) -> str:
    sheet = "" if one.row.sheet == seen_from.row.sheet else f"工作表“{one.row.sheet}”"
    return f"{sheet}第 {one.row.number} 行"
