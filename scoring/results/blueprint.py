"""The room's blueprint, shared by its modules of doors."""

from flask import Blueprint

blueprint = Blueprint("results", __name__, url_prefix="/results")
