"""Files that people brought, on their way out: under a name that breaks no header, never shown inside our pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from qbank.kernel import attachments
from qbank.kernel.access import Role
from qbank.kernel.attachments import from_bytes
from tests.conftest import MONDAY, People


@pytest.mark.parametrize("name", ['a"; filename="x.html', "a\r\nSet-Cookie: sign=in.pdf", "../../../etc/passwd", "..\\..\\windows\\win.ini", "成绩单 甲.pdf",
                                  "<script>.pdf", "x" * 400 + ".pdf", "\u202efdp.exe", "a\x00.pdf"])
def test_a_file_is_handed_out_under_a_name_that_cannot_break_a_header(name: str, app: Flask, session: Session, people: People) -> None:
    zhou = people("周正", Role.EXAM_OFFICER)
    upload: FileStorage = from_bytes(b"%PDF-1.4 a small one", name)
    kept = attachments.keep(session, upload, zhou, now=MONDAY)
    place: Path = attachments.path_of(session, kept)
    assert place.name == kept.sha256  # whatever it was called
    with app.test_request_context():
        answer = attachments.download(session, kept)
        answer.direct_passthrough = False
    said = answer.headers["Content-Disposition"]
    assert said.startswith("attachment; filename")
    assert not {"\r", "\n", "\x00", "/", "\\"} & set(said.replace('\\"', ""))
    assert said.count("filename=") + said.count("filename*=") <= 2
    assert answer.mimetype == "application/pdf"
    assert [cookie for cookie in answer.headers if cookie[0].lower() == "set-cookie"] == []
    answer.close()
