"""Many schools out of one: the rows of the demo world copied in SQL, as if other schools had lived through the same year.

A copy keeps every relation: whatever belongs to a school (its bank, its staff, its rooms) is copied once for each school,
whatever belongs to a plan (candidates, sheets, answers, results) once for each batch of a school. National tables (occupations,
standards, weight tables, rule packs) and the centres' own people stay single. Numbers that must differ get a mark in front.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

import app  # noqa: F401  # every table
from qbank.kernel.access import Role
from qbank.kernel.accounts import Account, Grant, Institution, InstitutionKind
from qbank.kernel.db import Base

NATIONAL = {"occupations", "standards", "weight_tables", "ranges", "points", "entry_conditions", "rule_packs", "rule_pack_versions",
            "working_calendars", "check_templates", "check_points", "ministry_reports", "pictures"}
# Not copied: what only costs space, and what the queue and the doors keep for a while.
LEFT_OUT = {"sheet_bodies", "jobs", "attempts", "import_files"}
CITIES = ("430100", "430200", "430300", "430400", "430500", "430600", "430700", "430800", "430900", "431000", "440100", "440300")
# Told apart though no constraint over one column asks for it.
MARKED = {"accounts": {"identity_hash"}, "exam_plans": {"title"}, "item_versions": {"content_hash"}, "certificate_blanks": {"number"}}
ROOMY = {("certificate_blanks", "number")}  # short numbers: a mark goes before, not over, their digits
# The batches before the newest are over, each some weeks earlier: what waits for people is what waits in one school at one time.
OVER = {("exam_plans", "state"): "'APPROVED'", ("sittings", "state"): "'MARKED'", ("sheets", "state"): "'HANDED_IN'",
        ("sheets", "handed_in_at"): "coalesce(base.handed_in_at, base.ends_at)", ("sheets", "handed_in_how"): "coalesce(base.handed_in_how, 'ABSENT')",
        ("supervisions", "report"): "'已提交'", ("supervisions", "reported_at"): "coalesce(base.reported_at, base.assigned_at)",
        ("mark_sheets", "signed_at"): "coalesce(base.signed_at, (SELECT min(signed_at) FROM mark_sheets))"}
EARLIER = {("exam_plans", "starts_on"), ("exam_plans", "ends_on"), ("sittings", "starts_at"), ("practical_groups", "starts_at"),
           ("review_panels", "starts_at"), ("result_lists", "noticed_at"), ("result_lists", "notice_ends_at")}
DAYS_APART = 18
PLAN, SCHOOL = "number", "school"  # the column of ``copies`` that counts a table's copies


@dataclass(frozen=True)
class Size:
    """``schools`` in all, the demo's own among them, each with ``batches`` times the demo's plans."""

    schools: int
    batches: int


@dataclass
class Copier:
    """Multiplies what ``connection`` holds; the demo world must be its only content."""

    connection: sa.Connection
    counts: dict[str, str] = field(default_factory=dict)
    strides: dict[str, int] = field(default_factory=dict)

    def multiply(self, size: Size) -> None:
        tables = [table for table in Base.metadata.sorted_tables if table.name not in NATIONAL | LEFT_OUT and _numbered(table)]
        self.counts = dict(_counts(tables))
        self.strides = {table.name: self._stride(table) for table in tables}
        self._people()
        self._unbound(True)
        self.connection.execute(sa.text("CREATE TABLE copies (number INTEGER PRIMARY KEY, school INTEGER, batch INTEGER, region TEXT)"))
        rows = [{"number": school * size.batches + batch, "school": school, "batch": batch, "region": CITIES[school % len(CITIES)]}
                for school in range(size.schools) for batch in range(size.batches) if school or batch]
        if rows:
            self.connection.execute(sa.text("INSERT INTO copies VALUES (:number, :school, :batch, :region)"), rows)
        for table in tables:
            self.connection.execute(sa.text(self._statement(table)))
        self.connection.execute(sa.text("DROP TABLE copies"))
        self._unbound(False)

    def _stride(self, table: sa.Table) -> int:
        key = next(iter(table.primary_key))
        return self.connection.scalar(sa.select(sa.func.coalesce(sa.func.max(key), 0))) or 0

    def _people(self) -> None:
        """The keys of those who are copied with a plan, and of those who are not copied at all."""
        office = (Role.ADMINISTRATOR, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.QUALITY_SUPERVISOR)
        schools = sa.select(Institution.id).where(Institution.kind.notin_([InstitutionKind.CITY_CENTRE, InstitutionKind.PROVINCE_CENTRE]))
        self.schools = self._keys(schools)
        self.candidates = self._keys(sa.select(Grant.account_id).where(Grant.role == Role.CANDIDATE))
        self.office = self._keys(sa.select(Grant.account_id).where(Grant.role.in_(office)))
        self.office += [key for key in self._keys(sa.select(Account.id).where(Account.institution_id.is_(None))) if key not in self.candidates]

    def _keys(self, query: sa.Select[int]) -> list[int]:
        return sorted(set(self.connection.scalars(query)))

    def _unbound(self, yes: bool) -> None:
        """Rows are copied table by table, whichever points to which."""
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.text(f"SET session_replication_role = {'replica' if yes else 'DEFAULT'}"))

    def _statement(self, table: sa.Table) -> str:
        columns = [f'"{column.name}"' for column in table.columns]
        values = [self._value(table, column) for column in table.columns]
        key = next(iter(table.primary_key)).name
        whose = {"institutions": f"base.id IN ({_list(self.schools)}) AND copies.batch = 0",
                 "accounts": self._which("base.id"), "grants": self._which("base.account_id")}.get(
            table.name, "true" if self.counts[table.name] == PLAN else "copies.batch = 0")
        return (f'INSERT INTO "{table.name}" ({", ".join(columns)}) SELECT {", ".join(values)} FROM copies CROSS JOIN "{table.name}" AS base '  # noqa: S608  # names of our own tables
                f'WHERE base."{key}" <= {self.strides[table.name]} AND {whose}')

    def _which(self, key: str) -> str:
        return f"{key} NOT IN ({_list(self.office)}) AND (copies.batch = 0 OR {key} IN ({_list(self.candidates)}))"

    def _value(self, table: sa.Table, column: sa.Column[object]) -> str:
        held, place = f'base."{column.name}"', (table.name, column.name)
        if place in OVER:
            return f"CASE WHEN copies.batch > 0 THEN {OVER[place]} ELSE {held} END"
        if place in EARLIER:
            return self._earlier(column, held)
        if column.foreign_keys:
            return self._shifted(next(iter(column.foreign_keys)).column.table.name, held)
        if table.name in {"accounts", "grants"} and column.primary_key:
            person = "base.id" if table.name == "accounts" else "base.account_id"
            return f"base.id + (CASE WHEN {person} IN ({_list(self.candidates)}) THEN copies.number ELSE copies.school END) * {self.strides[table.name]}"
        if column.primary_key and column.name == "id":
            return self._shifted(table.name, held)
        if place == ("grants", "plan_id"):
            return self._shifted("exam_plans", held)
        if place == ("institutions", "region"):
            return "copies.region"
        if column.name in MARKED.get(table.name, ()) or _alone(table, column):
            tight = (getattr(column.type, "length", None) or 200) <= 64 and place not in ROOMY
            return f"substr(CAST(1000000 + copies.number AS TEXT), 2) || substr({held}, {7 if tight else 1})"
        return held

    def _earlier(self, column: sa.Column[object], held: str) -> str:
        days = f"copies.batch * {DAYS_APART}"
        if self.connection.dialect.name == "postgresql":
            return f"CAST({held} - {days} * INTERVAL '1 day' AS {column.type.compile(self.connection.dialect)})"
        form = "%Y-%m-%d" if isinstance(column.type, sa.Date) else "%Y-%m-%d %H:%M:%f000"
        return f"strftime('{form}', {held}, '-' || ({days}) || ' days')"

    def _shifted(self, target: str, held: str) -> str:
        """A key of ``target`` as it reads in a copy."""
        if target in NATIONAL | LEFT_OUT:
            return held
        stride = self.strides[target]
        if target == "institutions":
            return f"CASE WHEN {held} IN ({_list(self.schools)}) THEN {held} + copies.school * {stride} ELSE {held} END"
        if target == "accounts":
            return (f"CASE WHEN {held} IN ({_list(self.office)}) THEN {held} WHEN {held} IN ({_list(self.candidates)}) "
                    f"THEN {held} + copies.number * {stride} ELSE {held} + copies.school * {stride} END")
        return f"{held} + copies.{self.counts[target]} * {stride}"


def _numbered(table: sa.Table) -> bool:
    return isinstance(next(iter(table.primary_key)).type, sa.Integer)


def _counts(tables: list[sa.Table]) -> Iterator[tuple[str, str]]:
    """Which copies a table has: as many as plans when its rows lead to a plan, otherwise as many as schools."""
    of_plans = {"exam_plans"}
    for table in tables:  # a table stands behind those that it points to
        if any(key.column.table.name in of_plans for column in table.columns for key in column.foreign_keys):
            of_plans.add(table.name)
        yield table.name, PLAN if table.name in of_plans else SCHOOL


def _alone(table: sa.Table, column: sa.Column[object]) -> bool:
    """Whether nothing but this text keeps a copy apart."""
    unique = [set(one.columns) for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
    unique += [set(one.columns) for one in table.indexes if one.unique]
    return isinstance(column.type, sa.String) and any(column in found and not any(one.foreign_keys for one in found) for found in unique)


def _list(keys: list[int]) -> str:
    return ", ".join(map(str, keys or [-1]))


def go_on_counting(connection: sa.Connection) -> None:
    """PostgreSQL: the next row of every table gets the next number."""
    for table in Base.metadata.tables.values():
        for column in table.primary_key:
            name = connection.scalar(sa.text(f"SELECT pg_get_serial_sequence('\"{table.name}\"', '{column.name}')"))
            if name:
                connection.execute(sa.text(f"SELECT setval('{name}', (SELECT coalesce(max(\"{column.name}\"), 1) FROM \"{table.name}\"))"))  # noqa: S608  # as above
