"""Doors: Exam plans, enrolment, rooms, seats (考务)."""

from __future__ import annotations

from flask import Blueprint

from examroom.plans import models  # noqa: F401

blueprint = Blueprint("plans", __name__, url_prefix="/plans")
