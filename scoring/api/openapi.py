"""The OpenAPI 3.1 document, made from the operations and their models (pydantic writes the JSON Schema)."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from scoring.api.operations import OPERATIONS, VERSION, Operation
from scoring.api.problems import MEDIA_TYPE, TITLES, ProblemBody

REFERENCE = "#/components/schemas/{model}"


@cache
def document() -> dict[str, Any]:
    """The whole document. Computed once: the operations do not change while the program runs."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "考评通数据接口", "version": VERSION.strip("/"),
                 "description": "供人力资源社会保障部门鉴定中心的监管平台读取评价机构目录、考务方案、认定结果和证书。只读；令牌由鉴定中心发放，"
                                "只能看到令牌所绑定的地区或学校。证件号码一律为掩码。"},
        "servers": [{"url": f"/api{VERSION}"}],
        "paths": {one.path: {"get": _operation(one)} for one in OPERATIONS},
        "components": {"schemas": _schemas(), "securitySchemes": {"token": {
            "type": "http", "scheme": "bearer", "description": "令牌，写在请求头 Authorization: Bearer 之后；不能写在地址里。"}},
            "responses": {code: _problem(title) for code, (_, title) in TITLES.items()}},
    }


@cache
def _definitions() -> dict[str, Any]:
    """The JSON Schema of every model by name."""
    kinds: list[tuple[type[BaseModel], Any]] = [(ProblemBody, "serialization")]
    for one in OPERATIONS:
        kinds += [(one.answer, "serialization"), (one.query, "validation")]
    found: dict[str, Any] = models_json_schema(list(dict.fromkeys(kinds)), ref_template=REFERENCE)[1]["$defs"]
    return found


def _schemas() -> dict[str, Any]:
    queries = {one.query.__name__ for one in OPERATIONS}
    return {name: schema for name, schema in _definitions().items() if name not in queries}


def _operation(one: Operation) -> dict[str, Any]:
    refused = ["bad_request", "too_many_requests", "server_error", "unavailable"] + ["not_found"] * bool(one.path_names)
    refused += [] if one.is_public else ["unauthorized", *(["forbidden"] if one.reads else [])]
    needs = f"令牌须有“{one.reads.chinese}”（{one.reads.value}）权限。" if one.reads else ""
    answers: dict[str, Any] = {"200": {
        "description": "成功", "headers": {"ETag": {"schema": {"type": "string"}, "description": "下次在 If-None-Match 中给出，没有变化时回答 304"}},
        "content": {"application/json": {"schema": {"$ref": REFERENCE.format(model=one.answer.__name__)}}}},
        "304": {"description": "与 If-None-Match 给出的相同"}}
    answers |= {str(TITLES[code][0]): {"$ref": f"#/components/responses/{code}"} for code in refused}
    return {"operationId": one.name, "summary": one.summary, "description": one.description + needs,
            "security": [] if one.is_public else [{"token": []}], "parameters": parameters(one), "responses": answers}


def parameters(one: Operation) -> list[dict[str, Any]]:
    """Those of the path and those behind the question mark."""
    schema = _definitions().get(one.query.__name__, {})
    path = [{"name": name, "in": "path", "required": True, "description": "编号", "schema": {"type": "string", "minLength": 1}}
            for name in one.path_names]
    return path + [{"name": name, "in": "query", "required": False, "description": found.get("description", ""), "schema": _plain(found)}
                   for name, found in schema.get("properties", {}).items()]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out, never null."""
    kept = {name: value for name, value in schema.items() if name not in {"description", "title", "anyOf", "default"}}
    for choice in schema.get("anyOf", ()):
        kept |= choice if choice.get("type") != "null" else {}
    return kept | ({"default": schema["default"]} if schema.get("default") is not None else {})


def _problem(title: str) -> dict[str, Any]:
    return {"description": title, "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="ProblemBody")}}}}


def properties_of(name: str) -> list[tuple[str, str, str]]:
    """The fields of an answer as a page shows them: name, kind, description; those of inner objects behind a dot."""
    schemas, found = _schemas(), []
    for field, schema in schemas[name].get("properties", {}).items():
        found.append((field, _kind(schema), schema.get("description", "")))
        inner = _inner(schema)
        if inner:
            found += [(f"{field}.{below}", kind, words) for below, kind, words in properties_of(inner)]
    return found


def _inner(schema: dict[str, Any]) -> str:
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref") or ""
    return str(reference).rpartition("/")[2]


def _kind(schema: dict[str, Any]) -> str:
    words = {"string": "文字", "integer": "整数", "number": "数", "boolean": "是否", "array": "列表", "null": "可为 null"}
    formats = {"date": "日期", "date-time": "时间"}
    choices = schema.get("anyOf", [schema])
    return "，".join(formats.get(one.get("format", ""), words.get(one.get("type", ""), "对象")) for one in choices)
