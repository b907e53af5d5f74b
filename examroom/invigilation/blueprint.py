"""The blueprint of this room; its doors are in several modules."""

from flask import Blueprint

blueprint = Blueprint("invigilation", __name__, url_prefix="/invigilation")
