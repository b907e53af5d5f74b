"""The exam room as candidates use it: an open loop behind nginx, a sign-in storm beside saves, a disk that syncs slowly.

    python tests/benchmarks/delivery_open_loop.py [--levels 1000,2000,4000] [--seconds 20] [--only open,sign-in,slow-sync]

Open loop: every candidate saves every 5 s whatever came of the save before, and latency counts from the scheduled moment. One
JSON object a line. The floor stands beside each figure: the same schedule against nginx alone, on the same busy machine.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examroom.plans import codes
from qbank.kernel.settings import Settings
from tests.benchmarks.delivery import Browsers, durable_writes, measured, server, slowest_write, tell
from tests.benchmarks.load import Measured, Play, Reply, drive, request
from tests.drills.shim import Shim

EVERY = 5.0
TARGETS = {1000: 25.0, 2000: 50.0, 4000: 250.0}
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 20000; }}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_timeout 75s; keepalive_requests 100000;
    upstream examroom {{ server 127.0.0.1:{behind}; keepalive 128; keepalive_requests 100000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /floor {{ return 200 "ok"; }}
        location / {{ proxy_pass http://examroom; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, behind: int) -> Iterator[int]:
    """Debian's nginx before the server; its port."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        raise SystemExit("nginx is missing (Debian: apt-get install nginx-light)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, behind=behind, port=port))
    process = subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def paced(people: Browsers, sheet: int, first: float, times: int, sequence: int) -> Play:
    """A save every five seconds, due at the moment and not when the last one was answered."""
    headers = {"X-Page-Token": people.tokens[sheet], "Content-Type": "application/json", "Accept": "application/json"}
    for turn in range(times):
        event = {"sequence": sequence + turn, "number": 1 + (sequence + turn) % 60, "answer": "ABCD"[turn % 4], "flagged": False}
        body = json.dumps({"events": [event], "signs": {"left": 0, "clock": 0, "unsent": 1, "full_screen": True}, "after": sequence + turn - 1 if turn else 0})
        reply: Reply = yield first + turn * EVERY, request("POST", f"/exam/sheets/{sheet}/events", headers, body.encode())
        assert reply.status == 200, reply.body
        assert f'"acknowledged":{sequence + turn},' in reply.body.decode(), reply.body


def idle(first: float, times: int) -> Play:
    for turn in range(times):
        yield first + turn * EVERY, request("POST", "/floor", {}, b"")


def open_loop(people: Browsers, pid: int, port: int, levels: list[int], seconds: float) -> None:
    sequence, times = 10, max(2, int(seconds / EVERY))
    for level in levels:
        sheets = list(people.tokens)[:level]
        places = [0.5 + EVERY * place / level for place in range(level)]
        floor = drive(("127.0.0.1", port), [idle(place, times) for place in places])
        found, cpu = measured(pid, lambda: drive(("127.0.0.1", port), [  # called at once
            paced(people, sheet, place, times, sequence) for sheet, place in zip(sheets, places, strict=True)]))  # noqa: B023
        assert set(found.statuses) == {200}, found.statuses
        sequence += times
        for share in (0.5, 0.95):
            tell(f"{level} candidates, a save every 5 s behind nginx: p{share * 100:.0f}", found.at(share) * 1000, "ms")
        tell(f"{level} candidates, a save every 5 s behind nginx: p99", found.at(0.99) * 1000, "ms", TARGETS.get(level))
        tell(f"{level} candidates: floor, p99 of a durable write on this disk right after", slowest_write(people.settings.folder) * 1000, "ms")
        tell(f"{level} candidates: floor, p99 of nginx alone on the same schedule", floor.at(0.99) * 1000, "ms")
        tell(f"{level} candidates: saves a second", found.rate, "1/s")
        tell(f"{level} candidates: server CPU of one save", cpu * 1000 / len(found.latencies), "ms")


