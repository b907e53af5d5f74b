"""个人信息副本: everything that is held about one person, read from the models, so that a new table is told too.

As JSON for machines, as a workbook for people. Of a batch whose results are not posted yet only the enrolment is told: the rest
is under embargo for everybody. What the person did in the course of his work is told by table and number, not by row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from examroom.filing.duties import on_duty
from examroom.plans.models import Enrolment
from qbank.kernel.access import Role, Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.audit import AuditEntry
from qbank.kernel.db import Base, table_of
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.refused import Refused
from qbank.kernel.times import spoken
from scoring.archive import reach
from scoring.archive.erasure_models import PersonExport
from scoring.archive.gathering import plain
from scoring.archive.person_words import COLUMNS, TITLES
from scoring.archive.reach import Way
from scoring.results.models import ResultList

ROOT = table_of(Enrolment).name
ALWAYS = {ROOT, "entry_proofs", "qualification_checks", "fee_entries"}  # told before the results are posted
SUBJECT = {"account_id", "candidate_id"}  # columns that say whom a row is about; any other says who did something
LEFT_OUT = {"recovery_codes": "hashes of codes", "totp_steps": "steps of a clock"}
Told = dict[str, list[dict[str, Any]]]


def copy_for(session: Session, account: Account, who: Viewer, reason: str, form: str, *, cipher: IdentityCipher, now: datetime) -> bytes:
    """The copy, as ``json`` or ``xlsx``; that it was taken, by whom and why is put on record."""
    require_keeper(session, account, who)
    if form not in ("json", "xlsx"):
        raise Refused("which_form", "请选择导出格式：Excel 或 JSON。")
    if len(reason.strip()) < 2:
        raise Refused("no_reason", "请填写事由，例如“本人 6 月 1 日书面申请查阅、复制个人信息”。")
    told = everything(session, account, cipher)
    session.add(PersonExport(account_id=account.id, taken_by=who.account_id, reason=reason.strip()[:2000], at=now))
    session.flush()
    return as_json(told) if form == "json" else as_workbook(account, told, now)


def require_keeper(session: Session, account: Account, who: Viewer) -> None:
    """The exam officers of the person's school; an administrator for people of no school."""
    school = account.institution_id
    if not (who.has(Role.ADMINISTRATOR) if school is None else on_duty(session, who, school, Role.EXAM_OFFICER)):
        raise Refused("not_your_duty", "个人信息副本由其所在学校的考务员导出；不属于任何学校的人员由系统管理员导出。")


def everything(session: Session, account: Account, cipher: IdentityCipher) -> Told:
    """Table → rows. Secrets (password, sealed content) stay out; the identity number is told in full."""
    number = cipher.decrypt(account.identity_cipher) if account.identity_cipher else ""
    held = {column.name: plain(getattr(account, column.key)) for column in table_of(Account).columns if not column.info.get("secret")}
    told: Told = {"accounts": [held | {"identity_number": number}]}
    posted = sa.select(ResultList.plan_id).where(ResultList.noticed_at.is_not(None))
    for name in sorted(ways()):
        embargo = [] if name in ALWAYS else [Enrolment.plan_id.in_(posted)]
        own = sa.select(Enrolment.id).where(Enrolment.account_id == account.id, *embargo)
        told[name] = list(_rows(session, name, _of_enrolment(name, own)))
    for table in direct():
        told[table.name] = list(_rows(session, table.name, sa.or_(*(table.c[one] == account.id for one in _subjects(table)))))
    told["acts"] = [{"table": name, "column": column, "rows": count} for name, column, count in _acts(session, account.id)]
    entries = sa.select(sa.func.count()).select_from(AuditEntry)
    told["audit_entries"] = [{"about": session.scalar(entries.where(AuditEntry.table_name == "accounts", AuditEntry.row_key == str(account.id))),
                              "by": session.scalar(entries.where(AuditEntry.actor_id == account.id))}]
    return {name: rows for name, rows in told.items() if rows}


@cache  # the models stand when the program has started
def ways() -> dict[str, Way | None]:
    """Tables from which foreign keys lead to an enrolment, and how; keys that may be null only where there is no other."""
    found: dict[str, Way | None] = {ROOT: None}
    for nullable in (False, True):
        while new := {table.name: way for table in Base.metadata.sorted_tables if table.name not in found and table.name not in reach.LEFT_OUT
                      and (way := reach.way_into(table, found, nullable))}:
            found |= new
    return found


def direct() -> list[sa.Table]:
    return [table for table in Base.metadata.sorted_tables
            if table.name not in ways() and table.name not in LEFT_OUT and table.name != ROOT and _subjects(table)]


def _subjects(table: sa.Table) -> list[str]:
    return [column.name for column in table.c if column.name in SUBJECT and any(key.column.table.name == "accounts" for key in column.foreign_keys)]


def _of_enrolment(name: str, enrolments: sa.Select[Any]) -> sa.ColumnElement[bool]:
    table, way = Base.metadata.tables[name], ways()[name]
    if way is None:
        return table.c.id.in_(enrolments)
    parent = Base.metadata.tables[way.parent]
    return table.c[way.column].in_(sa.select(parent.c[way.parent_column]).where(_of_enrolment(way.parent, enrolments)))


def _rows(session: Session, name: str, which: sa.ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    table = Base.metadata.tables[name]
    columns = [column for column in table.columns if not column.info.get("secret") and column.name != "row_version"]
    for row in session.execute(sa.select(*columns).where(which).order_by(*table.primary_key.columns)).mappings():
        yield {column.name: plain(row[column.name]) for column in columns}


def _acts(session: Session, account_id: int) -> Iterator[tuple[str, str, int]]:
    """What the person did: how many rows of each table name him as the one who acted."""
    for table in Base.metadata.sorted_tables:
        for column in table.c:
            if column.name not in SUBJECT and any(key.column.table.name == "accounts" for key in column.foreign_keys):
                count = session.scalar(sa.select(sa.func.count()).select_from(table).where(column == account_id))
                if count:
                    yield table.name, column.name, count


# The two forms

def as_json(told: Told) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1, default=str).encode()


def as_workbook(account: Account, told: Told, now: datetime) -> bytes:
    """A sheet for each kind of record, in words."""
    notes = [f"{spoken(now)} 导出。含完整证件号码，请交给本人或依法使用，并妥善保管。", "数字编号是本系统内部的记录号；分数以半分为单位（119 即 59.5 分）。"]
    return workbook([Table(TITLES[name], _heads(rows[0]), [[_cell(value) for value in row.values()] for row in rows],
                           title=f"{account.name}：{TITLES[name]}", notes=notes) for name, rows in told.items()])


def _heads(row: dict[str, Any]) -> Sequence[tuple[str, int]]:
    return [(COLUMNS.get(name, name), 18) for name in row]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "是" if value else "否"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
