"""How the upward report is laid out, as data: which field in which column under which title, in whose words. Pure.

No official column list could be read; provinces give out templates of their own with a strict order of heads. So a column
is a title, a field of ours (or a fixed text), and a dictionary from our words to theirs; a receipt is read by titles and
words that are data too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qbank.kernel.refused import Refused

FIXED = "fixed"
FIELDS = {
    "serial": "序号", "holder": "姓名", "sex": "性别", "identity_kind": "证件类型", "identity_number": "证件号码", "born": "出生日期",
    "education": "文化程度", "occupation_code": "职业编码", "occupation": "职业名称", "work_type": "工种/职业方向", "level": "等级",
    "level_digit": "等级代码（1—5）", "theory": "理论成绩", "practical": "技能成绩", "review": "综合评审成绩", "verdict": "评定成绩",
    "number": "证书编号", "issued_on": "发证日期", "issuer": "发证机构", "issuer_code": "机构代码", "assessment": "评价类型",
    "photo": "照片文件名", "state": "证书状态", "plan_number": "计划编号", "plan_title": "批次名称", "ticket_number": "准考证号",
    "student_number": "学号", "class_name": "班级", "entry_condition": "申报条件", "previous_number": "原证书编号", FIXED: "固定文字",
}
DATES = {"born", "issued_on"}
DATE_FORMS = {"": "2026-06-01", "%Y%m%d": "20260601", "%Y/%m/%d": "2026/06/01", "%Y年%m月%d日": "2026年06月01日"}
DEFAULT = ("serial", "holder", "sex", "identity_kind", "identity_number", "born", "education", "occupation_code", "occupation", "work_type",
           "level", "theory", "practical", "review", "verdict", "number", "issued_on", "issuer", "issuer_code", "assessment", "photo")
WIDTHS = {"identity_number": 22, "number": 26, "issuer": 26, "issuer_code": 20, "photo": 30, "serial": 6, "sex": 6}
MOST_COLUMNS = 60
LONGEST_TITLE = 60
LONGEST_WORDS = 2000


@dataclass(frozen=True)
class Column:
    """One column: its title, the field that fills it, a fixed text, how a date is written, our words → theirs."""

    title: str
    source: str
    text: str = ""
    date_form: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def value(self, record: Mapping[str, Any]) -> Any:
        if self.source == FIXED:
            return self.text
        held = record.get(self.source)
        if self.source in DATES and held is not None:
            return held.strftime(self.date_form) if self.date_form else held.isoformat()
        return self.words.get(str(held), held)

    @property
    def width(self) -> int:
        return WIDTHS.get(self.source, max(12, 2 * len(self.title) + 2))

    @property
    def spoken_words(self) -> str:
        return "，".join(f"{ours}={theirs}" for ours, theirs in self.words.items())


@dataclass(frozen=True)
class Receipt:
    """By which titles and words an answer of the office is read."""

    number: Sequence[str] = ("证书编号", "证书号码")
    identity: Sequence[str] = ("证件号码", "身份证号", "身份证号码")
    result: Sequence[str] = ("校验结果", "审核结果", "处理结果", "状态")
    reason: Sequence[str] = ("原因", "退回原因", "错误信息", "备注")
    accepted: Sequence[str] = ("通过", "成功", "已接收", "已入库", "合格")
    rejected: Sequence[str] = ("不通过", "未通过", "失败", "退回", "驳回", "不合格")


RECEIPT_NAMES = {"number": "证书编号列", "identity": "证件号码列", "result": "结果列", "reason": "原因列",
                 "accepted": "表示接收的用语", "rejected": "表示退回的用语"}


@dataclass(frozen=True)
class Layout:
    """A school's report. ``sheet`` names the worksheet."""

    columns: Sequence[Column]
    sheet: str = "证书数据上报"
    receipt: Receipt = field(default_factory=Receipt)

    def rows(self, records: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
        return [[column.value(record) for column in self.columns] for record in records]

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return {"sheet": self.sheet, "receipt": {name: list(getattr(self.receipt, name)) for name in RECEIPT_NAMES},
                "columns": [{"title": one.title, "source": one.source, "text": one.text, "date_form": one.date_form,
                             "words": dict(one.words)} for one in self.columns]}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Layout:
        return cls([Column(**one) for one in stored["columns"]], stored["sheet"], Receipt(**stored["receipt"]))


def default() -> Layout:
    """The set of domain.md 4.4, from public templates of several provinces."""
    return Layout([Column("评定成绩(合格)" if source == "verdict" else FIELDS[source], source) for source in DEFAULT])


def checked(sheet: str, columns: Sequence[Column], receipt: Mapping[str, str]) -> Layout:
    """A layout as somebody typed it. Refuses what would make a workbook that nobody can read."""
    if not columns:
        raise Refused("no_columns", "请至少保留一列。")
    if len(columns) > MOST_COLUMNS:
        raise Refused("too_many_columns", f"最多 {MOST_COLUMNS} 列。")
    titles = [one.title for one in columns]
    for place, one in enumerate(columns, 1):
        if not one.title or len(one.title) > LONGEST_TITLE:
            raise Refused("no_title", f"第 {place} 列的表头应有 1 到 {LONGEST_TITLE} 个字。")
        if one.source not in FIELDS:
            raise Refused("no_field", f"第 {place} 列“{one.title}”没有选择内容。")
        if one.date_form not in DATE_FORMS:
            raise Refused("no_date_form", f"第 {place} 列“{one.title}”的日期写法不在可选范围内。")
    if twice := sorted({title for title in titles if titles.count(title) > 1}):
        raise Refused("title_twice", f"表头重复：{'、'.join(twice)}。")
    if not any(one.source in {"number", "identity_number"} for one in columns):
        raise Refused("no_key", "至少要有“证书编号”或“证件号码”一列，否则回执无法对应到人。")
    name = sheet.strip()
    if not 1 <= len(name) <= 31 or set(name) & set("[]:*?/\\") or name[0] == "'" or name[-1] == "'":
        raise Refused("sheet_name", "工作表名称应有 1 到 31 个字，不能含 [ ] : * ? / \\，也不能以单引号开头或结尾。")
    return Layout(list(columns), name, _receipt(receipt))


def _receipt(typed: Mapping[str, str]) -> Receipt:
    found = {name: several(typed.get(name, "")) for name in RECEIPT_NAMES}
    for name in ("result", "accepted", "rejected"):
        if not found[name]:
            raise Refused("receipt_words", f"“{RECEIPT_NAMES[name]}”不能为空。")
    if not found["number"] and not found["identity"]:
        raise Refused("receipt_words", "回执的证书编号列和证件号码列至少填写一个。")
    if both := set(found["accepted"]) & set(found["rejected"]):
        raise Refused("receipt_words", f"“{'、'.join(sorted(both))}”不能既表示接收又表示退回。")
    return Receipt(**found)


def several(text: str) -> list[str]:
    """``通过，成功、OK`` → its words."""
    for mark in "，、,;；\n":
        text = text.replace(mark, "|")
    return list(dict.fromkeys(word.strip() for word in text[:LONGEST_WORDS].split("|") if word.strip()))


def words(text: str, title: str) -> dict[str, str]:
    """``男=1，女=2`` → a dictionary. Refuses what is not written so."""
    found = {}
    for pair in several(text):
        ours, mark, theirs = pair.replace("＝", "=").partition("=")
        if not mark or not ours.strip():
            raise Refused("bad_words", f"“{title}”的对照应写成“我方用语=对方用语”，用逗号隔开；现在有“{pair[:30]}”。")
        found[ours.strip()] = theirs.strip()
    return found
