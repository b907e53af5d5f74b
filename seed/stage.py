"""The stage on which the demo world is played: whoever acts, acts through the rules, at a time that is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from qbank.kernel.access import Viewer
from qbank.kernel.accounts import Account
from qbank.kernel.db import Actor, Database
from qbank.kernel.identity import IdentityCipher
from qbank.kernel.jobs import Jobs
from qbank.kernel.settings import Settings

FOUNDER = Actor(None, "系统：演示数据")


@dataclass(frozen=True)
class Stage:
    """One installation and the moment that the demo calls now."""

    app: Flask
    now: datetime

    @property
    def settings(self) -> Settings:
        found: Settings = self.app.extensions["examroom"]["settings"]
        return found

    @property
    def database(self) -> Database:
        found: Database = self.app.extensions["examroom"]["database"]
        return found

    @property
    def jobs(self) -> Jobs:
        """Long work is done at once: the world is whole when the first visitor comes."""
        return Jobs(replace(self.settings, jobs_inline=True), self.database)

    @property
    def cipher(self) -> IdentityCipher:
        return self.settings.identity_cipher()

    def days(self, days: float, *, hours: float = 0) -> datetime:
        """So many days from now (negative: before)."""
        return self.now + timedelta(days=days, hours=hours)

    @contextmanager
    def founding(self) -> Iterator[Session]:
        """What exists before anybody can sign in."""
        with self.database.transaction(FOUNDER, clock=lambda: self.now - timedelta(days=365)) as session:
            yield session

    @contextmanager
    def acting(self, login: str, at: datetime) -> Iterator[tuple[Session, Viewer]]:
        """A transaction in which ``login`` acts at the time ``at``."""
        with self.database.open(None, reads_only=True) as session:
            viewer = session.scalars(sa.select(Account).where(Account.login == login)).one().viewer()
        with self.database.transaction(viewer.actor, clock=lambda: at) as session:
            session.info["jobs"] = self.jobs
            yield session, viewer

    def account_id(self, session: Session, login: str) -> int:
        return session.scalars(sa.select(Account.id).where(Account.login == login)).one()
