"""Keys as teachers type them: in the stem's brackets, at the end of a line, in an answer list or table, as steps. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qbank.exchange.typed_signs import EMPTY_BRACKET, JUDGED, mask
from qbank.items.answers import blanks_in
from qbank.items.draft import judgement
from qbank.items.writing import bare, half_width

LETTERED = re.compile(r"[A-Ja-j](?:[\s、,，;；/&+和]*[A-Ja-j])*")
TOKEN = rf"(?:[A-J]{{1,10}}|[a-j]{{1,10}}|{JUDGED})"
BRACKETED = re.compile(rf"\((?P<in>\s*)(?P<key>{TOKEN}|[A-J](?:\s*[、,]?\s*[A-J])+)(?P<out>\s*)\)|【\s*(?P<boxed>{TOKEN})\s*】|\[\s*(?P<square>{TOKEN})\s*\]")
SAID_IN_BRACKET = re.compile(rf"\s*\(\s*(?:正确|参考)?(?:答案|选)\s*[:为是]?\s*(?P<key>{TOKEN})\s*[。.]?\s*\)\s*$")
AT_END = re.compile(rf"(?:\s{{1,}}|(?<=[)。_?.]))(?P<key>[A-J]{{1,10}}|{JUDGED})\s*$")
JUDGED_AT_END = re.compile(r"\s*(?P<key>[√✓✔☑×✕✖✗✘☒])\s*$")
FIRST_WORD = re.compile(rf"\s*[(【\[]?\s*(?P<key>[A-J](?:[\s、,]*[A-J])+|{TOKEN})\s*[)】\]]?(?P<end>$|[\s。.;,、:(【])")
RANGE = re.compile(r"(?P<first>\d{1,5})\s*(?:题\s*)?[-~—–至到]+\s*(?P<last>\d{1,5})\s*题?\s*[:.、)]?\s*"
                   r"(?P<keys>(?:[A-Ja-j√✓✔☑×✕✖✗✘☒对错TFtf,、;/|]|正确|错误|\s(?!\s*\d+\s*[-~—–至到.、:]))+)")
SINGLE = re.compile(r"\(?(?P<number>\d{1,5})\s*[.、:)]*\s*[(【\[]?\s*(?P<key>[A-J]{1,10}|[a-j]{1,10}|正确|错误|[√✓✔☑×✕✖✗✘☒对错TF])\s*[)】\]]?"
                    r"(?=$|[\s,;。、\d(|])[\s,;。、|]*")
LEAD = re.compile(r"\s*[【\[]?(?:(?:单选|多选|判断|选择|单项选择|多项选择)题?|[^\d\s:]{0,8}答案)?[】\]]?\s*(?:参考|标准)?(?:答案)?\s*:?\s*")
KIND_LEAD = re.compile(r"\s*(单选|多选|判断|选择|单项选择|多项选择)题?\s*(?:答案)?\s*:\s*")
NUMBER_ROW = re.compile(r"\s*(?:题号|序号|题目)?\s*\d{1,5}(?:[\s|]+\d{1,5})+\s*")
AFTER_ORDINAL = re.compile(r"\s*(?:第\s*)?(?P<ordinal>[一二三四五六七八九十]{1,3})\s*(?:大题|部分)?\s*[、.:)]\s*")
ONLY_KEYS = re.compile(r"[\s,、;|]*(?:(?:[A-J]{1,10}|[a-j]{1,10}|正确|错误|[√✓✔☑×✕✖✗✘☒对错TF])[\s,、;|]*)+")
KEYS = re.compile(r"[A-J]+|[a-j]+|正确|错误|[√✓✔☑×✕✖✗✘☒对错]|[TF]")
PIECE = re.compile(r"[A-J]|[a-j]|正确|错误|[√✓✔☑×✕✖✗✘☒对错TF]")
POINTS = re.compile(r"(?:[（(]\s*(?:[得给计]\s*)?(?=\d{1,3}(?:\.\d)?\s*分\s*[）)])|[，,：:\s]*[得给计]\s*(?=\d)"
                    r"|[，,：:\s]+(?=\d{1,2}(?:\.\d)?\s*分[\s。；;]*$))(\d{1,3}(?:\.\d)?)\s*分\s*[）)]?[\s。；;，,]*")
OWN_STEP = re.compile(r"\s*\d{1,3}(?:\.\d)?\s*分?\s*[|｜]\s*\S")
NUMBERED_PART = re.compile(r"\s*(?:[（(]\s*\d{1,2}\s*[）)]|[①-⑩]|\d{1,2}\s*[.、．)](?!\d))\s*")
BRACKET_BLANK = re.compile(r"（[\s\u3000]*）|\([\s\u3000]*\)|【[\s\u3000]*】|\[[\s\u3000]+\]|＿{2,}|﹍{2,}|—{3,}"
                           r"|(?<=[\u4e00-\u9fff])[ \u3000]{4,}(?=[\u4e00-\u9fff。，；、])")
UNDERLINED = re.compile("\ue003([^\ue004]*)\ue004")


def choice_key(text: str) -> str:
    """Letters of a choice key ("A、C" → "AC"), each once, in order; empty: it is none."""
    found = LETTERED.fullmatch(half_width(text).strip().rstrip("。.;；,，").strip("()[]【】 "))
    return "".join(sorted(set(re.sub(r"[^A-Ja-j]", "", found.group()).upper()))) if found else ""


def spelled_key(text: str, options: Sequence[str]) -> str:
    """Letters of a key that repeats its options ("A:铜;B:铝;", as learning platforms export); empty: it is none."""
    letters = ""
    for part in re.split(r"[;；\n]", text.strip().rstrip(";；")):
        found = re.match(r"\s*([A-Ja-j])\s*[:：.、．]\s*(.+)", part)
        place = "ABCDEFGHIJ".index(found[1].upper()) if found else len(options)
        if found is None or place >= len(options) or bare(options[place]) != bare(found[2]):
            return ""
        letters += found[1].upper()
    return letters


def judge_key(text: str) -> str:
    """``T`` or ``F``; empty: it is none."""
    word = judgement(half_width(text).strip().strip("()[]【】。.;；,，、 "))
    return word if word in {"T", "F"} else ""


def keys_in_line(text: str) -> list[tuple[int, str]]:
    """The numbered keys of a line that holds nothing else ("1-5 BACDA 6.C", "1．√ 2．×"); none where it holds more."""
    masked = mask(text).replace("．", ".")
    place = LEAD.match(masked).end()  # type: ignore[union-attr]
    found: list[tuple[int, str]] = []
    while place < len(masked):
        if part := RANGE.match(masked, place):
            keys = _keys_of_range(part["keys"], int(part["last"]) - int(part["first"]) + 1)
            if not keys:
                return []
            found += [(int(part["first"]) + step, key) for step, key in enumerate(keys)]
        elif part := SINGLE.match(masked, place):
            found.append((int(part["number"]), part["key"]))
        else:
            return []
        place = part.end()
        while place < len(masked) and masked[place] in " \t,;。、|":
            place += 1
    return found


def after_ordinal(text: str) -> tuple[str, str]:
    """"一、1-5 BACDA" or "三、6. 安培" among answers: the ordinal of the part and the rest; ("", "") for anything else."""
    masked = mask(text)
    found = AFTER_ORDINAL.match(masked)
    if found and (keys_in_line(text[found.end():]) or len(unnumbered_keys(text[found.end():])) > 1 or re.match(r"\(?\d{1,5}\s*[.、:)]", masked[found.end():])):
        return found["ordinal"], text[found.end():]
    return "", ""


def headed_keys(text: str) -> tuple[str, list[str]]:
    """"单选：BACDA": the word for the kind, and the keys; no keys: it is something else."""
    found = KIND_LEAD.match(mask(text))
    return (found[1], unnumbered_keys(text[found.end():])) if found else ("", [])


def typed_table(first: str, second: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Two lines "题号 1 2 3" and "答案 B A C" as the rows of an answer table."""
    if first[-1:] in "。：:）)?？" or not NUMBER_ROW.fullmatch(mask(first)):
        return None
    numbers = re.findall(r"\d+", mask(first))
    keys = re.sub(r"^\s*(?:参考|正确)?答案\s*:?", "", mask(second)).replace("|", " ").split()
    if len(keys) != len(numbers) or not all(choice_key(key) or judge_key(key) for key in keys):
        return None
    return tuple(numbers), tuple(keys)


