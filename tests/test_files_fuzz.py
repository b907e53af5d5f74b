"""Readers of files that are not item formats or workbooks, against damage and malice: a refusal, or what was there; nothing else.

Item formats have tests/qbank/test_exchange_fuzz.py, workbooks tests/qbank/test_kernel_workbooks.py.
"""

from __future__ import annotations

import base64
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from examroom.marking import answer_file
from examroom.plans import photos
from qbank.kernel import attachments, backup
from qbank.kernel.refused import Refused
from qbank.kernel.sealed_stream import SealingWriter, Secret
from scoring.archive import verifier
from scoring.archive.packing import PackWriter
from scoring.practical import signing
from scoring.review import reading

SECRET = Secret(key=b"k" * 32)
FEW = 8  # where each file is read by a child
FUZZ = settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
Reader = Callable[[bytes], object]


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((60, 80)).save(stream, kind)
    return stream.getvalue()


def zipped(*files: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return stream.getvalue()


def document() -> bytes:
    stream, made = io.BytesIO(), Document()
    made.add_paragraph("论文的一段话。" * 30)
    made.save(stream)
    return stream.getvalue()


def answers() -> bytes:
    events = [{"sequence": 1, "number": 1, "answer": "A", "flagged": False}]
    of = answer_file.digest(1, 0, 0, [answer_file.Written(1, 1, "A", False)])
    return json.dumps({"format": answer_file.FORMAT, "version": answer_file.VERSION, "sheet": 1, "page_generation": 0, "acknowledged": 0, "events": events,
                       "made_at": "", "digest": of, "proof": ""}).encode()


def pack() -> bytes:
    stream = io.BytesIO()
    with PackWriter(stream) as writer:
        writer.add("说明.txt", "电工四级".encode())
        writer.add("rows/sheets.jsonl", [b'{"id": 1}\n'])
        writer.finish({"title": "电工", "plan": "1", "format": 2}, lambda _: {"key": {}, "signature": b""})
    return stream.getvalue()


def sealed(fill: Callable[[tarfile.TarFile], None]) -> bytes:
    stream = io.BytesIO()
    with closing(SealingWriter(stream, SECRET)) as target, tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as made:
        fill(made)
        _add(made, backup.MANIFEST, json.dumps({"files": {}}).encode())
    return stream.getvalue()


def _add(made: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    made.addfile(entry, io.BytesIO(content))


def kept(content: bytes) -> object:
    """How an upload is judged before a byte of it is kept."""
    upload = io.BytesIO(content)
    kind = attachments._kind(upload)
    if kind in (attachments.PNG, attachments.JPEG):
        attachments._check_picture(upload, "x")
    return kind


def read_thesis(content: bytes) -> object:
    kind = kept(content)
    place = Path(PLACE[0]) / "thesis"
    place.write_bytes(content)
    return reading.words(place, str(kind))


PLACE: list[str] = []
READERS: dict[str, tuple[bytes, Reader]] = {
    "photos": (zipped(("430102200801010019.jpg", picture("JPEG")), ("张三.png", picture("PNG"))), lambda content: list(photos._files(content))),
    "answer file": (answers(), answer_file.read),
    "scanned answers": (b"EXAMROOM 1/1 abcdef12 [1,0,0,\"\",\"x\",\"\",[[1,1,\"A\",0]]]\n", answer_file.read),
    "png": (picture("PNG"), kept), "jpeg": (picture("JPEG"), kept), "word document": (document(), read_thesis),
    "pdf": (b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R>>endobj\n"
            b"trailer<</Root 1 0 R>>\n%%EOF", read_thesis),
    "pack": (pack(), lambda content: verifier.examine(io.BytesIO(content))),
    "backup": (sealed(lambda made: _add(made, "files/a", b"x")), lambda content: backup.verify(io.BytesIO(content), SECRET)),
    "signature": (json.dumps({"pen": "data:image/png;base64," + base64.b64encode(picture("PNG")).decode()}).encode(),
                  lambda content: signing._read(content.decode("utf-8", "replace"))),
}


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes turned, cut out, put in; or cut off somewhere."""
    made = bytearray(content)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(made) - 1)))
        what = draw(st.sampled_from(["turn", "cut", "put"]))
        if what == "turn" and made:
            made[place] ^= draw(st.integers(1, 255))
        elif what == "cut":
            del made[place:place + draw(st.integers(1, 40))]
        else:
            made[place:place] = draw(st.one_of(st.binary(min_size=1, max_size=20), st.sampled_from([b"\\ud800", b"[" * 3000, b"9" * 400, b"\x00", b"../"])))
    return bytes(made[:draw(st.one_of(st.just(len(made)), st.integers(0, len(made))))])


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_refused_or_read(name: str, tmp_path: Path) -> None:
    PLACE[:] = [str(tmp_path)]
    content, reader = READERS[name]

    @settings(FUZZ, max_examples=FEW if name == "pdf" else FUZZ.max_examples)
    @given(damaged(content) if name == "pdf" else st.one_of(damaged(content), st.binary(max_size=300)))
    def run(changed: bytes) -> None:
        with suppress(Refused):
            reader(changed)

    run()


@pytest.mark.parametrize("name", sorted(set(READERS) - {"scanned answers"}))
def test_the_whole_file_is_read(name: str, tmp_path: Path) -> None:
    """Else the rest would prove nothing."""
    PLACE[:] = [str(tmp_path)]
    content, reader = READERS[name]
    if name == "backup":
        with pytest.raises(Refused, match="清单"):  # its manifest is empty: it was opened to its end
            reader(content)
        return
    found = reader(content)
    assert found
    if name == "pack":
        assert found.manifest["plan"] == "1"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "link"), [("/etc/cron.d/x", ""), ("files/../../x", ""), ("../x", ""), ("files/x", "/etc/passwd"), ("files/x", "nowhere")])
def test_a_backup_that_leads_out_of_its_place_is_refused_though_its_key_fits(name: str, link: str) -> None:
    def fill(made: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(name)
        if link:
            entry.type, entry.linkname = tarfile.SYMTYPE, link
        made.addfile(entry, io.BytesIO(b""))

    with pytest.raises(Refused, match="这份备份不能用"):
        backup.verify(io.BytesIO(sealed(fill)), SECRET)


def test_a_pack_whose_directory_promises_gigabytes_is_not_held_in_memory() -> None:
    huge = zipped((verifier.MANIFEST, b" " * (verifier.MOST_HELD + 1)))
    assert len(huge) < 10**6
    found = verifier.examine(io.BytesIO(huge))
    assert found.findings
    assert found.manifest == {}


def test_answers_that_no_database_holds_are_refused() -> None:
    for answer in ("\ud800", "A\x00"):
        body = json.loads(answers()) | {"events": [{"sequence": 1, "number": 1, "answer": answer, "flagged": False}]}
        with pytest.raises(Refused, match="损坏"):
            answer_file.read(json.dumps(body).encode())
    with pytest.raises(Refused):
        answer_file.read(json.dumps(json.loads(answers()) | {"digest": "\ud800"}).encode())


def test_a_picture_that_unpacks_to_gigabytes_is_refused_as_it_is_opened() -> None:
    """Its head says 60,000 × 60,000; nothing of it was ever drawn."""
    whole = bytearray(picture("PNG"))
    whole[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(Refused):
        kept(bytes(whole))
    with pytest.raises(Refused, match="签"):
        signing.pen(None, "data:image/png;base64," + base64.b64encode(bytes(whole)).decode(), None, now=None)  # type: ignore[arg-type]
