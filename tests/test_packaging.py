"""``pip install .``: what the wheel holds is all that the program needs, away from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("qbank", "examroom", "scoring", "seed", "templates")
pytestmark = pytest.mark.one_database


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from a copy of the checkout, unpacked into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    for part in CODE:
        shutil.copytree(ROOT / part, folder / "source" / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / "source")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, folder / "source"],
                   check=True, env={**os.environ, "PIP_NO_INPUT": "1"}, stdout=subprocess.DEVNULL)
    wheel, = folder.glob("examroom-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_every_file_of_the_program_is_in_the_wheel(installed: Path) -> None:
    ours = {path.relative_to(ROOT).as_posix() for part in CODE for path in (ROOT / part).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts}
    assert len(ours) > 500
    assert sorted(one for one in ours if not (installed / one).exists()) == []


def test_it_runs_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    look = ("import app, os, seed, qbank.kernel.settings as settings\n"
            "from pathlib import Path\n"
            f"assert Path(app.__file__).is_relative_to({str(installed)!r}), app.__file__\n"
            "made = app.create_app(settings.Settings.from_environment({}, folder=Path('data')))\n"
            "client = made.test_client()\n"
            "for address in ('/accounts/sign-in', '/filing/directory', '/certificates/query', made.static_url_path + '/site.css'):\n"
            "    answer = client.get(address); assert answer.status_code == 200, (address, answer.status_code); answer.close()\n")
    outside = {"cwd": tmp_path, "check": True, "env": {**os.environ, "PYTHONPATH": str(installed), "EXAMROOM_DIR": str(tmp_path / "data")}}
    subprocess.run([sys.executable, "-m", "app", "upgrade"], **outside, stdout=subprocess.DEVNULL)  # type: ignore[call-overload]
    subprocess.run([sys.executable, "-c", look], **outside)  # type: ignore[call-overload]
