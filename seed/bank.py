"""Standards, the item bank and its papers: the demo's bank enters through the importer, as a teacher's would."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from qbank.exchange import batches
from qbank.items import bank
from qbank.items.draft import Draft
from qbank.items.models import ItemState, ItemVersion, Verdict
from qbank.papers import desk
from qbank.papers.specification import FORMS, Part
from qbank.standards import intake, tables
from qbank.standards.models import Standard, Subject, WeightTable
from qbank.standards.tables import RangeDraft
from seed.stage import Stage
from seed.weights import ELECTRICIAN, NOTE, OTHERS, SAMPLE_NOTE, SkillTable

FILES = Path(__file__).parent
LEFT_IN_REVIEW = 37  # every so many items of level 4, so that reviewers find work
TECHNICIAN_FORM = (Part("single", 60, 2), Part("judge", 20, 2), Part("multiple", 10, 4))


def write_standards(stage: Stage) -> None:
    """The occupations with their skill tables, and the sample theory tables of 电工 levels 4 and 2."""
    with stage.acting("composer", stage.days(-300)) as (session, who):
        for source in (ELECTRICIAN, *OTHERS):
            occupation = tables.add_occupation(session, source.code, source.name, who, catalogue_edition="2015")
            standard = tables.add_standard(session, occupation, who, edition=source.edition,
                                           title=f"国家职业技能标准 {source.name}（{source.edition}年版）")
            for level in source.levels:
                tables.set_table(session, standard, level, Subject.SKILL, _skill(source, level), who, is_sample=False,
                                 source=NOTE)
        electrician = session.scalars(sa.select(Standard).where(Standard.title.contains("电工"))).one()
        for level in (4, 2):
            content = (FILES / f"electrician-{level}-points.xlsx").read_bytes()
            column = intake.read_points(content, level).columns[level]
            intake.write(session, electrician, Subject.THEORY, {level: column.ranges}, who, is_sample=True,
                         source=SAMPLE_NOTE)


def _skill(source: SkillTable, level: int) -> list[RangeDraft]:
    return [RangeDraft((chr(ord("A") + place),), name, weight * 2) for place, (name, weight) in
            enumerate(source.column(level))]


def theory_table(stage: Stage, level: int) -> int:
    """The id of 电工's theory table of ``level``."""
    with stage.database.open(None, reads_only=True) as session:
        return session.scalars(sa.select(WeightTable.id).where(WeightTable.level == level,
                                                               WeightTable.subject == Subject.THEORY)).one()


def fill_bank(stage: Stage, level: int, author: str) -> None:
    """Import the workbook, submit, and let two others decide; a few items stay in review, one comes back."""
    table_id = theory_table(stage, level)
    name = f"electrician-{level}-items.xlsx"
    with stage.acting(author, stage.days(-150)) as (session, who):
        table = session.get_one(WeightTable, table_id)
        school = who.institution_for(*(scope.role for scope in who.scopes)) or 0
        batch = batches.upload(session, table, school, name, (FILES / name).read_bytes(), who, now=stage.days(-150))
        batches.apply(session, batch, who, now=stage.days(-150))
    with stage.acting(author, stage.days(-149)) as (session, who):
        bank.submit_many(session, _in_state(session, table_id, ItemState.DRAFT), who, now=stage.days(-149))
    for login, day in (("reviewer", -140), ("reviewer2", -135)):
        with stage.acting(login, stage.days(day)) as (session, who):
            for version in _in_state(session, table_id, ItemState.SUBMITTED):
                if level == 2 or version.id % LEFT_IN_REVIEW:
                    bank.review(session, version, who, Verdict.ACCEPT, "", now=stage.days(day))
    if level == 4:
        _keep_busy(stage, table_id)


def _keep_busy(stage: Stage, table_id: int) -> None:
    """One returned item, one half reviewed, one retired, one approved item with a new version in draft."""
    with stage.acting("reviewer", stage.days(-20)) as (session, who):
        waiting = _in_state(session, table_id, ItemState.SUBMITTED)
        bank.review(session, waiting[0], who, Verdict.MAJOR, "题干中的条件不完整：请写明电源频率后重新提交。", now=stage.days(-20))
        bank.review(session, waiting[1], who, Verdict.ACCEPT, "同意。", now=stage.days(-20))
    with stage.acting("author", stage.days(-3)) as (session, who):
        approved = _in_state(session, table_id, ItemState.APPROVED)
        bank.retire(session, approved[-1], who, "与现行教材的表述不一致，停用待改写。", now=stage.days(-3))
        version = approved[-2]
        draft = bank.draft_of(version)
        changed = Draft(**{**draft.__dict__, "explanation": draft.explanation + "（补充：修订时已与教材核对。）"})
        bank.edit(session, version, changed, who, now=stage.days(-3), reason="补充解析")


def _in_state(session: sa.orm.Session, table_id: int, state: ItemState) -> list[ItemVersion]:
    return list(session.scalars(sa.select(ItemVersion).join(ItemVersion.item).where(
        ItemVersion.state == state, ItemVersion.item.has(table_id=table_id)).order_by(ItemVersion.id)))


def compose_papers(stage: Stage) -> None:
    """Three parallel sealed forms for level 4 (two more wait to be sealed), one sealed form for level 2."""
    with stage.acting("composer", stage.days(-100)) as (session, who):
        school = who.institution_for(*(scope.role for scope in who.scopes)) or 0
        fourth = session.get_one(WeightTable, theory_table(stage, 4))
        second = session.get_one(WeightTable, theory_table(stage, 2))
        usual = desk.specify(session, fourth, school, "电工四级 单选80＋判断20", FORMS["80×1+20×1"], who, minutes=90,
                             now=stage.days(-100))
        half = desk.specify(session, fourth, school, "电工四级 单选160＋判断40", FORMS["160×0.5+40×0.5"], who, minutes=120,
                            now=stage.days(-100))
        technician = desk.specify(session, second, school, "电工二级 单选60＋判断20＋多选10", TECHNICIAN_FORM, who, minutes=120,
                                  now=stage.days(-100))
        draw = random.Random(20_200_320)
        sealed = desk.assemble(session, usual, who, now=stage.days(-99), seed=draw.randrange(10**6), forms=3)
        sealed += desk.assemble(session, technician, who, now=stage.days(-99), seed=draw.randrange(10**6))
        for paper in sealed:
            desk.seal(session, paper, who, now=stage.days(-98) + timedelta(hours=1))
        desk.assemble(session, half, who, now=stage.days(-2), seed=draw.randrange(10**6))
