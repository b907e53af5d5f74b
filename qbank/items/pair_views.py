"""Doors: items that read alike shown side by side, when one is saved and over a whole bank; deciding about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload, selectinload

from qbank.items import bank, pair_search, pairs  # noqa: F401  # the search registers its kind of job
from qbank.items.blueprint import blueprint
from qbank.items.draft import Draft, content_hash, normalise, problems
from qbank.items.models import BANK_ROLES, Item, ItemPair, ItemVersion, Likeness
from qbank.items.similarity import ALIKE, Piece, contrasts, side_by_side
from qbank.items.states import PairKind
from qbank.items.words import compared, plain_text
from qbank.kernel.access import fetch
from qbank.kernel.accounts import Institution
from qbank.kernel.jobs import Job, JobState, enqueue
from qbank.kernel.paging import Keys, counted, keyset
from qbank.kernel.refused import Refused
from qbank.kernel.web import db, now, viewer
from qbank.standards.models import WeightTable

KINDS = {kind.value: kind for kind in PairKind}
CHOICES = {"enemy": "标为互相提示", "similar": "标为内容相近", "distinct": "已核对，不相近"}
SIZE = 15  # pairs on a page: each is two items side by side


@dataclass(frozen=True)
class Compared:
    """Two stems side by side, for the page."""

    score: float
    left: list[Piece]
    right: list[Piece]
    contrasts: Sequence[str]
    first: ItemVersion | None  # null: the text that is about to be saved
    second: ItemVersion
    pair: ItemPair | None = None

    @classmethod
    def of(cls, score: float, one: str, version: ItemVersion, first: ItemVersion | None = None,
           pair: ItemPair | None = None) -> Compared:
        other = plain_text(version.stem)
        return cls(score, *side_by_side(plain_text(one), other), contrasts(plain_text(one), other), first, version, pair)


def before_saving(table: WeightTable, school: Institution, draft: Draft, item: Item | None = None) -> str | None:
    """The page that shows what reads like this draft, the first time it is sent; None where it can be saved at once."""
    draft = normalise(draft)
    if request.form.get("alike") == "seen" or problems(draft):
        return None
    if bank.doubles(db(), table.id, school.id, [content_hash(draft)]):
        return None  # the rule refuses it by name, or it is this item's own
    text = compared(draft.stem, draft.options)
    found = [one for one in pairs.alike(db(), table, school.id, [text], own=item.id if item else None)[0] if not one.decided]
    if not found:
        return None
    versions = {version.id: version for version in db().scalars(
        sa.select(ItemVersion).where(ItemVersion.id.in_([one.version_id for one in found])).options(
            selectinload(ItemVersion.options), joinedload(ItemVersion.item)))}
    shown = [Compared.of(one.score, draft.stem, versions[one.version_id]) for one in found]
    kept = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return render_template("items/alike.html", shown=shown, kept=kept, item=item, table=table, draft=draft, choices=CHOICES)


def after_saving(version: ItemVersion) -> None:
    """What was chosen on that page; where nothing was, the pair waits on the work page."""
    if request.form.get("alike") != "seen":
        return
    ids = [int(key) for key in request.form.getlist("alike_item") if key.isdecimal() and len(key) < 10][:pairs.MOST_SHOWN]
    others = [fetch(db(), Item, item_id, viewer()) for item_id in ids if item_id != version.item_id]
    for other in others:
        if kind := KINDS.get(request.form.get(f"pair_{other.id}", "")):
            pairs.mark(db(), version.item, other, kind, "保存时标记", viewer(), now=now())
        elif score := pairs.likeness(version, other.newest):
            pairs.note_likeness(db(), version.item, other, score, now=now())


@blueprint.get("/pairs", endpoint="pairs")
def list_pairs() -> Any:
    banks = bank.banks_for(db(), viewer(), *BANK_ROLES)
    asked = (request.args.get("school", type=int), request.args.get("table", type=int))
    chosen = next(((school, table) for school, table in banks if asked[1] == table.id and asked[0] in (None, school.id)),
                  banks[0] if banks else None)
    kind = KINDS.get(request.args.get("kind", ""))
    if chosen is None:
        return render_template("items/pairs.html", chosen=None, banks=[])
    here = sa.select(Item.id).where(Item.table_id == chosen[1].id, Item.institution_id == chosen[0].id)
    totals: dict[str, Any] = {one.value: counted(db(), _decided(here, one))[0] for one in PairKind}
    totals["open"] = counted(db(), _open(here))[0]
    shown, keys = _settled(here, kind) if kind else _unsettled(here)
    return render_template("items/pairs.html", chosen=chosen, banks=banks, kind=kind, kinds=PairKind, totals=totals, shown=shown,
                           keys=keys, choices=CHOICES, threshold=ALIKE,
                           searched=_searched_at(chosen[1].id, chosen[0].id),
                           decides=viewer().has(*pairs.DECIDERS))


@blueprint.post("/pairs/search")
def search_pairs() -> Any:
    banks = bank.banks_for(db(), viewer(), *pairs.DECIDERS)
    wanted = (request.form.get("school", ""), request.form.get("table", ""))
    for school, table in banks:
        if (str(school.id), str(table.id)) == wanted:
            job = enqueue(db(), "items.pairs", {"table": table.id, "institution": school.id}, viewer(), now=now())
            return redirect(url_for("accounts.job", job_id=job.id))
    raise Refused("no_bank", "请先选择要查找的题库。")


@blueprint.post("/<int:item_id>/pair")
def pair(item_id: int) -> Any:
    """Decide about this item and another: from the work page, or typed on the item's own page."""
    item = fetch(db(), Item, item_id, viewer())
    other = request.form.get("other", "").strip().lstrip("#题 ")
    kind = KINDS.get(request.form.get("kind", ""))
    if not other.isdecimal() or len(other) > 9 or kind is None:
        raise Refused("no_pair", "请填写另一道题的题号，并选择两题的关系。")
    found = fetch(db(), Item, int(other), viewer())
    pairs.mark(db(), item, found, kind, request.form.get("reason", ""), viewer(), now=now())
    flash(f"题 {item.id} 与题 {found.id}：{kind.chinese}。", "success")
    return _back(item.id)


