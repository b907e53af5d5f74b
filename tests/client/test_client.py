"""The exam page's scripts under Node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "examroom" / "delivery" / "client"
LONGEST = 300


def test_the_scripts_of_the_exam_page_pass_their_own_tests() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node is not installed; the tests of the exam page need it: apt-get install nodejs npm")
    files = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_every_script_can_be_read_at_one_sitting() -> None:
    assert [path.name for path in CLIENT.glob("*.js") if len(path.read_text().splitlines()) > LONGEST] == []


def test_the_exam_page_reaches_for_nothing_outside_the_house() -> None:
    for path in (*CLIENT.glob("*.js"), *CLIENT.glob("*.css")):
        text = path.read_text()
        assert "http://" not in text, path
        assert "https://" not in text, path
        for forbidden in ("serviceWorker", "crypto.subtle", "eval(", "new Function"):
            assert forbidden not in "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//")), (path, forbidden)
