"""The room's blueprint, shared by its modules of doors."""

from flask import Blueprint

blueprint = Blueprint("certificates", __name__, url_prefix="/certificates")