@blueprint.post("/pairs/<int:pair_id>/unmark")
def unmark(pair_id: int) -> Any:
    found = fetch(db(), ItemPair, pair_id, viewer())
    pairs.unmark(db(), found, viewer(), now=now())
    flash(f"题 {found.first_id} 与题 {found.second_id} 的标记已取消。", "success")
    return _back(request.form.get("item", type=int) or found.first_id)


def companions(item: Item) -> list[tuple[Item, ItemPair | None, float | None]]:
    """For an item's page: the other item, what was decided, or how alike they are and nobody decided."""
    decided = db().scalars(sa.select(ItemPair).where(sa.or_(ItemPair.first_id == item.id, ItemPair.second_id == item.id))
                           .order_by(ItemPair.id)).all()
    waiting = db().scalars(sa.select(Likeness).where(sa.or_(Likeness.first_id == item.id, Likeness.second_id == item.id))
                           .order_by(Likeness.score.desc()).limit(10)).all()
    found: list[tuple[Item, ItemPair | None, float | None]] = [
        (one.second if one.first_id == item.id else one.first, one, None) for one in decided]
    return found + [(one.second if one.first_id == item.id else one.first, None, one.score) for one in waiting]


blueprint.add_app_template_global(companions, "item_companions")


def _searched_at(table_id: int, institution_id: int) -> datetime | None:
    """When this bank was last searched as a whole; None: not lately."""
    done = db().scalars(sa.select(Job).where(Job.kind == "items.pairs", Job.state == JobState.DONE).order_by(Job.id.desc()).limit(50))
    return next((job.finished_at for job in done
                 if job.arguments == {"table": table_id, "institution": institution_id}), None)


def _open(here: Any) -> sa.Select[Likeness]:
    return sa.select(Likeness).where(Likeness.first_id.in_(here))


def _decided(here: Any, kind: PairKind) -> sa.Select[ItemPair]:
    return sa.select(ItemPair).where(ItemPair.first_id.in_(here), ItemPair.kind == kind)


def _unsettled(here: Any) -> tuple[list[Compared], Keys]:
    """The most alike first."""
    keys = keyset(db(), _open(here), (Likeness.score, Likeness.id), request.args, descending=True, size=SIZE)
    found = {one.id: one for one in db().scalars(sa.select(Likeness).where(Likeness.id.in_(keys.found)))}
    return [_compared(found[key].first_id, found[key].second_id) for key in keys.found], keys


def _settled(here: Any, kind: PairKind) -> tuple[list[Compared], Keys]:
    keys = keyset(db(), _decided(here, kind), (ItemPair.id,), request.args, descending=True, size=SIZE)
    found = {one.id: one for one in db().scalars(sa.select(ItemPair).where(ItemPair.id.in_(keys.found)))}
    return [_compared(found[key].first_id, found[key].second_id, found[key]) for key in keys.found], keys


def _compared(first_id: int, second_id: int, decided: ItemPair | None = None) -> Compared:
    first, second = (db().get_one(Item, key).newest for key in (first_id, second_id))
    return Compared.of(pairs.likeness(first, second), first.stem, second, first, decided)


def _back(item_id: int) -> Any:
    """To the place of the work page that the form was on, or to the item's page."""
    if request.form.get("back") != "pairs":
        return redirect(url_for("items.show", item_id=item_id))
    kept: dict[str, Any] = {name: request.form[f"at_{name}"] for name in ("table", "school", "kind", "after", "before")
            if request.form.get(f"at_{name}")}
    return redirect(url_for("items.pairs", **kept))
