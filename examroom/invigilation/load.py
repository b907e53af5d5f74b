"""Made-up candidates who sit an exam over HTTP, as their browsers would: the load of a rehearsal. Knows no database."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from qbank.kernel.times import utc_now

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
MOST_THREADS = 400
PATIENCE = 30  # seconds for one answer


@dataclass
class Outcome:
    """What the candidates saw: milliseconds of each act, what was acknowledged to whom, what went wrong."""

    times: dict[str, list[float]] = field(default_factory=dict)
    acknowledged: dict[int, int] = field(default_factory=dict)  # sheet -> highest sequence that was acknowledged
    handed_in: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, act: str, since: float) -> None:
        with self._lock:
            self.times.setdefault(act, []).append((time.monotonic() - since) * 1000)

    def failed(self, act: str, problem: object) -> None:
        with self._lock:
            self.errors.append(f"{act}：{problem}")

    def figures(self) -> list[dict[str, str | float]]:
        """One row for each act: count, median, 95th and 99th percentile and the worst, in milliseconds."""
        return [{"act": act, "count": len(found), "p50": _at(found, 0.50), "p95": _at(found, 0.95), "p99": _at(found, 0.99),
                 "worst": round(max(found), 1)} for act, found in self.times.items()]


@dataclass
class Candidate:
    """One made-up candidate: a sheet and a signed-in cookie."""

    sheet_id: int
    cookie: str
    address: str
    outcome: Outcome
    token: str = ""
    questions: int = 0
    sequence: int = 0
    _connection: http.client.HTTPConnection | None = None

    def start(self) -> None:
        """The shell of the page, the opening of the sheet, and everything it shows."""
        path = f"/exam/sheets/{self.sheet_id}"
        since = time.monotonic()
        page = self._ask("GET", path).decode()
        found = TOKEN.search(page)
        csrf = found.group(1) if found else ""
        opened = json.loads(self._ask("POST", f"{path}/open", {"machine": f"rehearsal-{self.sheet_id}"}, {"X-CSRFToken": csrf}))
        self.token = opened["token"]
        state = opened if "questions" in opened else json.loads(self._ask("GET", f"{path}/state"))
        self.questions, self.sequence = len(state["questions"]), state.get("acknowledged", 0)
        self.outcome.took("开始答题", since)

    def save(self, due: float) -> None:
        """One answer, counted from the moment at which it was due."""
        self.sequence += 1
        number = (self.sequence - 1) % max(1, self.questions) + 1
        body = {"events": [{"sequence": self.sequence, "number": number, "answer": "A", "flagged": False}],
                "signs": {"left": 0, "clock": round(utc_now().timestamp() * 1000), "unsent": 0, "full_screen": True, "read": 0}}
        answer = json.loads(self._ask("POST", f"/exam/sheets/{self.sheet_id}/events", body))
        if answer.get("refused") and answer["refused"][0]["code"] != "unknown":  # a written answer takes no letter
            raise OSError(answer["refused"][0]["sentence"])
        self.outcome.acknowledged[self.sheet_id] = max(self.outcome.acknowledged.get(self.sheet_id, 0), answer["acknowledged"])
        self.outcome.took("保存作答", due)

    def hand_in(self, due: float) -> None:
        answer = json.loads(self._ask("POST", f"/exam/sheets/{self.sheet_id}/hand-in", {"because": "candidate"}))
        if answer["state"] == "handed_in":
            self.outcome.handed_in.add(self.sheet_id)
        self.outcome.took("交卷", due)

    def leave(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> bytes:
        sent = {"Cookie": self.cookie, "X-Page-Token": self.token, "Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})}
        if method == "GET" and path.count("/") == 3:
            sent["Accept"] = "text/html"
        if self._connection is None:
            self._connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE)
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            self._connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = self._connection.getresponse()
            content = gzip.decompress(answer.read()) if answer.headers.get("Content-Encoding") == "gzip" else answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            raise
        for kept in answer.headers.get_all("Set-Cookie") or ():
            if kept.startswith("session="):  # the page's CSRF token lives in it
                self.cookie = kept.split(";")[0]
        if answer.status != 200:
            raise OSError(f"{method} {path} 得到 {answer.status}：{content[:200].decode(errors='replace')}")
        return content


def sit(address: str, sheets: Sequence[tuple[int, str]], *, seconds: float, every: float,
        progress: Callable[[int, str], None] = lambda done, told: None) -> Outcome:
    """All candidates start in the same instant, save every ``every`` seconds for ``seconds``, and hand in at the end."""
    outcome = Outcome()
    candidates = [Candidate(sheet_id, cookie, address, outcome) for sheet_id, cookie in sheets]
    progress(1, f"{len(candidates)} 名考生同时开始")
    together(candidates, "开始答题", lambda one, due: one.start(), [0.0] * len(candidates), outcome)
    live = [candidate for candidate in candidates if candidate.questions]
    rounds = max(1, round(seconds / every))
    for turn in range(rounds):
        progress(2, f"保存作答，第 {turn + 1} / {rounds} 轮")
        together(live, "保存作答", lambda one, due: one.save(due),
                 [every * place / max(1, len(live)) for place in range(len(live))], outcome)
    progress(3, "同时交卷")
    together(live, "交卷", lambda one, due: one.hand_in(due), [0.0] * len(live), outcome)
    for candidate in candidates:
        candidate.leave()
    return outcome


def together(candidates: Sequence[Candidate], act: str, do: Callable[[Candidate, float], None], offsets: Sequence[float],
             outcome: Outcome) -> None:
    """Everybody's act at its own offset from now, in threads; what fails is noted, never raised."""
    began = time.monotonic() + 0.05
    waiting = list(zip(candidates, offsets, strict=True))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                candidate, offset = waiting.pop(0)
            due = began + offset
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                do(candidate, due)
            except (OSError, ValueError, KeyError, http.client.HTTPException) as problem:
                outcome.failed(act, problem)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(MOST_THREADS, len(candidates)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _at(found: Sequence[float], share: float) -> float:
    ordered = sorted(found)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
