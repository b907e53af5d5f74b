"""Console: ``examroom statistics``."""

from __future__ import annotations

import click

from qbank.kernel.access import visible
from qbank.kernel.accounts import Institution
from qbank.kernel.commands import Installation, acting_as
from qbank.standards.packs import pack_for
from qbank.statistics.listing import numbers_of
from qbank.statistics.models import ItemStatistic
from qbank.statistics.verdicts import flags

group = click.Group("statistics", help="Item statistics.")


@group.command()
@acting_as
@click.pass_obj
def suspects(installation: Installation, login: str) -> None:
    """Print the items whose numbers ask for a look: a suspected wrong key, too hard, too easy."""
    with installation.acting(login) as (session, who):
        for statistic in session.scalars(visible(ItemStatistic, who).where(ItemStatistic.current).order_by(ItemStatistic.item_rest)):
            item = statistic.version.item
            minimum = pack_for(session, session.get_one(Institution, item.institution_id)).statistics_minimum_n
            if found := flags(numbers_of(statistic), minimum):
                click.echo(f"item {item.id:6d}  n {statistic.n:5d}  p {shown(statistic.difficulty)}  "
                           f"r {shown(statistic.item_rest)}  {'、'.join(flag.chinese for flag in found)}")


def shown(number: float | None) -> str:
    """Two decimals, or a dash for what is not defined."""
    return "    -" if number is None else f"{number:5.2f}"
