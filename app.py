"""The composition root: ``create_app()`` as a table of contents, the table of doors, the navigation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from flask import Flask, current_app, render_template, url_for
from flask_bootstrap import Bootstrap5
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from sqlalchemy.orm import Session

import examroom.delivery.views
import examroom.filing.views
import examroom.invigilation.views
import examroom.marking.views
import examroom.oversight.views
import examroom.plans.views
import qbank.exchange.views
import qbank.items.views
import qbank.kernel.views
import qbank.papers.views
import qbank.standards.views
import qbank.statistics.views
import scoring.archive.views
import scoring.certificates.views
import scoring.practical.views
import scoring.results.views
import scoring.review.views
from qbank.kernel import web
from qbank.kernel.access import STAFF, Role, Viewer, check_doors, may_pass
from qbank.kernel.db import Database
from qbank.kernel.settings import Settings
from qbank.kernel.times import Clock, spoken, utc_now
from qbank.kernel.todo import Todo
from qbank.standards.models import LEVEL_NAMES

ROOMS = (qbank.kernel, qbank.standards, qbank.items, qbank.exchange, qbank.statistics, qbank.papers,
         examroom.filing, examroom.plans, examroom.delivery, examroom.invigilation, examroom.marking,
         examroom.oversight, scoring.practical, scoring.review, scoring.results, scoring.certificates, scoring.archive)

ANYONE = {Role.ANYONE}
SIGNED_IN = {Role.SIGNED_IN}
ADMIN = {Role.ADMINISTRATOR}
OFFICER = {Role.EXAM_OFFICER}
OFFICES = {Role.EXAM_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER, Role.QUALITY_SUPERVISOR}

# Every door and who may pass. The app does not start when a route is missing here or a line leads nowhere.
ACCESS: dict[str, AbstractSet[Role]] = {
    "static": ANYONE,
    "bootstrap.static": ANYONE,
    "home": SIGNED_IN,
    # qbank.kernel
    "accounts.sign_in": ANYONE,
    "accounts.sign_out": SIGNED_IN,
    "accounts.password": STAFF,
    "accounts.index": ADMIN,
    "accounts.new": ADMIN,
    "accounts.show": ADMIN,
    "accounts.grant": ADMIN,
    "accounts.withdraw": ADMIN,
    "accounts.reset": ADMIN,
    "accounts.trail": ADMIN,
    "accounts.job": SIGNED_IN,
    "accounts.job_progress": SIGNED_IN,
    # qbank.standards
    # qbank.items
    # qbank.exchange
    # qbank.statistics
    # qbank.papers
    # examroom.filing
    # examroom.plans
    # examroom.delivery
    # examroom.invigilation
    # examroom.marking
    # examroom.oversight
    # scoring.practical
    # scoring.review
    # scoring.results
    # scoring.certificates
    # scoring.archive
}

# The left side: (heading, [(title, endpoint)]). A person sees only the doors that open for them.
NAVIGATION: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    ("工作台", (("待办", "home"),)),
    # qbank
    # examroom
    # scoring
    ("系统", (("账号与权限", "accounts.index"), ("审计留痕", "accounts.trail"))),
)

# Each room's own part of the work list.
TODOS: Sequence[Callable[..., list[Todo]]] = (
)


def create_app(settings: Settings, *, clock: Clock = utc_now) -> Flask:
    """The application on the database and folder of ``settings``."""
    app = Flask(__name__, template_folder="templates", static_folder="templates/static")
    app.config.update(BOOTSTRAP_SERVE_LOCAL=True, CANDIDATE_DOOR="accounts.sign_in")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.add_url_rule("/", "home", home)
    for room in ROOMS:
        app.register_blueprint(room.views.blueprint)
    Bootstrap5(app)
    doors = {endpoint: frozenset(roles) for endpoint, roles in ACCESS.items()}
    web.install(app, settings, Database.of(settings), clock, doors)
    app.template_filter("spoken")(spoken)
    app.template_filter("points")(points)
    app.template_global("level_name")(LEVEL_NAMES.__getitem__)
    app.template_global("csrf")(csrf_field)
    app.context_processor(frame)
    check_doors(app, doors)
    return app


def home() -> Any:
    """The work list of the person who is signed in."""
    return render_template("home.html", todos=waiting(web.db(), web.viewer(), now=web.now()))


def waiting(session: Session, viewer: Viewer, *, now: datetime) -> list[Todo]:
    """All that waits for ``viewer``, what is due first on top."""
    todos = [todo for room in TODOS for todo in room(session, viewer, now=now)]
    return sorted(todos, key=lambda todo: (todo.due is None, todo.due or now))


def frame() -> dict[str, Any]:
    """What every page's frame shows: the doors that open for this person."""
    door = url_for(current_app.config["CANDIDATE_DOOR"])
    if not current_user.is_authenticated:
        return {"navigation": [], "candidate_door": door}
    person = web.viewer()
    opened = [(heading, [(title, endpoint) for title, endpoint in entries if may_pass(person, ACCESS[endpoint])])
              for heading, entries in NAVIGATION]
    return {"navigation": [(heading, entries) for heading, entries in opened if entries], "candidate_door": door}


def csrf_field() -> Markup:
    """The hidden field of every form that writes."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def points(half_points: int | None) -> str:
    """Half-points as the office writes a score: ``119`` → ``59.5``; a dash for no score."""
    return "—" if half_points is None else f"{half_points / 2:.1f}"


def main() -> None:
    """The console script ``examroom``."""
    from seed.commands import examroom_command

    examroom_command()
