"""The one way through which every operation of the API goes: token, limits, parameters, answer, errors, counting.

An operation is a function with ``@operation``; its route, its checks and its place in the OpenAPI document come from the
same line, so none of them can be forgotten.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import flask
from flask import Blueprint, Flask, Response, current_app, request
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from qbank.kernel.web import bare, db, now
from scoring.api import limits, tokens
from scoring.api.asking import Page, place
from scoring.api.limits import Buckets
from scoring.api.models import Reads
from scoring.api.problems import BadField, Problem, of_status
from scoring.api.tokens import Caller
from scoring.api.usage import Usage

VERSION = "/v1"
blueprint = Blueprint("api", __name__, url_prefix="/api")
Q = TypeVar("Q", bound=BaseModel)


@dataclass
class Inquiry:
    """What an operation gets: a session that only reads, who asks (None: anybody), the parameters, the time."""

    session: Session
    caller: Caller | None
    query: Any
    now: datetime

    @property
    def known(self) -> Caller:
        if self.caller is None:
            raise Problem("unauthorized")
        return self.caller

    def next(self, key: int | None) -> str | None:
        """The address of the page behind ``key``; None: there is none."""
        if key is None:
            return None
        asked = [(name, value) for name, value in request.args.items() if name != "after"]
        return f"{request.path}?{urlencode([*asked, ('after', place(key))])}"


@dataclass(frozen=True)
class Operation:
    """One address of the API."""

    path: str
    name: str
    summary: str
    description: str
    query: type[BaseModel]
    answer: type[BaseModel]
    reads: Reads | None  # the scope that a token needs; None: any token
    is_public: bool  # without a token
    act: Callable[..., BaseModel]

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


@dataclass
class Held:
    """What one process remembers between requests."""

    buckets: Buckets = field(default_factory=Buckets)
    usage: Usage = field(default_factory=Usage)


OPERATIONS: list[Operation] = []


@blueprint.record_once
def _remember(state: Any) -> None:
    state.app.extensions["api"] = Held()


def held(app: Flask) -> Held:
    found: Held = app.extensions["api"]
    return found


def operation(path: str, summary: str, query: type[BaseModel], answer: type[BaseModel], *, reads: Reads | None = None,
              is_public: bool = False) -> Callable[[Callable[..., BaseModel]], Callable[..., BaseModel]]:
    """Make a function an operation: ``act(inquiry, **path values) -> answer``."""

    def register(act: Callable[..., BaseModel]) -> Callable[..., BaseModel]:
        one = Operation(path, act.__name__, summary, (act.__doc__ or "").strip(), query, answer, reads, is_public, act)
        OPERATIONS.append(one)
        blueprint.add_url_rule(VERSION + re.sub(r"{(\w+)}", r"<\1>", path), one.name, bare(lambda **values: _serve(one, values)),
                               provide_automatic_options=False)
        return act

    return register


def _serve(one: Operation, values: dict[str, str]) -> Response:
    moment = now()
    try:
        caller = _admitted(one, moment)
        if any("\x00" in value for value in values.values()):
            raise Problem("not_found")
        response = _answer(one.act(Inquiry(db(), caller, _read(one.query), moment), **values), one.is_public)
    except Problem as problem:
        response = problem.answer()
    except HTTPException as error:
        response = of_status(error.code or 500).answer()
    response.vary.add("Authorization")
    _write_later(response, moment)
    return response


def _admitted(one: Operation, moment: datetime) -> Caller | None:
    """Who asks, when they may, and not too often."""
    mine, address, second = held(current_app), request.remote_addr or "", moment.timestamp()
    if one.is_public:
        _wait(mine.buckets.take(f"anyone {address}", limits.ANYONE, second))
        return None
    caller = tokens.identify(db(), _secret(), now=moment)
    if caller is None:
        _wait(mine.buckets.take(f"wrong {address}", limits.WRONG_TOKENS, second))
        raise Problem("unauthorized", "请在请求头 Authorization: Bearer 后写上有效的令牌。令牌由市或省鉴定中心发放。",
                      WWW_Authenticate='Bearer realm="examroom", error="invalid_token"')
    wait = mine.buckets.take(f"token {caller.token_id}", limits.TOKEN, second)
    refused = bool(wait) or (one.reads is not None and one.reads not in caller.reads)
    mine.usage.note(caller.token_id, caller.name, address, refused=refused, now=moment)
    _wait(wait)
    if refused and one.reads is not None:
        raise Problem("forbidden", f"这个令牌不能读取“{one.reads.chinese}”。如有需要，请向发放令牌的鉴定中心申请。",
                      WWW_Authenticate=f'Bearer realm="examroom", error="insufficient_scope", scope="{one.reads.value}"')
    return caller


def _secret() -> str:
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _wait(seconds: int) -> None:
    if seconds:
        raise Problem("too_many_requests", f"请 {seconds} 秒后再试。", Retry_After=str(seconds))


def _read(query: type[Q]) -> Q:
    """The parameters of the address; anything unknown, doubled or malformed is named."""
    given = request.args.to_dict(flat=False)
    bad = [BadField(parameter=name, detail="只能出现一次") for name, found in given.items() if len(found) > 1]
    try:
        asked = query.model_validate({name: found[0] for name, found in given.items()})
    except ValidationError as error:
        bad += [BadField(parameter=".".join(map(str, one["loc"])), detail=one["msg"]) for one in error.errors(include_url=False, include_context=False)]
        asked = query()
    if bad:
        raise Problem("bad_request", "请求参数不正确，请对照接口说明更正。", bad)
    return asked


def _answer(body: BaseModel, is_public: bool) -> Response:
    """JSON with an ETag; who has it already gets 304 and no body."""
    content = body.model_dump_json().encode()
    response = flask.make_response(content)
    response.mimetype = "application/json"
    response.headers["Cache-Control"] = f"{'public' if is_public else 'private'}, no-cache"
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.make_conditional(request)
    return response


def _write_later(response: Response, moment: datetime) -> None:
    """What was counted is written after the answer is out, by a transaction of its own."""
    mine = held(current_app)
    if mine.usage.is_due(moment):
        kernel = current_app.extensions["examroom"]
        response.call_on_close(lambda: mine.usage.write(kernel["database"], kernel["clock"]))


def cut(rows: list[Any], page: Page) -> tuple[list[Any], int | None]:
    """The rows of a page out of one more than it holds, and the key behind which the next begins."""
    kept = rows[:page.limit]
    return kept, kept[-1].id if len(rows) > page.limit else None
