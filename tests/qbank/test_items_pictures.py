"""Pictures: what may come in, by content and not by name, and who sees it afterwards."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy.orm import Session

from qbank.items.pictures import PictureFacts, inspect, keep, missing
from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from tests.conftest import People, TestClock
from tests.qbank.bank_world import theory_table

Enter = Callable[[Viewer], FlaskClient]
XMLNS = b'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def raster(kind: str = "PNG", size: tuple[int, int] = (20, 10), mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, 1 if mode == "P" else None).save(stream, kind)
    return stream.getvalue()


def drawing(inside: bytes, attributes: bytes = b"") -> bytes:
    return b"<svg " + XMLNS + b" " + attributes + b">" + inside + b"</svg>"


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


BOMB = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)) + chunk(b"IDAT", b"x")


def told(content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        inspect(content)
    return refused.value.sentence


@pytest.mark.parametrize(("content", "media_type"), [
    (raster(), "image/png"), (raster("JPEG"), "image/jpeg"), (raster("GIF", mode="P"), "image/png"), (raster("BMP"), "image/png"),
    (raster("WEBP"), "image/png"), (drawing(b"<rect/>", b'width="20" height="10"'), "image/svg+xml")])
def test_pictures_are_known_by_their_content(content: bytes, media_type: str) -> None:
    facts = inspect(content)
    assert (facts.media_type, facts.width, facts.height) == (media_type, 20, 10)
    assert inspect(facts.content) == facts


def test_what_is_no_picture_or_too_much_of_one_is_refused_with_a_sentence() -> None:
    assert "2 MB" in told(b"x" * 3_000_000)
    assert "像素" in told(BOMB)
    assert "像素" in told(raster(size=(4001, 1)))
    assert "空" in told(b"")
    for content in (b"GIF89a", b"MZ\x90", raster("JPEG")[:-60], raster()[:40], b"<html></html>", b"%PDF-1.7", raster("TIFF")):
        assert "无法读取" in told(content)
    for content in (b"<svg>", drawing(b"<g>"), b"<svg></svg>", b"<html><svg></svg></html>", b'<?xml encoding="x"?><svg/>'):
        assert "SVG" in told(content)
    assert "实体" in told(b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + drawing(b"<text>&a;</text>"))


def test_nothing_but_drawing_is_left_of_a_drawing() -> None:
    left = inspect(drawing(
        b'<script>alert(1)</script><style>@import url(//x)</style><style>.a{fill:red}</style><foreignObject><p/></foreignObject>'
        b'<a xlink:href="javascript:1"><rect/></a><image xlink:href="http://x/y.png"/><use xlink:href="http://x#a"/><animate/><set/>'
        b'<rect class="a" onclick="x()" fill="url(http://x)" stroke="url(#g)" style="fill:url(//x)"/><text>1<b/>2</text>'
        b'<use xlink:href="#g"/>', b'onload="alert(1)" viewBox="0 0 40 30"')).content
    assert left == (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"><style>.a{fill:red}</style><use/>'
                    b'<rect class="a" stroke="url(#g)"/><text>12</text><use href="#g"/></svg>')
    assert (inspect(left).width, inspect(left).height) == (40, 30)


def test_a_drawing_that_draws_itself_again_and_again_is_refused() -> None:
    doubling = b"".join(b'<g id="g%d"><use href="#g%d"/><use href="#g%d"/></g>' % (n, n + 1, n + 1) for n in range(40))
    assert "个图形" in told(drawing(doubling + b'<g id="g40"><rect/></g>'))
    assert "个图形" in told(drawing(b'<g id="a"><use href="#a"/></g>'))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda noise: raster()[:60] + noise),
                 st.binary(max_size=60).map(lambda noise: drawing(noise.replace(b"<", b"")))))
def test_any_bytes_are_a_picture_or_refused(content: bytes) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(inspect(content), PictureFacts)


@pytest.fixture
def chen(people: People) -> Viewer:
    return people("陈晓", scopes=[Scope(Role.ITEM_AUTHOR, people.home.id, occupation_code="6-31-01-03")])


def test_a_picture_is_kept_once(session: Session, people: People, chen: Viewer, clock: TestClock) -> None:
    content = raster()
    first = keep(session, people.home.id, [content, content], chen, now=clock())
    again = keep(session, people.home.id, [content], chen, now=clock())
    assert [*first.values()] == [*again.values()]
    sha256 = inspect(content).sha256
    text = f"![](media:{sha256}) ![](media:{'0' * 64})"
    assert missing(session, people.home.id, [text]) == ["图片 00000000… 不在本校题库里，请重新上传后插入，或删去这一处。"]
    assert len(missing(session, people.school("衡州技师学院（演示）").id, [text])) == 2


def test_an_author_uploads_and_only_the_school_sees_it(session: Session, people: People, chen: Viewer, enter: Enter) -> None:
    theory_table(session)
    stranger = people("外校教师", Role.ITEM_AUTHOR, school=people.school("衡州技师学院（演示）"))
    candidate, reviewer = people("考生", Role.CANDIDATE), people("李明", Role.ITEM_REVIEWER)
    session.commit()
    school, client = people.home.id, enter(chen)
    answer = client.post("/items/pictures", data={"school": school, "picture": (io.BytesIO(raster()), "电路.png")})
    assert answer.get_json()["markup"] == f"![电路](media:{inspect(raster()).sha256})"
    address = answer.get_json()["address"]
    shown = client.get(address)
    assert (shown.mimetype, shown.data, shown.headers["X-Content-Type-Options"]) == ("image/png", raster(), "nosniff")
    assert enter(reviewer).get(address).status_code == 200
    assert enter(stranger).get(address).status_code == 404
    assert enter(candidate).get(address).status_code == 403
    assert enter(stranger).post("/items/pictures", data={"school": school, "picture": (io.BytesIO(raster()), "a.png")}).status_code == 404
    assert enter(reviewer).post("/items/pictures", data={"school": school}).status_code == 403
    for wrong in ({}, {"school": school}, {"school": school, "picture": (io.BytesIO(b"MZ"), "a.exe")}, {"school": "x"}):
        assert client.post("/items/pictures", data=wrong).status_code in {404, 409}
    assert client.get("/items/pictures/nothing").status_code == 404
