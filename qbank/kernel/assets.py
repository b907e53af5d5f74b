"""The program's own files (scripts, styles), from memory: a cohort that opens its browsers asks for thirty of them each.

Their addresses carry a digest of all of them, so that a browser keeps them for good and a start asks for none. (WhiteNoise
does the same from the disk, and compresses only what a build step has compressed.)
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from flask import Flask

from qbank.kernel import logs

FOREVER = "public, max-age=31536000, immutable"
LEAST_SAVED = 0.9  # what compression hardly shrinks goes as it is
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@cache
def digest_of(folder: Path, *more: str) -> str:
    """Changes with any file in the folder, and with ``more``."""
    found = hashlib.sha256("\0".join(more).encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


class Assets:
    """Stands before ``behind`` and answers for the static folders of ``app`` and its blueprints."""

    def __init__(self, behind: Wsgi, app: Flask, headers: dict[str, str]) -> None:
        self.behind, self.app = behind, app
        self.headers = [("Cache-Control", FOREVER), ("Vary", "Accept-Encoding"), *headers.items()]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        file = self._files.get(environ["PATH_INFO"])
        if file is None or environ["REQUEST_METHOD"] != "GET":
            return self.behind(environ, start_response)
        logs.here().route = "static"
        plain, squeezed = _contents(file)
        packed = squeezed is not None and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        body = squeezed if packed and squeezed is not None else plain
        start_response("200 OK", [("Content-Type", _kind(file)), ("Content-Length", str(len(body))), *self.headers,
                                  *([("Content-Encoding", "gzip")] if packed else [])])
        return [body]

    @cached_property
    def _files(self) -> dict[str, Path]:
        """Address → file."""
        prefixes = {one.static_url_path: one.static_folder for one in (self.app, *self.app.blueprints.values()) if one.has_static_folder}
        return {f"{address}/{path.relative_to(folder).as_posix()}": path for address, folder in prefixes.items() if folder
                for path in Path(folder).rglob("*") if path.is_file()}


@cache
def _contents(file: Path) -> tuple[bytes, bytes | None]:
    plain = file.read_bytes()
    squeezed = gzip.compress(plain, mtime=0)
    return plain, squeezed if len(squeezed) < LEAST_SAVED * len(plain) else None


def _kind(file: Path) -> str:
    kind = "text/javascript" if file.suffix in {".js", ".mjs"} else mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
