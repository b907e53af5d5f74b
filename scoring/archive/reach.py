"""Which tables belong to a plan, and how their rows are found: read from the models, so that a new table is archived too.

A table belongs to a plan when foreign keys lead from it to ``exam_plans``; of several ways the shortest counts, one that
may be null only where there is no other. What a plan refers to (its papers, rubrics, rules) is named in ``REFERRED``.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from examroom.plans.models import ExamPlan
from qbank.kernel.db import Base, table_of

ROOT = table_of(ExamPlan).name
LEFT_OUT = {  # table → why it is no evidence
    "presences": "signs of life, overwritten every few seconds",
    "sheet_bodies": "follows from the sheet and its sealed paper",
    "sitting_pictures": "follows from the sealed papers",
    "mark_streams": "a counter of a tablet's messages",
    "report_files": "reports are in the pack themselves", "ticket_files": "tickets follow from roster and seats",
    "review_texts": "read from files that are in the pack",
    "archive_packs": "the pack itself", "archive_accesses": "who opened the pack", "archive_holds": "what keeps the pack",
    "archive_destructions": "the end of the pack",
}


@dataclass(frozen=True)
class Way:
    """``column`` of the table holds what ``parent_column`` of a row of ``parent`` says."""

    column: str
    parent: str
    parent_column: str = "id"


REFERRED: dict[str, tuple[Way, ...]] = {
    "institutions": (Way("id", ROOT, "institution_id"),), "standards": (Way("id", ROOT, "standard_id"),),
    "occupations": (Way("id", "standards", "occupation_id"),),
    "rooms": (Way("id", "sitting_rooms", "room_id"),),
    "papers": (Way("id", "sitting_papers", "paper_id"), Way("id", "sheets", "paper_id")),
    "paper_families": (Way("id", "papers", "family_id"),), "paper_uses": (Way("sitting_id", "sittings"),),
    "paper_openings": (Way("paper_id", "papers"),), "opening_persons": (Way("opening_id", "paper_openings"),),
    "paper_looks": (Way("paper_id", "papers"),),
    "specifications": (Way("id", "papers", "specification_id"),), "specification_parts": (Way("specification_id", "specifications"),),
    "quotas": (Way("specification_id", "specifications"),),
    "rubrics": (Way("id", "practical_groups", "rubric_id"),), "rubric_rows": (Way("rubric_id", "rubrics"),),
    "weight_tables": (Way("id", "specifications", "table_id"), Way("id", "rubrics", "table_id")),
    "ranges": (Way("table_id", "weight_tables"),),
    "content_structures": (Way("id", "practical_draws", "structure_id"),),
    "practical_modules": (Way("structure_id", "content_structures"),),
    "practical_task_versions": (Way("id", "practical_lots", "version_id"),),
    "practical_tasks": (Way("id", "practical_task_versions", "task_id"),),
    "practical_task_attachments": (Way("version_id", "practical_task_versions"),),
    "assessors": (Way("account_id", "group_assessors", "account_id"),),
    "rule_pack_versions": (Way("id", "result_lists", "pack_version_id"),),
    "item_cases": (Way("id", "score_changes", "case_id"),), "case_approvals": (Way("case_id", "item_cases"),),
    "fee_schedules": (Way("id", "fee_entries", "schedule_id"),), "entry_conditions": (Way("id", "enrolments", "condition_id"),),
    "check_templates": (Way("id", "inspections", "template_id"),), "check_points": (Way("template_id", "check_templates"),),
    "candidate_photos": (Way("id", "enrolments", "photo_id"), Way("id", "certificates", "photo_id")),
    "pictures": (Way("id", "sitting_pictures", "picture_id"),),
}


@cache  # the models stand when the program has started
def ways() -> dict[str, tuple[Way, ...]]:
    """Table → how its rows are found; the plan's own table has none."""
    found: dict[str, tuple[Way, ...]] = {ROOT: ()}
    for nullable in (False, True):
        while new := {table.name: (way,) for table in Base.metadata.tables.values()
                      if table.name not in found and table.name not in REFERRED and (way := way_into(table, found, nullable))}:
            found |= new
    return found | REFERRED


def way_into(table: sa.Table, found: Container[str], nullable: bool) -> Way | None:
    for column in table.columns:
        for key in column.foreign_keys:
            if key.column.table.name in found and key.column.table is not table and (nullable or not column.nullable):
                return Way(column.name, key.column.table.name, key.column.name)
    return None


def archived() -> list[sa.Table]:
    """The tables whose rows go into a pack, by name."""
    return [Base.metadata.tables[name] for name in sorted(ways()) if name not in LEFT_OUT]


def within(table: sa.Table, plan_id: int) -> sa.ColumnElement[bool]:
    """The rows of ``table`` that belong to the plan."""
    if table.name == ROOT:
        return table.c.id == plan_id
    tables = Base.metadata.tables
    return sa.or_(*(table.c[way.column].in_(sa.select(tables[way.parent].c[way.parent_column])
                                            .where(within(tables[way.parent], plan_id))) for way in ways()[table.name]))
