"""The blueprint that the view modules of this room share."""

from flask import Blueprint

blueprint = Blueprint("archive", __name__, url_prefix="/archive")
