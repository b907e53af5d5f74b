"""A batch of certificates through the job that makes them: drawn with photo, seal and QR code, signed, written; one JSON object a line.

    python tests/benchmarks/certificates.py [--certificates 1000]

Both are given: the time on the wall, which people wait for, and the processor time of this process, which a crowded
machine does not change.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import sqlalchemy as sa
from PIL import Image, ImageDraw

from app import create_app
from examroom.plans import photos
from qbank.kernel.attachments import from_bytes
from qbank.kernel.db import Actor, Database
from qbank.kernel.jobs import Job, JobState
from qbank.kernel.migrations import upgrade
from qbank.kernel.settings import Settings
from qbank.kernel.store import Store
from scoring.certificates import desk, seals
from scoring.certificates.models import Certificate
from scoring.results.models import ResultList
from tests.conftest import People, TestClock
from tests.scoring.final_world import FinalWorld
from tests.scoring.outcome_world import NOW

TARGET_SECONDS = 60.0


def say(name: str, value: float, unit: str, target: float | None = None) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, "target": target,
                      "ok": target is None or value <= target}, ensure_ascii=False), flush=True)


def photo(shade: int) -> bytes:
    """As large as a photo for documents, and harder to pack than a face."""
    stream = BytesIO()
    Image.effect_noise((295, 413), shade).convert("RGB").save(stream, "JPEG")
    return stream.getvalue()


def seal() -> bytes:
    """A red ring with a star on a transparent ground."""
    drawn, stream = Image.new("RGBA", (600, 600)), BytesIO()
    pen = ImageDraw.Draw(drawn)
    pen.ellipse((12, 12, 588, 588), outline="red", width=18)
    pen.regular_polygon((300, 300, 110), 5, fill="red")
    drawn.save(stream, "PNG")
    return stream.getvalue()


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(folder=Path(folder), database_url=f"sqlite:///{folder}/examroom.sqlite3", secret_key=b"s" * 32,
                            identity_key=b"i" * 32)
        empty = Database(settings.database_url)
        upgrade(empty.engine)
        empty.engine.dispose()
        app = create_app(settings, clock=TestClock(NOW))
        database = app.extensions["examroom"]["database"]
        with database.transaction(Actor(None, "测量"), clock=lambda: NOW) as session:
            session.info["media"] = Store(settings.folder / "media")
            world = FinalWorld(session, People(session), passed=tuple(f"考生{place:04d}" for place in range(count)), failed=())
            seals.set_seal(session, world.school, from_bytes(seal(), "章.png"), world.officer, now=NOW)
            for place, enrolment in enumerate(world.candidates):
                photos.keep(session, enrolment, photo(20 + place % 60), world.officer, now=NOW)
            list_id = world.results.id
        began, spent = time.perf_counter(), time.process_time()
        with database.transaction(Actor(world.officer.account_id, world.officer.name), clock=lambda: NOW) as session:
            session.info["jobs"] = app.extensions["examroom"]["jobs"]
            job_id = desk.ask_for(session, session.get_one(ResultList, list_id), world.officer, now=NOW).id
        app.extensions["examroom"]["jobs"].run(job_id)
        wall, processor = time.perf_counter() - began, time.process_time() - spent
        with database.open(None, reads_only=True) as session:
            made = session.scalar(sa.select(sa.func.count(Certificate.id))) or 0
            state = session.get_one(Job, job_id).state
        if (made, state) != (count, JobState.DONE):
            raise SystemExit(f"{made} certificates of {count}, the job is {state}")
        say(f"{count} certificates", wall, "s", TARGET_SECONDS * count / 1000)
        say(f"{count} certificates, processor", processor, "s CPU", TARGET_SECONDS * count / 1000)
        say("a certificate", processor / count * 1000, "ms CPU")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--certificates", type=int, default=1000)
    main(parser.parse_args().certificates)
