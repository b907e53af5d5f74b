"""What opens a part of a typed paper: headings, instructions, answer lists, shared materials. Pure."""

from __future__ import annotations

import re

from qbank.exchange.typed_items import Part
from qbank.exchange.typed_keys import after_ordinal, answer_pairs, keys_in_line
from qbank.exchange.typed_options import begins_with
from qbank.exchange.typed_signs import (
    ANSWERS,
    EMPTY_BRACKET,
    HEADING,
    INSTRUCTION,
    LONG_FIELDS,
    MATERIAL,
    QUESTION,
    SECTION,
    SPAN,
    Grid,
    Line,
    kind_in,
    mask,
    numbered,
)
from qbank.exchange.typed_standing import Standing

MATERIAL_PART = re.compile(r"案例|材料|综合|阅读|分析|共用|组合")


class Heads(Standing):
    """Reads what stands over items."""

    def _answers_begin(self, masked: str, index: int, line: Line) -> bool:
        """A line 参考答案 that opens the answers of the paper, or a line of nothing but numbered keys."""
        if not any(True for _ in self.items()):
            return False
        if not self.answers.on and len(keys_in_line(masked)) >= 2 and (re.search(r"\d\s*[-~—–至到]+\s*\d", masked) or self._keys_known(masked)):
            self.answers.open(self.part if {number for number, _ in keys_in_line(masked)} <= set(self.part.by_number) else None)
            self.answers.line(line, line.text, masked)
            return True
        if not ANSWERS.fullmatch(masked) or len(masked) > 40:
            return False
        labelled = bool(re.fullmatch(r"[\s*]*(?:[【\[]\s*(?:参考|标准|正确)?答案\s*[】\]]\s*:?|(?:参考|标准|正确)?答案\s*:)[\s*]*", masked))
        if labelled and self.item and not self.item.said("key") and not self._next_is_answers(index):
            return False
        if self._next_is_answers(index) or not masked.rstrip(" *").endswith(":"):
            self.answers.open(None)
            return True
        return False

    def _keys_known(self, masked: str) -> bool:
        """Whether the numbers of such a line are those of items without a key, so that it is no list of, say, cases."""
        known = {item.number for item in self.items() if item.probable_kind in {"", "choice", "single", "multiple", "judge"}}
        numbers = [number for number, _ in keys_in_line(masked)]
        return len(numbers) >= 3 and set(numbers) <= known and numbers[0] == min(known, default=0)

    def _next_is_answers(self, index: int) -> bool:
        following = self._next(index)
        if isinstance(following, Grid):
            return bool(answer_pairs(following.rows))
        if following is None:
            return False
        masked = mask(following.text.strip())
        if self.item and self.item.written and not self.item.said("key") and not self._is_heading(masked):
            return len(keys_in_line(masked)) >= 2
        return bool(keys_in_line(masked) or self._is_heading(masked) or after_ordinal(masked)[0]
                    or re.match(r"\(?1\s*[.、:)]", masked))

    def _leaves_answers(self, masked: str, index: int) -> bool:
        """Questions go on behind answers: a second paper, or what looked like an answer list was none."""
        mark = numbered(masked)
        if mark is None or keys_in_line(masked):
            return False
        following = self._next(index)
        anew = mark.number == 1 and isinstance(following, Line) and begins_with(mask(following.text), "A") and self.answers.all_seen()
        unknown = mark.style != "bare" and mark.number == self._last_number() + 1 and not any(
            mark.number in part.by_number for part in self.parts)
        if anew:
            self.parts.append(Part())
        if anew or unknown:
            self.answers.on = False
            self.item, self.state = None, ""
        return anew or unknown

    def _is_heading(self, masked: str) -> re.Match[str] | None:
        found = HEADING.fullmatch(masked)
        if found is None or len(masked) > 160:
            return None
        rest = (found["rest"] or "").strip(" :*")
        ordinal = found["ordinal"] or found["ordinal2"]
        if found["answers"] and not self.parts[0].items and len(self.parts) == 1:
            return None
        if EMPTY_BRACKET.search(rest) and not INSTRUCTION.search(rest) and not re.search(r"分", rest):
            return None
        titled = masked[:found.end("title") + 1].rstrip(" :(").endswith("题") or ordinal
        if not titled or (found["digit"] and not re.match(r"\(.*[题分]", rest) and rest):
            return None
        if rest and not re.match(r"[(【\[]", rest) and not INSTRUCTION.search(rest) and not re.search(r"\d+\s*(?:分|小?题|道)", rest) \
                and not (self.answers.on and keys_in_line(rest)):
            return None
        return found

    def _heading(self, line: Line, text: str, masked: str) -> bool:
        if self.answers.on and after_ordinal(text)[0]:
            return False
        found = self._is_heading(masked)
        if found is None:
            return self._section(line, text, masked) or self._instruction(line, masked)
        title, rest = found["title"], (found["rest"] or "").strip()
        ordinal = found["ordinal"] or found["ordinal2"] or found["digit"] or ""
        kind = kind_in(title)
        if (self.answers.on or found["answers"]) and self.answers.turn_to(kind, ordinal):
            if keys := keys_in_line(rest.strip(" :()")):
                self.answers.take(keys, line)
            return True
        self.answers.on = False
        end = found.end("title")
        self._new_part(Part(kind, text[:end].strip(" *") + ("题" if masked[end:end + 1] == "题" else ""), ordinal, line.place,
                            rest, material=bool(MATERIAL_PART.search(title))))
        return True

    def _section(self, line: Line, text: str, masked: str) -> bool:
        """第一部分 安全知识, 二、仪表: a part that does not say its kind."""
        found = SECTION.fullmatch(masked)
        if found is None or EMPTY_BRACKET.search(masked) or QUESTION.search(masked):
            return False
        in_answer = self.item is not None and self.item.written and self.state in LONG_FIELDS
        if in_answer and not masked.lstrip(" *").startswith("第"):
            return False
        if self.answers.on:
            return self.answers.turn_to("", "")
        self._new_part(Part("", text.strip(" *"), "", line.place))
        return True

    def _instruction(self, line: Line, masked: str) -> bool:
        """A line under a heading that says how to answer."""
        if self.part.items or not self.part.title or self.answers.on or not INSTRUCTION.search(masked) or numbered(masked) \
                or MATERIAL.match(masked):
            return False
        self.part.instructions += masked
        return True

    def _new_part(self, part: Part) -> None:
        if self.part.items or self.part.title:
            self.parts.append(part)
        else:
            self.parts[-1] = part
        self.item, self.state, self.material, self.span = None, "", [], None

    def _material(self, line: Line, text: str, masked: str) -> bool:
        found = MATERIAL.match(masked)
        if found is None or (self.item and not self.item.complete):
            return False
        span = SPAN.search(found["range"] or "") or SPAN.search(masked)
        self.span = (int(span[1]), int(span[2])) if span else None
        rest = text[found.end():].strip()
        instruction = re.fullmatch(r"(?:请?阅读|请?根据|依据|请?结合).{0,80}题.{0,4}", mask(rest))
        self.material = [rest] if rest and not instruction else []
        self.state, self.item = "material", None
        return True

    def _shared(self, number: int) -> str:
        if self.span and number and not self.span[0] <= number <= self.span[1]:
            self.material, self.span = [], None
        return "\n".join(self.material).strip()
