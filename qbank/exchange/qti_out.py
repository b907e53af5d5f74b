"""QTI 2.1, 2.2 and 3.0 content packages: a manifest, one file an item, and the pictures. Pure.

What they cannot say: that items are a set (the shared material stands in each of them), tolerances and units mixed with
words in one blank, and the number of underscores of a blank.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from lxml import etree

from qbank.exchange.drafts import Drafts, Loss, LossReport
from qbank.exchange.gathering import in_the_way, media_name, picture_losses, shown_losses, sound_draft
from qbank.exchange.package import LONG_AGO
from qbank.exchange.qti_item_out import assessment_item, carries_blanks, shape_losses
from qbank.exchange.qti_metadata import ieee_lom, imsmd
from qbank.exchange.qti_names import in_one, in_three, in_two
from qbank.items.draft import Draft

XSI = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass(frozen=True)
class _Version:
    name: str
    manifest: str  # namespace
    schema: str
    schema_version: str
    item_type: str
    item_file: Callable[[Any], Any]
    about: Callable[[Draft, str], Any]


ONE = _Version("qti21", "http://www.imsglobal.org/xsd/imscp_v1p1", "IMS Content", "1.1", "imsqti_item_xmlv2p1", in_one, imsmd)
TWO = _Version("qti22", "http://www.imsglobal.org/xsd/imscp_v1p1", "QTIv2.2 Package", "1.0.0", "imsqti_item_xmlv2p2", in_two, imsmd)
THREE = _Version("qti30", "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1", "QTI Package", "3.0.0", "imsqti_item_xmlv3p0",
                 in_three, ieee_lom)


def write_qti21(items: Drafts, stream: BinaryIO) -> LossReport:
    """``items`` as a QTI 2.1 package on ``stream``."""
    return _write(items, stream, ONE)


def write_qti22(items: Drafts, stream: BinaryIO) -> LossReport:
    """``items`` as a QTI 2.2 package on ``stream``."""
    return _write(items, stream, TWO)


def write_qti30(items: Drafts, stream: BinaryIO) -> LossReport:
    """``items`` as a QTI 3.0 package on ``stream``."""
    return _write(items, stream, THREE)


def _write(items: Drafts, stream: BinaryIO, version: _Version) -> LossReport:
    losses: list[Loss] = []
    resources: list[tuple[str, Any, tuple[str, ...]]] = []  # identifier, metadata, pictures
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        used: dict[str, None] = {}
        for number, found in enumerate(items.items, start=1):
            place = found.place or f"第 {number} 题"
            draft = sound_draft(found.draft)
            why = in_the_way(found, draft)
            if not why and draft.kind == "fill" and not carries_blanks(draft):
                why = "有的空在公式里，QTI 不能在公式里作答。"
            if why:
                losses.append(Loss(place, "整题", f"没有写出：{why}"))
                continue
            item, named = _item(draft, f"item-{number:05}", items.pictures)
            _put(archive, f"items/item-{number:05}.xml", _xml(version.item_file(item)))
            resources.append((f"item-{number:05}", version.about(draft, found.knowledge), named))
            used |= dict.fromkeys(named)
            losses += [*shape_losses(place, draft), *picture_losses(place, draft, items.pictures),
                       *shown_losses(place, draft)]
            if draft.stimulus:
                losses.append(Loss(place, "共用题干", "QTI 里每道题各自带着这份材料；只有本系统读回时仍是一组。"))
        _put(archive, "imsmanifest.xml", _xml(_manifest(resources, items.pictures, version)))
        for name in used:
            _put(archive, media_name(items.pictures[name], "images/"), items.pictures[name])
    return LossReport(version.name, len(resources), tuple(losses))


def _item(draft: Draft, identifier: str, pictures: Mapping[str, bytes]) -> tuple[Any, tuple[str, ...]]:
    """The item, and the hashes of the pictures that it shows."""
    named: dict[str, None] = {}

    def address(name: str) -> str:
        if name not in pictures:
            return ""
        named.setdefault(name)
        return media_name(pictures[name], "../images/")

    return assessment_item(draft, identifier, address), tuple(named)


def _manifest(resources: list[tuple[str, Any, tuple[str, ...]]], pictures: Mapping[str, bytes], version: _Version) -> Any:
    space = version.manifest

    def inside(parent: Any, name: str, **attributes: str) -> Any:
        return etree.SubElement(parent, f"{{{space}}}{name}", attributes)

    manifest = etree.Element(f"{{{space}}}manifest", {"identifier": "examroom-items"}, nsmap={None: space})
    metadata = inside(manifest, "metadata")
    inside(metadata, "schema").text = version.schema
    inside(metadata, "schemaversion").text = version.schema_version
    inside(manifest, "organizations")
    listed = inside(manifest, "resources")
    for identifier, lom, named in resources:
        href = f"items/{identifier}.xml"
        resource = inside(listed, "resource", identifier=identifier, type=version.item_type, href=href)
        inside(resource, "metadata").append(lom)
        for path in (href, *(media_name(pictures[name], "images/") for name in named)):
            inside(resource, "file", href=path)
    return manifest


def _xml(root: Any) -> bytes:
    etree.cleanup_namespaces(root)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
