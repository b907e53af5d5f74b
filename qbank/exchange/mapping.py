"""Which column of a foreign layout is which of ours: by its title, by what stands in it, or as somebody said. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from qbank.items.answers import blanks_in
from qbank.items.draft import LETTERS, judgement
from qbank.items.writing import clean, half_width

OPTION_COLUMNS = tuple(f"选项{letter}" for letter in LETTERS)
COLUMNS = ("鉴定范围", "鉴定点", "题型", "题干", *OPTION_COLUMNS, "答案", "难度", "解析", "评分标准", "共用题干", "出处", "出处页码",
           "出处作者")
ALL_OPTIONS = "选项"  # all options in one cell: "A.伏特 B.安培", or a line each
REQUIRED = ("鉴定范围", "鉴定点", "题型", "题干", "答案", "难度")
NEEDED = ("题干", "答案")  # of a foreign layout; the rest can be given for all rows at once, or later
ALIASES = {
    "题干": "题目 试题 问题 试题内容 题干内容 题目内容 题目名称 试题题目 试题题干 试题名称",
    "答案": "正确答案 标准答案 参考答案 正确选项 试题答案 答案选项",
    "题型": "试题类型 题目类型 类型 题型名称 题类",
    "难度": "难度等级 难易程度 难易度 难度级别",
    "解析": "答案解析 试题解析 题目解析 试题分析 答案说明 解答",
    "鉴定范围": "鉴定范围代码 鉴定范围编码 鉴定范围名称 考核范围 章节 章 模块 单元",
    "鉴定点": "鉴定点代码 鉴定点编码 鉴定点名称 知识点 知识点名称 考核点 考点 知识单元 所属知识点",
    "出处": "来源 依据 题目来源 试题来源 教材",
    "出处页码": "页码 教材页码",
    "出处作者": "作者 教材作者",
    "评分标准": "评分细则 评分要点 得分点 采分点",
    "共用题干": "材料 共用材料 案例 背景材料 题组材料",
    ALL_OPTIONS: "备选答案 备选项 选项内容 全部选项 候选答案 选择项",
}
BY_ALIAS = {alias: title for title, aliases in ALIASES.items() for alias in aliases.split()}
KINDS = {"单选题": "single", "单选": "single", "单项选择题": "single", "单项选择": "single", "选择题": "single", "选择": "single",
         "单项": "single", "多选题": "multiple", "多选": "multiple", "多项选择题": "multiple", "多项选择": "multiple",
         "不定项选择题": "multiple", "多项": "multiple", "判断题": "judge", "判断": "judge", "是非题": "judge", "对错题": "judge",
         "填空题": "fill", "填空": "fill", "简答题": "short", "简答": "short", "问答题": "short", "问答": "short",
         "名词解释": "short", "名词解释题": "short", "计算题": "short", "论述题": "essay", "论述": "essay", "案例题": "essay",
         "案例分析题": "essay", "案例分析": "essay", "综合题": "essay", "分析题": "essay"}
DIFFICULTIES = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "易": 1, "容易": 1, "简单": 1, "较易": 2, "中": 3, "中等": 3, "一般": 3,
                "适中": 3, "较难": 4, "难": 5, "困难": 5}
NUMBERS = frozenset(["序号", "编号", "题号", "试题编号", "No", "ID", "id", "NO", "no", "No.", "第几题"])
BEGINNING = re.compile(r"(?:(?:^|(?<=[\s;；,，。、]))[(（]?|[(（])([A-Ja-jＡ-Ｊ])\s*[)）.．、:：]\s*", re.MULTILINE)


@dataclass(frozen=True)
class Choice:
    """How one sheet is read: the line of the head (-1: there is none), our title for each column ("": not read), and
    what every row gets that says nothing there."""

    head: int
    columns: Sequence[str]
    defaults: Mapping[str, str] = field(default_factory=dict)


def column_of(title: str) -> str:
    """The canonical title of a column: ``选项a``, ``A`` and ``答案（必填）`` are understood."""
    text = re.sub(r"\(.*?\)|[\s*:]", "", half_width(title))
    if found := re.fullmatch(r"(?:选项|备选项|答案选项)?([A-Ja-j])(?:选项|项)?", text):
        return f"选项{found.group(1).upper()}"
    return text if text in COLUMNS or text == ALL_OPTIONS else BY_ALIAS.get(text, clean(title))


def titles_hash(titles: Sequence[str]) -> str:
    """What a layout is remembered by: its titles in their order; spaces do not count."""
    written = [re.sub(r"\s", "", half_width(title)) for title in titles]
    while written and not written[-1]:
        written.pop()
    return hashlib.sha256(json.dumps(written, ensure_ascii=False).encode()).hexdigest()


def guess(lines: Sequence[Sequence[str]], head: int, width: int) -> list[str]:
    """Our title for each column, "" where nothing speaks for one; every title at most once."""
    titles = list(lines[head]) if head >= 0 else []
    known = [column_of(titles[place]) if place < len(titles) else "" for place in range(width)]
    found = [title if title in COLUMNS or title == ALL_OPTIONS else "" for title in known]
    found = [title if title not in found[:place] else "" for place, title in enumerate(found)]
    body = [[clean(line[place]) for line in lines[head + 1:head + 201] if place < len(line) and clean(line[place])]
            for place in range(width)]
    for place in range(width):
        counted = place < len(titles) and half_width(clean(titles[place])) in NUMBERS
        if not found[place] and not counted and (title := _by_content(body[place])) and title not in found:
            found[place] = title
    if "题干" not in found:
        lengths = {place: sum(map(len, body[place])) for place in range(width) if not found[place]}
        if lengths and (longest := max(lengths, key=lambda place: lengths[place])) is not None and lengths[longest]:
            found[longest] = "题干"
    return found


def split_options(text: str) -> dict[str, str]:
    """``A.伏特 B.安培`` or one option a line → 选项A, 选项B …; letters must come in order from A."""
    text = clean(text)
    wanted, pieces = 0, []
    for one in BEGINNING.finditer(text):
        if wanted < len(LETTERS) and half_width(one.group(1)).upper() == LETTERS[wanted]:
            pieces.append((one.start(), one.end()))
            wanted += 1
    if len(pieces) > 1:
        ends = [start for start, _ in pieces[1:]] + [len(text)]
        options = [text[begin:end].strip(" \u3000\t\n;；,，、") for (_, begin), end in zip(pieces, ends, strict=True)]
    else:
        options = [part.strip() for part in re.split(r"\n+" if "\n" in text else r"[|｜;；]", text)]
    return {f"选项{letter}": option for letter, option in zip(LETTERS, options, strict=False) if option}


def guess_kind(cells: Mapping[str, str]) -> str:
    """The kind that options and key speak for; it stands in the preview and can be changed there."""
    options = [title for title in OPTION_COLUMNS if title in cells]
    key = half_width(cells.get("答案", "")).strip()
    if len(options) >= 2:
        return "多选题" if len(re.sub(r"[^A-Ja-j]", "", key)) > 1 else "单选题"
    if judgement(key) in {"T", "F"}:
        return "判断题"
    return "填空题" if blanks_in(cells.get("题干", "")) else "简答题"


def kind_of(text: str) -> str:
    """The value of ItemKind that a cell means, "" for none."""
    word = re.sub(r"\s|\(.*?\)", "", half_width(text))
    return KINDS.get(word, "")


def difficulty_of(text: str) -> int:
    """The grade that a cell means, 0 for none."""
    word = half_width(text).strip().removesuffix(".0").removesuffix("级")
    return DIFFICULTIES.get(word, 0)


def _by_content(cells: Sequence[str]) -> str:
    """The title that at least four fifths of the cells of a column speak for."""
    tests: Sequence[tuple[str, Callable[[str], bool]]] = (("题型", lambda text: bool(kind_of(text))),
             ("鉴定范围", lambda text: bool(re.fullmatch(r"[A-Z]([-－—][A-Z0-9]{1,3}){1,4}", half_width(text).strip().upper()))),
             ("鉴定点", lambda text: bool(re.fullmatch(r"\d{3}", text.strip()))),
             (ALL_OPTIONS, lambda text: len(split_options(text)) > 1 and bool(BEGINNING.search(text))),
             ("答案", lambda text: bool(re.fullmatch(r"[A-Ja-jＡ-Ｊ]{1,6}|[√×✓✗对错]|正确|错误", text.strip()))),
             ("难度", lambda text: text.strip() in DIFFICULTIES and (len(cells) > len(set(cells)) or not text.isdecimal())))
    for title, speaks in tests:
        if cells and sum(speaks(text) for text in cells) >= 0.8 * len(cells):
            return title
    return ""
