"""Every change of a rule pack is a version with an author and a reason, and results name the version they follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.refused import Refused
from qbank.standards.models import StoredRulePack
from qbank.standards.packs import pack_for, save_pack, version_for
from qbank.standards.rounding import HALF_DOWN, HALF_UP, MODES, WHOLE_DOWN, WHOLE_UP, rounded
from qbank.standards.rulepack import RulePack
from tests.conftest import MONDAY, People


@pytest.fixture
def province(session: Session, people: People) -> Viewer:
    viewer = people("赵处长", scopes=[Scope(Role.PROVINCE_OFFICER, region="43")])
    session.commit()
    return viewer


def save(session: Session, pack: StoredRulePack | None, who: Viewer, reason: str, **change: Any) -> StoredRulePack:
    values = {name: value for name, value in (asdict(RulePack()) | change).items() if name != "name"}
    return save_pack(session, pack, "43", "湖南省规则包", values, who, reason=reason, now=MONDAY)


def test_each_save_is_a_version_and_the_newest_one_holds(session: Session, people: People, province: Viewer) -> None:
    assert version_for(session, people.home) is None  # the built-in defaults
    pack = save(session, None, province, "首次设置", notice_days=8)
    save(session, pack, province, "湘人社发〔2026〕12号", notice_days=10, make_up_years=2)
    assert [(one.number, one.reason, one.author and one.author.name) for one in pack.versions] == [
        (1, "首次设置", "赵处长"), (2, "湘人社发〔2026〕12号", "赵处长")]
    newest = version_for(session, people.home)
    assert newest is pack.versions[1]
    assert newest.label == "湖南省规则包 第 2 版"
    assert RulePack.read(pack.versions[0].values).notice_days == 8  # the old version still says what it said
    assert pack_for(session, people.home).notice_days == 10


def test_a_change_without_a_reason_and_a_save_without_a_change_are_refused(session: Session, province: Viewer) -> None:
    with pytest.raises(Refused, match="依据或原因"):
        save(session, None, province, " ", notice_days=8)
    session.rollback()
    pack = save(session, None, province, "首次设置", notice_days=8)
    with pytest.raises(Refused, match="没有任何设置改变"):
        save(session, pack, province, "再存一次", notice_days=8)
    assert len(pack.versions) == 1


@pytest.mark.parametrize("wrong", [{"rounding": 5}, {"rounding": 0}, {"review_from_level": 1}, {"misconduct_tiers": "作弊"}, {"good_from": 59}])
def test_settings_that_would_be_no_rule_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        RulePack(**wrong)


def test_the_history_says_who_changed_what_when_and_why(session: Session, people: People, province: Viewer,
                                                        enter: Callable[[Viewer], FlaskClient]) -> None:
    pack = save(session, None, province, "首次设置", notice_days=8)
    save(session, pack, province, "湘人社发〔2026〕12号第三条", notice_days=10)
    officer, candidate = people("周敏", Role.EXAM_OFFICER), people("陈晓", Role.CANDIDATE)
    session.commit()
    client = enter(officer)  # a school reads it, only the province sets it
    page = client.get(f"/standards/packs/{pack.id}/history").get_data(as_text=True)
    for told in ("赵处长", "2026年6月1日 09:00", "湘人社发〔2026〕12号第三条", "8 天", "10 天"):
        assert told in page
    assert "修改规则包" not in page
    assert "修改规则包" in enter(province).get(f"/standards/packs/{pack.id}/history").get_data(as_text=True)
    between = client.get(f"/standards/packs/{pack.id}/history?from=0&to=2").get_data(as_text=True)
    assert "内置默认值 → 第 2 版" in between
    assert client.get(f"/standards/packs/{pack.id}/history?from=x&to=99").status_code == 200
    version = client.get(f"/standards/packs/versions/{pack.versions[0].id}").get_data(as_text=True)
    assert "首次设置" in version
    assert "（现行）" not in version
    assert enter(candidate).get(f"/standards/packs/{pack.id}/history").status_code == 403
    assert client.get("/standards/packs/versions/99").status_code == 404


# Rounding: half-points, checked by hand

@pytest.mark.parametrize(("exact", "mode", "shown"), [
    (Fraction(299, 2), HALF_UP, 150), (Fraction(299, 2), HALF_DOWN, 149),  # 74.75 → 75.0 or 74.5
    (149, WHOLE_UP, 150), (149, WHOLE_DOWN, 148),  # 74.5 → 75 or 74
    (119, WHOLE_UP, 118), (Fraction(359, 3), HALF_UP, 119),  # 59.5 stays 59, 59.83 stays 59.5: neither becomes 60
    (120, WHOLE_DOWN, 120), (121, WHOLE_DOWN, 120)])
def test_rounding_by_hand(exact: Fraction | int, mode: int, shown: int) -> None:
    assert rounded(exact, mode, 120) == shown


@settings(deadline=None)
@given(st.fractions(0, 200), st.sampled_from(sorted(MODES)), st.integers(60, 100))
def test_rounding_never_lifts_a_score_over_the_pass_mark_nor_lets_one_fall_below_it(exact: Fraction, mode: int, least: int) -> None:
    assert (rounded(exact, mode, 2 * least) >= 2 * least) == (exact >= 2 * least)
    assert abs(rounded(exact, mode, 2 * least) - exact) <= 2
