"""The room's blueprint, shared by its modules of doors."""

from flask import Blueprint

blueprint = Blueprint("review", __name__, url_prefix="/review")
