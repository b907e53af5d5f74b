"""The file of an evidence pack: a zip that is the same bytes for the same content, and its verifier. Pure.

``manifest.json`` names every other file with its SHA-256; ``SHA256SUMS`` says the same for ``sha256sum -c``, so that a
pack can be checked without this program.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
FORMAT = 1
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the real times are in the manifest


def readable_json(value: Any) -> bytes:
    """JSON for people and programs: sorted keys, one line per value, Chinese as it is."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def bundle(files: Mapping[str, bytes], about: Mapping[str, Any]) -> bytes:
    """The zip of ``files`` with a manifest that begins with ``about``."""
    digests = {name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
               for name, content in files.items()}
    sums = "".join(f"{digests[name]['sha256']}  {name}\n" for name in sorted(digests)).encode()
    whole = {**files, SUMS: sums, MANIFEST: readable_json({**about, "format": FORMAT, "files": digests})}
    stream = BytesIO()
    with ZipFile(stream, "w") as pack:
        for name in sorted(whole):
            entry = ZipInfo(name, EPOCH)
            entry.compress_type, entry.external_attr, entry.create_system = ZIP_DEFLATED, 0o644 << 16, 3
            pack.writestr(entry, whole[name], compresslevel=6)
    return stream.getvalue()


def manifest_of(content: bytes) -> dict[str, Any]:
    """The manifest of a pack. Raises ValueError when it cannot be read."""
    try:
        with ZipFile(BytesIO(content)) as pack:
            found = json.loads(pack.read(MANIFEST))
    except (BadZipFile, KeyError, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"cannot be read: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise ValueError("the manifest lists no files")
    return found


def differences(content: bytes, sha256: str) -> list[str]:
    """What is wrong with a pack, a sentence each; empty when it is as it was packed."""
    found = []
    if hashlib.sha256(content).hexdigest() != sha256:
        found.append("整卷的 SHA-256 与登记的不一致：文件被改动过。")
    try:
        listed = manifest_of(content)["files"]
    except ValueError:
        return [*found, "归档文件或其中的目录（manifest.json）无法读取。"]
    with ZipFile(BytesIO(content)) as pack:
        held = set(pack.namelist()) - {MANIFEST, SUMS}
        found += [f"目录中有、卷内没有：{name}" for name in sorted(listed.keys() - held)]
        found += [f"卷内有、目录中没有：{name}" for name in sorted(held - listed.keys())]
        found += [f"内容被改动：{name}" for name in sorted(held & listed.keys())
                  if _digest(pack, name) != listed[name].get("sha256")]
    return found


def _digest(pack: ZipFile, name: str) -> str:
    try:
        return hashlib.sha256(pack.read(name)).hexdigest()
    except (BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError):
        return "unreadable"