def unnumbered_keys(text: str) -> list[str]:
    """The keys of a line of nothing but keys ("BACDA ABDCC" or "AB ACD BC"); one letter each unless groups are uneven."""
    masked = mask(text).strip()
    if not ONLY_KEYS.fullmatch(masked):
        return []
    groups = KEYS.findall(masked)
    uneven = len({len(group) for group in groups if group.isalpha() and group.isascii()}) > 1
    return groups if uneven and all(2 <= len(group) <= 5 for group in groups) else PIECE.findall(masked)


def key_in_stem(stem: str, letters: str, judged: bool, certain: str) -> tuple[str, str]:
    """(stem with empty brackets, key) where the stem's own brackets hold its key; otherwise (stem, "").

    ``letters`` are the item's options; ``certain`` the key that is known from elsewhere: a bracket may then hold an
    abbreviation (电阻（R）), and counts only with the same or with space around.
    """
    masked = mask(stem)
    read = judge_key if judged else choice_key
    has_empty = bool(EMPTY_BRACKET.search(masked)) or bool(blanks_in(stem))
    found: list[tuple[int, int, str]] = []
    for part in BRACKETED.finditer(masked):
        text = part["key"] or part["boxed"] or part["square"] or ""
        key = read(text)
        roomy = bool(part["in"]) or bool(part["out"]) or (text.lower() != text.upper() and len(text) > 1)
        if not key or (judged and text.isascii() and text not in {"T", "F"} and not roomy):
            continue
        if not judged and ((set(key) - set(letters) and not roomy) or (has_empty and not roomy)):
            continue
        if certain and key != certain and not roomy:
            continue
        found.append((part.start(), part.end(), key))
    if said := SAID_IN_BRACKET.search(masked):
        return stem[:said.start()], read(said["key"])
    if not found:
        return stem, ""
    start, end, key = found[-1]
    return f"{stem[:start]}（　　）{stem[end:]}", key


