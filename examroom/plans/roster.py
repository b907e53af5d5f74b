"""Rosters (考生名单) as they come in an Excel workbook. Pure: bytes in, rows out."""

from __future__ import annotations

import dataclasses
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from examroom.plans.predicate import CLASS_KINDS, EDUCATIONS, GRADUATIONS, LEVELS, SCHOOL_KINDS, SEXES, Facts
from examroom.plans.sheets_in import day_of, level_of, number_of, read_sheets
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import KIND_NAMES
from qbank.kernel.refused import Refused

MOST_ROWS = 10_000
NEEDED = ("name", "identity_number")
HEADS = {
    "name": ("姓名", "考生姓名", "学生姓名"),
    "identity_number": ("身份证号码", "身份证号", "证件号码", "公民身份号码", "居民身份证号码", "证件号", "身份证"),
    "identity_kind": ("证件类型", "证件种类"),
    "student_number": ("学号", "学籍号"),
    "class_name": ("班级", "班级名称", "班别"),
    "entry_condition": ("申报条件", "考生申报条件", "报考条件"),
    "graduation": ("毕业情况", "毕业状态", "学生状态"),
    "school_kind": ("学校类别", "学校类型", "毕业院校类别"),
    "class_kind": ("班级类别", "班级类型", "培养层次"),
    "certificate_level": ("已有证书等级", "原证书等级", "已持证书等级"),
    "certificate_number": ("已有证书编号", "原证书编号", "原证书号", "已持证书编号"),
    "certificate_on": ("证书发证日期", "已有证书发证日期", "原证书发证日期", "发证日期"),
    "years": ("从业年限", "从事本职业年限", "工作年限"),
    "education": ("文化程度", "学历"),
    "sex": ("性别",),
    "born": ("出生日期", "出生年月日", "出生年月"),
}
INSIDE_A_NAME = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
SCIENTIFIC = re.compile(r"^\d(\.\d+)?[Ee]\+?\d+$")
CLASS_WORDS = {"中级班": "中级工班", "中级工": "中级工班", "中技": "中级工班", "高级班": "高级工班", "高级工": "高级工班", "高技": "高级工班",
               "预备技师班": "预备技师（技师）班", "技师班": "预备技师（技师）班", "预备技师": "预备技师（技师）班", "技师": "预备技师（技师）班"}
GRADUATION_WORDS = {"应届": "应届毕业生", "应届生": "应届毕业生", "毕业学年": "应届毕业生", "毕业": "已毕业", "往届": "已毕业", "在校": "在读",
                    "在校生": "在读"}


@dataclass(frozen=True)
class RosterRow:
    """One candidate as written in the file; ``row`` is the line that Excel shows, ``sheet`` its worksheet when there are several."""

    row: int
    name: str
    identity_number: str
    student_number: str = ""
    class_name: str = ""
    entry_condition: str = ""
    identity_kind: str = ""
    graduation: str = ""
    school_kind: str = ""
    class_kind: str = ""
    certificate_level: str = ""
    certificate_number: str = ""
    certificate_on: str = ""
    years: str = ""
    education: str = ""
    sex: str = ""
    born: str = ""
    sheet: str = ""

    @property
    def place(self) -> str:
        return f"{self.sheet}第 {self.row} 行" if self.sheet else f"第 {self.row} 行"

    @property
    def facts(self) -> Facts:
        """What is recorded of the candidate. Refuses what cannot be read."""
        certificate_on = day_of(self.certificate_on, "证书发证日期")
        return Facts(level_of(self.certificate_level), self.certificate_number[:60], certificate_on, number_of(self.years, "从业年限"),
                     _word(self.school_kind, {}), _word(self.class_kind, CLASS_WORDS), _word(self.graduation, GRADUATION_WORDS),
                     _word(self.education, {"中专": "中专（中技）", "中技": "中专（中技）", "技校": "中专（中技）", "专科": "大专"}), self.sex)


def _word(text: str, others: Mapping[str, str]) -> str:
    plain = text.replace("(", "（").replace(")", "）").strip()
    return others.get(plain, plain)


