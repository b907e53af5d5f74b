"""What every application and every engine of a run would make anew although it cannot differ: links, pages, statements.

A test still has an application, an engine and a database of its own; only the compiled forms are kept from test to test.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

STATEMENTS = 20_000  # more than the whole product has
_first: dict[str, sa.Engine] = {}


class _Pages(BytecodeCache):
    """Compiled templates by name; a template whose text has changed is compiled again (the bucket holds a checksum)."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


def routes_and_templates() -> None:
    """To be called once, before the first application is made."""
    Flask.jinja_options = {"bytecode_cache": _Pages()}
    compile_rule = Rule.compile
    compiled: dict[tuple[Any, ...], Rule] = {}

    def compile_once(rule: Rule) -> None:
        made_from = (rule.rule, rule.host, rule.subdomain, repr(rule.defaults), rule.merge_slashes)
        if made_from not in compiled:
            compile_rule(rule)
            compiled[made_from] = rule
            return
        like = compiled[made_from]
        rule._parts, rule._trace, rule._converters, rule.arguments = like._parts, like._trace, like._converters, like.arguments
        rule._build, rule._build_unknown = (made.__func__.__get__(rule) for made in (like._build, like._build_unknown))  # type: ignore[attr-defined]

    Rule.compile = compile_once  # type: ignore[method-assign, assignment]  # nine tenths of what an application costs


def statements(engine: sa.Engine) -> sa.Engine:
    """``engine``, which speaks through the dialect of the run's first engine of its kind: compiled SQL is kept by dialect."""
    first = _first.get(engine.dialect.name)
    if first is None or getattr(first.dialect, "server_version_info", None) is None:  # nobody connected yet: it knows nothing of its server
        _first[engine.dialect.name] = engine
        engine._compiled_cache = LRUCache(STATEMENTS)
    else:
        engine.dialect = engine.pool._dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
    return engine