def key_at_end(text: str, judged: bool) -> tuple[str, str]:
    """(text without it, key) where a line ends in its key: "…是（ ）。 B", "…。√"."""
    masked = mask(text)
    found = (JUDGED_AT_END.search(masked) if judged else None) or AT_END.search(masked)
    if found is None:
        return text, ""
    word = found["key"]
    key = judge_key(word) if judged else choice_key(word)
    if not key or (judged and word.isascii() and word not in {"T", "F"}):
        return text, ""
    if not judged and not (EMPTY_BRACKET.search(masked, 0, found.start()) or blanks_in(text[:found.start()])):
        return text, ""
    return text[:found.start()].rstrip(), key


def blanks_of_stem(stem: str) -> tuple[str, list[str]]:
    """The stem of a fill-in item with ``____`` for each blank, and the answers that stood underlined in them."""
    answers = [found.strip() for found in UNDERLINED.findall(stem)]
    stem = UNDERLINED.sub("____", stem)
    if not blanks_in(stem):
        stem = BRACKET_BLANK.sub("____", stem)
    stem = re.sub(r"[_＿]{2,}(?:[ \u3000]+[_＿]{2,})+|＿{2,}", "____", stem)
    return stem, answers


def fill_key(text: str, blanks: int) -> str:
    """A fill-in key with a line for each blank. ``；`` parts blanks; ``|`` parts wordings, or blanks where only that fits."""
    lines = [line.strip() for line in re.split(r"\n", text) if line.strip()]
    if len(lines) == blanks:
        return "\n".join(_without_number(line, blanks) for line in lines)
    whole = "\n".join(lines)
    for separator in (r"[；;\n]", r"[|｜\n]", r"[、\n]", r"[，,\n]", r"(?:\s{2,}|\t|\n)", r"\s+", r"/"):
        parts = [part.strip() for part in re.split(separator, whole)]
        while parts and not parts[-1]:
            parts.pop()
        if len(parts) == blanks and all(parts):
            return "\n".join(_without_number(part, blanks) for part in parts)
    parts = [part.strip(" 　;；,，、。") for part in NUMBERED_PART.split(whole)]
    if len(parts) == blanks + 1 and not parts[0] and all(parts[1:]):
        return "\n".join(parts[1:])
    return "\n".join(part.strip() for part in re.split(r"[；;\n]", whole) if part.strip())


