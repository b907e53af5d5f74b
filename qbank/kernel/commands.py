"""What every command of the console script has at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Database
from qbank.kernel.jobs import Jobs
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings

acting_as = click.option("--as", "login", required=True, help="login of the account that acts")


@dataclass
class Installation:
    """One installation as the console sees it: ``--dir`` and the environment."""

    folder: Path | None

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_environment(folder=self.folder)

    @cached_property
    def database(self) -> Database:
        return Database.of(self.settings)

    @contextmanager
    def acting(self, login: str) -> Iterator[tuple[Session, Viewer]]:
        """A transaction as the account ``login``; a refusal is printed and ends the command with status 1."""
        with self.database.open(None, reads_only=True) as session:
            account = session.scalar(sa.select(Account).where(Account.login == login, Account.active))
            if account is None:
                raise click.ClickException(f"no active account {login!r}")
            viewer = account.viewer()
        try:
            with self.database.transaction(viewer.actor) as session:
                session.info["jobs"] = Jobs(self.settings, self.database)
                yield session, viewer
        except Refused as refusal:
            raise click.ClickException("\n".join((refusal.sentence, *refusal.details))) from refusal
