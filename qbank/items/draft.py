"""What an item says before it is in the bank: normalisation, what is wrong with it, and what makes a double. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from qbank.items.answers import blanks_in, blanks_of, steps_of
from qbank.items.writing import bare, clean, half_width, path_of, segment_of

LETTERS = "ABCDEFGHIJ"
LONGEST_STEM = 2000
LONGEST_OPTION = 500
LONGEST_WRITTEN = 6000  # of a model answer, a marking guide or a shared material
KINDS = {"single": "单选题", "multiple": "多选题", "judge": "判断题", "fill": "填空题", "short": "简答题", "essay": "论述题"}
CHOICES = frozenset({"single", "multiple"})
WRITTEN = frozenset({"short", "essay"})
TRUE_WORDS = frozenset({"T", "TRUE", "对", "正确", "是", "√", "✓", "✔", "☑", "YES", "Y"})
FALSE_WORDS = frozenset({"F", "FALSE", "错", "错误", "不正确", "不对", "否", "×", "✕", "✖", "✗", "✘", "☒", "X", "NO", "N"})

LAST_BY_PREFIX = re.compile(r"(以上|上述|上列|前述|前面)[^，。；]{0,10}(都|均|全|皆|不|没有|无)")
LAST_BY_ITSELF = re.compile(r"(全部|都|均|全|皆)(不)?(是|对|正确|错误|错|可以|可|行)|没有正确(答案|选项)")


@dataclass(frozen=True)
class Draft:
    """One item as an author means it.

    ``kind`` is a value of ItemKind; ``key`` holds canonical letters ("B", "ACD"), "T"/"F", the lines of a fill-in key or
    a model answer (``qbank.items.answers``); ``guide`` the marking guide of a written item; ``stimulus`` the material
    that a set of items shares; ``range_path`` is the path of a leaf range ("B-A-C") and ``point_segment`` the point in
    it ("001"). Texts are written in the markup of ``qbank.items.markup``.
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
    guide: str = ""
    stimulus: str = ""
    source_page: str = ""
    source_author: str = ""


def normalise(draft: Draft) -> Draft:
    """The same item in canonical writing. Text keeps its own punctuation; letters and codes become half-width."""
    options = [clean(text) for text in draft.options]
    while options and not options[-1]:
        options.pop()
    key = half_width(draft.key).strip()
    if draft.kind == "judge":
        options, key = _judge(options, key)
    elif draft.kind == "fill":
        key = "\n".join(line.strip() for line in clean(draft.key).split("\n") if line.strip())
    elif draft.kind in WRITTEN:
        key = clean(draft.key)
    else:
        key = "".join(sorted(set(re.sub(r"[\s,、，;；/.。|&+和]", "", key).upper())))
    return dataclasses.replace(
        draft, stem=clean(draft.stem), options=tuple(options), key=key, explanation=clean(draft.explanation),
        source=clean(draft.source), range_path=path_of(draft.range_path), point_segment=segment_of(draft.point_segment),
        guide=clean(draft.guide), stimulus=clean(draft.stimulus), source_page=clean(draft.source_page),
        source_author=clean(draft.source_author))


def problems(draft: Draft) -> list[str]:
    """What keeps a normalised draft out of the bank; one sentence each that says what to do. Empty: nothing."""
    return [sentence for _, sentence in findings(draft)]


def findings(draft: Draft) -> list[tuple[str, str]]:
    """As :func:`problems`, each with the field of the draft that it is about."""
    parts = (("stem", _stem_problems), ("options", _option_problems), ("key", _key_problems),
             ("guide", _guide_problems), ("stimulus", _stimulus_problems), ("difficulty", _difficulty_problems),
             ("point", _point_problems), ("explanation", _note_problems))
    return [(name, sentence) for name, find in parts for sentence in find(draft)]


