"""A pack proves itself on another machine: whatever was changed in it is named, and a pack made anew is not believed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy.orm import Session

from qbank.kernel import linking
from qbank.kernel.commands import Installation
from scoring.archive import desk, signature, verifier
from scoring.archive.commands import group
from scoring.archive.packing import readable_json
from scoring.archive.verifier import MANIFEST, SIGNATURE, SUMS, examine, listed_of, sums
from scoring.certificates.credential import keys
from scoring.certificates.signing import Seal
from tests.conftest import MONDAY
from tests.scoring.archive_world import ArchiveWorld

Files = dict[str, bytes]
EVENTS, TRAIL, ROOM = "rows/answer_events.jsonl", "audit.jsonl", "rows/room_closings.jsonl"


@dataclass(frozen=True)
class Kept:
    """One pack for all tests of this module, and what is known of it outside: the key's name, a printed head."""

    content: bytes
    key: str
    head: str
    keys_json: bytes

    def files(self) -> Files:
        with ZipFile(BytesIO(self.content)) as pack:
            return {name: pack.read(name) for name in pack.namelist()}


ONCE: list[Kept] = []


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Kept:
    if not ONCE:
        session: Session = request.getfixturevalue("session")
        world = ArchiveWorld(session, request.getfixturevalue("people"))
        made = desk.pack(session, world.plan, world.officer, now=MONDAY)
        session.commit()
        with desk.opened(session, made) as stream:
            content = stream.read()
        own = Seal.of(request.getfixturevalue("settings").folder, now=MONDAY)
        ONCE.append(Kept(content, made.signed_by, world.closing.audit_head, json.dumps(keys(own)).encode()))
    return ONCE[0]


def written(files: Mapping[str, bytes]) -> BytesIO:
    stream = BytesIO()
    with ZipFile(stream, "w") as pack:
        for name, content in files.items():
            pack.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    stream.seek(0)
    return stream


