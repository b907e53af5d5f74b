"""A second machine's copy, promotion, and the fence that keeps the first one out. SQLite only: PostgreSQL has its own way."""

from __future__ import annotations

import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from itsdangerous import Signer

from qbank.kernel import fencing, standby
from qbank.kernel.commands import Installation
from qbank.kernel.fencing import Fence
from qbank.kernel.refused import Refused
from qbank.kernel.standby import BLOCK, Copy, Primary, promote
from qbank.kernel.standby_commands import group
from qbank.kernel.standby_feed import Feed, server

SECRET = b"s" * 32


class Room:
    """A primary's folder with a small database, and a standby's."""

    def __init__(self, folder: Path) -> None:
        self.first, self.second = folder / "first", folder / "second"
        self.first.mkdir()
        self.second.mkdir()
        self.database = sqlite3.connect(self.first / "examroom.sqlite3", isolation_level=None)
        self.database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE answers (number, answer)")
        (self.first / "secret.key").write_bytes(SECRET)
        (self.first / "media" / "ab").mkdir(parents=True)
        (self.first / "media" / "ab" / "picture").write_bytes(b"picture")
        (self.second / "standby.token").write_text(standby.token_of(self.first).hex())

    def answer(self, count: int) -> None:
        self.database.executemany("INSERT INTO answers VALUES (?, ?)", [(number, "A" * 200) for number in range(count)])

    @contextmanager
    def feed(self) -> Iterator[Primary]:
        feed = Feed(self.first)
        served: HTTPServer = server(feed, "127.0.0.1", 0)
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        try:
            yield Primary(f"http://127.0.0.1:{served.server_port}", standby.token_of(self.second))
        finally:
            served.shutdown()
            thread.join()
            served.server_close()
            feed.connection.close()

    def held(self) -> int:
        with closing(sqlite3.connect(self.second / "examroom.sqlite3")) as found:
            count: int = found.execute("SELECT count(*) FROM answers").fetchone()[0]
            return count


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.database.close()


