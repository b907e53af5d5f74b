"""Entry conditions as an Excel workbook, out and in: one option a row, its demands in columns of their own. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from examroom.plans.entry import ConditionDraft
from examroom.plans.predicate import CLASS_KINDS, GRADUATIONS, LEVELS, SCHOOL_KINDS, Predicate
from examroom.plans.sheets_in import Sheet, level_of, number_of, read_sheets, words_of
from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused

HEADS: dict[str, tuple[str, ...]] = {
    "number": ("序号", "编号", "条件序号"),
    "text": ("申报条件", "条件内容", "申报条件原文"),
    "certificate": ("要求证书等级", "已有证书等级"),
    "certificate_years": ("取得证书满几年", "取得证书年限"),
    "years": ("从业满几年", "从业年限"),
    "school_kinds": ("学校类别",),
    "class_kinds": ("班级类别",),
    "graduations": ("毕业情况",),
    "age": ("年满周岁", "年龄"),
    "by_hand": ("人工核对", "需人工核对的内容"),
    "source": ("依据", "依据页码"),
}
WIDTHS = (6, 70, 14, 14, 12, 30, 24, 22, 10, 30, 16)
MOST_SHOWN = 20


def written(drafts: Sequence[ConditionDraft], title: str) -> bytes:
    """The options of one level; empty cells demand nothing."""
    columns = tuple(zip((names[0] for names in HEADS.values()), WIDTHS, strict=True))
    notes = [("要求证书等级", "五级、四级、三级、二级、一级中的一个；持更高级别证书也符合"), ("学校类别", "、".join(SCHOOL_KINDS) + "，可写多个，用顿号隔开"),
             ("班级类别", "、".join(CLASS_KINDS) + "，可写多个"), ("毕业情况", "、".join(GRADUATIONS) + "，可写多个；应届毕业生指毕业学年在读"),
             ("人工核对", "登记的信息说明不了的要求，例如“学徒期满”，由审核人核对证明材料"), ("其他", "一行是一条；同一行写的要求须全部符合，“或者”请另写一条")]
    return workbook([Table("申报条件", columns, [_row(draft) for draft in drafts], title, lists={"要求证书等级": list(LEVELS.values())}),
                     Table("填写说明", (("列", 16), ("说明", 100)), notes)])


def _row(draft: ConditionDraft) -> tuple[object, ...]:
    wanted = draft.predicate
    return (draft.number, draft.text, LEVELS[wanted.certificate] if wanted.certificate else None, wanted.certificate_years or None,
            wanted.years or None, "、".join(wanted.school_kinds), "、".join(wanted.class_kinds), "、".join(wanted.graduations),
            wanted.age or None, wanted.by_hand, draft.source)


def read(content: bytes) -> list[ConditionDraft]:
    """Refuses with every wrong row when one is wrong."""
    sheet = read_sheets(content, HEADS, ("text",), "申报条件")[0]
    drafts, wrong = [], []
    for place, (line, cells) in enumerate(sheet.rows, 1):
        try:
            drafts.append(_draft(cells, place))
        except Refused as refusal:
            wrong.append(f"第 {line} 行：{refusal.sentence}")
    if wrong:
        raise Refused("condition_rows", f"有 {len(wrong)} 行不能读取，没有改动任何申报条件。请改正后重新上传。", wrong[:MOST_SHOWN])
    return drafts


def _draft(cells: dict[str, str], place: int) -> ConditionDraft:
    given = {name: cells.get(name, "") for name in HEADS}
    predicate = Predicate(
        level_of(given["certificate"]), number_of(given["certificate_years"], "取得证书年限") or 0, number_of(given["years"], "从业年限") or 0,
        words_of(given["school_kinds"]), words_of(given["class_kinds"]), words_of(given["graduations"]),
        number_of(given["age"], "年龄") or 0, given["by_hand"][:200])
    number = number_of(given["number"], "序号")
    return ConditionDraft(place if number is None else number, given["text"], predicate, given["source"])


__all__ = ["HEADS", "Sheet", "read", "written"]
