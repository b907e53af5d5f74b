"""Our own package: what goes in comes out, and nothing that was changed on the way."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings

from qbank.exchange.drafts import Drafts, Found
from qbank.exchange.package import ITEMS, MANIFEST, read, write
from qbank.kernel.refused import Refused
from tests.qbank.bank_world import ohm
from tests.qbank.drafts_world import PICTURES, bundles

HASH = next(iter(PICTURES))
SHOWN = ohm(stem=f"看图：![图](media:{HASH})", stimulus="某车间")
TWO = Drafts((Found(ohm(), "第 1 题", 1, ("缺少图片。",), "安全用电"), Found(SHOWN, "第 2 题", 2)), "package", dict(PICTURES))


def package(items: Drafts = TWO) -> bytes:
    stream = io.BytesIO()
    write(items, stream)
    return stream.getvalue()


def changed(change: Callable[[dict[str, bytes]], Any], content: bytes | None = None) -> bytes:
    """A package whose entries ``change`` has changed behind the manifest's back."""
    with zipfile.ZipFile(io.BytesIO(content or package())) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return stream.getvalue()


def with_manifest(**values: Any) -> bytes:
    return changed(lambda entries: entries.update({MANIFEST: json.dumps(json.loads(entries[MANIFEST]) | values).encode()}))


def refusal(content: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        read(content, "题库.examroom.zip")
    return caught.value


@given(bundles())
@settings(max_examples=60, deadline=None)
def test_everything_comes_back_as_it_was(items: Drafts) -> None:
    assume(items.items)
    content = package(items)
    again = read(content, "题库.examroom.zip")
    assert again.items == items.items
    assert again.pictures == items.pictures
    assert again.notes == ()
    assert package(again) == content


def test_problems_and_words_about_the_point_come_back_too() -> None:
    assert read(package(), "题库.examroom.zip").items == TWO.items


def test_a_picture_that_is_not_there_is_named() -> None:
    report = write(Drafts((Found(SHOWN, "第 1 题"),), "package"), io.BytesIO())
    assert [(loss.place, loss.field) for loss in report.losses] == [("第 1 题", "题干")]
    assert "没有写出" in report.losses[0].sentence


def test_a_later_version_is_refused_by_name() -> None:
    found = refusal(with_manifest(version=2))
    assert found.code == "newer_version"
    assert "第 2 版" in found.sentence


@pytest.mark.parametrize("change", [
    lambda entries: entries.update({ITEMS: entries[ITEMS].replace("欧姆".encode(), "伏特".encode())}),
    lambda entries: entries.update({f"media/{HASH}.png": b"other"}),
    lambda entries: entries.pop(f"media/{HASH}.png"),
    lambda entries: entries.pop(ITEMS),
    lambda entries: entries.update({"media/more.png": b"more"}),
])
def test_whatever_was_changed_after_packing_is_refused(change: Callable[[dict[str, bytes]], Any]) -> None:
    assert refusal(changed(change)).code == "tampered"


@pytest.mark.parametrize("values", [{"version": "1"}, {"version": 0}, {"version": None}, {"files": []}, {"items": "2"}])
def test_a_manifest_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    assert refusal(with_manifest(**values)).code == "unreadable"


def test_other_archives_are_told_apart() -> None:
    assert refusal(changed(lambda entries: entries.pop(MANIFEST))).code == "wrong_file_type"
    assert refusal(b"text").code == "wrong_file_type"
    assert refusal(with_manifest(format="other")).code == "wrong_file_type"


def test_a_hand_made_record_is_read_as_far_as_it_goes() -> None:
    import hashlib

    lines = b'{"kind":"judge","stem":"a\\u0000b\\ud800","options":"x","difficulty":true,"new":1}\n[1]\nnot json\n'

    def change(entries: dict[str, bytes]) -> None:
        entries.clear()
        entries[ITEMS] = lines
        entries[MANIFEST] = json.dumps({"format": "examroom.items", "version": 1, "items": 3,
                                        "files": {ITEMS: hashlib.sha256(lines).hexdigest()}}).encode()

    again = read(changed(change), "题库.examroom.zip")
    first, second, third = again.items
    assert first.draft.stem == "ab"
    assert first.problems == ("字段“options”的内容不对，没有读取。", "字段“difficulty”的内容不对，没有读取。")
    assert "第 2 行不是一道题的记录" in second.problems[0]
    assert "第 3 行不是一道题的记录" in third.problems[0]
    assert again.notes == ("第 1 题的字段“new”不认识，没有读取。",)