def test_the_copy_follows_what_is_committed_and_only_changed_blocks_travel(room: Room) -> None:
    room.answer(3000)
    with room.feed() as primary, closing(Copy(room.second)) as copy:
        first = copy.follow(primary)
        assert first["whole"]
        assert len(first["blocks"]) == -(-first["size"] // BLOCK) > 20
        assert copy.follow(primary)["blocks"] == []
        room.answer(1)
        room.database.execute("BEGIN")
        room.answer(500)  # not committed: nobody may get it
        told = copy.follow(primary)
        assert not told["whole"]
        assert 1 <= len(told["blocks"]) <= 3
        room.database.execute("ROLLBACK")
    assert promote(room.second, None, force=False) == 1
    assert room.held() == 3001
    assert (room.second / "secret.key").read_bytes() == SECRET
    assert (room.second / "media" / "ab" / "picture").read_bytes() == b"picture"


def test_promotion_is_refused_while_the_primary_answers(room: Room) -> None:
    with room.feed() as primary:
        with closing(Copy(room.second)) as copy:
            copy.follow(primary)
        with pytest.raises(Refused, match="仍在工作"):
            promote(room.second, primary, force=False)
    assert not (room.second / "examroom.sqlite3").exists()


def test_a_forced_promotion_stops_the_primary_first_and_takes_its_last_answers_along(room: Room) -> None:
    with room.feed() as primary:
        with closing(Copy(room.second)) as copy:
            copy.follow(primary)
        room.answer(7)  # after the last copy
        assert promote(room.second, primary, force=True) == 1
    assert room.held() == 7
    assert _ask(room.first)[0].startswith("503")
    with pytest.raises(Refused, match="已经有数据库"):
        promote(room.second, None, force=True)


def test_a_copy_that_never_got_anything_is_not_promoted(room: Room) -> None:
    with pytest.raises(Refused, match="还没有"):
        promote(room.second, None, force=True)


def test_a_damaged_copy_is_not_promoted(room: Room) -> None:
    room.answer(3000)
    with room.feed() as primary, closing(Copy(room.second)) as copy:
        copy.follow(primary)
        copy.connection.execute("UPDATE blocks SET content = zeroblob(length(content)) WHERE number BETWEEN 3 AND 5")
    with pytest.raises(Refused, match="完整性检查"):
        promote(room.second, None, force=False)


def test_a_feed_that_starts_again_sends_a_whole_picture(room: Room) -> None:
    room.answer(10)
    for _ in range(2):
        with room.feed() as primary, closing(Copy(room.second)) as copy:
            assert copy.follow(primary)["whole"]


def test_an_old_primary_is_not_copied_over_a_newer_state(room: Room) -> None:
    with room.feed() as primary, closing(Copy(room.second)) as copy:
        copy.follow(primary)
        copy.connection.execute("UPDATE state SET value = '2' WHERE name = 'epoch'")
        with pytest.raises(Refused, match="旧主服务器"):
            copy.follow(primary)


def test_without_the_token_the_feed_tells_nothing(room: Room) -> None:
    with room.feed() as primary, closing(Copy(room.second)) as copy:
        with pytest.raises(Refused, match="口令"):
            copy.follow(Primary(primary.address, b"x" * 32))
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(primary.address + "/pull", b"{}")  # noqa: S310  # our own feed
        refused.value.close()


def test_what_travels_is_sealed_for_one_request() -> None:
    token = b"k" * 32
    content = standby.sealed(token, "1" * 32, {"a": 1}, [b"secret"])
    assert b"secret" not in content
    told, rest = standby.opened(token, "1" * 32, content)
    assert (told, bytes(rest)) == ({"a": 1}, b"secret")
    for wrong_token, nonce in ((b"j" * 32, "1" * 32), (token, "2" * 32)):
        with pytest.raises(Refused, match="不一致"):
            standby.opened(wrong_token, nonce, content)


def test_a_file_name_that_leads_out_of_the_folder_is_refused(room: Room) -> None:
    with closing(Copy(room.second)) as copy, pytest.raises(Refused, match="文件名"):
        copy._keep("../outside", b"x")


def _ask(folder: Path, cookie: str = "") -> tuple[str, list[tuple[str, str]]]:
    """One request through the fence of the server in ``folder``."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def app(environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [])  # type: ignore[operator]  # as the server calls it
        return [b"taken"]

    Fence(app, folder, SECRET, {}, secure=False)({"HTTP_COOKIE": cookie}, lambda status, headers: told.append((status, headers)))
    return told[0]


def _cookie(headers: list[tuple[str, str]]) -> str:
    return dict(headers)["Set-Cookie"].split(";")[0]


def test_an_installation_that_never_took_over_sets_no_cookie(room: Room) -> None:
    assert _ask(room.first) == ("200 OK", [])


def test_who_has_met_the_successor_shuts_the_old_server_for_everybody_and_for_good(room: Room) -> None:
    fencing.keep_epoch(room.second, 1)
    status, headers = _ask(room.second)
    assert status == "200 OK"
    met = _cookie(headers)
    assert _ask(room.second, met) == ("200 OK", [])
    assert _ask(room.first)[0] == "200 OK"
    assert _ask(room.first, f"session=abc; {met}")[0].startswith("503")
    assert _ask(room.first)[0].startswith("503")  # the next one too, and after a new start


def test_a_forged_cookie_shuts_nothing(room: Room) -> None:
    forged = Signer(b"x" * 32, salt="epoch").sign("9").decode()
    for cookie in (f"examroom_epoch={forged}", "examroom_epoch=9.", "examroom_epoch=99999", "examroom_epoch="):
        assert _ask(room.first, cookie)[0] == "200 OK"


def test_a_step_down_that_is_repeated_later_does_not_shut_a_newer_server(room: Room) -> None:
    fencing.keep_epoch(room.first, 3)
    with room.feed() as primary:
        primary.ask("/step-down", epoch=3)
    assert _ask(room.first)[0] == "200 OK"


def test_the_commands_say_what_is_missing(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (room.second / "standby.token").unlink()
    run = CliRunner()
    said = run.invoke(group, ["standby", "http://127.0.0.1:9", "--dir", str(room.second)], obj=Installation(None))
    assert "standby.token" in said.output
    said = run.invoke(group, ["standby", "http://127.0.0.1:9", "--dir", str(room.first)], obj=Installation(None))
    assert "database of its own" in said.output
    monkeypatch.setenv("EXAMROOM_DATABASE_URL", "postgresql://nobody@/nothing")
    said = run.invoke(group, ["feed", "--dir", str(tmp_path / "third")], obj=Installation(None))
    assert "streaming replication" in said.output


def test_the_commands_copy_and_take_over(room: Room) -> None:
    room.answer(5)
    run = CliRunner()
    with room.feed() as primary:
        said = run.invoke(group, ["standby", primary.address, "--dir", str(room.second), "--once"], obj=Installation(None))
        assert "copied" in said.output
        said = run.invoke(group, ["promote", "--dir", str(room.second)], obj=Installation(None))
        assert isinstance(said.exception, Refused)
    said = run.invoke(group, ["promote", "--dir", str(room.second)], obj=Installation(None))
    assert "epoch 1" in said.output
    assert room.held() == 5


def test_finished_backups_are_not_shipped(tmp_path: Path) -> None:
    for name in ("backups/examroom-20260601T010000Z.backup", "taking-x/database.dump", "media/ab", "papers.key", standby.TOKEN):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [name for name, _ in standby.shipped(tmp_path)] == ["media/ab", "papers.key"]
