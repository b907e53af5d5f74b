"""Signs of Symbol and Wingdings fonts, which papers are full of: √ × Ω ≤. Pure."""

from __future__ import annotations

import re

from lxml import etree

from qbank.exchange.word_package import w

WINGDINGS = {"Wingdings": {0xFC: "√", 0xFB: "×", 0xFE: "√", 0xFD: "×", 0xFA: "×", 0xA8: "□", 0x6F: "□", 0xE8: "→", 0xE0: "→", 0xA1: "○", 0x6C: "●", 0x4A: "☺"},
             "Wingdings 2": {0x50: "√", 0x4F: "×", 0x51: "×", 0x52: "√", 0x53: "×", 0x54: "×", 0x55: "√", 0xA3: "□", 0x99: "○", **{
                 0x6A + place: chr(0x2460 + place) for place in range(10)}}}
SYMBOL = dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)) | dict(
    zip(range(0x61, 0x7B), "αβχδεϕγηιφκλμνοπθρστυϖωξψζ", strict=True)) | {
    0xD6: "√", 0xB4: "×", 0xB8: "÷", 0xB1: "±", 0xA3: "≤", 0xB3: "≥", 0xB9: "≠", 0xA5: "∞", 0xBB: "≈", 0xB0: "°", 0xAE: "→", 0xAC: "←",
    0xD7: "·", 0xDE: "⇒", 0xE5: "∑", 0xF2: "∫", 0xD0: "∠", 0x5E: "⊥", 0x57: "Ω", 0xC7: "∩", 0xC8: "∪", 0xCE: "∈", 0xB6: "∂", 0xD1: "∇", 0x2D: "−",
    0xA2: "′", 0xB2: "″", 0xBA: "≡", 0xB5: "∝", 0x40: "≅", 0x5C: "∴", 0x44: "Δ"}
SYMBOL_FONTS = {"Symbol": SYMBOL, **WINGDINGS}


def font_of(properties: etree._Element | None) -> str:
    fonts = None if properties is None else properties.find(w("rFonts"))
    if fonts is None:
        return ""
    return next((name for key in ("ascii", "hAnsi") if (name := fonts.get(w(key)) or "") in SYMBOL_FONTS), "")


def in_font(text: str, font: str) -> str:
    """Text in a symbol font: the signs that it shows."""
    if not font:
        return "".join(_private(sign) for sign in text)
    return "".join(SYMBOL_FONTS[font].get(ord(sign) & 0xFF if ord(sign) < 0x80 or 0xF000 <= ord(sign) <= 0xF0FF else 0, sign) for sign in text)


def _private(sign: str) -> str:
    """A sign of the private use area that lost its font is most often Symbol's; our own marks must not come from outside."""
    if 0xF000 <= ord(sign) <= 0xF0FF:
        return SYMBOL.get(ord(sign) & 0xFF, sign)
    return "" if sign in "\ue000\ue003\ue004" else sign


def symbol_of(element: etree._Element) -> str:
    font, code = element.get(w("font")) or "", element.get(w("char")) or ""
    value = int(code, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,6}", code) else 0
    low = value & 0xFF if 0xF000 <= value <= 0xF0FF else value
    return SYMBOL_FONTS.get(font, {}).get(low) or (chr(value) if 0x20 <= value < 0xD800 else "□")
