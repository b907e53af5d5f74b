"""Every reader against hostile and broken files: what comes out is drafts with problems, or Refused, and soon.

Whatever format the registry names is tried here; a new one needs nothing but a valid example.
"""

from __future__ import annotations

import io
import json
import random
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qbank.exchange.drafts import Drafts, Found
from qbank.exchange.pictures import clean_pictures
from qbank.exchange.readers import FORMATS, read_content
from qbank.exchange.writers import write
from qbank.items.draft import LONGEST_WRITTEN, Draft, problems
from qbank.items.markup import to_html
from qbank.kernel.refused import Refused
from tests.qbank.bank_world import ohm
from tests.qbank.drafts_world import PICTURES

READABLE = [name for name, one in FORMATS.items() if one.readable]
HASH = next(iter(PICTURES))
ITEMS = Drafts(tuple(Found(draft, f"第 {number} 题", number) for number, draft in enumerate((
    ohm(stem=f"看图 $R=\\frac{{U}}{{I}}$：![图](media:{HASH})", stimulus="某车间。"), ohm(kind="multiple", key="ACD"),
    ohm(kind="judge", options=(), key="T", stem="电阻的单位是欧姆。"),
    Draft("fill", "电压 ____", (), "=220±5", "", "", 3, "A-A", "001"),
    Draft("essay", "论述 **断电**", (), "先断电。", "", "", 3, "A-A", "001", "2|断电\n1|验电")), start=1)), "test", PICTURES)
TYPED = {
    "text": "一、单选题\n1. 电阻的单位是（ C ）。\nA. 伏特 B. 安培 C. 欧姆 D. 瓦特\n答案：C\n二、判断题\n2. 欧姆定律成立。（√）\n",
    "aiken": "电阻的单位？\nA) 伏特\nB) 欧姆\nANSWER: B\n\n第二题\nA) 甲\nB) 乙\nANSWER: A\n"}
LAUGHS = ('<!DOCTYPE quiz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
          '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;">]>')
OUTSIDE = '<!DOCTYPE quiz [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
ENTITIES = (("laughs", LAUGHS.encode(), b"&e;"), ("outside", OUTSIDE.encode(), b"&a;"))


@cache
def seed(name: str) -> bytes:
    """A valid file of a format."""
    if name in TYPED:
        return TYPED[name].encode()
    stream = io.BytesIO()
    write(ITEMS, stream, name)
    return stream.getvalue()


def outcome(content: bytes, name: str | None) -> Drafts | Refused:
    """What a reader makes of ``content``: only these two are allowed, and only texts that every database takes."""
    try:
        read = read_content(content, "题库", name)
    except Refused as refusal:
        return refusal
    for found in read.items:
        for text in (*vars(found.draft).values(), *found.draft.options, found.place, found.knowledge, *found.problems):
            if isinstance(text, str):
                assert "\x00" not in text
                text.encode()
        problems(found.draft)
        to_html(found.draft.stem[:LONGEST_WRITTEN], str)
    for note in read.notes:
        note.encode()
    return read


