"""Standards, the item bank and its papers: the demo's bank enters through the importer, as a teacher's would."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from qbank.exchange import batches
from qbank.papers import desk
from qbank.papers.specification import FORMS, Part
from qbank.standards import intake, tables
from qbank.standards.models import Standard, Subject, WeightTable
from qbank.standards.tables import RangeDraft
from seed import motor, reviewing, written
from seed.stage import Stage
from seed.weights import ELECTRICIAN, NOTE, OTHERS, SAMPLE_NOTE, SkillTable

FILES = Path(__file__).parent
TECHNICIAN_FORM = (Part("single", 50, 2), Part("judge", 20, 2), Part("multiple", 10, 4), Part("essay", 2, 10))


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
    if level == 2:
        written.write(stage, table_id, author)
    reviewing.submit_and_approve(stage, table_id, author, leave=level == 4)
    if level == 4:
        reviewing.fill_practice_bank(stage, table_id)
        reviewing.under_way(stage, table_id)
        motor.write_set(stage, table_id)


def compose_papers(stage: Stage) -> None:
    """For level 4 a sealed form of its own, whose statistics may be seen, then two parallel ones (one more waits to be
    sealed); one sealed form for level 2."""
    with stage.acting("composer", stage.days(-100)) as (session, who):
        school = who.institution_for(*(scope.role for scope in who.scopes)) or 0
        fourth = session.get_one(WeightTable, theory_table(stage, 4))
        second = session.get_one(WeightTable, theory_table(stage, 2))
        usual = desk.specify(session, fourth, school, "电工四级 单选80＋判断20", FORMS["80×1+20×1"], who, minutes=90,
                             now=stage.days(-100))
        half = desk.specify(session, fourth, school, "电工四级 单选160＋判断40", FORMS["160×0.5+40×0.5"], who, minutes=120,
                            now=stage.days(-100))
        technician = desk.specify(session, second, school, "电工二级 单选50＋判断20＋多选10＋论述2", TECHNICIAN_FORM, who, minutes=120,
                                  now=stage.days(-100))
        draw = random.Random(20_200_320)
        for specification, forms in ((usual, 1), (usual, 2), (technician, 1)):
            for paper in desk.assemble(session, specification, who, now=stage.days(-99), seed=draw.randrange(10**6), forms=forms):
                desk.seal(session, paper, who, now=stage.days(-98) + timedelta(hours=1))
        desk.assemble(session, half, who, now=stage.days(-2), seed=draw.randrange(10**6))
    reviewing.release_some(stage, theory_table(stage, 4))
