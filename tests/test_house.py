"""The house as the README draws it: which way imports go, what pure modules may touch, what lies at the top."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ORDER = [
    "qbank.kernel", "qbank.standards", "qbank.items", "qbank.exchange", "qbank.statistics", "qbank.papers",
    "examroom.filing", "examroom.plans", "examroom.delivery", "examroom.invigilation", "examroom.marking",
    "examroom.oversight", "scoring.practical", "scoring.review", "scoring.results", "scoring.reports", "scoring.certificates",
    "scoring.archive", "scoring.worklist", "scoring.api", "seed", "app",
]
TOP = {"README.md", "app.py", "pyproject.toml", "qbank", "examroom", "scoring", "templates", "seed", "tests"}
PURE_MAY_IMPORT = {"__future__", "numpy", "scipy", "highspy", "pandas", "threadpoolctl", "chinese_calendar", "rapidfuzz",
                   "latex2mathml", "lxml", "markupsafe", "nh3", "matplotlib"}


def sources() -> Iterator[tuple[str, Path]]:
    """(module name, file) of everything of ours but the tests."""
    for package in ("qbank", "examroom", "scoring", "seed"):
        for file in sorted((ROOT / package).rglob("*.py")):
            if "versions" not in file.parts:
                yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file
    yield "app", ROOT / "app.py"


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor(module: str) -> int | None:
    """The place of ``module`` on the line of rooms; None for other people's packages."""
    for place, room in enumerate(ORDER):
        if module == room or module.startswith(room + "."):
            return place
    return None


def test_imports_go_down_only() -> None:
    upward = [f"{module} imports {name}" for module, file in sources() for name in imports(file)
              if (here := floor(module)) is not None and (there := floor(name)) is not None and there > here]
    assert upward == []


def test_the_kernel_could_be_lifted_out() -> None:
    ours = [f"{module} imports {name}" for module, file in sources() if module.startswith("qbank.kernel")
            for name in imports(file) if name.split(".")[0] in {"qbank", "examroom", "scoring", "seed", "app"}
            and not name.startswith("qbank.kernel") and name != "qbank"]
    assert ours == []


def strict_modules() -> list[str]:
    with (ROOT / "pyproject.toml").open("rb") as stream:
        overrides = tomllib.load(stream)["tool"]["mypy"]["overrides"]
    return [name for entry in overrides if entry.get("strict") for name in entry["module"] if "*" not in name]


def test_pure_modules_touch_no_database_web_or_files() -> None:
    """Pure: the standard library, the numeric packages, other pure modules, and the word Refused."""
    import sys

    pure = set(strict_modules())
    found = []
    for module, file in sources():
        if module not in pure:
            continue
        for name in imports(file):
            top = name.split(".")[0]
            ours = any(name == other or name.startswith(other + ".") for other in (*pure, "qbank.kernel.refused"))
            if not (ours or top in PURE_MAY_IMPORT or top in sys.stdlib_module_names - {"os", "pathlib", "socket", "sqlite3"}):
                found.append(f"{module} imports {name}")
    assert found == []


def test_every_module_that_claims_to_be_pure_exists() -> None:
    existing = {module for module, _ in sources()}
    assert set(strict_modules()) - existing == set()


def test_the_top_level_is_what_the_owner_named() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    top = {name.split("/")[0] for name in listed}
    assert {name for name in top if not name.startswith(".")} == TOP


def test_no_page_carries_inline_script_or_style() -> None:
    import re

    for file in (ROOT / "templates").rglob("*.html"):
        text = file.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", text), file.name


def test_every_form_that_writes_carries_its_token() -> None:
    import re

    for file in (ROOT / "templates").rglob("*.html"):
        for form in re.findall(r"<form\b[^>]*method=[\"']?post.*?</form>", file.read_text("utf-8"), re.S | re.I):
            assert "csrf()" in form or "hidden_tag()" in form, f"{file}: {form[:120]}"
