"""The browser's signed session, read from its cookie only when somebody asks for it: the exam page's saves never do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import URLSafeTimedSerializer


class LazySession(SecureCookieSession):
    """Empty until the first access fills it."""

    def __init__(self, read: Callable[[], Mapping[str, Any] | None]) -> None:
        super().__init__()
        self.read: Callable[[], Mapping[str, Any] | None] | None = read

    def fill(self) -> None:
        if self.read is not None:
            read, self.read = self.read, None
            dict.update(self, read() or {})


def _filling(name: str) -> Callable[..., Any]:
    inherited = getattr(SecureCookieSession, name)

    def access(self: LazySession, *arguments: Any, **named: Any) -> Any:
        self.fill()
        return inherited(self, *arguments, **named)

    return access


for _name in ("__contains__", "__delitem__", "__eq__", "__getitem__", "__iter__", "__len__", "__setitem__", "clear", "copy", "get",
              "items", "keys", "pop", "popitem", "setdefault", "update", "values"):
    setattr(LazySession, _name, _filling(_name))


class LazySessions(SecureCookieSessionInterface):
    """Flask's own signed cookies, opened late."""

    def __init__(self) -> None:
        self._serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._serializer is None:  # an application has one key, and making this costs more than using it
            self._serializer = super().get_signing_serializer(app)
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return LazySession(lambda: super(LazySessions, self).open_session(app, request))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not isinstance(session, LazySession) or session.read is None:
            super().save_session(app, session, response)
