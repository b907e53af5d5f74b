"""Virtual candidates over real HTTP: they keep what is unsent, send it again until it is acknowledged, and write down what was.

One asyncio loop plays thousands of them. They follow the protocol written down in ``examroom/delivery/__init__.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

ANSWER_SECONDS = 5.0  # how long a candidate waits for an answer before the connection counts as broken
AT_ONCE = 50  # events in one request
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Broken(Exception):
    """No complete answer came: nothing is known about what the server did."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        found = json.loads(gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body)
        assert isinstance(found, dict)
        return found


class Wire:
    """One kept connection."""

    def __init__(self, address: Callable[[], tuple[str, int]]) -> None:
        self.address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        """Raises Broken when the answer does not come whole and in time."""
        lines = [f"{method} {path} HTTP/1.1", "Host: exam.test", f"Content-Length: {len(body)}",
                 *(f"{name}: {value}" for name, value in headers.items() if value), "", ""]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(*self.address())
                self._streams[1].write("\r\n".join(lines).encode() + body)
                await self._streams[1].drain()
                return await self._read(self._streams[0])
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as error:
            self.close()
            raise Broken(f"{type(error).__name__} {error}") from error

    async def _read(self, reader: asyncio.StreamReader) -> Reply:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, status = head[0].split(" ")[:2]
        if not version.startswith("HTTP/1."):
            raise ValueError(head[0])
        headers: dict[str, str] = {}
        cookies = []
        for line in filter(None, head[1:]):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
            if name.lower() == "set-cookie":
                cookies.append(value.strip().split(";")[0])
        if headers.get("transfer-encoding") == "chunked":
            body = await _chunks(reader)
        else:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(int(status), headers, body, tuple(cookies))

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while size := int(await reader.readline(), 16):
        found += (await reader.readexactly(size + 2))[:size]
    await reader.readline()
    return found


@dataclass
class Book:
    """Every acknowledgement, written to a file as it comes, and every event that was ever sent."""

    file: Path
    sent: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)  # (sheet, sequence) -> event
    acknowledged: int = 0

    def __enter__(self) -> Book:
        self._stream = self.file.open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()

    def note(self, sheet: int, event: dict[str, Any], resent: bool) -> None:
        self._stream.write(json.dumps({"sheet": sheet, **event, "resent": resent}) + "\n")
        self._stream.flush()
        self.acknowledged += not resent


