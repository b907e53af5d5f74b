"""What an administrator does with accounts, and what everybody sees of their own jobs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from qbank.kernel.access import Role, Scope, Viewer
from qbank.kernel.accounts import Account, give, withdraw
from qbank.kernel.jobs import Job, JobState, todo
from qbank.kernel.refused import Refused
from tests.conftest import People, TestClock

Enter = Callable[[Viewer], FlaskClient]


@pytest.fixture
def tan(people: People) -> Viewer:
    return people("谭晓", scopes=[Scope(Role.ADMINISTRATOR)])


@pytest.mark.parametrize(("field", "typed", "sentence"), [
    ("plan_id", "二零二六", "计划编号"), ("institution_id", "x", "单位"), ("region", "湖南", "地区前缀"), ("occupation_code", "电工", "职业编码")])
def test_a_bound_that_cannot_be_read_never_becomes_no_bound(field: str, typed: str, sentence: str, session: Session,
                                                            people: People, tan: Viewer, enter: Enter) -> None:
    someone = people.account("陈晓")
    session.commit()
    answer = enter(tan).post(f"/accounts/{someone.id}/grants", data={
        "role": "item_author", "institution_id": str(people.home.id), "region": "", "occupation_code": "", "plan_id": "",
        field: typed})
    assert answer.status_code == 409
    assert sentence in answer.get_data(as_text=True)
    session.refresh(someone)
    assert someone.grants == []


def test_the_grant_form_begins_with_the_accounts_own_school(session: Session, people: People, tan: Viewer,
                                                            enter: Enter) -> None:
    someone = people.account("陈晓")
    session.commit()
    page = enter(tan).get(f"/accounts/{someone.id}").get_data(as_text=True)
    assert f'<option value="{people.home.id}" selected>' in page
    assert '<a href="/accounts/" class="near">账号与权限</a>' in page  # not 单位, though its door has the same room


def test_the_last_administrator_stays(session: Session, people: People, tan: Viewer) -> None:
    account = session.get_one(Account, tan.account_id)
    with pytest.raises(Refused, match="最后一位系统管理员"):
        withdraw(session, account, account.grants[0].id)
    give(session, people.account("何敏"), Scope(Role.ADMINISTRATOR))
    withdraw(session, account, account.grants[0].id)
    assert account.grants == []


def test_verifying_the_trail_counts_all_entries_whatever_the_filter(session: Session, people: People, tan: Viewer,
                                                                    enter: Enter) -> None:
    session.commit()
    page = enter(tan).get("/accounts/audit?verify=1&who=谁也不是").get_data(as_text=True)
    assert "首尾相接" in page
    assert "全部 0 条" not in page
    assert "没有符合条件的记录" in page


def test_a_job_that_was_left_is_found_again_on_the_work_list(session: Session, people: People, clock: TestClock) -> None:
    composer = people("郑华", Role.PAPER_COMPOSER)
    job = Job(kind="papers.assemble", title="组卷", arguments={}, account_id=composer.account_id, state=JobState.RUNNING,
              created_at=clock())
    session.add(job)
    session.flush()
    assert [one.title for one in todo(session, composer, now=clock())] == ["正在处理：组卷"]
    assert todo(session, people("别人", Role.PAPER_COMPOSER), now=clock()) == []
    job.state = JobState.REFUSED
    assert [one.title for one in todo(session, composer, now=clock())] == ["没有办成：组卷"]
    session.add(Job(kind="papers.assemble", title="组卷", arguments={}, account_id=composer.account_id,
                    state=JobState.DONE, created_at=clock()))
    session.flush()
    assert todo(session, composer, now=clock()) == []


def test_an_administrator_is_never_bounded_on_paper_only(session: Session, people: People, tan: Viewer, enter: Enter) -> None:
    """The role reaches everything, so a grant that names a school would lie."""
    account = people.account("何敏")
    with pytest.raises(Refused, match="不能限于单位"):
        give(session, account, Scope(Role.ADMINISTRATOR, people.home.id))
    session.commit()
    client = enter(tan)
    fields = {"login": "he", "name": "何敏", "institution_id": str(people.home.id), "role": "administrator"}
    assert client.post("/accounts/new", data=fields).status_code == 409
    assert client.post("/accounts/new", data=fields | {"role": "nobody"}).status_code == 409
    assert client.post("/accounts/new", data=fields | {"institution_id": "x", "role": "item_author"}).status_code == 409
