"""Files handed in as evidence: judged by content, kept under their hash."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from qbank.kernel import attachments
from qbank.kernel.access import Role
from qbank.kernel.refused import Refused
from tests.conftest import MONDAY

PDF = b"%PDF-1.4\n"


def picture() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (40, 30), "red").save(stream, "PNG")
    return stream.getvalue()


def test_the_same_file_twice_shares_its_bytes(session: Session, people: Any) -> None:
    chen = people("陈老师", Role.EXAM_OFFICER)
    one = attachments.keep(session, attachments.from_bytes(PDF, "C:\\文档\\证明.pdf"), chen, now=MONDAY)
    two = attachments.keep(session, attachments.from_bytes(PDF, "证明（副本）.pdf"), chen, now=MONDAY)
    assert (one.name, one.media_type, one.size) == ("证明.pdf", "application/pdf", len(PDF))
    assert attachments.path_of(session, one) == attachments.path_of(session, two)
    assert not list(attachments.path_of(session, one).parent.parent.glob("coming-*"))


@pytest.mark.parametrize(("content", "name", "code"), [
    (b"", "空.pdf", "wrong_file_type"), (b"<html><script>", "图.png", "wrong_file_type"), (b"PK\x03\x04", "证明.docx", "wrong_file_type"),
    (picture()[:60], "半张.png", "broken_file"), (PDF + b"0" * 2**20, "大.pdf", "file_too_large")])
def test_bad_files_are_refused_and_leave_nothing(session: Session, people: Any, content: bytes, name: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        attachments.keep(session, attachments.from_bytes(content, name), people("陈老师", Role.EXAM_OFFICER),
                         most_megabytes=1, now=MONDAY)
    assert refused.value.code == code
    folder = attachments.store_of(session).folder
    assert not folder.exists() or not [one for one in folder.rglob("*") if one.is_file()]


def test_a_video_is_taken_only_where_it_is_asked_for(session: Session, people: Any) -> None:
    chen, film = people("陈老师", Role.EXAM_OFFICER), b"\x00\x00\x00\x18ftypmp42" + b"0" * 100
    with pytest.raises(Refused, match="不能上传"):
        attachments.keep(session, attachments.from_bytes(film, "录像.mp4"), chen, now=MONDAY)
    kept = attachments.keep(session, attachments.from_bytes(film, "录像.mp4"), chen, kinds=(attachments.MP4,), now=MONDAY)
    assert kept.told == "录像.mp4（MP4 视频，1 KB）"
