"""Zip archives and XML from strangers: judged by their directory, parsed without entities."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable

import pytest

from qbank.exchange.archives import Archive, macros_in, open_archive, parse_xml
from qbank.kernel.refused import Refused

LAUGHS = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol1 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><lolz>&lol1;</lolz>"""


def packed(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def with_entry(change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("a.xml")
        change(entry)
        archive.writestr(entry, b"x")
    return stream.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(Refused) as caught:
        dict(open_archive(content, "题库.zip"))
    assert "题库.zip" in caught.value.sentence
    return caught.value.code


def test_an_honest_archive_gives_its_files_by_name() -> None:
    archive = open_archive(packed(("items/a.xml", b"<a/>"), ("items/img/", b""), ("items/img/b.png", b"png")), "题库.zip")
    assert dict(archive) == {"items/a.xml": b"<a/>", "items/img/b.png": b"png"}
    assert archive.beside("items/a.xml", "img/b.png") == "items/img/b.png"
    assert archive.beside("items/a.xml", "../items/img/b.png") == "items/img/b.png"
    assert archive.beside("items/a.xml", "../../etc/passwd") is None
    assert archive.size("items/a.xml") == 4


def test_folders_written_with_backslashes_are_folders() -> None:
    def windows(entry: zipfile.ZipInfo) -> None:
        entry.filename = "items\\a.xml"

    assert list(open_archive(with_entry(windows), "题库.zip")) == ["items/a.xml"]


@pytest.mark.parametrize("name", ["../a.xml", "a/../../b", "/etc/passwd", "C:/a.xml", "..\\a.xml"])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    assert refusal(packed((name, b"x"))) == "leads_outside"


def test_links_are_refused() -> None:
    def link(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16

    assert refusal(with_entry(link)) == "leads_outside"


def test_a_password_is_asked_to_be_taken_off() -> None:
    content = bytearray(with_entry(lambda entry: None))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(content)) == "encrypted"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused() -> None:
    assert refusal(packed(("a.xml", b"1"), ("a.xml", b"2"))) == "twice_in_archive"


def test_bombs_are_refused_by_their_directory() -> None:
    assert refusal(packed(("a.xml", bytes(30_000_000)))) == "too_large"
    with pytest.raises(Refused, match="展开后超过 1 MB"):
        open_archive(packed(("a", bytes(600_000)), ("b", bytes(600_000))), "题库.zip", most_unpacked=1024 * 1024)


def test_a_directory_that_lies_about_sizes_is_not_believed() -> None:
    content = bytearray(packed(("a.xml", bytes(3_000_000))))
    place = content.index(b"PK\x01\x02") + 24
    content[place:place + 4] = (10).to_bytes(4, "little")
    assert refusal(bytes(content)) == "unreadable"


def test_rare_compression_and_broken_archives_are_refused() -> None:
    assert refusal(packed(("a", b"x" * 100), method=zipfile.ZIP_LZMA)) == "unreadable"
    whole = packed(("a.xml", b"abc" * 1000))
    assert refusal(whole[:-30]) == "unreadable"
    assert refusal(b"PK\x03\x04") == "unreadable"
    assert refusal(whole[:40] + bytes(8) + whole[48:]) == "unreadable"


def test_macros_are_named() -> None:
    archive: Archive = open_archive(packed(("word/vbaProject.bin", b"x"), ("word/document.xml", b"x")), "a.docx")
    assert macros_in(archive) == ("word/vbaProject.bin",)


@pytest.mark.parametrize("text", [LAUGHS, '<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>',
                                  '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'])
@pytest.mark.parametrize("code", ["utf-8", "utf-16"])
def test_entities_are_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_xml(text.replace('<?xml version="1.0"?>', "").encode(code), "a.xml")
    assert caught.value.code == "entities"


@pytest.mark.parametrize("content", [b"", b"<a>", b"\xff\xfe<", b"<a>" * 100_000, b"<?xml version='1.0' encoding='nonsense'?><a/>",
                                     b"<a>" + b"x" * 11_000_000 + b"</a>", b"<a>\x00</a>"])
def test_broken_xml_is_refused_with_its_line(content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        parse_xml(content, "a.xml")
    assert caught.value.code == "unreadable"


def test_comments_and_instructions_are_left_out() -> None:
    root = parse_xml(b"<a><!-- c --><?p q?>text</a>", "a.xml")
    assert len(root) == 0
    assert root.text == "text"
