"""Drafts for round trips, drawn by hypothesis: every kind, markup, pictures, sets."""

from __future__ import annotations

import hashlib
import struct
import zlib

from hypothesis import strategies as st

from qbank.exchange.drafts import Drafts, Found
from qbank.items import markup
from qbank.items.draft import Draft, normalise, problems


def png(width: int = 2, height: int = 2, colour: int = 0) -> bytes:
    """A small, valid picture."""
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + bytes([colour, 0, 0]) * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


PICTURES = {hashlib.sha256(content).hexdigest(): content for content in (png(), png(3, 2, 200))}
WORDS = st.text(st.sampled_from("电阻欧姆abcXYZ019 ，。：；（）()<>&\"'#=~{}:\\%[]!@*_-+/|`^$"), min_size=1, max_size=14)
PLAIN = st.text(st.sampled_from("电阻欧姆额定值abcXYZ019，。"), min_size=1, max_size=8)
FORMULAS = st.sampled_from([r"$R=\frac{U}{I}$", r"$x^2 \leq 3$", "\n$$\\sum_{i=1}^{n} I_i = 0$$\n", r"$U_{\mathrm{L}}$", r"$a < b$"])
SHOWN = st.sampled_from([f"![图 1](media:{name})" for name in PICTURES] + [f"![](media:{name})" for name in PICTURES])
TABLE = st.just("\n| 项目 | 数值 |\n|---|---|\n| 电压 | 220 V |\n| 电流 | $I=\\frac{P}{U}$ |\n")
PIECES = st.one_of(PLAIN, PLAIN, WORDS.map(markup.escape), FORMULAS, SHOWN, st.just("**断电**"), st.just("\n"), st.just("  两格"),
                   st.just("\\$5"), TABLE)


@st.composite
def texts(draw: st.DrawFn, pieces: st.SearchStrategy[str] = PIECES, most: int = 4) -> str:
    # A word between pieces: two formulas that touch come back from HTML with a space between them.
    return draw(PLAIN) + "".join(f"{piece}值" for piece in draw(st.lists(pieces, max_size=most)))


@st.composite
def drafts(draw: st.DrawFn, pieces: st.SearchStrategy[str] = PIECES) -> Draft:
    """A draft that the bank would take."""
    kind = draw(st.sampled_from(["single", "multiple", "judge", "fill", "short", "essay"]))
    stem, options, key, guide = draw(texts(pieces)), [], "", ""
    if kind in {"single", "multiple"}:
        options = [f"{letter}项{text}" for letter, text in zip("甲乙丙丁", draw(st.lists(texts(pieces, 1), min_size=2, max_size=4)),
                                                             strict=False)]
        letters = "ABCD"[:len(options)]
        key = draw(st.sampled_from(letters)) if kind == "single" else \
            "".join(sorted(draw(st.sets(st.sampled_from(letters), min_size=2))))
    elif kind == "judge":
        key = draw(st.sampled_from("TF"))
    elif kind == "fill":
        lines = draw(st.lists(accepted(), min_size=1, max_size=3))
        stem, key = stem + "，" + "，".join("应为____" for _ in lines), "\n".join(lines)
    else:
        key, guide = draw(texts(pieces)), draw(st.sampled_from(["2|切断电源并验电", "2|切断电源\n1.5|挂接地线 $R_0$"]))
    return normalise(Draft(
        kind, stem, tuple(options), key, draw(st.one_of(st.just(""), texts(pieces))), draw(st.sampled_from(["", "GB 50150—2016"])),
        draw(st.integers(1, 5)), draw(st.sampled_from(["A-A", "B-A-C"])), draw(st.sampled_from(["001", "012"])), guide,
        draw(st.sampled_from(["", "", "某车间的配电箱跳闸。", f"看图回答：\n![接线图](media:{next(iter(PICTURES))})"])),
        draw(st.sampled_from(["", "第 12 页"])), draw(st.sampled_from(["", "张工"]))))


@st.composite
def accepted(draw: st.DrawFn) -> str:
    """One line of a fill-in key."""
    number = st.sampled_from(["=220±11 V", "=50", "=0.5±0.01", "=-3", "=380 V、伏", "=1440±10 r/min"])
    return draw(st.one_of(PLAIN, st.lists(PLAIN, min_size=2, max_size=3, unique=True).map("|".join), number, st.just("=220±5% V|=0.22±0.011 kV"),
                          st.just("接触器|=5")))


@st.composite
def bundles(draw: st.DrawFn, pieces: st.SearchStrategy[str] = PIECES, most: int = 4) -> Drafts:
    """Some drafts with all pictures that they name."""
    chosen = [draft for draft in draw(st.lists(drafts(pieces), min_size=1, max_size=most)) if not problems(draft)]
    text = repr(chosen)
    return Drafts(tuple(Found(draft, f"第 {number} 题", number) for number, draft in enumerate(chosen, start=1)), "test",
                  {name: content for name, content in PICTURES.items() if name in text})
