"""Printed things (typst): a template and its values become a PDF, alike on every machine.

The CJK font comes from a wheel, so that a certificate never looks like whatever fonts a machine happens to have. Only
where that wheel is missing are the system's own fonts used. A template is handed texts only, so pictures and QR codes
reach it as SVG: ``image(bytes(value), format: "svg")``.
"""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import segno
import typst
from markupsafe import Markup
from PIL import Image

from qbank.kernel.refused import Refused

FONT_WHEEL = "manimgx_fonts_cjk"
FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei", "SimSun")


def typeset(template: str, values: Mapping[str, str], *, made_at: datetime, tagged: bool = True) -> bytes:
    """A PDF of the typst source ``template``; it reads ``values`` as ``sys.inputs`` and the font as its ``font``.

    Without tags, which serve readers on a screen, a PDF that only goes to the printer is made faster and is smaller.
    """
    fonts, family = _fonts()
    compiler = typst.Compiler(font_paths=fonts, ignore_system_fonts=True)
    printed = compiler.compile(template.encode(), format="pdf", sys_inputs={**values, "font": family},
                               timestamp=int(made_at.timestamp()), pdf_tags=tagged)
    if not isinstance(printed, bytes):
        raise RuntimeError("typst gave no PDF")
    return printed


@dataclass(frozen=True)
class Drawing:
    """A picture as an SVG drawing with its natural size in pixels."""

    svg: str
    width: int
    height: int


def drawing(content: bytes, media_type: str) -> Drawing:
    """A PNG or JPEG file wrapped in an SVG drawing. Raises OSError (Pillow's) for what is no picture."""
    with Image.open(BytesIO(content)) as opened:
        width, height = opened.size
    held = base64.b64encode(content).decode()
    return Drawing(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
                   f'<image width="{width}" height="{height}" href="data:{media_type};base64,{held}"/></svg>', width, height)


def qr_code(text: str) -> Markup:
    """A QR code as an SVG drawing that fills its place: for a template, and as it is for a page."""
    stream = BytesIO()
    segno.make_qr(text, error="m").save(stream, kind="svg", border=2, omitsize=True, xmldecl=False, nl=False)
    return Markup(stream.getvalue().decode())  # noqa: S704  # squares only; the text itself does not stand in it


def wheel_folder() -> Path | None:
    """Where the fonts of the wheel lie; None when it is not installed."""
    found = importlib.util.find_spec(FONT_WHEEL)
    return Path(found.origin).parent if found and found.origin else None


def font_family() -> str:
    """The Chinese font that is printed with. Refuses where there is none."""
    return _fonts()[1]


@cache  # reading the fonts costs more than printing a page
def _fonts() -> tuple[typst.Fonts, str]:
    wheel = wheel_folder()
    fonts = typst.Fonts(include_system_fonts=wheel is None, include_embedded_fonts=True,
                        font_paths=[wheel] if wheel else [])
    held = set(fonts.families())
    for family in FAMILIES:
        if family in held:
            return fonts, family
    raise Refused("no_chinese_font", f"本机没有可用的中文字体，不能打印。请系统管理员安装 Python 包 {FONT_WHEEL.replace('_', '-')} 后重试。")
