"""The blueprint that the view modules of this room share."""

from flask import Blueprint

blueprint = Blueprint("delivery", __name__, static_folder="client", static_url_path="/exam/client")