def sign_ins(people: Browsers, settings: Settings, pid: int, port: int, many: int) -> None:
    """A thousand sign in while two hundred others save every five seconds."""
    door = http.client.HTTPConnection("127.0.0.1", port)
    door.request("GET", "/exam")
    answer = door.getresponse()
    cookie = {"Cookie": (answer.getheader("Set-Cookie") or "").split(";")[0]}  # everybody's browser, before the sign-in
    token = answer.read().decode().split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
    door.close()
    enrolments = [one.id for one in people.made.enrolments][:many]
    saving: list[Measured] = []
    savers = list(people.tokens)[:200]
    times = 4
    beside = threading.Thread(target=lambda: saving.append(drive(("127.0.0.1", port), [
        paced(people, sheet, 0.2 + EVERY * place / len(savers), times, 1) for place, sheet in enumerate(savers)])))
    beside.start()
    before = time.perf_counter()
    lanes = 50

    def lane(number: int) -> Play:
        for enrolment in enrolments[number::lanes]:
            reply: Reply = yield 0.0, request("GET", "/exam", cookie)
            form = urlencode({"code": codes.make(settings.code_key, enrolment, 1), "csrf_token": token})
            reply = yield 0.0, request("POST", "/exam", {**cookie, "Content-Type": "application/x-www-form-urlencoded"}, form.encode())
            assert reply.status == 302, reply.body[:400]

    found, cpu = measured(pid, lambda: drive(("127.0.0.1", port), [lane(number) for number in range(lanes)]))
    spent = time.perf_counter() - before
    beside.join()
    tell(f"{len(enrolments)} sign-ins with the code, while 200 save", spent, "s", 15)
    tell("server CPU of one sign-in (page and form), saves beside included", cpu * 1000 / len(enrolments), "ms")
    tell("p99 of a save meanwhile", saving[0].at(0.99) * 1000, "ms", 250)
    assert set(found.statuses) <= {200, 302}, found.statuses


def slow_sync(folder: Path, candidates: int, seconds: float) -> None:
    """Fifty save without pause on a disk that needs 5 ms more for each sync."""
    (folder / "slow").mkdir()
    shim = Shim(folder / "slow")
    settings = Settings.from_environment({}, folder=folder / "slow" / "room")
    people = Browsers(settings, candidates)
    os.environ.update(shim.environment)
    with server(settings) as (pid, port):
        for name in shim.environment:
            del os.environ[name]
        drive(("127.0.0.1", port), [people.start(sheet) for sheet in list(people.cookies)])
        drive(("127.0.0.1", port), [people.saves(sheet, 1.0) for sheet in list(people.tokens)[:1]])
        shim.set(delay_us=5000)
        syncs = shim.syncs
        found, _ = measured(pid, lambda: drive(("127.0.0.1", port), [
            people.saves(sheet, seconds) for sheet in list(people.tokens)[1:51]]))
        syncs = shim.syncs - syncs
        assert set(found.statuses) == {200}, found.statuses
        tell("sync slowed by 5 ms: saves, 50 at once", found.rate, "1/s", 1000, least=True)
        tell("sync slowed by 5 ms: 99th percentile", found.at(0.99) * 1000, "ms", 150)
        tell("sync slowed by 5 ms: acknowledged saves for each sync", len(found.latencies) / max(1, syncs), "", 6, least=True)
    people.database.engine.dispose()
    shim.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--levels", default="1000,2000,4000")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--sign-ins", type=int, default=1000)
    parser.add_argument("--only", default="open,sign-in,slow-sync")
    asked = parser.parse_args()
    levels, only = [int(level) for level in asked.levels.split(",")], set(asked.only.split(","))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, hard), hard))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        tell("this disk: durable writes of 4 KB", durable_writes(folder), "1/s")
        if only & {"open", "sign-in"}:
            settings = Settings.from_environment({}, folder=folder / "room")
            people = Browsers(settings, max(max(levels) if "open" in only else 0, asked.sign_ins if "sign-in" in only else 0))
            with server(settings) as (pid, port), nginx(folder / "nginx", port) as front:
                starting = list(people.cookies)[:max(levels) if "open" in only else 200]
                for place in range(0, len(starting), 500):
                    drive(("127.0.0.1", port), [people.start(sheet) for sheet in starting[place:place + 500]])
                if "sign-in" in only:
                    sign_ins(people, settings, pid, port, asked.sign_ins)
                if "open" in only:
                    open_loop(people, pid, front, levels, asked.seconds)
            people.database.engine.dispose()
        if "slow-sync" in only:
            slow_sync(folder, 51, 8.0)


if __name__ == "__main__":
    main()
