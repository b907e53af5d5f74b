"""A load client that costs little: one thread, non-blocking sockets, requests as bytes, kept connections.

Each lane plays one browser: it says what to send next from what came back, until it says nothing more.
"""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from time import perf_counter

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Reply:
    """One complete answer."""

    status: int
    body: bytes
    seconds: float  # since the request was sent, or was due to be sent
    head: bytes = b""


@dataclass
class Measured:
    """What a run took."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    bytes_in: int = 0

    def at(self, share: float) -> float:
        """The latency that this share of the answers did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0


Play = Generator[tuple[float, bytes], Reply, None]  # yields (not before, request); gets a Reply for each by send()


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: exam.test", f"Content-Length: {len(body)}",
             *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


class _Lane:
    __slots__ = ("began", "buffer", "due", "need", "pending", "play", "socket")

    def __init__(self, address: tuple[str, int], play: Play) -> None:
        self.play, self.buffer, self.need, self.began = play, bytearray(), -1, 0.0
        self.due, self.pending = next(play)
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)


def drive(address: tuple[str, int] | Sequence[tuple[str, int]], plays: Iterable[Play]) -> Measured:
    """Play all lanes to their end, spread over the addresses when there are several. Latency counts from when a request was
    due, however late it could be sent."""
    spread = cycle([address] if isinstance(address, tuple) else address)
    measured, selector, lanes = Measured(), selectors.DefaultSelector(), [_Lane(next(spread), play) for play in plays]
    began = perf_counter()
    waiting = sorted(lanes, key=lambda lane: lane.due, reverse=True)
    for lane in lanes:
        selector.register(lane.socket, selectors.EVENT_READ, lane)
    alive = len(lanes)
    while alive:
        now = perf_counter()
        while waiting and began + waiting[-1].due <= now:
            _send(waiting.pop(), began, now)
        patience = max(0.0, began + waiting[-1].due - perf_counter()) if waiting else 5.0
        ready = selector.select(patience)
        if not ready and not waiting:
            raise TimeoutError(f"{alive} browsers got no answer for 5 s")
        for key, _ in ready:
            lane = key.data
            reply = _receive(lane, measured)
            if reply is None:
                continue
            try:
                lane.due, lane.pending = lane.play.send(reply)
            except StopIteration:
                selector.unregister(lane.socket)
                lane.socket.close()
                alive -= 1
                continue
            if began + lane.due <= perf_counter():
                _send(lane, began, perf_counter())
            else:
                waiting.append(lane)
                waiting.sort(key=lambda one: one.due, reverse=True)
    measured.seconds = perf_counter() - began
    return measured


def _send(lane: _Lane, began: float, now: float) -> None:
    lane.began = began + lane.due if lane.due > 0 else now
    lane.socket.setblocking(True)
    lane.socket.sendall(lane.pending)
    lane.socket.setblocking(False)


def _receive(lane: _Lane, measured: Measured) -> Reply | None:
    chunk = lane.socket.recv(262_144)
    if not chunk:
        raise ConnectionError("the server closed a connection")
    lane.buffer += chunk
    measured.bytes_in += len(chunk)
    if lane.need < 0:
        end = lane.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(lane.buffer[:end]).lower()
        place = head.find(b"content-length:")
        if place < 0:
            raise ValueError(head.decode("latin-1"))
        lane.need = end + 4 + int(head[place + 15:].split(b"\r\n", 1)[0])
    if len(lane.buffer) < lane.need:
        return None
    raw = bytes(lane.buffer[:lane.need])
    del lane.buffer[:lane.need]
    lane.need = -1
    seconds, status = perf_counter() - lane.began, int(raw[9:12])
    measured.latencies.append(seconds)
    measured.statuses[status] = measured.statuses.get(status, 0) + 1
    head, _, body = raw.partition(b"\r\n\r\n")
    return Reply(status, body, seconds, head)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and of everything it started that still lives."""
    family, total = {pid}, 0.0
    stats = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            stats[int(entry.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS)
    grown = True
    while grown:
        more = {key for key, (parent, _) in stats.items() if parent in family} - family
        family |= more
        grown = bool(more)
    for key in family & stats.keys():
        total += stats[key][1]
    return total
