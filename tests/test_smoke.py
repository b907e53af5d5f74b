from qbank.kernel.access import Role


def test_home(session, people, enter):
    chen = people("陈晓", Role.ITEM_AUTHOR, Role.ADMINISTRATOR)
    session.commit()
    client = enter(chen)
    page = client.get("/")
    assert page.status_code == 200
    for url in ("/accounts/audit?verify=1", "/accounts/", "/accounts/new"):
        assert client.get(url).status_code == 200, url
    r = client.post("/accounts/new", data={"login": "x1", "name": "王", "institution_id": people.home.id, "role": "item_author"})
    assert r.status_code == 200
