"""The body of a QTI item taken apart: stem, shared material, rubrics, feedback; what our texts cannot hold is said. Pure.

Takes elements under the names of 2.2 without namespaces (``qti_names.in_one_language``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from qbank.exchange.fragments import Fragments
from qbank.exchange.qti_item_out import EXPLANATION, GUIDE, KEY, STIMULUS

INTERACTIONS = {
    "choiceInteraction": "选择", "textEntryInteraction": "填空", "extendedTextInteraction": "问答", "inlineChoiceInteraction": "下拉选择",
    "associateInteraction": "连线", "matchInteraction": "配对", "gapMatchInteraction": "拖词填空", "orderInteraction": "排序",
    "graphicGapMatchInteraction": "图上拖放", "graphicAssociateInteraction": "图上连线", "graphicOrderInteraction": "图上排序",
    "hotspotInteraction": "图上点选", "hottextInteraction": "文中点选", "selectPointInteraction": "图上标点",
    "positionObjectInteraction": "图上摆放", "sliderInteraction": "滑块", "drawingInteraction": "画图", "uploadInteraction": "上传文件",
    "mediaInteraction": "音视频", "customInteraction": "自定义作答", "portableCustomInteraction": "自定义作答",
    "endAttemptInteraction": "按钮"}
LEFT_OUT = {"feedbackInline": "作答后的反馈没有读取。", "feedbackBlock": "作答后的反馈没有读取。", "stylesheet": "样式表没有读取。",
            "infoControl": "可展开的提示没有读取。", "catalogInfo": "无障碍替代内容没有读取。", "companionMaterialsInfo": "随附工具没有读取。"}
UNUSABLE = {"printedVariable": "题里有随机变量，题库的题目是固定的。", "templateBlock": "题里有随机变量，题库的题目是固定的。",
            "templateInline": "题里有随机变量，题库的题目是固定的。", "audio": "题里有音频，没有读取。", "video": "题里有视频，没有读取。",
            "picture": "题里的图片写法不常见，没有读取。"}


@dataclass
class Body:
    """Texts in our markup, and the interactions as elements."""

    stem: str = ""
    stimulus: str = ""
    key: str = ""
    guide: str = ""
    explanation: str = ""
    interactions: list[Any] = field(default_factory=list)


def interactions_in(part: Any) -> list[Any]:
    return [one for one in part.iter() if isinstance(one.tag, str) and (one.tag in INTERACTIONS or one.tag.endswith("Interaction"))]


def read_body(item: Any, texts: Fragments) -> Body:
    """The itemBody of ``item``. The elements are changed on the way: blanks become text, prompts go where they stand."""
    made, body = Body(), item.find("itemBody")
    if body is None:
        return made
    made.interactions = texts.first(interactions_in(body))
    plain_content(body, texts)
    for rubric in list(body.iter("rubricBlock")):
        _rubric(rubric, made, texts)
    for one in made.interactions:
        _take_out(one)
    for block in [one for one in body.iter("div") if STIMULUS in (one.get("class") or "").split()]:
        made.stimulus = _joined(made.stimulus, texts.markup(html_of(block)))
        _replace(block, "")
    made.stem = texts.markup(html_of(body))
    for one in item.findall("modalFeedback"):
        if one.get("identifier") in {EXPLANATION, "solution", "SOLUTION", "general"}:
            plain_content(one, texts)
            made.explanation = _joined(made.explanation, texts.markup(html_of(one)))
        else:
            texts.note("作答后的反馈没有读取。")
    return made


def plain_content(part: Any, texts: Fragments) -> None:
    """Leave only what a text can show: objects become pictures, feedback goes, and whatever goes is said."""
    for one in list(part.iter(*LEFT_OUT)):
        if one is not part:
            texts.note(LEFT_OUT[one.tag])
            _replace(one, "")
    for one in list(part.iter(*UNUSABLE)):
        texts.problem(UNUSABLE[one.tag])
        _replace(one, "……" if one.tag == "printedVariable" else "")
    for one in list(part.iter("object")):
        if one.getparent() is not None and not any(parent.tag == "object" for parent in one.iterancestors()):
            _object(one, texts)


def html_of(part: Any) -> str:
    """What is inside ``part`` as HTML."""
    made = etree.Element("div")
    made.text = part.text
    made.extend(list(part))
    return str(etree.tostring(made, method="html", encoding="unicode", with_tail=False))


def _object(one: Any, texts: Fragments) -> None:
    """A picture that a browser shows becomes an img; inside may stand the same in another format, or its words."""
    choices = [one, *one.iter("object")]
    shown = next((each for each in choices if (each.get("type") or "").lower() in {"image/png", "image/jpeg", "image/jpg",
                                                                                  "image/svg+xml", "image/gif"}), None)
    if shown is None:
        texts.problem(f"引用的材料“{(one.get('data') or '')[:60]}”（{(one.get('type') or '类型不明')[:40]}）没有读取。")
        _replace(one, "")
        return
    words = " ".join("".join(shown.itertext()).split())[:80]
    picture = etree.Element("img", src=shown.get("data") or "", alt=words)
    picture.tail = one.tail
    one.getparent().replace(one, picture)


def _rubric(rubric: Any, made: Body, texts: Fragments) -> None:
    views, names = (rubric.get("view") or "").split(), (rubric.get("class") or "").split()
    if rubric.getparent() is None:
        return
    if not set(views) - {"candidate", "testTaker"} or "candidate" in views:
        rubric.tag = "div"  # words to the candidate belong to the stem
        return
    text = texts.markup(html_of(rubric))
    written = any(one.tag == "extendedTextInteraction" for one in made.interactions)
    if KEY in names:
        made.key = _joined(made.key, text)
    elif GUIDE in names or ("scorer" in views and written):
        made.guide = _joined(made.guide, text)
    else:
        made.explanation = _joined(made.explanation, text)
    _replace(rubric, "")


def _take_out(interaction: Any) -> None:
    """A blank becomes text, any other interaction its prompt."""
    if interaction.tag in {"textEntryInteraction", "inlineChoiceInteraction"}:
        _replace(interaction, "____")
        return
    prompt = interaction.find("prompt")
    if prompt is None:
        keeps_words = interaction.tag in {"hottextInteraction", "gapMatchInteraction"}
        _replace(interaction, " ".join("".join(interaction.itertext()).split()) if keeps_words else "")
        return
    prompt.tag, prompt.tail = "div", interaction.tail
    interaction.getparent().replace(interaction, prompt)


def _replace(part: Any, text: str) -> None:
    """``text`` instead of ``part``; what stood behind it stays. Joining it to the text before would take the square of
    the time where there are many."""
    if part.getparent() is not None:
        instead = etree.Element("span")
        instead.text, instead.tail = text, part.tail
        part.getparent().replace(part, instead)


def _joined(first: str, second: str) -> str:
    return f"{first}\n{second}".strip("\n")