def steps(text: str) -> tuple[str, list[str]]:
    """A marking guide as lines "2|切断电源" from text with （2分） behind each step; and what stood behind the last one."""
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and all(OWN_STEP.match(line) for line in lines):
        return "\n".join(line.strip() for line in lines), []
    done: list[str] = []
    waiting = ""
    for line in lines:
        whole = POINTS.search(line)
        if whole and whole.end() < len(line) and (last := re.fullmatch(r"(.*)[（(]\s*(\d{1,3}(?:\.\d)?)\s*分\s*[）)][\s。；;]*", line)) \
                and len(POINTS.findall(line)) == 1:
            whole = None
            done.append(f"{last[2]}|{(waiting + last[1]).strip()}")
            waiting = ""
            continue
        place = 0
        for found in POINTS.finditer(line):
            step = (waiting + line[place:found.start()]).strip(" \u3000\t；;")
            if step:
                done.append(f"{found[1]}|{step}")
            waiting, place = "", found.end()
        if rest := line[place:].strip():
            waiting += rest + " "
    return "\n".join(done), [waiting.strip()] if waiting.strip() else []


def has_steps(text: str) -> bool:
    return bool(POINTS.search(text))


def without_points(text: str) -> str:
    """A model answer without the points of its steps."""
    return "\n".join(re.sub(r"[（(]\s*\d{1,3}(?:\.\d)?\s*分\s*[）)]", "", line).rstrip() for line in text.split("\n")).strip()


def answer_pairs(rows: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """The numbered keys of an answer table, its numbers in rows, in columns or in the cells with the keys; none: it is none."""
    cells = [[mask(cell).strip() for cell in row] for row in rows]
    for candidate in (list(_by_rows(cells)), list(_by_rows(list(zip(*_even(cells), strict=True)))), list(_by_cells(cells))):
        if len(candidate) >= 2:
            return candidate
    return []


def _even(cells: list[list[str]]) -> list[list[str]]:
    width = max(map(len, cells), default=0)
    return [row + [""] * (width - len(row)) for row in cells]


def _by_rows(cells: Sequence[Sequence[str]]) -> Iterator[tuple[int, str]]:
    numbers: Sequence[str] = ()
    for row in cells:
        as_numbers = [cell.rstrip(".、题") for cell in row]
        if sum(cell.isdecimal() for cell in as_numbers) >= max(1, len([cell for cell in row if cell]) - 1):
            numbers = as_numbers
        elif numbers and any(row):
            good = [(int(number), cell) for number, cell in zip(numbers, row, strict=False)
                    if number.isdecimal() and len(number) < 6 and cell]
            if not all(choice_key(cell) or judge_key(cell) for _, cell in good):
                return
            yield from good
            numbers = ()


def _by_cells(cells: list[list[str]]) -> Iterator[tuple[int, str]]:
    filled = [cell for row in cells for cell in row if cell]
    found = [keys_in_line(cell) for cell in filled]
    if sum(map(bool, found)) >= max(1, len(filled) - len(cells)) and all(
            keys or not re.search(r"\d", cell) for keys, cell in zip(found, filled, strict=True)):
        for keys in found:
            yield from keys


def _keys_of_range(text: str, count: int) -> list[str]:
    groups = [group for group in re.split(r"[\s,、;/|]+", text) if group]
    if len(groups) == count:
        return groups
    pieces = PIECE.findall(text)
    return pieces if len(pieces) == count else []


def _without_number(text: str, blanks: int) -> str:
    return NUMBERED_PART.sub("", text, count=1) if blanks > 1 and NUMBERED_PART.match(text) else text