def read_roster(content: bytes) -> list[RosterRow]:
    """The rows of every sheet that has the head of a roster. Refuses what cannot be read, saying what to do."""
    sheets = read_sheets(content, HEADS, NEEDED, "考生名单")
    several = len(sheets) > 1
    rows = [row_of(line, cells | {"sheet": sheet.name[:60] if several else ""}) for sheet in sheets for line, cells in sheet.rows]
    if len(rows) > MOST_ROWS:
        raise Refused("roster_too_long", f"名单有 {len(rows)} 行，一次最多导入 {MOST_ROWS} 行，请分批上传。")
    return rows


def row_of(number: int, values: Mapping[str, str]) -> RosterRow:
    """A row as the person meant it: digits narrowed, no ``.0`` behind a number, no space inside a Chinese name."""
    cleaned = {field: text.replace("\u200b", "").strip() for field, text in values.items()}
    for field in ("identity_number", "student_number"):
        text = unicodedata.normalize("NFKC", cleaned.get(field, "")).lstrip("'")
        cleaned[field] = text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text
    cleaned["name"] = INSIDE_A_NAME.sub("", cleaned.get("name", ""))
    return RosterRow(number, **cleaned)


def with_defaults(row: RosterRow, defaults: Mapping[str, str]) -> RosterRow:
    """``row`` with what its file leaves empty."""
    missing: dict[str, Any] = {field: value for field, value in defaults.items() if value and not getattr(row, field)}
    return dataclasses.replace(row, **missing)


def is_scientific(text: str) -> bool:
    """Whether Excel turned a long number into ``4.30102E+17`` and lost its last digits."""
    return bool(SCIENTIFIC.match(text))


def template(conditions: Sequence[tuple[int, str]]) -> bytes:
    """The workbook that an officer fills; what each column means, and the entry conditions, stand on sheets of their own."""
    columns = (("姓名*", 12), ("证件类型", 12), ("证件号码*", 24), ("学号*", 16), ("班级", 18), ("申报条件*", 12), ("毕业情况", 12), ("学校类别", 14),
               ("班级类别", 18), ("已有证书等级", 14), ("已有证书编号", 24), ("证书发证日期", 14), ("从业年限", 10), ("文化程度", 12), ("性别", 6),
               ("出生日期", 12))
    notes = [("姓名*", "与证件一致"), ("证件类型", "不填即居民身份证；也可以是" + "、".join(list(KIND_NAMES.values())[1:])),
             ("证件号码*", "先把整列设为“文本”格式再填写，否则 Excel 会丢失末尾几位"), ("学号*", "只为本校在籍学生认定（一（一））"),
             ("班级", "可不填；编排座位时可按班级分场次"), ("申报条件*", "填写“申报条件”页的序号；全班相同的，也可以不填，上传时统一选择"),
             ("毕业情况", "、".join(GRADUATIONS) + "；应届毕业生指毕业学年在读"), ("学校类别", "、".join(SCHOOL_KINDS) + "；不填按本校"),
             ("班级类别", "、".join(CLASS_KINDS)),
             ("已有证书等级", "本职业已有的职业技能等级证书或职业资格证书：" + "、".join(LEVELS.values())), ("从业年限", "从事本职业的年数，取整数"),
             ("性别、出生日期", "居民身份证不必填写，其他证件须填写")]
    lists = {"证件类型": list(KIND_NAMES.values()), "毕业情况": GRADUATIONS, "学校类别": SCHOOL_KINDS, "班级类别": CLASS_KINDS,
             "已有证书等级": list(LEVELS.values()), "文化程度": EDUCATIONS, "性别": SEXES}
    return workbook([Table("考生名单", columns, [], lists=lists), Table("申报条件", (("序号", 8), ("申报条件", 100)), conditions),
                     Table("填写说明", (("列", 16), ("说明", 90)), notes)])


def to_json(rows: Sequence[RosterRow]) -> str:
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False)


def from_json(text: str) -> list[RosterRow]:
    found: list[dict[str, Any]] = json.loads(text)
    return [RosterRow(**row) for row in found]
