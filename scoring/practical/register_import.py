"""The register from an Excel workbook: all rows or none, every fault named by its row."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import require_duty
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account, Grant, Institution
from qbank.kernel.export import Table, workbook
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames
from qbank.standards.models import Occupation
from scoring.practical import register
from scoring.practical.register_models import Assessor

COLUMNS = (("登录名", 16), ("姓名", 12), ("证书编号", 22), ("职业编码", 16), ("等级", 18), ("高级考评员", 12), ("有效期至", 14))
NUMERALS = {"五": 5, "四": 4, "三": 3, "二": 2, "一": 1, "5": 5, "4": 4, "3": 3, "2": 2, "1": 1}
MOST_ROWS = 2000
YES, NO = {"是", "高级", "高级考评员", "y", "yes", "1"}, {"", "否", "考评员", "n", "no", "0"}


@dataclass(frozen=True)
class Line:
    """One row as typed, with its number in the workbook."""

    number: int
    values: dict[str, str]


def template() -> bytes:
    """An empty workbook with the columns and an example."""
    return workbook([Table("考评员名册", COLUMNS, [("zhangsan", "张三", "KP430100001", "6-31-01-03", "五级、四级、三级", "否", "2028-12-31")],
                           notes=["第一行是示例，导入前请删除。等级用顿号隔开；登录名是系统中考评员的账号，可以留空（姓名在本校唯一时）。"])])


def read_lines(content: bytes) -> list[Line]:
    """The rows below the head. Refuses what is no such workbook."""
    sheets = frames(content, Refused("broken_workbook", "这个工作簿读不出来，请在 Excel 或 WPS 中另存为 .xlsx 后再上传。"))
    wanted = [title for title, _ in COLUMNS]
    for sheet in sheets.values():
        table = [["" if pd.isna(cell) else str(cell).strip() for cell in row] for row in sheet.itertuples(index=False)]
        for place, row in enumerate(table):
            if set(wanted[1:]) <= set(row):
                lines = [Line(number, {title: cells[row.index(title)] if title in row else "" for title in wanted})
                         for number, cells in enumerate(table[place + 1:], place + 2) if any(cells)]
                if not 0 < len(lines) <= MOST_ROWS:
                    raise Refused("no_rows", f"表头下面应有 1 到 {MOST_ROWS} 行，现在有 {len(lines)} 行。")
                return lines
    raise Refused("no_head", f"没有找到表头。第一行应有这些列：{'、'.join(wanted)}。可以先下载模板。")


def load(session: Session, institution: Institution, content: bytes, who: Viewer) -> tuple[int, int]:
    """Enter or renew every row; how many are new, how many renewed. One fault and nothing is written."""
    require_duty(session, who, institution.id, Role.EXAM_OFFICER)
    problems, new, renewed = [], 0, 0
    for line in read_lines(content):
        try:
            new, renewed = (new + 1, renewed) if _write(session, institution, line, who) else (new, renewed + 1)
        except Refused as refusal:
            problems.append(f"第 {line.number} 行（{line.values['姓名'] or '无姓名'}）：{refusal.sentence}")
    if problems:
        raise Refused("bad_rows", f"有 {len(problems)} 行不能导入，一行也没有写入。请改正后重新上传。", problems[:50])
    return new, renewed


def _write(session: Session, institution: Institution, line: Line, who: Viewer) -> bool:
    values = line.values
    account = _account(session, institution, values["登录名"], values["姓名"])
    occupation = session.scalars(sa.select(Occupation).where(Occupation.code == values["职业编码"]).order_by(Occupation.id.desc())).first()
    if occupation is None:
        raise Refused("no_occupation", f"职业目录中没有编码“{values['职业编码'][:30]}”。")
    levels, senior, expires_on = _levels(values["等级"]), _senior(values["高级考评员"]), _day(values["有效期至"])
    held = session.scalar(sa.select(Assessor).where(Assessor.institution_id == institution.id, Assessor.account_id == account.id,
                                                    Assessor.occupation_id == occupation.id))
    if held is not None:
        register.renew(session, held, who, certificate_number=values["证书编号"], levels=levels, senior=senior, expires_on=expires_on)
        return False
    register.add_assessor(session, institution, account, who, certificate_number=values["证书编号"], occupation=occupation, levels=levels,
                          senior=senior, expires_on=expires_on)
    return True


def _account(session: Session, institution: Institution, login: str, name: str) -> Account:
    """By login, or by a name that only one assessor of the school has."""
    reaches: Callable[[], sa.ColumnElement[bool]] = lambda: Account.grants.any(sa.and_(  # noqa: E731  # used twice below
        Grant.role == Role.PRACTICAL_ASSESSOR, sa.or_(Grant.institution_id.is_(None), Grant.institution_id == institution.id)))
    found = session.scalars(sa.select(Account).where(Account.active, reaches(), Account.login == login if login else Account.name == name)).all()
    if len(found) > 1:
        raise Refused("same_name", f"有 {len(found)} 名考评员叫“{name}”，请填写登录名。")
    if not found or (login and found[0].name != name):
        asked = f"登录名为“{login[:60]}”、" if login else ""
        raise Refused("no_account", f"没有{asked}姓名为“{name[:60]}”的考评员账号，请先请系统管理员建账号并授予考评员角色。")
    return found[0]


def _levels(text: str) -> set[int]:
    pieces = [piece for piece in re.split(r"[、,，;；/ ]+", re.sub(r"级", "", text)) if piece]
    if not pieces or any(piece not in NUMERALS for piece in pieces):
        raise Refused("levels", f"等级应写成“五级、四级、三级”，现在是“{text[:40]}”。")
    return {NUMERALS[piece] for piece in pieces}


def _senior(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise Refused("senior", f"“高级考评员”一栏应填是或否，现在是“{text[:20]}”。")
    return text.lower() in YES


def _day(text: str) -> date:
    typed = re.sub(r"[年月/.]", "-", text.split(" ")[0].split("T")[0]).replace("日", "").strip("-")
    named = re.fullmatch(r"(\d{4})-?(\d{1,2})-?(\d{1,2})", typed)
    try:
        if named:
            return date(*(int(part) for part in named.groups()))
    except ValueError:
        pass  # the thirtieth of February
    raise Refused("not_a_day", f"有效期至应填写日期，例如 2028-12-31，现在是“{text[:20]}”。")
