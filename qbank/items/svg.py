"""Drawings (SVG) with nothing in them but drawing: no script, no address, nothing that grows without end. Pure."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from qbank.kernel.refused import Refused

SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
DRAWING = (
    "svg g path rect circle ellipse line polyline polygon text tspan textPath defs linearGradient radialGradient stop clipPath "
    "marker symbol use title desc style pattern switch")
LOOKS = (
    "id class style d x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy width height viewBox preserveAspectRatio points transform version "
    "fill fill-opacity fill-rule stroke stroke-width stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin "
    "stroke-miterlimit stroke-opacity vector-effect opacity color display visibility overflow clip-path clip-rule clipPathUnits "
    "offset stop-color stop-opacity gradientUnits gradientTransform spreadMethod patternUnits patternContentUnits "
    "patternTransform marker-start marker-mid marker-end markerWidth markerHeight markerUnits refX refY orient font-family "
    "font-size font-style font-weight font-variant font-stretch letter-spacing word-spacing text-anchor text-decoration "
    "dominant-baseline alignment-baseline baseline-shift writing-mode rotate textLength lengthAdjust startOffset method spacing "
    "paint-order shape-rendering text-rendering href")
ELEMENTS, ATTRIBUTES = frozenset(DRAWING.split()), frozenset(LOOKS.split())
# A style sheet may colour and size; whatever could name an address, import, or hide that it does is cut out.
DANGEROUS = re.compile(r"@|\\|expression|javascript|behavior|-moz-binding|<|&|/\*|(?<![\w-])url\s*\(\s*(?!['\"]?#)", re.IGNORECASE)
OUTSIDE = re.compile(r"url\s*\(\s*(?!['\"]?#)|javascript:|data:", re.IGNORECASE)
LARGEST_DRAWING = 20_000  # elements, with everything that ``use`` draws again
NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(px|pt|pc|mm|cm|in|)\s*")
UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}


def clean(content: bytes) -> tuple[bytes, int, int]:
    """The cleaned drawing, its width and height in pixels. Refuses what is no drawing. Cleaning twice changes nothing."""
    if re.search(rb"<!ENTITY", content, re.IGNORECASE):
        raise Refused("bad_svg", "这个 SVG 文件里有实体定义，不安全，没有接收。请用画图软件另存为 PNG 后再上传。")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Refused("bad_svg", "这个 SVG 文件已损坏，无法读取。请用画图软件重新导出，或另存为 PNG。") from None
    if root.tag != f"{{{SVG}}}svg":
        raise Refused("bad_svg", "这个文件不是 SVG 图。请上传 PNG、JPEG 或 SVG 图片。")
    made = _cleaned(root, 0)
    if made is None or _drawn(made) > LARGEST_DRAWING:
        raise Refused("svg_too_complex", f"这个 SVG 图超过 {LARGEST_DRAWING} 个图形，请简化或另存为 PNG 后再上传。")
    etree.cleanup_namespaces(made)
    width, height = _size(made)
    return etree.tostring(made, encoding="utf-8"), width, height


def _cleaned(element: Any, depth: int) -> Any:
    """A copy of known elements and attributes; None for an element that may not stay."""
    if not isinstance(element.tag, str) or depth > 100:
        return None
    name = etree.QName(element)
    if name.namespace != SVG or name.localname not in ELEMENTS:
        return None
    if name.localname == "style" and (len(element) or DANGEROUS.search(element.text or "")):
        return None
    made = etree.Element(element.tag, nsmap={None: SVG})
    for key, value in element.attrib.items():
        key = "href" if key == LINK else key
        if _harmless(key, value):
            made.set(key, value)
    made.text = element.text
    for child in element:
        kept = _cleaned(child, depth + 1)
        if kept is not None:
            kept.tail = child.tail
            made.append(kept)
        elif child.tail:
            _append_text(made, child.tail)
    return made


def _append_text(made: Any, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def _harmless(key: str, value: str) -> bool:
    if key not in ATTRIBUTES:
        return False
    if key == "href":
        return value.startswith("#")
    return not (DANGEROUS.search(value) if key == "style" else OUTSIDE.search(value) or "\\" in value)


def _drawn(root: Any) -> int:
    """How many elements a browser draws when every ``use`` is followed; beyond the limit it stops counting."""
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    count, waiting = 0, [(root, 0)]
    while waiting and count <= LARGEST_DRAWING:
        element, depth = waiting.pop()
        count += 1
        waiting += [(child, depth) for child in element]
        target = by_id.get((element.get("href") or "").removeprefix("#"))
        if element.tag == f"{{{SVG}}}use" and target is not None:
            if depth > 50:
                return LARGEST_DRAWING + 1
            waiting.append((target, depth + 1))
    return count


def _size(root: Any) -> tuple[int, int]:
    """In pixels: width and height, else those of the view box, else what browsers take."""
    box = re.split(r"[\s,]+", (root.get("viewBox") or "").strip())
    try:
        beside = (abs(float(box[2])), abs(float(box[3]))) if len(box) == 4 else (300.0, 150.0)
    except ValueError:
        beside = (300.0, 150.0)
    found = [NUMBER.fullmatch(root.get(name) or "") for name in ("width", "height")]
    sizes = [float(one[1]) * UNITS[one[2]] if one else other for one, other in zip(found, beside, strict=True)]
    return (min(max(round(sizes[0]), 1), 10_000), min(max(round(sizes[1]), 1), 10_000))
