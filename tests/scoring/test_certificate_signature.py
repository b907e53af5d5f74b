"""A certificate in the hands of people who have nothing of ours: OpenSSL and poppler judge its signature.

pyHanko signs; here it does not judge. The signed bytes and the signature are taken out of the file as ISO 32000 describes
them (pypdf), the signature is verified by OpenSSL up to the published root; poppler's pdfsig does the whole by itself.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest
from sqlalchemy.orm import Session

from qbank.kernel.settings import Settings
from scoring.certificates import desk
from scoring.certificates.signing import Seal
from tests.conftest import MONDAY
from tests.scoring.final_world import CIPHER, FinalWorld

MISSING = {"openssl": "OpenSSL is missing: apt install openssl", "pdfsig": "pdfsig is missing: apt install poppler-utils"}
Judge = Callable[[bytes], bool]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    assert shutil.which(str(words[0])), MISSING[str(words[0])]
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, errors="replace")


@pytest.fixture
def pdf(session: Session, people: Any) -> bytes:
    world = FinalWorld(session, people)
    desk.issue(session, world.results, world.officer, cipher=CIPHER, now=MONDAY)
    return desk.certificates_of(session, world.results)[0].pdf


@pytest.fixture
def by_openssl(settings: Settings, tmp_path: Path) -> Judge:
    """Trusts the root that stands under ``/certificates/signing-root.pem``."""
    (root := tmp_path / "root.pem").write_bytes(Seal.of(settings.folder, now=MONDAY).root_pem)

    def judge(content: bytes) -> bool:
        try:
            form = pypdf.PdfReader(BytesIO(content)).trailer["/Root"]["/AcroForm"]  # type: ignore[index]
            found = form["/Fields"][0].get_object()["/V"]
            start, first, second, rest = map(int, found["/ByteRange"])
            (signature := tmp_path / "signature.der").write_bytes(bytes(found["/Contents"]))
        except Exception:  # what cannot even be read is not valid
            return False
        if start != 0 or second + rest != len(content):
            return False  # something was put behind what is signed
        (signed := tmp_path / "signed.bin").write_bytes(content[:first] + content[second:])
        return run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", signed, "-CAfile", root,
                   "-purpose", "any", "-attime", str(int(MONDAY.timestamp())), "-out", tmp_path / "out.bin").returncode == 0

    return judge


@pytest.fixture
def by_poppler(tmp_path: Path) -> Judge:
    def judge(content: bytes) -> bool:
        (file := tmp_path / "certificate.pdf").write_bytes(content)
        said = run("pdfsig", "-nocert", file).stdout
        return "Signature is Valid." in said and "Total document signed" in said

    return judge


def test_two_strangers_programs_find_the_certificate_as_it_was_signed(pdf: bytes, by_openssl: Judge, by_poppler: Judge) -> None:
    assert by_openssl(pdf)
    assert by_poppler(pdf)


def test_each_changed_byte_is_caught_by_both(pdf: bytes, by_openssl: Judge, by_poppler: Judge) -> None:
    for place in (300, len(pdf) // 3, len(pdf) // 2):
        changed = bytearray(pdf)
        changed[place] ^= 1
        assert not by_openssl(bytes(changed)), place
        assert not by_poppler(bytes(changed)), place


def test_another_level_written_over_the_page_is_caught_by_both(pdf: bytes, by_openssl: Judge, by_poppler: Judge) -> None:
    """As a forger does it: the signed part stays, a new page content is appended behind it (an incremental update)."""
    writer = pypdf.PdfWriter(BytesIO(pdf), incremental=True)
    writer.add_metadata({"/Title": "职业技能等级证书（一级）"})
    stream = BytesIO()
    writer.write(stream)
    forged = stream.getvalue()
    assert forged.startswith(pdf)
    assert not by_openssl(forged)
    assert not by_poppler(forged)


def test_a_certificate_signed_by_somebody_else_is_not_ours(session: Session, people: Any, settings: Settings, by_openssl: Judge,
                                                           tmp_path: Path) -> None:
    """The same face under a key of the forger's own: valid in itself, but not up to our root."""
    world = FinalWorld(session, people)
    (other := tmp_path / "other").mkdir()
    (result_id, face), *_ = desk.next_faces(session, world.results, CIPHER, MONDAY.date())
    assert by_openssl(desk.sign(result_id, face, Seal.of(settings.folder, now=MONDAY), settings, now=MONDAY).pdf)
    assert not by_openssl(desk.sign(result_id, face, Seal.of(other, now=MONDAY), settings, now=MONDAY).pdf)
