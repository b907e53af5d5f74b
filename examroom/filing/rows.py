"""The rows of annex 1's tables: typed, pasted or imported from Excel; identity numbers encrypted as soon as they come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy.orm import Session

from examroom.filing import annexes
from examroom.filing.annexes import MOST_ROWS, Part
from examroom.filing.application import require_editor
from examroom.filing.application_models import Application, ApplicationRow
from qbank.kernel.access import Viewer
from qbank.kernel.export import Table, workbook
from qbank.kernel.identity import IdentityCipher, check, mask
from qbank.kernel.refused import Refused
from qbank.kernel.workbooks import frames

EXAMPLES = {"identity": "430102199001011234", "name": "示例", "number": "1", "area": "120", "brand": "示例品牌", "model": "示例型号"}


def write_rows(session: Session, application: Application, part: Part, typed: Sequence[Mapping[str, str]], who: Viewer, *,
               cipher: IdentityCipher, append: bool = False) -> int:
    """Set the rows of one table (or add to them); how many it has now. One fault and nothing is written.

    A row that names its ``id`` and repeats its masked identity number keeps the number that it holds.
    """
    require_editor(session, application, who)
    held = {str(row.id): row for row in application.rows_of(part.key)}
    kept = list(held.values()) if append else []
    read: list[tuple[ApplicationRow | None, dict[str, Any]]] = []
    problems: list[str] = []
    for place, values in enumerate(typed, len(kept) + 1):
        if not any(values.get(field.key, "").strip() for field in part.columns):
            continue
        row = None if append else held.get(values.get("id", ""))
        try:
            read.append((row, _values(row, part, values, cipher)))
        except Refused as refusal:
            problems.append(f"第 {place} 行（{values.get('name', '').strip() or '未填名称'}）：{refusal.sentence}")
    problems += _twice([(row.identity_hash, row.cells) for row in kept] + [(new["identity_hash"], new["cells"]) for _, new in read])
    if len(kept) + len(read) > MOST_ROWS:
        problems.append(f"最多 {MOST_ROWS} 行，现在有 {len(kept) + len(read)} 行。")
    if problems:
        raise Refused("bad_rows", f"“{part.short}”没有保存，请改正：", problems[:50])
    rows = kept + [_written(row or ApplicationRow(part=part.key), new) for row, new in read]
    for position, row in enumerate(rows):
        row.position = position
    application.rows = [row for row in application.rows if row.part != part.key] + rows
    application.edits += 1
    session.flush()
    session.expire(application, ["rows"])
    return len(rows)


def _values(row: ApplicationRow | None, part: Part, values: Mapping[str, str], cipher: IdentityCipher) -> dict[str, Any]:
    """What a row becomes. Refuses a choice that is none and an identity number that is wrong."""
    cells = {field.key: values.get(field.key, "").strip()[:500] for field in part.columns if field.key != "identity"}
    for field in part.columns:
        chosen = cells.get(field.key, "")
        if field.choices and chosen and chosen not in field.choices:
            raise Refused("no_choice", f"“{field.title}”应为{'、'.join(field.choices)}之一，现在是“{chosen[:20]}”。")
    number = values.get("identity", "").strip() if part.people else ""
    if row is not None and number and number == row.identity_masked:
        return {"cells": cells, "identity_cipher": row.identity_cipher, "identity_hash": row.identity_hash, "identity_masked": number}
    if not number:
        return {"cells": cells, "identity_cipher": None, "identity_hash": None, "identity_masked": None}
    number = check(number)
    return {"cells": cells, "identity_cipher": cipher.encrypt(number), "identity_hash": cipher.fingerprint(number), "identity_masked": mask(number)}


def _written(row: ApplicationRow, new: Mapping[str, Any]) -> ApplicationRow:
    for name, value in new.items():
        setattr(row, name, value)
    return row


def _twice(rows: Sequence[tuple[str | None, Mapping[str, Any]]]) -> list[str]:
    seen: dict[str, str] = {}
    found = []
    for key, cells in rows:
        if key and key in seen:
            found.append(f"{cells.get('name', '')}的身份证号与{seen[key]}的相同。")
        elif key:
            seen[key] = cells.get("name", "")
    return found


def template(part: Part) -> bytes:
    """An empty workbook of one table, with an example row and lists to choose from."""
    example = [field.choices[0] if field.choices else EXAMPLES.get(field.key, "") for field in part.columns]
    return workbook([Table(part.short, [(field.title, field.width) for field in part.columns], [example], title=part.heading,
                           notes=["第一行是示例，导入前请改掉或删除。导入时一行有错则全部不写入，错误会逐行列出。"],
                           lists={field.title: field.choices for field in part.columns if field.choices})])


def read(part: Part, content: bytes) -> list[dict[str, str]]:
    """The rows below the head of an uploaded workbook. Refuses what is no such table."""
    sheets = frames(content, Refused("broken_workbook", "这个工作簿读不出来，请在 Excel 或 WPS 中另存为 .xlsx 后再上传。"))
    wanted = {_bare(field.title): field.key for field in part.columns}
    needed = {_bare(field.title) for field in part.columns if field.required}
    for sheet in sheets.values():
        table = [["" if pd.isna(cell) else str(cell).strip() for cell in row] for row in sheet.itertuples(index=False)]
        for place, heads in enumerate(table):
            if needed <= {_bare(head) for head in heads}:
                keys = [wanted.get(_bare(head), "") for head in heads]
                rows = [{key: cell for key, cell in zip(keys, cells, strict=True) if key} for cells in table[place + 1:] if any(cells)]
                if not 0 < len(rows) <= MOST_ROWS:
                    raise Refused("no_rows", f"表头下面应有 1 到 {MOST_ROWS} 行，现在有 {len(rows)} 行。")
                return rows
    titles = "、".join(field.title for field in part.columns)
    raise Refused("no_head", f"没有找到表头。“{part.short}”应有这些列：{titles}。可以先下载模板。")


def _bare(title: str) -> str:
    """A head as it is compared: annex 1 writes 规格 型号 and 职务 / 职称 with spaces of its own."""
    return "".join(title.split()).replace("／", "/")


def part_of(key: str) -> Part:
    """The table called ``key``; the first where no such table exists."""
    return annexes.PART_OF.get(key, annexes.PARTS[0])
