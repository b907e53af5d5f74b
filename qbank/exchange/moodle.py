"""Moodle XML into drafts. Pure.

Read are multichoice (single and multi), truefalse, shortanswer, numerical, essay, and cloze with nothing but short and
numerical answers; every other type is an item with a problem. Categories become the words about the point, or its codes
where they are written ``B-A-C/001``. Feedback, hints, penalties, weights and fixed order are noted.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from qbank.exchange.archives import parse_xml
from qbank.exchange.drafts import Drafts
from qbank.exchange.fragments import Fragments
from qbank.exchange.gathering import Gathering, sound_text
from qbank.exchange.moodle_answers import Answer, Read, reader_of
from qbank.exchange.moodle_marks import MARKS, category_of, marked, tags_of
from qbank.exchange.plaintext import plain_markup
from qbank.items.draft import Draft
from qbank.items.markup import plain
from qbank.kernel.refused import Refused

TYPES = {"matching": "配对题", "match": "配对题", "ddwtos": "拖词填空", "ddimageortext": "图上拖放", "ddmarker": "图上标点", "gapselect": "选词填空",
         "calculated": "计算题（随机变量）", "calculatedsimple": "计算题（随机变量）", "calculatedmulti": "计算选择题（随机变量）",
         "randomsamatch": "随机配对题", "ordering": "排序题", "stack": "STACK 数学题", "coderunner": "编程题", "recordrtc": "录音题",
         "cloze": "完形填空", "multianswer": "完形填空"}
HTML = re.compile(r"<[A-Za-z/!]|&(#\d+|#x[0-9a-fA-F]+|[A-Za-z]+);")


def read(content: bytes, name: str) -> Drafts:
    """The questions of a Moodle XML file, in their order."""
    root = parse_xml(content, name)
    if root.tag != "quiz":
        raise Refused("wrong_file_type", f"“{name}”不是 Moodle XML（里面是 {str(root.tag)[:40]}）。请在 Moodle 的题库里选择“导出 → Moodle XML 格式”。")
    gathering = Gathering("moodle")
    category = ("", "", "")
    for question in root.iter("question"):
        kind = (question.get("type") or "").strip()
        if kind == "category":
            category = category_of(_plain(question.find("category")))
        elif kind in {"description", "random"}:
            what = "说明文字（description）不是题目" if kind == "description" else "随机题（random）没有自己的内容"
            gathering.note(f"{what}，没有读取：“{_plain(question.find('name'))[:40] or '未命名'}”。")
        else:
            _question(question, kind, category, gathering)
    return gathering.drafts(name)


def _question(question: Any, kind: str, category: tuple[str, str, str], gathering: Gathering) -> None:
    number = len(gathering.items) + 1
    place = f"第 {number} 题"
    texts = Fragments(gathering, place, lambda address: None, tex=True)
    marks = _text(question.find("questiontext"), texts, parts=True)
    explanation = _text(question.find("generalfeedback"), texts)[""]
    reader = reader_of(kind)
    if reader is None:
        texts.problem(f"题型是 {kind[:40] or '未写明'}（{TYPES.get(kind, '插件的题型')}），题库没有这种题型。")
        made = Read("")
    else:
        made = reader(question, _answers(question, texts), marks[""], texts)
    grader = _text(question.find("graderinfo"), texts, parts=True)
    guide = "\n".join(filter(None, (grader["guide"], grader[""])))
    tags = tags_of([_plain(one) for one in texts.first(question.iterfind("tags/tag"))], texts)
    _note_the_rest(question, kind, made, made.stem or marks[""], texts, gathering)
    draft = Draft(made.kind, made.stem or marks[""], made.options, grader["key"] or made.key, explanation, tags.source, tags.difficulty,
                  category[0], category[1], guide, marks["stimulus"], tags.source_page, tags.source_author)
    gathering.add(draft, place, number, tuple(texts.problems), category[2])


def _answers(question: Any, texts: Fragments) -> list[Answer]:
    made = []
    for one in texts.first(question.iterfind("answer")):
        try:
            fraction = float(one.get("fraction") or 0)
        except ValueError:
            fraction = 0.0
        made.append(Answer(_text(one, texts)[""] if question.get("type") == "multichoice" else "", _plain(one), fraction,
                           (one.findtext("tolerance") or "0").strip()))
    return made


def _text(part: Any | None, texts: Fragments, *, parts: bool = False) -> dict[str, str]:
    """A text of Moodle as markup under ``""``; with ``parts``, what our own writer marked under its mark's name."""
    made = dict.fromkeys(("", *MARKS), "")
    if part is None:
        return made
    written = sound_text(part.findtext("text") or "")
    files = {one.get("name") or "": one for one in part.iterfind("file")}
    used: set[str] = set()
    form = part.get("format") or "html"
    if form in {"plain_text", "markdown"} or (form == "moodle_auto_format" and not HTML.search(written)):
        if form == "markdown" and written.strip():
            texts.note("Markdown 格式按纯文本读取。")
        made[""] = plain_markup(written.strip())
    else:
        for name, html in (marked(written) if parts else {"": written}).items():
            made[name] = texts.markup(html, fetch=_fetching(files, used))
    for name in files:
        if name not in used and part.tag not in {"generalfeedback"}:
            texts.problem(f"附件“{name[:60]}”没有读取，只读取题里显示的图片。")
    return made


def _fetching(files: dict[str, Any], used: set[str]) -> Callable[[str], bytes | None]:
    def fetch(address: str) -> bytes | None:
        name = unquote(address.partition("?")[0]).rpartition("/")[2]
        if not address.startswith("@@PLUGINFILE@@") or name not in files:
            return None
        used.add(name)
        try:
            return base64.b64decode(re.sub(r"\s", "", files[name].text or ""))
        except (binascii.Error, ValueError):
            return None

    return fetch


def _note_the_rest(question: Any, kind: str, made: Read, stem: str, texts: Fragments, gathering: Gathering) -> None:
    feedback = [*question.iterfind("answer/feedback"), *question.iterfind("correctfeedback"), *question.iterfind("hint"),
                *question.iterfind("partiallycorrectfeedback"), *question.iterfind("incorrectfeedback")]
    if any(_plain(one) for one in feedback):
        texts.note("各选项的反馈和提示没有读取。")
    if made.kind in {"single", "multiple"} and (question.findtext("shuffleanswers") or "").strip().lower() in {"0", "false"}:
        texts.note("选项固定顺序的要求没有读取。")
    if (question.findtext("hidden") or "0").strip() == "1":
        texts.note("这道题在 Moodle 里已被隐藏。")
    if question.find("image_base64") is not None:
        texts.problem("旧版 Moodle 放在题目后面的图片没有读取。")
    if _number(question.findtext("penalty")) > 0:
        gathering.note("再次作答的扣分（penalty）没有读取。")
    if _number(question.findtext("defaultgrade"), 1) != 1:
        gathering.note("题目的分值（defaultgrade）没有读取，分值在组卷时确定。")
    name = "".join(_plain(question.find("name")).split())
    if name not in {"", "题目"} and not "".join(plain(stem).split()).startswith(name):
        gathering.note("题目的名称（name）没有读取。")


def _plain(part: Any | None) -> str:
    """The text of an element that holds a ``text`` element, as it stands."""
    return sound_text(part.findtext("text") or "").strip() if part is not None else ""


def _number(text: str | None, otherwise: float = 0.0) -> float:
    try:
        return float(text or otherwise)
    except ValueError:
        return otherwise
