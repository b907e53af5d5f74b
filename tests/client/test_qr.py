"""The answer file as QR codes: what another's decoder reads on the page, the upload page understands."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from examroom.marking import answer_file
from qbank.kernel.refused import Refused

CLIENT = Path(__file__).resolve().parents[2] / "examroom" / "delivery" / "client"
DRAWN = """
const { answerFile } = await import(%(emergency)s);
const { partsOf, qrOf } = await import(%(qr)s);
const events = Array.from({ length: %(events)d }, (_, place) => ({ sequence: place + 1, number: place %% 100 + 1, flagged: place %% 7 === 0,
  answer: place %% 20 === 3 ? "先断电，后 \\"验电\\"\\n挂牌" : "ABCD"[place %% 4] }));
const file = answerFile({ sheet: 12, generation: 281474976710655, acknowledged: 2, events, token: "secret", at: "2026-11-22T01:00:00.000Z" });
const parts = partsOf(file);
console.log(JSON.stringify({ file, parts, drawn: parts.map((part) => qrOf(part).map((row) => row.map(Number).join(""))) }));
"""


def page_with(events: int) -> dict[str, Any]:
    """What the page of a candidate with so many events makes."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node is not installed; the tests of the exam page need it: apt-get install nodejs npm")
    names = {name: json.dumps((CLIENT / f"{name}.js").as_uri()) for name in ("emergency", "qr")}
    done = subprocess.run([node, "--input-type=module", "--eval", DRAWN % (names | {"events": events})], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def scanned(rows: list[str]) -> str:
    picture = Image.new("L", (len(rows) + 8, len(rows) + 8), 255)
    for y, row in enumerate(rows):
        for x, module in enumerate(row):
            if module == "1":
                picture.putpixel((x + 4, y + 4), 0)
    read = zxingcpp.read_barcode(picture.resize((420, 420), Image.Resampling.NEAREST))
    assert read is not None
    return read.text


@pytest.mark.parametrize(("events", "codes"), [(1, 1), (40, 2), (230, 6)])
def test_the_codes_of_a_page_scanned_in_any_order_are_its_answer_file(events: int, codes: int) -> None:
    made = page_with(events)
    texts = [scanned(rows) for rows in made["drawn"]]
    assert texts == made["parts"]
    assert len(texts) == codes
    found = answer_file.read("\r\n".join(reversed(texts)).encode())
    assert found == answer_file.read(json.dumps(made["file"]).encode())
    assert (found.digest, len(found.events)) == (made["file"]["digest"], events)


def test_written_answers_of_an_hour_are_offered_as_a_file_only() -> None:
    assert page_with(2000)["parts"] == []


def test_a_code_that_is_missing_foreign_or_damaged_is_named() -> None:
    texts, other = page_with(230)["parts"], page_with(40)["parts"]
    for lines, code, told in (([*texts[:2], *texts[3:]], "scan_incomplete", "第 3 张"), ([*texts, other[0]], "scan_mixed", "同一份"),
                              ([texts[0][:9], *texts[1:]], "scan_garbled", "第 1 行"), ([texts[0].replace('"A"', '"B"'), *texts[1:]], "tampered", "校验码"),
                              (["EXAMROOM 1/1 00000000 12"], "not_json", "JSON")):
        with pytest.raises(Refused, match=f"^{code}:") as refused:
            answer_file.read("\n".join(lines).encode())
        assert told in refused.value.sentence
