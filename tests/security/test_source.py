"""What no line of the program does: read from its source, so that a new line is noticed on the day it is written."""

from __future__ import annotations

import ast
import re
import stat
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.kernel.accounts import Account
from qbank.kernel.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGES = ("qbank", "examroom", "scoring", "seed")


@cache
def sources() -> dict[str, ast.Module]:
    files = [ROOT / "app.py", *(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))]
    return {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text("utf-8")) for file in files}


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Every call of the program: its file, the call, and its name with dots."""
    for name, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield name, node, ast.unparse(node.func)


def importing(*modules: str) -> set[str]:
    """The files that import one of ``modules``."""
    found = set()
    for name, tree in sources().items():
        for node in ast.walk(tree):
            named = ([alias.name for alias in node.names] if isinstance(node, ast.Import) else
                     [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)] if isinstance(node, ast.ImportFrom) else [])
            if any(one == module or one.startswith(module + ".") for one in named for module in modules):
                found.add(name)
    return found


def test_nothing_is_evaluated_and_no_shell_is_asked() -> None:
    wrong = [f"{file}:{call.lineno} {name}" for file, call, name in calls()
             if name in {"eval", "exec", "compile", "os.system", "os.popen", "__import__", "subprocess.getoutput"}
             or name.endswith(("literal_eval", "read_pickle")) or any(word.arg == "shell" for word in call.keywords)]
    assert wrong == []
    assert importing("pickle", "marshal", "shelve", "yaml", "dill", "cloudpickle") <= {"qbank/kernel/queue.py"}  # huey's own tasks, our own arguments


def test_no_pattern_is_made_of_what_people_type() -> None:
    """Patterns are written in the source: literal, or put together from literals at import."""
    wrong = []
    for file, call, name in calls():
        if name in {"re.compile", "re.search", "re.match", "re.fullmatch", "re.sub", "re.split", "re.findall", "re.finditer"} and call.args:
            names = {node.id for node in ast.walk(call.args[0]) if isinstance(node, ast.Name)}
            if any(word in {"form", "request", "args", "typed", "query", "asked", "search"} for word in names):
                wrong.append(f"{file}:{call.lineno}")
    assert wrong == []


def test_no_template_is_made_of_data() -> None:
    wrong = [f"{file}:{call.lineno} {name}" for file, call, name in calls()
             if name.endswith(("render_template_string", "from_string", "format_map")) or name in {"Template", "string.Template", "jinja2.Template"}
             or (name.endswith("render_template") and not isinstance(call.args[0], ast.Constant | ast.IfExp | ast.JoinedStr | ast.Name))]
    assert wrong == []
    assert [file for file in (ROOT / "templates").rglob("*.html") if re.search(r"\|\s*safe\b|autoescape\s+false", file.read_text("utf-8"))] == []


# Who speaks to somebody else, and to whom: addresses come from settings, or from the operator's own command.
SPEAKERS = {
    "examroom/invigilation/load.py": "the rehearsal's own scratch server", "examroom/invigilation/scratch.py": "the same",
    "examroom/invigilation/readiness.py": "the same", "qbank/kernel/buckets.py": "the media store of the settings",
    "qbank/kernel/machine.py": "its own port and name", "qbank/kernel/mail_server.py": "the mail server that an administrator entered",
    "qbank/kernel/operations.py": "listens on the internal address", "qbank/kernel/rounds.py": "its own name",
    "qbank/kernel/standby.py": "the first machine, named by the operator", "qbank/kernel/tls.py": "its own name",
}
NETWORK = ("socket", "http.client", "urllib.request", "smtplib", "ftplib", "requests", "httpx", "boto3", "botocore", "redis", "aiohttp", "paramiko")


def test_only_named_modules_open_connections() -> None:
    found = importing(*NETWORK)
    assert sorted(found - set(SPEAKERS)) == []
    assert sorted(set(SPEAKERS) - found) == []


def test_no_certificate_goes_unchecked() -> None:
    wrong = [f"{file}:{call.lineno}" for file, call, name in calls() for word in call.keywords
             if word.arg in {"verify", "check_hostname"} and isinstance(word.value, ast.Constant) and word.value.value is False]
    assert wrong == []
    assert [file for file, tree in sources().items() if re.search("CERT_NONE|_create_unverified|check_hostname = False", ast.unparse(tree))] == []


def test_no_broken_hash_is_used() -> None:
    wrong = [f"{file}:{call.lineno} {name}" for file, call, name in calls()
             if re.search(r"\b(md5|sha1)$", name.lower()) and "usedforsecurity=False" not in ast.unparse(call)]
    wrong += [f"{file}:{call.lineno}" for file, call, name in calls() if name == "hashlib.new" or (name == "hmac.new" and "sha1" in ast.unparse(call))]
    assert wrong == []


def test_what_nobody_may_guess_comes_from_the_system() -> None:
    """Python's and numpy's generators make draws that are told afterwards, never a secret."""
    secret = re.compile(r"secret|token|password|nonce|salt|\bkey\b")
    wrong = []
    for file, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and secret.search(ast.unparse(node.targets[0]).lower()):
                made = {ast.unparse(call.func) for call in ast.walk(node.value) if isinstance(call, ast.Call)}
                wrong += [f"{file}:{node.lineno} {name}" for name in made if name.startswith(("random.", "uuid.", "np.random.", "numpy.random."))]
    assert wrong == []
    assert importing("secrets")  # where they do come from


CRYPTOGRAPHY = {"qbank/kernel/", "qbank/papers/", "scoring/certificates/", "scoring/archive/", "scoring/api/",
                "scoring/practical/signing.py", "seed/"}  # the last: the password of an assessor who signs, checked again


def test_cryptography_is_done_where_the_list_says() -> None:
    found = importing("cryptography", "jwt", "pyhanko", "nacl", "Crypto", "argon2")
    assert [file for file in found if not file.startswith(tuple(CRYPTOGRAPHY))] == []
    weak = re.compile(r"\b(ECB|CBC|ARC4|TripleDES|Blowfish|PKCS1v15)\b")
    named = {file: sorted(set(weak.findall(ast.unparse(tree)))) for file, tree in sources().items()}
    # A signature with PKCS #1 v1.5 is not the padding of encryption: PDF readers know it best.
    assert {file: names for file, names in named.items() if names and not (names == ["PKCS1v15"] and file.startswith("scoring/"))} == {}


def test_no_form_is_written_into_a_row_as_a_whole() -> None:
    wrong = []
    for file, call, name in calls():
        for word in call.keywords:
            if word.arg is None and re.search(r"request\.(form|args|values|json|get_json)", ast.unparse(word.value)):
                wrong.append(f"{file}:{call.lineno} {name}")
        if name == "setattr" and "request" in ast.unparse(call):
            wrong.append(f"{file}:{call.lineno} {name}")
    assert wrong == []


def test_address_and_form_are_read_apart() -> None:
    """What comes by either fills a form in by a link; what it says is checked where it is written, like any other field."""
    found = {file for file, tree in sources().items() for node in ast.walk(tree)
             if isinstance(node, ast.Attribute) and node.attr == "values" and ast.unparse(node.value) in {"request", "flask.request"}}
    assert sorted(found - EITHER) == []


EITHER = {
    "qbank/kernel/web.py",  # the guard looks through both for what no column can hold
    "qbank/kernel/views.py", "qbank/kernel/factor_views.py", "examroom/delivery/views.py",  # where to go after signing in: safe_next
    "qbank/standards/intake_views.py", "examroom/plans/arrangement_views.py", "examroom/marking/case_views.py", "examroom/oversight/inspection_views.py",
    "examroom/oversight/staff_views.py", "examroom/oversight/list_views.py", "scoring/practical/group_views.py", "scoring/results/misconduct_views.py",
    "scoring/results/public_views.py",  # a form that a link fills in: chosen things go through fetch
}


def test_scripts_of_ours_write_text_and_never_markup() -> None:
    forbidden = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|setTimeout\(\s*[\"'`]|__proto__|postMessage"
                           r"|onmessage)")
    scripts = [file for folder in ("templates", "examroom", "scoring", "qbank") for file in (ROOT / folder).rglob("*.js")]
    assert len(scripts) > 20
    found = {file.relative_to(ROOT).as_posix(): sorted(set(forbidden.findall(file.read_text("utf-8")))) for file in scripts}
    assert {file: names for file, names in found.items() if names and not (file in RENDERED and names == ["innerHTML"])} == {}


RENDERED = {  # what the server has rendered and cleaned: markup of items (nh3), parts of its own pages (Jinja's escapes)
    "examroom/delivery/client/question.js", "examroom/delivery/client/views.js", "templates/static/exchange.js", "templates/static/invigilation_acts.js",
    "templates/static/item_form.js", "templates/static/review.js",
}


def test_fields_of_passwords_mask_and_let_programs_fill_them() -> None:
    fields = [(file.name, field) for file in (ROOT / "templates").rglob("*.html") for field in re.findall(r"<input[^>]*>", file.read_text("utf-8"))
              if re.search(r'name="[a-z_]*password"', field)]
    assert len(fields) >= 5
    assert [field for field in fields if 'type="password"' not in field[1] or "autocomplete=" not in field[1] or 'autocomplete="off"' in field[1]] == []
    scripts = [file.read_text("utf-8") for file in (ROOT / "templates").rglob("*.js")]
    assert [text[:80] for text in scripts if "paste" in text and "password" in text] == []


def test_every_dependency_is_pinned() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    pinned = {re.split(r"[=\[]", line)[0].lower().replace("_", "-") for line in (ROOT / ".ci" / "constraints.txt").read_text("utf-8").splitlines()
              if "==" in line}
    names = {re.split(r"[<>=\[ ]", line)[0].lower().replace("_", "-") for line in wanted}
    assert sorted(names - pinned) == []


def test_a_new_installation_has_no_accounts(session: Session) -> None:
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 0


def test_every_key_of_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    Settings.from_environment({}, folder=tmp_path / "data")
    keys = [file for file in (tmp_path / "data").rglob("*") if file.is_file()]
    assert {file.name for file in keys} >= {"secret.key", "identity.key", "papers.key"}
    assert [file.name for file in keys if stat.S_IMODE(file.stat().st_mode) & 0o077] == []
