"""The waiting page and the shell of the exam page, for whoever answers: the doors, or the fast lane before them.

Both templates are given all they show and ask for nothing: the links to their files are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from flask import Flask, render_template
from markupsafe import Markup

from examroom.delivery.hall import Place, current


class Shells:
    """The pages of one application."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def _links(self) -> dict[str, Markup]:
        with self._app.test_request_context():
            return {page: Markup(render_template("delivery/links.html", page=page)) for page in ("hall", "exam")}  # noqa: S704  # a template's

    def hall(self, places: Sequence[Place], person: str, token: Callable[[], str]) -> str:
        template = self._app.jinja_env.get_template("delivery/waiting_hall.html")
        return template.render(place=current(places), places=places, person=person, links=self._links["hall"], csrf=lambda: _field(token()))

    def exam(self, place: Place, token: Callable[[], str]) -> str:
        template = self._app.jinja_env.get_template("delivery/exam.html")
        return template.render(place=place, links=self._links["exam"], csrf_token=token, csrf=lambda: _field(token()))


def _field(token: str) -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(token)
