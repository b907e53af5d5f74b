"""The signs by which a typed paper is read: item numbers, part headings, option letters, labels, page furniture. Pure.

All patterns work on :func:`mask`: the text with half-width signs and with formulas and pictures blotted out, character
for character as long as the text itself, so that places found in the one hold in the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qbank.items.writing import half_width

BLOTTED = re.compile(r"\$\$.+?\$\$|(?<!\\)\$(?:\\.|[^$\\\n])+\$|!\[[^\]\n]*\]\(media:[0-9a-fA-F]*\)")
JUDGED = r"正确|错误|不正确|不对|对|错|是|否|[√✓✔☑×✕✖✗✘☒]|TRUE|FALSE|True|False|true|false|[TFtfXxYN]"

NUMBER = re.compile(
    r"[\s*]*(?:\(\s*(?P<key>[A-Ja-j]{1,10}|" + JUDGED + r")?\s*\)\s*(?=\d|第))?"
    r"(?:第\s*(?P<named>\d{1,5})\s*小?题\s*[.、:]?|题目?\s*(?P<word>\d{1,5})\s*[.、:]|\((?P<round>\d{1,5})\)[.、:]?"
    r"|[\[【](?P<square>\d{1,5})[\]】][.、:]?|(?P<plain>\d{1,5})\s?(?:[.、:](?P<tight>(?=\d))?|(?P<half>\)))|(?P<bare>\d{1,5})(?=\s))[\s*]*")
KIND_TAG = re.compile(r"\s*[(\[【]\s*(单选|多选|单项选择|多项选择|不定项选择|判断|填空|简答|问答|论述|案例分析|计算)题?\s*[)\]】]\s*")
POINTS_TAG = re.compile(r"\s*\(\s*(?:本小?题)?\s*(?:共|满分)?\s*\d+(?:\.\d)?\s*分\s*\)\s*")
POINTS_AT_END = re.compile(r"\s*\(\s*(?:本小?题)?\s*(?:共|满分)?\s*\d+(?:\.\d)?\s*分\s*\)\s*$")

KIND_WORDS = (("multiple", "多项选择|多选|不定项"), ("single", "单项选择|单选"), ("choice", "选择"), ("judge", "判断|是非|对错|正误"),
              ("fill", "填空|填充"), ("essay", "论述|案例|材料|综合|分析|应用|共用题干|组合"), ("short", "简答|问答|简述|名词解释|计算|作图|识图|解释"))
KIND = "|".join(words for _, words in KIND_WORDS)
CHINESE = "一二三四五六七八九十"
ORDINAL = rf"(?:第\s*)?(?P<ordinal>[{CHINESE}]{{1,3}}|[IVX]{{1,4}}|[Ⅰ-Ⅹ])\s*(?:大题|部分|单元|章|节)?\s*[、.:)]?\s*"
ORDINAL += rf"|\((?P<ordinal2>[{CHINESE}]{{1,3}})\)\s*[、.]?\s*"
HEADING = re.compile(rf"[\s*]*(?:{ORDINAL}|(?P<digit>\d)\s*[、.]\s*)?(?P<title>[^\s(。,;:?]{{0,8}}?(?:{KIND})[^\s(。,;:?]{{0,6}}?)(?:题|部分)?\s*"
                     r"(?P<answers>(?:参考|标准)?答案)?\s*(?P<rest>[\s:(【\[*].*)?")
SECTION = re.compile(rf"[\s*]*(?:第\s*[{CHINESE}]{{1,3}}\s*(?:部分|单元|章|节)|[{CHINESE}]{{1,3}}\s*、)\s*(?P<title>[^?]{{0,30}})")
EACH = re.compile(r"每\s*(?:小?题|空)\s*(\d+(?:\.\d)?)\s*分")
TOTAL = re.compile(r"(?:满分|共计?|合计)\s*(\d+(?:\.\d)?)\s*分")
COUNT = re.compile(r"共\s*(\d+)\s*(?:小?题|道)")
INSTRUCTION = re.compile(r"每\s*(?:小?题|空)|共\s*\d+|满分|填入|填在|打.{0,2}[√“\"]|[选涂]出|选择.{0,8}正确|正确的.{0,8}(?:选|填|打)|答案写|请将|请在")

ANSWERS = re.compile(r"[\s*【\[(]*(?P<title>.{0,30}?)(?:参考|标准|正确|附)?\s*答案\s*(?:页|表|速查|栏)?"
                     r"(?:(?:及|和|与|、|暨)?\s*(?:评分标准|评分细则|评分参考|评分要点|解析|详解|部分))*[\s*】\])]*:?\s*")
MATERIAL = re.compile(rf"[\s*]*(?:[【\[]\s*(?:材料|案例|资料|背景|共用题干|共用材料)[{CHINESE}\d]*\s*[】\]]"
                      rf"|(?:材料|案例|资料)[{CHINESE}\d]{{1,2}}\s*[:、.\s]|(?:材料|共用题干|背景材料)\s*:"
                      r"|(?=(?:请?阅读|请?根据|依据|请?结合)[^。?]{0,24}?(?:回答|完成|解答)[^。]{0,20}题))\s*(?P<range>\(\s*第?\s*\d+\s*[-~—–至到]\s*第?\s*\d+\s*小?题[^)]{0,6}\))?[\s:]*")
SPAN = re.compile(r"第?\s*(\d+)\s*小?题?\s*[-~—–至到]+\s*第?\s*(\d+)\s*小?题")
QUESTION_WORD = re.compile(r"[\s*]*问题\s*:?\s*$")

NAMES = {
    "key": "参考答案|正确答案|标准答案|本题答案|答案|正确选项|ANSWER|Answer|答",
    "explanation": "答案解析|试题解析|题目解析|解析|详解|解释|解题思路|分析|点评",
    "difficulty": "难度系数|难度等级|难易程度|难易度|难度",
    "knowledge": "知识点|鉴定点|考核点|考查点|认定点|考点|所属知识点|知识点编码|鉴定点编码",
    "range": "鉴定范围|认定范围|知识范围",
    "source": "出处|来源|题目来源|教材出处|命题依据|依据",
    "page": "出处页码|页码",
    "author": "出处作者|出题人|命题人|作者",
    "guide": "评分标准|评分要点|评分细则|评分参考|得分点|采分点",
    "kind": "题目类型|试题类型|题型",
    "points": "分值|分数",
    "ignored": "我的答案|你的答案|考生答案|学生答案",
}
FIELD_OF = {name: field for field, names in NAMES.items() for name in names.split("|")}
ALL_NAMES = "|".join(sorted(FIELD_OF, key=len, reverse=True))
ONLY_IN_BRACKETS = {"分析", "点评", "依据", "来源", "作者", "解释", "页码", "分数"}  # as plain words they stand in stems
BARE_NAMES = "|".join(sorted(set(FIELD_OF) - ONLY_IN_BRACKETS - {"答"}, key=len, reverse=True))
LABEL = re.compile(rf"[【\[〖]\s*(?P<boxed>{ALL_NAMES})\s*(?:[】\]〗]\s*:?|:\s*(?P<inside>[^】\]〗]*)[】\]〗])[*]*\s*"
                   rf"|(?:^|(?<=[\s。;)】\].(*]))(?P<bare>{BARE_NAMES})[*]*\s*:[*]*\s*|^[\s*]*(?P<reply>答|解|分析|依据|来源|作者)\s*:\s*"
                   rf"|(?:^|(?<=\s))(?P<tight>答案)\s*(?=(?:[A-Ja-j]{{1,10}}|{JUDGED})[\s。.]*$)")
REPLIES = {"答": "key", "解": "key", "分析": "explanation", "依据": "source", "来源": "source", "作者": "author"}

LONG_FIELDS = frozenset({"key", "explanation", "guide"})
QUESTION = re.compile(r"[?？]\s*$|简述|简要|什么|如何|哪些|为什么|怎样|试述|试分析|论述|叙述|说明|计算|求|写出|列出|解释|谈谈|举例")
PERSONAL = (r"(?:姓\s*名|学\s*号|班\s*级|准考证号|考\s*号|单\s*位(?:名称)?|学\s*校|系\s*部|专\s*业|身份证号|工\s*种|座位?号|考生编号|得\s*分|"
            r"评卷人|阅卷人|评分人|总\s*分|日\s*期|考场)")
DOTS = r"[…·\-—_.○\s]*"
FURNITURE = re.compile("|".join((
    r"[\s*]*第\s*\d+\s*页.{0,20}", r".{0,30}共\s*\d+\s*页\s*\)?\s*", r"[-—–~\s]*\d+\s*[-—–~]+\s*", r"\s*-\s*\d+\s*", r"Page\s*\d+.{0,20}",
    rf"{DOTS}[密装]{DOTS}[封订]{DOTS}线.{{0,20}}", rf"[\s_]*(?:{PERSONAL}\s*(?::|_|\s|$)[^。?]{{0,30}}?){{2,}}\s*",
    r"\s*(?:姓\s*名|准考证号|得\s*分|评卷人|阅卷人|总\s*分)\s*[:_\s]*", r"\s*(?:考试)?时间\s*:.{0,30}", r".{0,12}(?:满分|总分)\s*:?\s*\d+\s*分?.{0,24}",
    r"\s*考试时间.{0,30}", r"\s*注\s*意\s*事\s*项\s*:?\s*", r"\s*考生须知\s*:?\s*", r"\s*\(?以下空白\)?\s*", r"\*+")))
EMPTY_BRACKET = re.compile(r"[(（\[［【][\s\u3000_]*[)）\]］】]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line as somebody typed it. ``soft``: it goes on a paragraph of Word after a line break; ``gap``: an empty line
    stands before it; ``problems``: what the reader of the file lost here."""

    text: str
    place: str
    number: int
    soft: bool = False
    gap: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its cells in rows."""

    rows: tuple[tuple[str, ...], ...]
    place: str
    number: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Numbered:
    """An item number at the start of a line; ``end``: where the text after it begins."""

    number: int
    style: str  # plain, round, square or bare
    end: int
    tight: bool = False  # a digit follows: 1.5 kW may be no number at all
    key: str = ""  # ( √ ) before the number


def mask(text: str) -> str:
    """``text`` for looking at: as long as it is, half-width, formulas and pictures blotted out."""
    if "$" in text or "![" in text:
        text = BLOTTED.sub(lambda found: "\ue000" * len(found.group()), text)
    return half_width(text)


def numbered(masked: str) -> Numbered | None:
    found = NUMBER.match(masked)
    if found is None:
        return None
    number, style = next((int(found[name]), name) for name in ("named", "word", "round", "square", "plain", "bare")
                         if found[name] is not None)
    if style in {"named", "word"} or (style == "plain" and found["half"]):
        style = "plain" if style != "plain" else "half"
    return Numbered(number, style, found.end(), found["tight"] is not None, found["key"] or "")


def kind_in(text: str) -> str:
    """The kind that a heading or a tag names; ``choice`` where it may be single or multiple; empty: none."""
    return next((kind for kind, words in KIND_WORDS if re.search(words, text)), "")


def quoted(text: str, most: int = 24) -> str:
    text = re.sub(r"!\[[^\]]*\]\(media:[0-9a-fA-F]*\)", "[图]", text).replace("\n", " ").strip()
    return f"“{text[:most]}…”" if len(text) > most else f"“{text}”"


def split_labels(text: str) -> tuple[str, list[tuple[str, str]]]:
    """(text before the first label, the labelled texts with their fields)."""
    masked = mask(text)
    found = list(LABEL.finditer(masked))
    if not found:
        return text, []
    ends = [one.start() for one in found[1:]] + [len(text)]
    labels = []
    for one, end in zip(found, ends, strict=True):
        inside = text[one.start("inside"):one.end("inside")] if one["inside"] else ""
        words = f"{inside} {text[one.end():end]}".strip()
        labels.append((field_of(one), words))
    head = text[:found[0].start()]
    if head.rstrip().endswith(("(", "（")) and labels[0][1].rstrip().endswith((")", "）")):
        head = head.rstrip()[:-1]
        labels[0] = (labels[0][0], labels[0][1].rstrip()[:-1])
    return head.rstrip(), labels


def field_of(found: re.Match[str]) -> str:
    if found["reply"]:
        return REPLIES[found["reply"]]
    return "key" if found["tight"] else FIELD_OF[found["boxed"] or found["bare"]]
