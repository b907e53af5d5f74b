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

from qbank.kernel import second_factor
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, create_account, hand_out_password
from qbank.kernel.db import Actor, Database
from qbank.kernel.jobs import Jobs
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings

BY_HAND = Actor(None, "命令行")  # whoever has the server's console
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


group = click.Group("accounts", help="Accounts of this installation.")


@group.command("create-administrator")
@click.argument("login")
@click.argument("name")
@click.pass_obj
def create_administrator(installation: Installation, login: str, name: str) -> None:
    """Make the first account that can sign in, and print its one-time password."""
    try:
        with installation.database.transaction(BY_HAND) as session:
            account = create_account(session, login, name, [Scope(Role.ADMINISTRATOR)])
            click.echo(hand_out_password(account))
    except Refused as refusal:
        raise click.ClickException(refusal.sentence) from refusal


@group.command("reset-password")
@click.argument("login")
@click.pass_obj
def reset_password(installation: Installation, login: str) -> None:
    """Hand out a new one-time password."""
    with installation.database.transaction(BY_HAND) as session:
        click.echo(hand_out_password(_account(session, login)))


@group.command("reset-factor")
@click.argument("login")
@click.pass_obj
def reset_factor(installation: Installation, login: str) -> None:
    """Turn off a second step whose device and codes are lost, where nobody is left who could agree to it on a page."""
    with installation.database.transaction(BY_HAND) as session:
        account = _account(session, login)
        if account.totp_since is None:
            raise click.ClickException(f"{login!r} has no second step")
        second_factor.turn_off(session, account)
    click.echo(f"{login}: signs in with the password alone and is asked to enrol again where the role must")


def _account(session: Session, login: str) -> Account:
    account = session.scalar(sa.select(Account).where(Account.login == login))
    if account is None:
        raise click.ClickException(f"no account {login!r}")
    return account
