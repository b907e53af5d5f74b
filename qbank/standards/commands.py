"""Console: ``examroom standards ...``."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa

from qbank.kernel.commands import Installation, acting_as
from qbank.kernel.refused import Refused
from qbank.standards.intake import look, write
from qbank.standards.models import LEVEL_NAMES, Occupation, Standard, Subject
from qbank.standards.tables import EDITORS

group = click.Group("standards", help="Occupations, standards and weight tables.")


@group.command("list")
@click.pass_obj
def list_standards(installation: Installation) -> None:
    """Every standard with its number (for import-weights) and tables."""
    with installation.database.open(None, reads_only=True) as session:
        query = sa.select(Standard).join(Occupation).order_by(Occupation.code, Standard.edition, Standard.work_type)
        for standard in session.scalars(query):
            tables = sorted(standard.tables, key=lambda table: (table.subject.value, -table.level))
            shown = "、".join(f"{LEVEL_NAMES[table.level]}{table.subject.chinese}" for table in tables) or "还没有权重表"
            click.echo(f"{standard.id}\t{standard.label}\t{shown}")


@group.command("import-weights")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--standard", "standard_id", type=int, required=True, help="number of the standard, see `list`")
@click.option("--subject", type=click.Choice([subject.value for subject in Subject]), required=True)
@click.option("--source", default="", help="document and page that the numbers were read from")
@click.option("--sample", is_flag=True, help="mark the tables 示例: not from the official document")
@acting_as
@click.pass_obj
def import_weights(installation: Installation, file: Path, standard_id: int, subject: str, source: str, sample: bool,
                   login: str) -> None:
    """Read the weight tables of all levels from an Excel FILE; one bad column and nothing is written."""
    with installation.acting(login) as (session, who):
        if not who.has(*EDITORS):
            raise Refused("no_right", "这个账号不能修改权重表，需要考务员、组卷员或系统管理员。")
        standard = session.get(Standard, standard_id)
        if standard is None:
            raise Refused("no_standard", f"没有编号为 {standard_id} 的标准，请先用 examroom standards list 查看。")
        previews, problems = look(session, standard, file.read_bytes(), subject)
        problems += [problem for preview in previews for problem in preview.problems]
        if problems:
            raise Refused("bad_workbook", f"{file.name} 没有写入：", problems)
        tables = write(session, standard, Subject(subject), {preview.level: preview.ranges for preview in previews}, who,
                       is_sample=sample, source=source)
        for table in tables:
            click.echo(f"{table.label}：{len(table.ranges)} 个范围，合计 100")