def content_hash(draft: Draft) -> str:
    """SHA-256 over kind, shared material, stem and options. Spaces, full-width signs, the last full stop and the order
    of options do not count, so the same question typed twice gives the same value; the key does not count either."""
    kind, options = draft.kind, () if draft.kind == "judge" else draft.options
    parts = [kind, bare(draft.stem), sorted(bare(option) for option in options)]
    text = json.dumps([*parts, bare(draft.stimulus)] if draft.stimulus else parts, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def answer_texts(kind: str, options: dict[str, str], key: str) -> frozenset[str]:
    """What the key says, whatever the order of the options: to tell a double from a contradiction."""
    return frozenset(bare(options.get(letter, "")) for letter in key) if kind in CHOICES else frozenset({bare(key)})


def stays_last(option: str) -> bool:
    """Whether an option such as 以上都对 means what it says only after all others."""
    text = bare(option)
    return bool(LAST_BY_PREFIX.match(text) or LAST_BY_ITSELF.fullmatch(text))


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
        yield f"题型无法识别，应填写 {'、'.join(list(KINDS.values())[:-1])} 或 {list(KINDS.values())[-1]}。"
    if not draft.stem:
        yield "题干是空的，请填写题干。"
    elif len(draft.stem) > LONGEST_STEM:
        yield f"题干有 {len(draft.stem)} 字，超过 {LONGEST_STEM} 字，请精简或拆成几道题。"
    elif draft.kind == "fill" and not blanks_in(draft.stem):
        yield "填空题的题干里没有空，请用下划线 ____ 标出每个空。"


def _option_problems(draft: Draft) -> Iterator[str]:
    if draft.kind not in CHOICES:
        if draft.options and draft.kind in KINDS:
            yield f"{KINDS[draft.kind]}不需要选项，请清空选项列。"
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
    elif draft.kind == "fill":
        yield from _fill_problems(draft)
    elif draft.kind in WRITTEN:
        if len(key) > LONGEST_WRITTEN:
            yield f"参考答案有 {len(key)} 字，超过 {LONGEST_WRITTEN} 字，请精简。"
    elif draft.kind in CHOICES:
        letters = LETTERS[:len(draft.options)]
        if wrong := [letter for letter in key if letter not in letters]:
            yield f"答案“{key[:20]}”里的“{'、'.join(wrong[:5])}”不是这道题的选项，请填写选项字母，例如 {letters[:1] or 'A'}。"
        elif draft.kind == "single" and len(key) != 1:
            yield f"单选题只能有一个答案，现在是“{key}”；如有多个正确选项，请把题型改为多选题。"
        elif draft.kind == "multiple" and len(key) < 2:
            yield f"多选题至少有两个答案，现在是“{key}”；如只有一个正确选项，请把题型改为单选题。"


def _fill_problems(draft: Draft) -> Iterator[str]:
    try:
        accepted = len(blanks_of(draft.key))
    except ValueError as error:
        yield str(error)
        return
    if (shown := blanks_in(draft.stem)) and shown != accepted:
        yield f"题干有 {shown} 个空，答案有 {accepted} 行，应每个空一行（一空的几种写法用 | 隔开）。"


def _guide_problems(draft: Draft) -> Iterator[str]:
    if draft.kind not in WRITTEN:
        if draft.guide and draft.kind in KINDS:
            yield f"{KINDS[draft.kind]}不需要评分标准，请清空。"
        return
    if not draft.guide:
        yield "评分标准是空的，请逐行填写 分值|得分点，例如 2|切断电源并验电。"
        return
    if len(draft.guide) > LONGEST_WRITTEN:
        yield f"评分标准有 {len(draft.guide)} 字，超过 {LONGEST_WRITTEN} 字，请精简。"
    try:
        steps_of(draft.guide)
    except ValueError as error:
        yield str(error)


def _stimulus_problems(draft: Draft) -> Iterator[str]:
    if len(draft.stimulus) > LONGEST_WRITTEN:
        yield f"共用题干有 {len(draft.stimulus)} 字，超过 {LONGEST_WRITTEN} 字，请精简。"


def _difficulty_problems(draft: Draft) -> Iterator[str]:
    if not 1 <= draft.difficulty <= 5:
        yield "难度应填写 1～5，或 易、较易、中、较难、难。"


def _point_problems(draft: Draft) -> Iterator[str]:
    for name, text in (("鉴定范围", draft.range_path), ("鉴定点", draft.point_segment)):
        if not text:
            yield f"{name}没有填写，请填写编码。"


def _note_problems(draft: Draft) -> Iterator[str]:
    for name, text in (("解析", draft.explanation), ("出处", draft.source), ("出处页码", draft.source_page),
                       ("出处作者", draft.source_author)):
        if len(text) > LONGEST_STEM:
            yield f"{name}有 {len(text)} 字，超过 {LONGEST_STEM} 字，请精简。"
