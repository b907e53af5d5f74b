"""Errors of the API as RFC 9457 says: ``application/problem+json``."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response
from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"
TITLES = {
    "bad_request": (400, "请求参数不正确"), "unauthorized": (401, "没有令牌，或令牌无效、已过期、已吊销"), "forbidden": (403, "令牌没有读取这项内容的权限"),
    "not_found": (404, "没有这条记录，或不在令牌的范围内"), "method_not_allowed": (405, "接口只能读取"), "too_many_requests": (429, "请求过于频繁"),
    "server_error": (500, "服务器出错"), "unavailable": (503, "服务器正忙"),
}


class BadField(BaseModel):
    """One parameter that cannot be used."""

    parameter: str = Field(description="参数名")
    detail: str = Field(description="问题")


class ProblemBody(BaseModel):
    """An error."""

    type: str = Field(description="错误种类的说明地址")
    title: str = Field(description="错误种类")
    status: int = Field(description="HTTP 状态码")
    code: str = Field(description="错误代码，供程序判断")
    detail: str = Field(default="", description="具体原因和处理办法")
    errors: list[BadField] = Field(default_factory=list, description="不正确的参数")


class Problem(Exception):
    """Raised to answer with an error."""

    def __init__(self, code: str, detail: str = "", errors: list[BadField] | None = None, **headers: str) -> None:
        super().__init__(code)
        self.code, self.detail, self.errors = code, detail, errors or []
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def status(self) -> int:
        return TITLES[self.code][0]

    def answer(self) -> Response:
        status, title = TITLES[self.code]
        body = ProblemBody(type=f"/api/docs#problem-{self.code}", title=title, status=status, code=self.code, detail=self.detail, errors=self.errors)
        response = flask.make_response(body.model_dump_json(), status)
        response.mimetype = MEDIA_TYPE
        response.headers.update(self.headers)
        return response


def of_status(status: int) -> Problem:
    """The error for an HTTP status that something below the API raised."""
    found: Any = next((code for code, (number, _) in TITLES.items() if number == status), None)
    return Problem(found or ("server_error" if status >= 500 else "bad_request"))
