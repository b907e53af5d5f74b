"""``examroom check``: the doctor at the console."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import click

from qbank.kernel import doctor, machine
from qbank.kernel.commands import Installation
from qbank.kernel.doctor import NAMES
from qbank.kernel.finding import Finding
from qbank.kernel.settings import BadSetting
from qbank.kernel.times import utc_now


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help="folder of the installation")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
@click.option("--host", default="127.0.0.1", show_default=True, help="where it is, or is to be, served")
@click.option("--port", default=8000, show_default=True)
@click.option("--quick", is_flag=True, help="leave out what walks through every record: audit trail, answers")
@click.pass_context
def check(context: click.Context, folder: Path | None, as_json: bool, host: str, port: int, quick: bool) -> None:
    """Look the installation over; each finding comes with its remedy. Status 1 when something is BAD."""
    findings = list(_findings(Installation(folder) if folder else context.obj, host, port, thorough=not quick))
    for finding in findings:
        click.echo(json.dumps(dataclasses.asdict(finding), ensure_ascii=False) if as_json else _told(finding))
    if not all(finding.well for finding in findings):
        raise SystemExit(1)


def _findings(installation: Installation, host: str, port: int, *, thorough: bool) -> Iterator[Finding]:
    try:
        settings = installation.settings
    except BadSetting as error:  # a damaged key, too
        yield Finding("settings", False, str(error), "改正这个环境变量；密钥文件损坏时从备份恢复")
        return
    yield machine.port(host, port)
    yield from doctor.examine(settings, installation.database, now=utc_now(), thorough=thorough)


def _told(finding: Finding) -> str:
    mark = "BAD " if not finding.well else "hint" if finding.advice else "ok  "
    todo = finding.advice if finding.well else finding.remedy
    return f"{mark} {finding.subject}（{NAMES.get(finding.subject, finding.subject)}）：{finding.detail}" + (f"\n     → {todo}" if todo else "")
