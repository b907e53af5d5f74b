"""The program's own files: kept by browsers for good, fetched anew when they changed, compressed, and nothing beside them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask import Flask

from qbank.kernel.assets import digest_of


def test_a_script_is_kept_for_good_and_goes_compressed(app: Flask) -> None:
    address = f"{app.static_url_path}/site.js"
    content = (Path(str(app.static_folder)) / "site.js").read_bytes()
    client = app.test_client()
    plain, packed = client.get(address), client.get(address, headers={"Accept-Encoding": "gzip"})
    assert (plain.data, gzip.decompress(packed.data)) == (content, content)
    assert (packed.headers["Content-Encoding"], packed.headers["Content-Type"]) == ("gzip", "text/javascript; charset=utf-8")
    assert len(packed.data) < len(content) / 2
    for answer in (plain, packed):
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers


def test_every_file_that_a_page_names_is_there(app: Flask) -> None:
    page = app.test_client().get("/exam").text
    named = [part.split('"')[0] for part in page.split('href="')[1:] if part.startswith(("/static/", "/bootstrap/", "/exam/client/"))]
    assert len(named) == 4
    for address in named:
        assert app.test_client().get(address).headers["Cache-Control"].endswith("immutable"), address


@pytest.mark.parametrize("path", ["site.css.gone", "../delivery/exam.html", "..%2f..%2fapp.py", ""])
def test_what_is_no_file_of_the_folder_is_not_found(app: Flask, path: str) -> None:
    assert app.test_client().get(f"{app.static_url_path}/{path}").status_code in {404, 405}


def test_a_changed_file_has_another_address(tmp_path: Path) -> None:
    marks = []
    for name, text in (("one", "a"), ("two", "b"), ("three", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.js").write_text(text)
        marks.append(digest_of(tmp_path / name))
    assert marks[0] == marks[2] != marks[1]
    assert digest_of(tmp_path / "one", "5.3") != marks[0]
