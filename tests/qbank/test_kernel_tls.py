"""``serve --tls``: an authority of one's own, a certificate that browsers accept, a page that says how to trust it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from flask import Flask

from qbank.kernel import tls
from tests.drills.room import ROOT, free_port

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


def certificate(made: tls.ServerCertificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.certificate.read_bytes())


def test_it_is_made_once_and_anew_for_other_names_or_when_it_ends_soon(tmp_path: Path) -> None:
    first = tls.ensure(tmp_path / "tls", ("Exam.School.lan", "192.168.1.10", "考试.example"), now=NOW)
    assert first.names == ("192.168.1.10", "exam.school.lan", "考试.example")
    serial, authority = certificate(first).serial_number, first.authority.read_bytes()
    names = certificate(first).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["exam.school.lan", "xn--xw0a15v.example"]
    again = tls.ensure(tmp_path / "tls", first.names, now=NOW + timedelta(days=300))
    assert certificate(again).serial_number == serial
    for days in (0, 370):  # another name; thirty days before its end
        made = tls.ensure(tmp_path / "tls", ("other.lan",), now=NOW + timedelta(days=days))
        assert certificate(made).serial_number != serial
        serial = certificate(made).serial_number
    assert made.authority.read_bytes() == authority  # computers that trust it go on doing so
    assert tls.ends_at(made.certificate) - NOW < timedelta(days=370 + 398)
    assert os.name == "nt" or {file.stat().st_mode & 0o077 for file in (made.key, tmp_path / "tls" / "ca.key")} == {0}


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="label"):
        tls.ensure(tmp_path / "tls", ("a" * 64 + ".lan",), now=NOW)


def test_the_page_tells_how_to_trust_and_hands_out_only_the_certificate(app: Flask) -> None:
    client, folder = app.test_client(), app.extensions["examroom"]["settings"].tls_folder
    assert "没有使用自建证书" in client.get("/accounts/trust").get_data(as_text=True)
    assert client.get("/accounts/trust/examroom.crt").status_code == 404
    made = tls.ensure(folder, ("localhost",), now=NOW)
    assert tls.fingerprint(made.authority) in client.get("/accounts/trust").get_data(as_text=True)
    handed = client.get("/accounts/trust/examroom.crt").get_data()
    assert handed == made.authority.read_bytes()
    assert b"PRIVATE" not in handed


@pytest.mark.one_database
def test_a_computer_that_trusts_the_authority_signs_in_over_https_and_another_does_not(tmp_path: Path) -> None:
    port, told = free_port(), tmp_path / "told"
    command = [sys.executable, "-m", "app", "--dir", str(tmp_path / "data")]
    subprocess.run([*command, "upgrade"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with told.open("w") as console:
        server = subprocess.Popen([*command, "serve", "--no-worker", "--tls", "--port", str(port)], cwd=ROOT, stdout=console, start_new_session=True)
    try:
        authority, until = tmp_path / "data" / "tls" / "ca.pem", time.monotonic() + 60
        while True:
            assert time.monotonic() < until, told.read_text()
            time.sleep(0.2)
            with contextlib.suppress(OSError):  # not up yet
                trusting = ssl.create_default_context(cafile=authority)
                with urllib.request.urlopen(f"https://localhost:{port}/accounts/sign-in", context=trusting, timeout=10) as answer:
                    cookie = answer.headers["Set-Cookie"]
                break
        assert re.search(r"; Secure\b", cookie)
        assert tls.fingerprint(authority) in told.read_text()
        with pytest.raises(urllib.error.URLError, match=r"self.signed|unable to get local issuer"):
            urllib.request.urlopen(f"https://localhost:{port}/accounts/sign-in", timeout=10)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(30)