def repacked(content: bytes, change: Callable[[str, bytes], bytes], more: dict[str, bytes] | None = None) -> bytes:
    """The archive with every entry as ``change`` leaves it, and with ``more`` entries."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name in archive.namelist():
            made.writestr(name, change(name, archive.read(name)))
        for name, text in (more or {}).items():
            made.writestr(name, text)
    return stream.getvalue()


def is_zip(name: str) -> bool:
    return seed(name)[:2] == b"PK"


def broken(content: bytes, choice: random.Random) -> bytes:
    """``content`` with a few bytes turned, cut out, doubled or put in."""
    made = bytearray(content)
    for _ in range(choice.randint(1, 8)):
        place, length = choice.randrange(len(made) + 1), choice.choice((1, 1, 2, 8, 60))
        kind = choice.randrange(5)
        if kind == 0 and made:
            made[place % len(made)] = choice.randrange(256)
        elif kind == 1:
            del made[place:place + length]
        elif kind == 2:
            made[place:place] = made[place:place + length]
        elif kind == 3:
            made[place:place] = choice.choice((b"<", b">", b"&", b"{", b"}", b"\x00", b"\xff\xfe", b'"', b"]]>", b"\n\n", b"$", b"\\", b"|",
                                               b"9" * 400, "）".encode()))
        else:
            del made[place:]
    return bytes(made)


def test_every_example_is_read_at_all() -> None:
    """Else the rest of this file would prove nothing."""
    for name in READABLE:
        read = outcome(seed(name), name)
        assert isinstance(read, Drafts), (name, read)
        assert read.items, name


@pytest.mark.parametrize("name", [*READABLE, None])
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise(name: str | None, content: bytes) -> None:
    outcome(content, name)


@pytest.mark.parametrize("name", READABLE)
@given(number=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_broken_copies_of_valid_files(name: str, number: int) -> None:
    choice = random.Random(number)
    outcome(broken(seed(name), choice), name)
    if is_zip(name):  # inside too: outside, the checksums catch nearly everything
        with zipfile.ZipFile(io.BytesIO(seed(name))) as archive:
            victim = choice.choice(archive.namelist())
        outcome(repacked(seed(name), lambda entry, text: broken(text, choice) if entry == victim else text), name)


@pytest.mark.parametrize("name", READABLE)
def test_files_that_were_not_sent_whole(name: str) -> None:
    content = seed(name)
    for length in {0, 1, 4, 30, len(content) // 3, len(content) // 2, len(content) - 1}:
        outcome(content[:length], name)


@pytest.mark.parametrize("name", READABLE)
def test_one_format_taken_for_another(name: str) -> None:
    for other in READABLE:
        outcome(seed(other), name)


MANY = 1_500
OPENINGS = ("\\[", "\\(", "$$", "$x ", "**", "![", "|", "&lt;li&gt;", "&lt;table&gt;", "（", "____", "A. ")


def hostile(name: str) -> Iterator[tuple[str, bytes]]:
    """What it is, and the file."""
    content, bomb = seed(name), bytes(12_000_000)
    if not is_zip(name):
        yield "many lines", content * 60
        yield "deep", b"<quiz>" * 50_000 + b"{" * 50_000 + b"(" * 50_000
        for opening in OPENINGS:  # what looks again and again for an end takes the square of the length
            yield f"many {opening}", content.replace("欧姆".encode(), opening.encode() * MANY)
        yield "one long line", b"1. " + b"$x" * 60_000 + b"{~=#|" * 5_000
        if content.startswith(b"<"):
            for what, head, entity in ENTITIES:
                yield what, head + content.split(b"?>", 1)[-1].replace("欧姆".encode(), entity)
        return

    def in_xml(change: Callable[[bytes], bytes]) -> bytes:
        return repacked(content, lambda entry, text: change(text) if entry.endswith((".xml", ".json", ".jsonl")) else text)

    def with_more(**more: bytes) -> bytes:
        return repacked(content, lambda entry, text: text, {path.replace("__", "."): text for path, text in more.items()})

    for opening in OPENINGS:
        yield f"many {opening}", in_xml(lambda text, opening=opening: text.replace(  # type: ignore[misc]
            "欧姆".encode(), opening.encode() * MANY))
    yield "bomb", with_more(bomb__xml=bomb)
    yield "bomb in place", in_xml(lambda text: bomb)
    yield "leads outside", with_more(**{"../../etc/cron__d/x": b"x"})
    yield "nested", with_more(inner__zip=repacked(seed("package"), lambda entry, text: text, {"bomb": bomb}))
    yield "macros", with_more(**{"word/vbaProject__bin": b"x", "xl/vbaProject__bin": b"x"})
    yield "deep", in_xml(lambda text: b"<a>" * 100_000 if text.lstrip().startswith(b"<") else b"[" * 100_000)
    for what, head, entity in ENTITIES:
        yield what, in_xml(lambda text, head=head, entity=entity: (  # type: ignore[misc]
            head + text.split(b"?>", 1)[-1].replace("欧姆".encode(), entity)))


@pytest.mark.parametrize("name", READABLE)
def test_hostile_files_end_soon_and_small(name: str) -> None:
    for what, content in hostile(name):
        traced = what in {"bomb", "bomb in place", "laughs", "outside", "deep"}  # tracing makes everything else many times slower
        if traced:
            tracemalloc.start()
        started = time.perf_counter()
        read = outcome(content, name)
        assert time.perf_counter() - started < 10, what
        if traced:
            assert tracemalloc.get_traced_memory()[1] < 150_000_000, what
            tracemalloc.stop()
        if what in {"bomb", "bomb in place", "leads outside", "outside", "laughs"}:
            assert isinstance(read, Refused) or all("root:" not in repr(found) and "haha" not in repr(found) for found in read.items), what
        if what in {"bomb", "leads outside"} and name != "excel":  # of a workbook only the parts that it lists are opened
            assert isinstance(read, Refused), what


@pytest.mark.parametrize("opening", ["\\[", "\\(", "$$", "<li>", "<img src=a>", "~%50%a "])
@pytest.mark.parametrize("name", ["moodle", "gift", "aiken"])
def test_very_many_openings_without_an_end(name: str, opening: str) -> None:
    """Each of these once took minutes."""
    text = opening * 20_000 if name != "moodle" else opening.replace("<", "&lt;") * 20_000
    started = time.perf_counter()
    outcome(seed(name).replace("欧姆".encode(), text.encode(), 1), name)
    assert time.perf_counter() - started < 10


def picture(width: int, height: int) -> bytes:
    """A PNG that says how large it is and is not."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
            + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND")))


