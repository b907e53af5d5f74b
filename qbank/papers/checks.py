"""What is checked again before papers are sealed, against the bank as it is then."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from qbank.items.answers import guide_total
from qbank.items.draft import WRITTEN
from qbank.items.models import ItemPair, ItemVersion
from qbank.items.pairs import pairs_among
from qbank.items.practice import practice_items
from qbank.items.states import STANDING, PairKind
from qbank.kernel.access import Viewer
from qbank.papers import checking
from qbank.papers.contents import weights_of
from qbank.papers.engine.rules import Barred
from qbank.papers.lists import lists_of
from qbank.papers.models import Paper, PaperItem, PaperState
from qbank.papers.packs import packed_of, version_ids
from qbank.papers.pool import sets_of, standing_versions
from qbank.papers.questions import Question, asked, settings_in
from qbank.papers.specification import TOTAL, Quotas, kind_name

PAIR_WORDS = {PairKind.ENEMY: "互相提示", PairKind.SIMILAR: "内容相近"}
Items = Sequence[PaperItem]


@dataclass(frozen=True, eq=False)
class Bank:
    """What papers of one specification are checked against, read once for all of them."""

    quotas: Quotas
    tried: Mapping[str, int]
    same_weights: bool
    together: tuple[frozenset[int], ...]
    torn: frozenset[int]
    pairs: tuple[ItemPair, ...]
    practised: frozenset[int]
    wrote: Mapping[int, frozenset[int]]  # account → items of which it wrote a version
    missed: Mapping[int, list[str]]  # paper → hard rules that it misses


def read(session: Session, papers: Mapping[Paper, Items], sealer: Viewer, *, now: datetime) -> Bank:
    """Everything for papers of one specification and one composer."""
    first = next(iter(papers))
    table_id, school = first.specification.table_id, first.institution_id
    held = {item.version_id: item.version.item_id for items in papers.values() for item in items}
    together, torn = sets_of(session, table_id, school, standing_versions(session, table_id, school))
    accounts = {sealer.account_id, first.composer_id}
    wrote: defaultdict[int, set[int]] = defaultdict(set)
    for account_id, item_id in session.execute(sa.select(ItemVersion.author_id, ItemVersion.item_id).distinct()
                                               .where(ItemVersion.author_id.in_(accounts))):
        wrote[account_id].add(item_id)
    put = _question(session, papers, now)
    return Bank(
        quotas=put.quotas, tried=tried_of(session, first), together=together, torn=torn,
        same_weights=weights_of(session, first.specification.table) == first.specification.weights,
        pairs=tuple(pairs_among(session, sorted(set(held.values())))), missed=missed_rules(session, papers, put),
        practised=frozenset(practice_items(session, sorted(held), hold=True)),
        wrote={account_id: frozenset(items) for account_id, items in wrote.items()})


def problems(bank: Bank, paper: Paper, items: Items, sealer: Viewer) -> list[str]:
    """Everything that keeps a paper from being sealed, one sentence each; empty: nothing."""
    return [*_family_problems(paper), *_form_problems(items, bank.quotas, bank.tried), *_quota_problems(items, bank.quotas),
            *_bank_problems(paper, items), *_practice_problems(items, bank.practised), *_pair_problems(items, bank.pairs),
            *_set_problems(items, bank), *_weight_problems(bank.same_weights), *_author_problems(paper, items, bank, sealer),
            *bank.missed[paper.id]]


def missed_rules(session: Session, papers: Mapping[Paper, Items], put: Question) -> dict[int, list[str]]:
    """Paper → the hard rules that it misses among the forms made with it, counted by the referee."""
    first = next(iter(papers))
    family = _family(first)
    keys = version_ids(session, [one.id for one in family]) | {one.id: [item.version_id for item in items] for one, items in papers.items()}
    held = set(put.items.keys.tolist())
    forms = {one.form: keys[one.id] for one in family if set(keys[one.id]) <= held}
    flags = np.asarray(put.items.pretest, dtype=bool)
    found = checking.broken(put.items, put.quotas, put.rules, forms, frozenset(put.items.keys[flags].tolist()))
    return {one.id: found.get(one.form, []) for one in papers}


def _question(session: Session, papers: Mapping[Paper, Items], now: datetime) -> Question:
    """The rules as they are asked now, with uses as they are now, and every item of these forms in the pool."""
    first = next(iter(papers))
    family = _family(first)
    holding = {key for keys in version_ids(session, [one.id for one in family]).values() for key in keys}
    put = asked(session, first.specification, first.composer_id, now=now, forms=first.family.forms if first.family else 1,
                family=first.family_id, holding=holding)
    tried = {item.version_id for items in papers.values() for item in items if not item.half_points}
    if tried:  # other forms have theirs
        tried |= {row.version_id for one in family if one.is_shut for row in packed_of(session, one).rows if not row.half_points}
        tried |= set(session.scalars(sa.select(PaperItem.version_id).where(
            PaperItem.paper_id.in_([one.id for one in family]), PaperItem.half_points == 0)))
    listed = put.pool.of_items(row["item"] for row in lists_of(session, first.specification).get("barred", ()))
    rules = [rule for rule in put.rules if not isinstance(rule, Barred)]  # what else may not be used is told item by item
    return replace(put, rules=(*rules, *([Barred(keys=listed)] if listed else [])),
                   items=replace(put.items, pretest=[key in tried for key in put.items.keys.tolist()]))


def _family(paper: Paper) -> list[Paper]:
    """The forms made by the same call that are in use."""
    return [one for one in paper.family.papers if one.state is not PaperState.DISCARDED] if paper.family else [paper]


def tried_of(session: Session, paper: Paper) -> Mapping[str, int]:
    """Kind → how many unscored items the specification adds to be tried out."""
    rule = settings_in(session, paper.specification)["pretest"]
    return {kind: int(count) for kind, count in rule.numbers.items()} if rule.on else {}


def _family_problems(paper: Paper) -> list[str]:
    if paper.family is None or not paper.family.breaks:
        return []
    return [f"这是组不成卷时最接近的草稿，违反 {len(paper.family.breaks)} 条必须满足的要求，只能查看，不能封存。"]


def _form_problems(items: Items, quotas: Quotas, tried: Mapping[str, int]) -> list[str]:
    found = []
    if [item.number for item in items] != list(range(1, len(items) + 1)):
        found.append("题号不连续。")
    asked = [p for p, part in enumerate(quotas.parts) for _ in range(part.count + tried.get(part.kind, 0))]
    if [item.position for item in items] != asked:
        found.append("各部分的题量或顺序与组卷方案不一致。")
    total = sum(item.half_points for item in items)
    if total != TOTAL:
        found.append(f"总分为 {total / 2:g} 分，应为 100 分。")
    kinds, worth = [part.kind for part in quotas.parts], [part.half_points for part in quotas.parts]
    for item in items:
        kind = item.version.kind.value
        fits = item.position < len(kinds) and kind == kinds[item.position]
        if not fits or item.half_points not in {worth[item.position], *((0,) if tried.get(kind) else ())}:
            found.append(f"第 {item.number} 题的题型或分值与所在部分不一致。")
        if item.half_points and item.version.kind.value in WRITTEN and guide_total(item.version.guide) != item.half_points:
            found.append(f"第 {item.number} 题的评分标准合计 {guide_total(item.version.guide) / 2:g} 分，本卷按 {item.half_points / 2:g} 分出题，不一致。")
    return found


def _quota_problems(items: Items, quotas: Quotas) -> list[str]:
    got = Counter((item.version.point.range.path, item.position) for item in items if item.half_points)
    return [f"范围 {path} 的{kind_name(quotas.parts[p].kind)}应有 {count} 道，现有 {got[path, p]} 道。"
            for (path, p), count in quotas.counts.items() if got[path, p] != count]


def _bank_problems(paper: Paper, items: Items) -> list[str]:
    found = []
    for item in items:
        version = item.version
        if version.state not in STANDING:
            found.append(f"第 {item.number} 题（题 {version.item_id} 第 {version.number} 版）现在是“{version.state.chinese}”，不能使用。")
        if (version.item.table_id, version.item.institution_id) != (paper.specification.table_id, paper.institution_id):
            found.append(f"第 {item.number} 题不属于本方案的题库。")
    if len({item.version.item_id for item in items}) != len(items):
        found.append("同一道题出现了两次。")
    return found


def _practice_problems(items: Items, shown: frozenset[int]) -> list[str]:
    return [f"第 {item.number} 题（题 {item.version.item_id}）已转入练习题库，考生在练习中见过，不能用于考试。"
            for item in items if item.version.item_id in shown]


def _pair_problems(items: Items, pairs: Sequence[ItemPair]) -> list[str]:
    """Pairs may be marked after the paper was made."""
    numbers = {item.version.item_id: item.number for item in items}
    return [f"第 {numbers[pair.first_id]} 题和第 {numbers[pair.second_id]} 题（题 {pair.first_id}、题 {pair.second_id}）"
            f"已标记为“{PAIR_WORDS[pair.kind]}”，不能出现在同一套卷里。"
            for pair in pairs if pair.first_id in numbers and pair.second_id in numbers]


def _set_problems(items: Items, bank: Bank) -> list[str]:
    """A set of one shared material is taken whole, and all its items speak of the same text."""
    numbers = {item.version_id: item.number for item in items}
    found = [f"第 {numbers[version_id]} 题所在的共用题干题组现在不完整：有的题没有入库，或材料版本不同。"
             for version_id in sorted(bank.torn & numbers.keys(), key=numbers.__getitem__)]
    for members in bank.together:
        held = members & numbers.keys()
        if held and held != members:
            listed = "、".join(str(numbers[version_id]) for version_id in sorted(held, key=numbers.__getitem__))
            found.append(f"第 {listed} 题所在的共用题干题组共 {len(members)} 道题，本卷只有 {len(held)} 道，应当整组使用。")
    return found


def _weight_problems(same: bool) -> list[str]:
    return [] if same else ["权重表在制定组卷方案后修改过，请按现在的权重表新建方案。"]


def _author_problems(paper: Paper, items: Items, bank: Bank, sealer: Viewer) -> list[str]:
    """Neither who composed nor who seals may have written any version of any of the items."""
    numbers = {item.version.item_id: item.number for item in items}
    found = []
    for account_id, who in {sealer.account_id: "您", paper.composer_id: "本卷的组卷人"}.items():
        mine = sorted(number for item_id, number in numbers.items() if item_id in bank.wrote.get(account_id, ()))
        if mine:
            listed = "、".join(str(number) for number in mine[:10]) + ("等" if len(mine) > 10 else "")
            found.append(f"第 {listed} 题由{who}命制或修改过（共 {len(mine)} 题），命题与组卷、封存应当分离。")
    return found
