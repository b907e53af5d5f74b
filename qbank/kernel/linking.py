"""How one entry of the audit trail follows on the one before. Pure.

``digest = SHA-256(digest before + SHA-256(entry))``: whoever is shown only the hash of an entry that is not his still can
recompute the chain over it. Entries of releases before the sixth schema were linked in one step, see :func:`former`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

FIELDS = ("actor_id", "actor_name", "action", "table_name", "row_key", "changes", "at")  # what an entry says


def folded(entry: Mapping[str, Any]) -> str:
    """The hash of an entry by itself; ``at`` as ISO text in UTC."""
    return hashlib.sha256(_text({name: entry[name] for name in FIELDS})).hexdigest()


def link(before: str, fold: str) -> str:
    """The digest of an entry with this hash that follows the digest ``before``."""
    return hashlib.sha256((before + fold).encode()).hexdigest()


def former(before: str, entry: Mapping[str, Any]) -> str:
    """The digest as earlier releases made it."""
    return hashlib.sha256(_text([before, {name: entry[name] for name in FIELDS}])).hexdigest()


def holds(before: str, entry: Mapping[str, Any], digest: str) -> bool:
    """Whether ``digest`` is that of ``entry`` after ``before``, by whichever release."""
    return digest in (link(before, folded(entry)), former(before, entry))


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
