"""Who a browser is, from its signed cookie alone and past Flask: for the few doors at which a whole cohort stands at once.

The cookie is Flask's own, read and written with Flask's own serializer; the CSRF token is Flask-WTF's. What is not plain
(another proof, no cookie, a cookie without a CSRF secret) is left to the application behind.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.http import dump_cookie, parse_cookie

from qbank.kernel.settings import Settings
from qbank.kernel.times import Clock

RENEWED_SECONDS = 60.0  # a page that asks every few seconds keeps its sign-in alive, and need not be given a cookie each time
CSRF = "csrf_token"
HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Passport:
    """What a good cookie says: the account, its generation at the sign-in, and the rest of Flask's session."""

    account_id: int
    generation: int
    session: dict[str, Any]


def named_in(session: Any, now: float, settings: Settings) -> tuple[int, int] | None:
    """Key and generation of the account that a session names; None for nobody, or who was idle or signed in for too long."""
    account_id, _, generation = str(session.get("_user_id", "")).partition(":")
    if not account_id.isdecimal() or not generation.isdecimal():
        return None
    if now - session.get("seen", 0) > settings.idle_minutes * 60 or now - session.get("since", now) > settings.session_hours * 3600:
        return None
    return int(account_id), int(generation)


class Passports:
    """Reads and renews the cookies of one application."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def read(self, environ: dict[str, Any]) -> Passport | None:
        """Who asks; None for nobody, or a sign-in that is too old."""
        value = parse_cookie(environ.get("HTTP_COOKIE", "")).get(self._app.config["SESSION_COOKIE_NAME"])
        try:
            session = self._cookies.loads(value or "", max_age=int(self._app.permanent_session_lifetime.total_seconds()))
        except BadData:
            return None
        named = named_in(session, self._now(), self._app.extensions["examroom"]["settings"])
        return None if named is None else Passport(*named, session)

    def renewed(self, passport: Passport) -> tuple[tuple[str, str], ...]:
        """The header that keeps the sign-in alive, once a minute."""
        now = self._now()
        if now - passport.session.get("seen", 0) < RENEWED_SECONDS:
            return ()
        config = self._app.config
        value = self._cookies.dumps({"since": now} | passport.session | {"seen": now})
        cookie = dump_cookie(config["SESSION_COOKIE_NAME"], value, httponly=True, path="/", secure=config["SESSION_COOKIE_SECURE"],
                             samesite=config["SESSION_COOKIE_SAMESITE"])
        return ("Set-Cookie", cookie), ("Vary", "Cookie")

    def has_secret(self, passport: Passport) -> bool:
        """Whether a page of this browser can be given a CSRF token."""
        return isinstance(passport.session.get(CSRF), str)

    def csrf_token(self, passport: Passport) -> str:
        return str(self._proofs.dumps(passport.session[CSRF]))

    def is_ours(self, passport: Passport, environ: dict[str, Any]) -> bool:
        """Whether a request that writes was sent by a page of this site: as Flask-WTF decides it for every other door."""
        if not self._app.config["WTF_CSRF_ENABLED"]:
            return True
        try:
            token = self._proofs.loads(environ.get("HTTP_X_CSRFTOKEN", ""))
        except BadData:
            return False
        if not self.has_secret(passport) or not hmac.compare_digest(passport.session[CSRF], str(token)):
            return False
        return environ["wsgi.url_scheme"] != "https" or _origin(environ.get("HTTP_REFERER", "")) == _origin(f"https://{environ.get('HTTP_HOST', '')}/")

    def _now(self) -> float:
        clock: Clock = self._app.extensions["examroom"]["clock"]
        return clock().timestamp()

    @cached_property
    def _cookies(self) -> URLSafeTimedSerializer:
        made: URLSafeTimedSerializer = self._app.session_interface.get_signing_serializer(self._app)  # type: ignore[attr-defined]  # Flask's own
        return made

    @cached_property
    def _proofs(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._app.extensions["examroom"]["settings"].secret_key, salt="wtf-csrf-token")


def _origin(address: str) -> tuple[str, str | None, int]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or HTTPS_PORT
