"""Texts of items for people who cannot ask the bank for its pictures. Never a key."""

from __future__ import annotations

from collections.abc import Callable, Collection

from markupsafe import Markup
from sqlalchemy.orm import Session

from qbank.items import markup, pictures
from qbank.items.models import ItemVersion

JUDGE_TEXTS = {"T": "正确", "F": "错误"}


def html_of(session: Session, institution_id: int, versions: Collection[ItemVersion]) -> Callable[[str], Markup]:
    """Text → HTML for people who cannot ask the bank for its pictures. Never the key, the guide or the explanation."""
    texts = [text for version in versions for text in (version.stem, *(option.text for option in version.options),
                                                      version.stimulus.text if version.stimulus else "")]
    address = pictures.inline(session, institution_id, texts)
    return lambda text: markup.to_html(text, address)