@pytest.mark.parametrize("name", [name for name in READABLE if name in {"moodle", "qti21", "qti22", "qti30", "package", "word"}])
@pytest.mark.parametrize("content", [picture(60_000, 60_000), b"\x89PNG\r\n\x1a\n" + bytes(50), b"<svg onload='alert(1)'/>", b"MZ" + bytes(100),
                                     b"<svg" + b"<g>" * 50_000])
def test_pictures_that_are_none_are_a_problem_of_their_item(name: str, content: bytes) -> None:
    import hashlib

    sha = hashlib.sha256(content).hexdigest()
    stream = io.BytesIO()
    write(Drafts((Found(ohm(stem=f"看图：![图](media:{sha})"), "第 1 题", 1),), "test", {sha: content}), stream, name)
    read = outcome(stream.getvalue(), name)
    if isinstance(read, Drafts):
        kept, items = clean_pictures(read)
        assert not any(b"onload" in one or one.startswith(b"MZ") for one in kept)
        assert kept or all(found.problems or "media:" not in found.draft.stem for found in items)


def test_a_package_that_lies_about_itself() -> None:
    for manifest in ({}, {"format": "examroom.items", "version": 10**400}, {"format": "examroom.items", "version": 1, "items": 5,
                     "files": {"../../x": "0"}}, {"format": "examroom.items", "version": 1, "items": 5, "files": {"items.jsonl": None}}):
        changed = repacked(seed("package"), lambda entry, text, manifest=manifest: (  # type: ignore[misc]
            json.dumps(manifest).encode() if entry == "manifest.json" else text))
        assert isinstance(outcome(changed, "package"), Refused)


WRITABLE = [name for name, one in FORMATS.items() if one.writable]
ANYTHING = st.text(max_size=30) | st.sampled_from(["", "$x", "$$", "**", "| a |\n|---|\n| b |", "a\x00b\ufffe\x0b", "____", "=1|", "]]>", "{", "\\("])


@pytest.mark.parametrize("name", WRITABLE)
@given(drafts=st.lists(st.builds(
    Draft, st.sampled_from(["single", "multiple", "judge", "fill", "short", "essay", "", "other"]), ANYTHING,
    st.lists(ANYTHING, max_size=12).map(tuple), ANYTHING | st.sampled_from(["A", "AC", "T"]), ANYTHING, ANYTHING, st.integers(-1, 9), ANYTHING,
    ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING), max_size=3))
@settings(max_examples=15, deadline=None)
def test_writers_say_what_they_cannot_write_whatever_they_are_given(name: str, drafts: list[Draft]) -> None:
    stream = io.BytesIO()
    report = write(Drafts(tuple(Found(draft, f"第 {number} 题", number) for number, draft in enumerate(drafts, start=1)), "test"), stream, name)
    assert report.written + sum(loss.field == "整题" for loss in report.losses) == len(drafts)
    outcome(stream.getvalue(), name)


@pytest.mark.parametrize("name", WRITABLE)
def test_whatever_was_read_can_be_written(name: str) -> None:
    for other in READABLE:
        read = outcome(seed(other), other)
        assert isinstance(read, Drafts)
        stream = io.BytesIO()
        report = write(read, stream, name)
        lost = [loss for loss in report.losses if loss.field == "整题"]
        assert report.written + len(lost) == len(read.items), (other, name)
        if not lost:
            again = outcome(stream.getvalue(), name)
            assert isinstance(again, Drafts)
            assert len(again.items) == len(read.items), (other, name)