@dataclass
class Candidate:
    """One browser with one candidate before it."""

    address: Callable[[], tuple[str, int]]
    sheet: int
    ticket: str
    identity: str
    book: Book
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    token: str = ""
    known: int = 0  # highest sequence that was ever acknowledged
    sequence: int = 0
    kinds: list[str] = field(default_factory=list)  # of the questions, in the order shown
    unsent: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[int, dict[str, Any]] = field(default_factory=dict)  # acknowledged
    gives_again: bool = False  # as the page does: what a server lacks of it is sent again (only the standby drill wants that)
    refused: list[dict[str, Any]] = field(default_factory=list)
    breaks: int = 0
    why: list[str] = field(default_factory=list)  # what each break was
    resent: int = 0
    last: dict[str, Any] = field(default_factory=dict)  # the standing in the newest answer

    def __post_init__(self) -> None:
        self.wire = Wire(self.address)
        self.chance = random.Random(self.sheet)

    async def ask(self, method: str, path: str, body: Any = None, *, form: bool = False) -> Reply:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "X-CSRFToken": self.csrf,
                   "X-Page-Token": self.token, "Accept-Encoding": "gzip", **(FORM if form else JSON)}
        payload = b"" if body is None else (urlencode(body) if form else json.dumps(body)).encode()
        reply = await self.wire.ask(method, path, headers, payload)
        for cookie in reply.cookies:
            name, _, value = cookie.partition("=")
            self.cookies[name] = value
        return reply

    async def sign_in(self) -> None:
        self.csrf = _csrf(await self.ask("GET", "/exam"))
        reply = await self.ask("POST", "/exam", {"ticket": self.ticket, "identity_number": self.identity,
                                                 "csrf_token": self.csrf}, form=True)
        if reply.status != 302:
            raise Broken(f"sign-in {reply.status}")
        self.csrf = _csrf(await self.ask("GET", "/exam/hall"))

    async def open(self) -> None:
        """Start the sheet, or take it over again on the same computer."""
        reply = await self.ask("POST", f"/exam/sheets/{self.sheet}/open", {"machine": f"machine {self.sheet}"})
        if reply.status == 401:
            await self.sign_in()
        if reply.status != 200:
            raise Broken(f"open {reply.status} {reply.body[:200]!r}")
        self.last = reply.json()
        self.token = self.last["token"]
        if "questions" not in self.last:  # only who starts this moment gets the paper at once
            state = await self.ask("GET", f"/exam/sheets/{self.sheet}/state")
            if state.status != 200:
                raise Broken(f"state {state.status} {state.body[:200]!r}")
            self.last = state.json()
        self.kinds = [question["kind"] for question in self.last["questions"]]
        self._hear(self.last["acknowledged"])
        self.sequence = max(self.sequence, self.known)

    async def enter(self) -> None:
        """Sign in and open, however often that takes."""
        for act in (self.sign_in, self.open):
            await self.until_done(act)

    def choose(self) -> dict[str, Any]:
        """The candidate clicks: a new event, not yet sent."""
        number = self.chance.randrange(len(self.kinds)) + 1
        letters = "AB" if self.kinds[number - 1] == "judge" else "ABCD"
        self.sequence += 1
        event = {"sequence": self.sequence, "number": number, "answer": self.chance.choice(letters),
                 "flagged": self.chance.random() < 0.2}
        self.unsent.append(event)
        self.book.sent[self.sheet, self.sequence] = event
        return event

    async def send(self) -> bool:
        """One request with what is unsent. False when it has to be tried again; a broken connection raises Broken."""
        batch = self.unsent[:AT_ONCE]
        signs = {"left": 0, "clock": 0, "unsent": len(self.unsent), "full_screen": True}
        reply = await self.ask("POST", f"/exam/sheets/{self.sheet}/events", {
            "events": batch, "signs": signs, "after": self.known if self.gives_again else 0})
        if reply.status == 200:
            self._take(reply.json(), batch)
            return True
        told = reply.json() if reply.headers.get("content-type", "").startswith("application/json") else {}
        code = told.get("code", "")
        if code == "behind":  # this machine holds less than what was once acknowledged
            self._hear(told["acknowledged"])
        elif code in ("unknown_page", "superseded", "bad_token"):
            await self.open()
        elif code == "signed_out":
            await self.sign_in()
        return False

    def _take(self, told: dict[str, Any], batch: list[dict[str, Any]]) -> None:
        self.last = told
        refused = {one["sequence"]: one for one in told.get("refused", [])}
        self.refused.extend(refused.values())
        held = [event for event in batch if event["sequence"] <= told["acknowledged"] and event["sequence"] not in refused]
        for event in held:
            self.book.note(self.sheet, event, event["sequence"] in self.kept)
            self.kept[event["sequence"]] = event
        done = {event["sequence"] for event in held} | set(refused)
        self.unsent = [event for event in self.unsent if event["sequence"] not in done]
        self._hear(told["acknowledged"])

    def _hear(self, acknowledged: int) -> None:
        """A server that holds less than it once acknowledged is another machine: give it again what it lacks."""
        waiting = {event["sequence"] for event in self.unsent}
        lacking = [event for sequence, event in self.kept.items() if sequence > acknowledged and sequence not in waiting]
        if self.gives_again and acknowledged < self.known and lacking:
            self.resent += len(lacking)
            self.unsent = sorted(lacking + self.unsent, key=lambda event: int(event["sequence"]))
        self.known = acknowledged if self.gives_again else max(self.known, acknowledged)

    async def flush(self) -> None:
        """Send until nothing is unsent."""
        while self.unsent:
            await self.until_done(self.send)

    async def until_done(self, act: Callable[[], Any]) -> None:
        """Try again after 0.05, 0.1, 0.2, ... seconds, as the page does after 0.5, 1, 2, ..."""
        pause = 0.05
        while True:
            try:
                if await act() is not False:
                    return
            except (Broken, ValueError, KeyError) as error:
                self.breaks += 1
                self.why.append(str(error))
                self.wire.close()
            await asyncio.sleep(pause * (0.5 + self.chance.random()))
            pause = min(pause * 2, 1.0)

    async def answer_until(self, over: Callable[[], bool], think: float = 0.0) -> None:
        """Click and save, one after the other, until ``over()``; then see the last of it acknowledged."""
        while not over():
            self.choose()
            await self.until_done(self.send)
            if think:
                await asyncio.sleep(think * 2 * self.chance.random())
        await self.flush()


def leave(crowd: Iterable[Candidate]) -> None:
    for one in crowd:
        one.wire.close()


def _csrf(reply: Reply) -> str:
    found = re.search(rb'name="csrf[-_]token" (?:content|value)="([^"]+)"', reply.body)
    if reply.status != 200 or found is None:
        raise Broken(f"no page with a token: {reply.status} {reply.body[:200]!r}")
    return found.group(1).decode()


async def serving(port: int, *, seconds: float = 60.0, host: str = "127.0.0.1") -> float:
    """Wait for a server that answers; how long it took."""
    began = perf_counter()
    while perf_counter() - began < seconds:
        wire = Wire(lambda: (host, port))
        with contextlib.suppress(Broken):
            if (await wire.ask("GET", "/exam", {})).status == 200:
                wire.close()
                return perf_counter() - began
        wire.close()
        await asyncio.sleep(0.05)
    raise TimeoutError(f"no server on port {port} after {seconds} s")
