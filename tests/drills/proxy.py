"""A small TCP proxy that does to connections what networks do: delay, cut, swallow, stall; and that can be pointed elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field


@dataclass
class Trouble:
    """What happens to a connection; each is a probability but the delay."""

    delay: float = 0.0  # seconds at most, drawn anew for each piece: connections overtake one another
    cut_request: float = 0.0  # the connection breaks in the middle of a request
    cut_answer: float = 0.0  # ... in the middle of an answer: the server has done it, the candidate does not know
    swallow: float = 0.0  # the answer never comes, the connection stays open (half-open)
    refuse: float = 0.0  # no connection at all


@dataclass
class Proxy:
    """Listens on ``port`` once ``open`` has returned; ``target`` may be changed at any time."""

    target: int
    trouble: Trouble = field(default_factory=Trouble)
    port: int = 0
    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("cut_request", "cut_answer", "swallow", "refuse"), 0))

    def __post_init__(self) -> None:
        self.chance = random.Random(7)
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _happens(self, what: str) -> bool:
        hit = bool(self.chance.random() < getattr(self.trouble, what))
        self.done[what] += hit
        return hit

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        behind = None
        try:
            if not self._happens("refuse"):
                there, behind = await asyncio.open_connection("127.0.0.1", self.target)
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._carry(reader, behind, "cut_request"))
                    both.create_task(self._carry(there, writer, "cut_answer"))
        except* (OSError, ConnectionAbortedError, asyncio.CancelledError):
            pass
        finally:
            for one in filter(None, (writer, behind)):
                with contextlib.suppress(Exception):
                    one.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, cut: str) -> None:
        while piece := await source.read(65536):
            await asyncio.sleep(self.chance.random() * self.trouble.delay)
            if self._happens(cut):
                target.write(piece[:self.chance.randrange(len(piece))])
                await target.drain()
                await asyncio.sleep(0)
                raise ConnectionAbortedError
            if cut == "cut_answer" and self._happens("swallow"):
                await asyncio.sleep(3600)
            target.write(piece)
            await target.drain()
        raise ConnectionAbortedError
