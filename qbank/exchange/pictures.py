"""Pictures that come with a file: cleaned as the bank keeps them; what cannot be kept is said at the item. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from qbank.exchange.drafts import Drafts, Found
from qbank.items import markup, pictures
from qbank.items.draft import Draft
from qbank.kernel.refused import Refused

TEXTS = ("stem", "key", "explanation", "guide", "stimulus")


def clean_pictures(read: Drafts) -> tuple[list[bytes], list[Found]]:
    """The pictures that items name, as they will be kept, and the items with the names of the cleaned ones."""
    if not read.pictures:
        return [], list(read.items)
    renamed: dict[str, str] = {}
    broken: dict[str, str] = {}
    kept: dict[str, bytes] = {}
    for name, content in read.pictures.items():
        try:
            facts = pictures.inspect(content)
        except Refused as refusal:
            broken[name] = refusal.sentence
        else:
            renamed[name] = facts.sha256
            kept[facts.sha256] = facts.content
    items = [_renamed(found, renamed, broken) for found in read.items]
    named = {sha for found in items for sha in _named(found.draft)}
    return [content for sha, content in kept.items() if sha in named], items


def _renamed(found: Found, renamed: dict[str, str], broken: dict[str, str]) -> Found:
    names = _named(found.draft)
    if not names:
        return found
    lost = [broken[name] for name in names if name in broken]
    changed = {name: renamed[name] for name in names if renamed.get(name, name) != name}
    if not lost and not changed:
        return found
    draft = _with_texts(found.draft, lambda text: _replaced(text, changed)) if changed else found.draft
    return dataclasses.replace(found, draft=draft, problems=(*found.problems, *lost))


def _replaced(text: str, changed: dict[str, str]) -> str:
    for old, new in changed.items():
        text = text.replace(f"](media:{old})", f"](media:{new})")
    return text


def _named(draft: Draft) -> list[str]:
    texts = [*(getattr(draft, name) for name in TEXTS), *draft.options]
    return list(dict.fromkeys(sha for text in texts if "](media:" in text for sha in markup.pictures_in(text)))


def _with_texts(draft: Draft, change: Callable[[str], str]) -> Draft:
    return dataclasses.replace(
        draft, options=tuple(map(change, draft.options)), stem=change(draft.stem), key=change(draft.key),
        explanation=change(draft.explanation), guide=change(draft.guide), stimulus=change(draft.stimulus))
