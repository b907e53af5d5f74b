"""A PostgreSQL role for the running program that may add to the append-only tables and neither change nor delete their rows.

The owner of the database upgrades the schema; the servers and workers sign in as this role. It owns nothing, so it cannot
take the triggers away either.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel import append_only
from qbank.kernel.db import Base
from qbank.kernel.doctor import EXAMINED
from qbank.kernel.finding import Finding
from qbank.kernel.refused import Refused

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def statements(connection: sa.Connection, name: str) -> list[str]:
    """What the owner of the database runs, also again after every upgrade. Refuses SQLite and names that need quotes."""
    if connection.dialect.name != "postgresql":
        raise Refused("no_roles", "SQLite 没有数据库角色；防改动由触发器和审计链负责。要用受限角色，请先用 examroom move 迁到 PostgreSQL。")
    if not NAME.fullmatch(name):
        raise Refused("role_name", f"角色名“{name}”只能用小写字母、数字和下划线，并以字母或下划线开头。")
    database, schema = connection.execute(sa.text("SELECT quote_ident(current_database()), quote_ident(current_schema())")).one()
    guarded = append_only.tables()
    free = [table.name for table in Base.metadata.sorted_tables if table.name not in guarded]
    return [
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN CREATE ROLE {name} LOGIN; END IF; END $$",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name}",
        f"GRANT CONNECT, CREATE ON DATABASE {database} TO {name}",  # CREATE: rehearsals work in a schema of their own
        f"GRANT USAGE ON SCHEMA {schema} TO {name}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}",
        f"GRANT INSERT, UPDATE, DELETE ON {', '.join(free)} TO {name}",
        f"GRANT INSERT ON {', '.join(guarded)} TO {name}",
        *(f"GRANT UPDATE ({', '.join(sorted(filled))}) ON {table} TO {name}" for table, filled in guarded.items() if filled),
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {name}",
    ]


def may_change(session: Session) -> list[str]:
    """The append-only tables that the role of this connection may change or delete from."""
    return _with_right(session, sorted(append_only.tables()), "UPDATE, DELETE, TRUNCATE")


def lacking(session: Session) -> list[str]:
    """The tables that the role of this connection may not add to: rights that nobody gave since the last upgrade."""
    every = [table.name for table in Base.metadata.sorted_tables]
    return sorted(set(every) - set(_with_right(session, every, "INSERT")))


def _with_right(session: Session, tables: list[str], rights: str) -> list[str]:
    """Those of ``tables`` on which the role holds any of ``rights``."""
    found = session.execute(sa.text("SELECT name FROM unnest(CAST(:tables AS text[])) AS name WHERE has_table_privilege(name, :rights)"),
                            {"tables": tables, "rights": rights})
    return list(found.scalars())


def look(session: Session) -> Finding:
    """For the doctor: are the triggers there, and could this program's own role change the trail?"""
    guarded, bare = append_only.tables(), append_only.unprotected(session.connection())
    if bare:
        return Finding("append-only tables", False, f"{len(bare)} 张只增不改的表没有触发器保护：{'、'.join(bare[:5])}。",
                       "用数据库所有者的地址运行 examroom upgrade，触发器会补上；再查清是谁去掉的。")
    told = f"{len(guarded)} 张只增不改的表由触发器保护。"
    if session.get_bind().dialect.name != "postgresql":
        return Finding("append-only tables", True, told)
    if missing := lacking(session):
        return Finding("append-only tables", False, f"当前数据库角色不能写入 {len(missing)} 张表：{'、'.join(missing[:5])}。",
                       "用数据库所有者的地址运行 examroom audit role 角色名 --apply；每次升级以后都要运行。")
    if may_change(session):
        return Finding("append-only tables", True, told, advice="程序以数据库所有者身份连接，能自己去掉触发器。多人管理服务器时，"
                       "请用 examroom audit role 建一个受限角色给程序使用。")
    return Finding("append-only tables", True, f"{told}当前数据库角色也没有修改、删除的权限。")


EXAMINED.append(look)