def relisted(files: Files) -> Files:
    """The manifest and the sums made to fit the files, as a careful forger does; the signature he cannot make."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = [{"name": name, "sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": len(files[name])}
                         for name in files if name not in (MANIFEST, SIGNATURE, SUMS)]
    return files | {MANIFEST: readable_json(manifest), SUMS: sums(listed_of(manifest))}


def kinds(files: Mapping[str, bytes], **asked: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in examine(written(files), **asked).findings:
        found.setdefault(one.kind, []).append(one.name)
    return found


def replaced(content: bytes, old: str, new: str) -> bytes:
    assert old.encode() in content
    return content.replace(old.encode(), new.encode(), 1)


def test_an_untouched_pack_holds_and_everything_is_recomputed(kept: Kept) -> None:
    report = examine(BytesIO(kept.content), keys=[kept.key], heads=[kept.head])
    assert report.findings == []
    assert report.notes == []
    assert (report.key, report.sheets, report.events) == (kept.key, 3, 2)
    assert report.entries > 50
    assert report.files > 100
    assert "请与卷皮" in examine(BytesIO(kept.content)).notes[0]  # without the key's name a person has to compare it


def test_a_changed_a_missing_and_an_added_file_are_named(kept: Kept) -> None:
    files = kept.files()
    changed = files | {"rows/results.jsonl": replaced(files["rows/results.jsonl"], '"theory":119', '"theory":120')}
    assert kinds(changed) == {"changed": ["rows/results.jsonl"]}
    missing = {name: content for name, content in files.items() if name != "people.jsonl"}
    assert kinds(missing) == {"missing": ["people.jsonl"]}
    assert kinds(files | {"rows/second_results.jsonl": b""}) == {"extra": ["rows/second_results.jsonl"]}
    assert kinds({name: content for name, content in files.items() if name != MANIFEST}) == {"missing": [MANIFEST]}


def test_files_in_another_order_or_twice_are_noticed(kept: Kept) -> None:
    files = kept.files()
    names = list(files)
    names[1], names[2] = names[2], names[1]
    assert kinds({name: files[name] for name in names}) == {"order": [MANIFEST]}
    stream = BytesIO()
    with ZipFile(stream, "w") as pack:
        for name, content in files.items():
            pack.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            pack.writestr("people.jsonl", b"")
    assert any((one.kind, one.name) == ("extra", "people.jsonl") for one in examine(stream).findings)


def test_an_edited_manifest_breaks_its_signature(kept: Kept) -> None:
    files = kept.files()
    later = files | {MANIFEST: replaced(files[MANIFEST], '"packed_by": "周敏"', '"packed_by": "某人"')}
    assert kinds(later) == {"signature": [MANIFEST]}
    forged = files | {"rows/results.jsonl": replaced(files["rows/results.jsonl"], '"theory":119', '"theory":120')}
    assert kinds(relisted(forged)) == {"signature": [MANIFEST]}
    unsigned = {name: content for name, content in relisted(forged).items() if name != SIGNATURE}
    assert kinds(unsigned) == {"signature": [SIGNATURE]}


def test_a_pack_made_anew_with_another_key_is_not_the_schools(kept: Kept, tmp_path: Path) -> None:
    """Whoever signs with a key of his own gets a manifest that fits; the thumbprint on the cover does not."""
    files = kept.files()
    forged = relisted(files | {"rows/results.jsonl": replaced(files["rows/results.jsonl"], '"theory":119', '"theory":120')})

    class Foreign:
        key = rsa.generate_private_key(65537, 2048)

    signed = signature.sign(forged[MANIFEST], Foreign())  # type: ignore[arg-type]  # only its key is asked for
    told = base64.urlsafe_b64encode(signed["signature"]).rstrip(b"=").decode()
    forged[SIGNATURE] = readable_json({"algorithm": "RS256", "key": signed["key"], "signature": told})
    assert kinds(forged, keys=[kept.key]) == {"signature": [SIGNATURE]}
    report = examine(written(forged))
    assert report.findings == []
    assert kept.key not in report.notes[0]  # without the school's key a person sees that it is another one
    (tmp_path / "keys.json").write_bytes(kept.keys_json)
    (tmp_path / "forged.zip").write_bytes(written(forged).getvalue())
    caught = CliRunner().invoke(group, ["verify", str(tmp_path / "forged.zip"), "--key", str(tmp_path / "keys.json")])
    assert (caught.exit_code, "另一把密钥" in caught.output) == (1, True)


@pytest.mark.parametrize("forge", [
    lambda lines: [lines[0].replace(b'"answer":"B"', b'"answer":"A"'), lines[1]],
    lambda lines: [lines[1], lines[0]],
    lambda lines: lines[1:],
    lambda lines: lines[:1],
    lambda lines: [*lines, lines[-1].replace(b'"sequence":2', b'"sequence":3')],
], ids=["changed", "reordered", "first removed", "cut off", "added"])
def test_a_log_of_answers_that_was_rewritten_is_found_even_when_the_manifest_fits(kept: Kept, forge: Callable[[list[bytes]], list[bytes]]) -> None:
    files = kept.files()
    files[EVENTS] = b"".join(forge(files[EVENTS].splitlines(keepends=True)))
    found = kinds(relisted(files))
    assert found.pop("signature") == [MANIFEST]
    assert set(found) == {"chain"}


def trail(files: Files) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[TRAIL].splitlines()]


def put(files: Files, entries: list[dict[str, Any]]) -> Files:
    return files | {TRAIL: b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in entries)}


def test_an_entry_of_the_trail_that_was_changed_removed_or_moved_is_named(kept: Kept) -> None:
    files = kept.files()
    entries = trail(files)
    place = next(at for at, one in enumerate(entries) if one.get("table_name") == "result_decisions")
    assert kinds(relisted(put(files, entries)))["signature"] == [MANIFEST]  # written by this test, and still whole
    assert "audit" not in kinds(relisted(put(files, entries)))
    changed = [*entries[:place], entries[place] | {"actor_name": "某人"}, *entries[place + 1:]]
    assert kinds(relisted(put(files, changed)))["audit"] == [f"审计留痕第 {entries[place]['id']} 条"]
    assert kinds(relisted(put(files, [*entries[:place], *entries[place + 1:]])))["audit"]
    assert kinds(relisted(put(files, [*entries[:place], entries[place + 1], entries[place], *entries[place + 2:]])))["audit"]
    assert kinds(relisted(put(files, entries[:-1])))["audit"] == [TRAIL]


def test_a_trail_rewritten_from_its_beginning_does_not_know_the_head_on_the_signed_minutes(kept: Kept) -> None:
    """Every link recomputed by the formula, the head in the manifest too: only what was printed and signed still stands."""
    files = kept.files()
    entries, before = trail(files), json.loads(files[MANIFEST])["audit_start"]
    entries[0] = entries[0] | {"actor_name": "某人"}
    for one in entries:
        before = linking.link(before, one["folded"] if "folded" in one else linking.folded(one))
        if "digest" in one:
            one["digest"] = before
    manifest = json.loads(files[MANIFEST]) | {"audit_head": before}
    forged = relisted(put(files | {MANIFEST: readable_json(manifest)}, entries))
    found = kinds(forged)
    assert found.pop("signature") == [MANIFEST]
    [forms] = found["audit"]  # the room and the nine practical sheets were signed under the same head
    assert forms.startswith("考场情况记录单 1、评分记录表 1、")
    assert forms.endswith("等 10 份")
    closing = json.loads(forged[ROOM])
    forged[ROOM] = json.dumps(closing | {"audit_head": before}).encode() + b"\n"  # the row changed as well: the paper cannot be
    assert any(name.startswith("签字记录单上的审计链") for name in kinds(relisted(forged), heads=[kept.head])["audit"])


def test_a_paper_that_is_not_what_was_sealed_is_named(kept: Kept) -> None:
    files = kept.files()
    name = next(name for name in files if name.startswith("papers/"))
    files[name] = replaced(files[name], "送电", "断电")
    assert kinds(relisted(files))["paper"] == [name]


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x03\x04 cut off"])
def test_what_is_no_pack_is_said_not_to_be_readable(content: bytes) -> None:
    report = examine(BytesIO(content))
    assert [one.kind for one in report.findings] == ["unreadable"]
    assert verifier.told(report)[-1] == "核验没有通过。"


@pytest.mark.parametrize("manifest", [b"[]", b"{}", b'{"files": 3, "format": 2}', b'{"files": [{}], "format": 2}', b"\xff"])
def test_a_manifest_of_nonsense_is_a_finding_not_a_crash(kept: Kept, manifest: bytes) -> None:
    assert kinds(kept.files() | {MANIFEST: manifest})["changed"] == [MANIFEST]


def test_lines_of_nonsense_are_findings_not_crashes(kept: Kept) -> None:
    for name in (EVENTS, TRAIL, "rows/sheets.jsonl", "rows/papers.jsonl", ROOM):
        for content in (b"{", b"[]\n", b'{"id": 1}\n', b"3\n"):
            assert examine(written(relisted(kept.files() | {name: content}))).findings, (name, content)


def test_a_cut_file_is_never_taken_for_whole(kept: Kept) -> None:
    for part in (0.3, 0.9, 0.999):
        assert examine(BytesIO(kept.content[:int(len(kept.content) * part)])).findings


def test_packs_of_the_first_release_are_still_read() -> None:
    files = {"01-plan.json": b"{}"}
    digests = {name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in files.items()}
    whole = {**files, MANIFEST: readable_json({"format": 1, "files": digests, "title": "归档卷"})}
    assert kinds(whole) == {}
    assert kinds(whole | {"01-plan.json": b"{ }"}) == {"changed": ["01-plan.json"]}


def test_the_console_verifies_a_file_without_an_installation(kept: Kept, tmp_path: Path) -> None:
    file = tmp_path / "归档卷.zip"
    file.write_bytes(kept.content)
    nowhere = Installation(tmp_path / "no-such-folder")
    good = CliRunner().invoke(group, ["verify", str(file), "--key", kept.key, "--head", kept.head], obj=nowhere)
    assert (good.exit_code, good.output.splitlines()[-1]) == (0, "核验通过。"), good.output
    assert not (tmp_path / "no-such-folder").exists()  # neither settings nor database were touched
    bad = CliRunner().invoke(group, ["verify", str(file), "--head", "0" * 63 + "1"], obj=nowhere)
    assert (bad.exit_code, "签字记录单" in bad.output) == (1, True)
    assert CliRunner().invoke(group, ["verify", str(file), "--key", str(file)], obj=nowhere).exit_code == 1
