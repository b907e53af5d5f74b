"""What an application still lacks (annexes 1 and 2), each thing by name and with the page where it is entered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from examroom.filing import annexes
from examroom.filing.application_models import Application, ApplicationOccupation
from examroom.filing.states import ApplicationKind
from qbank.standards.models import LEVEL_NAMES, Basis


@dataclass(frozen=True)
class Missing:
    """One thing that is not there: which page it belongs to, and the sentence that names it."""

    page: str  # unit | occupations | plan | materials | a key of annexes.PARTS
    sentence: str


def missing(application: Application) -> list[Missing]:
    """Everything that has to be there before it can be submitted, in the order of the annexes."""
    found = [Missing("unit", sentence) for sentence in _unit(application)]
    found += [Missing("occupations", sentence) for sentence in _occupations(application)]
    found += [Missing(part.key, sentence) for part in annexes.PARTS for sentence in _rows(application, part)]
    found += [Missing("plan", f"附件2 三：实施方案没有填写“{field.title}”。") for field in annexes.PLAN
              if not application.plan.get(field.key, "").strip()]
    return found + [Missing("materials", sentence) for sentence in _materials(application)]


def _unit(application: Application) -> Iterator[str]:
    for field in annexes.UNIT:
        if field.required and not application.unit.get(field.key, "").strip():
            place = "附件1 一" if field.annex else "一（一）"
            yield f"{place}：没有填写“{field.title}”。"
    for field in annexes.PROSE:
        if field.required and not application.prose.get(field.key, "").strip():
            yield f"附件1：没有填写“{field.title}”。"
    if application.kind is ApplicationKind.RENEWAL and not application.wish.strip():
        yield "三（三）：延期须写明学校意愿。"


def _occupations(application: Application) -> Iterator[str]:
    if not application.occupations:
        yield "附件1 二：没有填写申请开展评价的职业（工种）。"
    for row in application.occupations:
        yield from (f"{told(row)}：{sentence}" for sentence in _lacking(row))


def _lacking(row: ApplicationOccupation) -> Iterator[str]:
    if not row.major.strip():
        yield "没有填写对应的主要专业（二（一）：与本院校开设的主要专业相衔接）。"
    if not row.formerly:
        yield "没有确认在原职业技能鉴定所（站）范围以内（一（二））。"
    if row.standard.basis is Basis.EVALUATION_SPECIFICATION and not row.industry_standard.strip():
        yield "没有填写评价规范所依据的行业标准（二（二））。"


def told(row: ApplicationOccupation) -> str:
    return f"{row.standard.occupation.name}{LEVEL_NAMES[row.level]}"


def _rows(application: Application, part: annexes.Part) -> Iterator[str]:
    rows = application.rows_of(part.key)
    if len(rows) < part.least:
        yield f"附件1 {part.heading}：没有填写。"
    for number, row in enumerate(rows, 1):
        empty = [field.title for field in part.columns if field.required and not (
            row.identity_masked if field.key == "identity" else row.cells.get(field.key, "").strip())]
        if empty:
            yield f"附件1 {part.heading}第 {number} 行（{row.cells.get('name') or '未填名称'}）：没有填写{'、'.join(empty)}。"
    uses = {row.cells.get("use", "") for row in rows}
    if part.key == "sites" and rows:
        yield from (f"附件1 {part.heading}：没有{use}（一（{'三' if use in {annexes.OFFICE, annexes.PAPERS} else '四'}））。"
                    for use in (annexes.OFFICE, annexes.PAPERS, annexes.WORKSHOP) if use not in uses)
    if part.key == "it" and rows:
        yield from (f"附件1 {part.heading}：没有{use}设备（一（四））。" for use in (annexes.EXAM_COMPUTERS, annexes.VIDEO) if use not in uses)


def _materials(application: Application) -> Iterator[str]:
    for paper in annexes.MATERIALS:
        files = [material for material in application.materials if material.kind == paper.key]
        if not paper.required or (application.kind is ApplicationKind.RENEWAL and not paper.renewal):
            continue
        if not paper.each or any(material.standard_id is None for material in files):
            if not files:
                yield f"{paper.clause}：没有上传{paper.title}。"
            continue
        covered = {material.standard_id for material in files}
        standards = {row.standard_id: row.standard for row in application.occupations}
        for key, standard in standards.items():
            if key not in covered:
                yield f"{paper.clause}：没有上传{standard.occupation.name}的{paper.title}。"
        if not standards:
            yield f"{paper.clause}：没有上传{paper.title}。"
