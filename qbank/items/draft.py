"""What an item says before it is in the bank: normalisation, what is wrong with it, and what makes a double. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

LETTERS = "ABCDEFGHIJ"
LONGEST_STEM = 2000
LONGEST_OPTION = 500
KINDS = {"single": "单选题", "multiple": "多选题", "judge": "判断题"}
TRUE_WORDS = frozenset({"T", "TRUE", "对", "正确", "是", "√", "✓", "✔", "☑", "YES", "Y"})
FALSE_WORDS = frozenset({"F", "FALSE", "错", "错误", "不正确", "不对", "否", "×", "✕", "✖", "✗", "✘", "☒", "X", "NO", "N"})

# Only the full-width forms of ASCII. NFKC would also turn 10² into 102 and make two different items one.
HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\ufeff]")
LAST_BY_PREFIX = re.compile(r"(以上|上述|上列|前述|前面)[^，。；]{0,10}(都|均|全|皆|不|没有|无)")
LAST_BY_ITSELF = re.compile(r"(全部|都|均|全|皆)(不)?(是|对|正确|错误|错|可以|可|行)|没有正确(答案|选项)")


@dataclass(frozen=True)
class Draft:
    """One item as an author means it.

    ``kind`` is a value of ItemKind; ``key`` holds canonical letters ("B", "ACD") or "T"/"F"; ``range_path`` is the
    path of a leaf range ("B-A-C") and ``point_segment`` the point in it ("001").
    """

    kind: str
    stem: str
    options: tuple[str, ...]
    key: str
    explanation: str
    source: str
    difficulty: int
    range_path: str
    point_segment: str


def normalise(draft: Draft) -> Draft:
    """The same item in canonical writing. Text keeps its own punctuation; letters and codes become half-width."""
    options = [clean(text) for text in draft.options]
    while options and not options[-1]:
        options.pop()
    key = half_width(draft.key).strip()
    if draft.kind == "judge":
        options, key = _judge(options, key)
    else:
        key = "".join(sorted(set(re.sub(r"[\s,、，;；/.。|&+和]", "", key).upper())))
    return dataclasses.replace(
        draft, stem=clean(draft.stem), options=tuple(options), key=key, explanation=clean(draft.explanation),
        source=clean(draft.source), range_path=path_of(draft.range_path), point_segment=segment_of(draft.point_segment))


def problems(draft: Draft) -> list[str]:
    """What keeps a normalised draft out of the bank; one sentence each that says what to do. Empty: nothing."""
    return [sentence for _, sentence in findings(draft)]


def findings(draft: Draft) -> list[tuple[str, str]]:
    """As :func:`problems`, each with the field of the draft that it is about."""
    parts = (("stem", _stem_problems), ("options", _option_problems), ("key", _key_problems),
             ("difficulty", _difficulty_problems), ("point", _point_problems), ("explanation", _note_problems))
    return [(name, sentence) for name, find in parts for sentence in find(draft)]


def content_hash(draft: Draft) -> str:
    """SHA-256 over kind, stem and options. Spaces, full-width signs, the last full stop and the order of options do
    not count, so the same question typed twice gives the same value; the key does not count either."""
    kind, options = draft.kind, () if draft.kind == "judge" else draft.options
    text = json.dumps([kind, bare(draft.stem), sorted(bare(option) for option in options)], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def answer_texts(kind: str, options: dict[str, str], key: str) -> frozenset[str]:
    """What the key says, whatever the order of the options: to tell a double from a contradiction."""
    return frozenset({key}) if kind == "judge" else frozenset(bare(options.get(letter, "")) for letter in key)


def stays_last(option: str) -> bool:
    """Whether an option such as 以上都对 means what it says only after all others."""
    text = bare(option)
    return bool(LAST_BY_PREFIX.match(text) or LAST_BY_ITSELF.fullmatch(text))


def half_width(text: str) -> str:
    """Full-width letters, digits and signs as ASCII."""
    return text.translate(HALF_WIDTH)


def clean(text: str) -> str:
    """Without control characters, outer space and trailing space of lines."""
    lines = CONTROL.sub(lambda found: " " if found.group() in "\t\v\f" else "", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip(" \n\u3000\xa0")


def bare(text: str) -> str:
    """Text for comparison: no spaces, no full-width signs, no last full stop, no empty brackets at the end."""
    text = re.sub(r"\s", "", half_width(text)).translate(str.maketrans("“”‘’", "\"\"''"))
    return re.sub(r"(\(\)|[。.;:,!?])+$", "", text)


def path_of(text: str) -> str:
    """``b－a－c`` → ``B-A-C``. Joined codes stay joined: they cannot be told apart."""
    return re.sub(r"\s*[-—–－_./\\>→]+\s*", "-", half_width(text).strip()).strip("-").upper()


def segment_of(text: str) -> str:
    """``1`` → ``001``; anything but digits stays as it is."""
    text = half_width(text).strip()
    return text.zfill(3) if text.isdecimal() else text


def judgement(text: str) -> str:
    """``对``, ``√``, ``TRUE`` … → ``T``; ``错``, ``×`` … → ``F``; anything else unchanged."""
    word = half_width(text).strip().strip("。.()").upper()
    return "T" if word in TRUE_WORDS else "F" if word in FALSE_WORDS else text


def _judge(options: list[str], key: str) -> tuple[list[str], str]:
    """Some banks write a true/false item with A 正确 and B 错误 and a letter as its key."""
    words = [judgement(option) for option in options]
    if set(words) <= {"T", "F"} and len(words) == 2 and words[0] != words[1]:
        return [], words["AB".index(key.upper())] if key.upper() in {"A", "B"} else judgement(key)
    return options, judgement(key)


def _stem_problems(draft: Draft) -> Iterator[str]:
    if draft.kind not in KINDS:
        yield "题型无法识别，应填写 单选题、多选题 或 判断题。"
    if not draft.stem:
        yield "题干是空的，请填写题干。"
    elif len(draft.stem) > LONGEST_STEM:
        yield f"题干有 {len(draft.stem)} 字，超过 {LONGEST_STEM} 字，请精简或拆成几道题。"


def _option_problems(draft: Draft) -> Iterator[str]:
    if draft.kind == "judge":
        if draft.options:
            yield "判断题不需要选项，请清空选项列。"
        return
    if draft.kind not in KINDS:
        return
    if not 2 <= len(draft.options) <= len(LETTERS):
        yield f"选择题应有 2～10 个选项，现在有 {len(draft.options)} 个。"
    seen: dict[str, str] = {}
    for letter, text in zip(LETTERS, draft.options, strict=False):
        if not text:
            yield f"选项{letter}是空的，而后面还有选项，请补上或依次前移。"
        elif len(text) > LONGEST_OPTION:
            yield f"选项{letter}有 {len(text)} 字，超过 {LONGEST_OPTION} 字，请精简。"
        elif bare(text) in seen:
            yield f"选项{seen[bare(text)]}与选项{letter}内容相同，请修改其中一个。"
        seen.setdefault(bare(text), letter)


def _key_problems(draft: Draft) -> Iterator[str]:
    key = draft.key
    if not key:
        yield "答案是空的，请填写答案。"
    elif draft.kind == "judge":
        if key not in {"T", "F"}:
            yield f"判断题的答案应填写 对 或 错（也可用 正确/错误、√/×），现在是“{key[:20]}”。"
    elif draft.kind in KINDS:
        letters = LETTERS[:len(draft.options)]
        if wrong := [letter for letter in key if letter not in letters]:
            yield f"答案“{key[:20]}”里的“{'、'.join(wrong[:5])}”不是这道题的选项，请填写选项字母，例如 {letters[:1] or 'A'}。"
        elif draft.kind == "single" and len(key) != 1:
            yield f"单选题只能有一个答案，现在是“{key}”；如有多个正确选项，请把题型改为多选题。"
        elif draft.kind == "multiple" and len(key) < 2:
            yield f"多选题至少有两个答案，现在是“{key}”；如只有一个正确选项，请把题型改为单选题。"


def _difficulty_problems(draft: Draft) -> Iterator[str]:
    if not 1 <= draft.difficulty <= 5:
        yield "难度应填写 1～5，或 易、较易、中、较难、难。"


def _point_problems(draft: Draft) -> Iterator[str]:
    for name, text in (("鉴定范围", draft.range_path), ("鉴定点", draft.point_segment)):
        if not text:
            yield f"{name}没有填写，请填写编码。"


def _note_problems(draft: Draft) -> Iterator[str]:
    for name, text in (("解析", draft.explanation), ("出处", draft.source)):
        if len(text) > LONGEST_STEM:
            yield f"{name}有 {len(text)} 字，超过 {LONGEST_STEM} 字，请精简。"
