"""QTI 2.1, 2.2 and 3.0: content packages and single items, through one reader. Pure.

Read are choice, multiple choice, true/false (a choice between 对 and 错), text entry (several accepted answers by mapping,
numbers with the tolerance of the response processing) and extended text, with pictures, tables and MathML. Every other
interaction, adaptive items, templates, sound and film make the item one with a problem; feedback, partial credit, fixed
order and style sheets are noted. Tests (assessmentTest) are not read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from qbank.exchange.archives import Archive, is_archive, open_archive, parse_xml
from qbank.exchange.drafts import Drafts
from qbank.exchange.fragments import Fragments
from qbank.exchange.gathering import Gathering
from qbank.exchange.qti_item import draft_of_item
from qbank.exchange.qti_metadata import About, about
from qbank.exchange.qti_names import in_one_language, local_name, version_of
from qbank.items.draft import Draft
from qbank.kernel.refused import Refused

MANIFEST = "imsmanifest.xml"
NOWHERE = Draft("", "", (), "", "", "", 0, "", "")


def read(content: bytes, name: str) -> Drafts:
    """The items of a package or of a single file. ``Drafts.format`` says which version it was."""
    gathering = Gathering("qti21")
    if is_archive(content):
        _read_package(open_archive(content, name), name, gathering)
        return gathering.drafts(name)
    root = parse_xml(content, name)
    gathering.format = _version(root, name)
    one = in_one_language(root)
    if one.tag != "assessmentItem":
        raise Refused("wrong_file_type", f"“{name}”是 QTI 文件，但不是题目（{one.tag[:40]}）。请选择题目文件或试题包（.zip）。")
    _read_item(one, "第 1 题", 1, About(), lambda address: None, gathering)
    return gathering.drafts(name)


def _read_package(archive: Archive, name: str, gathering: Gathering) -> None:
    manifest_name = min((path for path in archive if path.rpartition("/")[2].lower() == MANIFEST), key=len, default="")
    listed: dict[str, About | None] = _listed(archive, manifest_name, name, gathering) if manifest_name else {}
    if not manifest_name:
        gathering.note(f"试题包里没有目录 {MANIFEST}，读取了其中所有的题目文件。")
        listed = {path: About() for path in sorted(archive) if path.lower().endswith(".xml")}
    versions: list[str] = []
    for path, words in listed.items():
        number = len(gathering.items) + 1
        if words is None:
            gathering.add(NOWHERE, f"文件 {path[:80]}", number, ("目录里列出的这个题目文件不在试题包里。",))
            continue
        try:
            root = parse_xml(archive[path], path)
        except Refused as refusal:
            gathering.add(NOWHERE, f"文件 {path[:80]}", number, (refusal.sentence,))
            continue
        one = in_one_language(root)
        if one.tag == "assessmentItem" and version_of(root):
            versions.append(version_of(root))
            _add_stimuli(one, path, archive)
            _read_item(one, f"文件 {path[:80]}", number, words, _fetching(archive, path), gathering)
        elif one.tag == "assessmentTest":
            gathering.note(f"试卷结构（{path[:80]}）没有读取，只读取题目。")
        elif manifest_name:
            gathering.add(NOWHERE, f"文件 {path[:80]}", number, (f"这个文件不是 QTI 2.1、2.2 或 3.0 的题目（{local_name(root)[:40]}）。",))
    if versions:
        gathering.format = max(set(versions), key=versions.count)


def _listed(archive: Archive, manifest_name: str, name: str, gathering: Gathering) -> dict[str, About | None]:
    """The files of items as the manifest lists them, with what it says about each; None: such a file is not there."""
    root = parse_xml(archive[manifest_name], f"{name} 的 {MANIFEST}")
    made: dict[str, About | None] = {}
    for resource in [one for one in root.iter() if local_name(one) == "resource"]:
        kind, href = (resource.get("type") or "").lower(), resource.get("href") or ""
        path = archive.beside(manifest_name, unquote(href)) or archive.beside(manifest_name, href)
        if "test" in kind or ("assessment" in kind and "item" not in kind):
            gathering.note(f"试卷结构（{href[:80]}）没有读取，只读取题目。")
        elif "item" not in kind:
            continue
        elif path is None:
            made.setdefault(href, None)
        else:
            made.setdefault(path, about(next((one for one in resource if local_name(one) == "metadata"), None)))
    return made


def _read_item(item: Any, place: str, number: int, words: About, fetch: Callable[[str], bytes | None],
               gathering: Gathering) -> None:
    texts = Fragments(gathering, place, fetch)
    draft = draft_of_item(item, words, texts)
    gathering.add(draft, place, number, tuple(texts.problems), words.knowledge)


def _add_stimuli(item: Any, path: str, archive: Archive) -> None:
    """Shared material in files of its own goes where our own packages have it: into the body."""
    for reference in list(item.iter("assessmentStimulusRef")):
        found = archive.beside(path, unquote(reference.get("href") or ""))
        body = item.find("itemBody")
        if found is None or body is None:
            continue
        shared = in_one_language(parse_xml(archive[found], found))
        content = shared.find("stimulusBody")
        if content is not None:
            content.tag = "div"
            content.set("class", "examroom-stimulus")
            for picture in content.iter("img"):
                picture.set("src", "/" + (archive.beside(found, unquote(picture.get("src") or "")) or ""))
            body.insert(0, content)


def _fetching(archive: Archive, path: str) -> Callable[[str], bytes | None]:
    def fetch(address: str) -> bytes | None:
        parts = urlsplit(address)
        found = None if parts.scheme or parts.netloc else archive.beside(path, unquote(parts.path))
        return None if found is None else archive[found]

    return fetch


def _version(root: Any, name: str) -> str:
    if version := version_of(root):
        return version
    if local_name(root) == "questestinterop":
        raise Refused("wrong_file_type", f"“{name}”是 QTI 1.2，题库只认识 2.1、2.2 和 3.0。请在导出它的软件里改选较新的版本。")
    raise Refused("wrong_file_type", f"“{name}”不是 QTI 2.1、2.2 或 3.0 的题目（里面是 {local_name(root)[:40]}）。")
