"""The stores of accounts: one contract, kept by the fakes of the unit tests and by the real servers alike."""

from __future__ import annotations

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.accounts.model import Outcome, Purpose
from functions.platform.errors import AddressTaken
from tests.support.accounts import NOON, FakeHistory, FakeLogins, make_entry, make_login

if TYPE_CHECKING:
    from functions.accounts.model import LoginHistory, Logins

DUMMY = make_login().password_hash
LATER = NOON + timedelta(minutes=30)


@pytest.fixture(params=["fake", "real"])
def logins(request: pytest.FixtureRequest) -> Logins:
    """Return a store of logins."""
    if request.param == "fake":
        return FakeLogins()
    request.getfixturevalue("wired")
    return bootstrap.logins()


@pytest.fixture(params=["fake", "real"])
def history(request: pytest.FixtureRequest) -> LoginHistory:
    """Return a store of login history."""
    if request.param == "fake":
        return FakeHistory()
    request.getfixturevalue("wired")
    return bootstrap.login_history()


def link_hash() -> str:
    return hashlib.sha256(uuid.uuid4().bytes).hexdigest()


def test_a_login_comes_back_as_it_was_kept(logins: Logins) -> None:
    login = make_login("jo." + uuid.uuid4().hex + "@münchen.example.org", confirmed_at=NOON, admin=True)
    logins.register(login)
    assert logins.get(login.user_id) == logins.find(login.address, DUMMY) == login


def test_an_unknown_address_has_a_row_of_the_same_shape(logins: Logins) -> None:
    row = logins.find("nobody@example.org", DUMMY)
    assert (row.user_id, row.address, row.password_hash) == ("", "nobody@example.org", DUMMY)
    assert logins.get(uuid.uuid4().hex) is None


def test_an_address_is_taken_once(logins: Logins) -> None:
    login = make_login()
    logins.register(login)
    logins.register(login)
    with pytest.raises(AddressTaken):
        logins.register(replace(make_login(), address=login.address))


@pytest.mark.parametrize("other", ["Jo", "jó", "jo ", "j\u043e", "jo\U0001f98a"])
def test_an_address_is_compared_letter_by_letter(logins: Logins, other: str) -> None:
    tail = f".{uuid.uuid4().hex}@example.org"
    logins.register(make_login(f"jo{tail}"))
    assert logins.find(f"{other}{tail}", DUMMY).user_id == ""
    assert logins.find(f"jo{tail} ", DUMMY).user_id == ""


def test_of_many_who_register_one_address_at_once_one_gets_it(logins: Logins) -> None:
    email = make_login().email

    def register(_: int) -> bool:
        try:
            logins.register(replace(make_login(), address=email))
        except AddressTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(register, range(24))) == 1


def test_a_hash_is_replaced_only_over_the_one_that_was_seen(logins: Logins) -> None:
    login, new, newer = make_login(), make_login().password_hash, make_login().password_hash
    logins.register(login)
    assert logins.replace_hash(login.user_id, over=login.password_hash, new=new)
    assert not logins.replace_hash(login.user_id, over=login.password_hash, new=newer)
    assert logins.find(login.address, DUMMY).password_hash == new
    assert not logins.replace_hash(uuid.uuid4().hex, over=new, new=newer)


def test_a_link_is_used_once_for_its_purpose_while_it_lasts(logins: Logins) -> None:
    login, link = make_login(), link_hash()
    logins.register(login)
    logins.keep_link(link, login.user_id, Purpose.CONFIRM, LATER)
    assert logins.use_link(link, Purpose.RESET, NOON) is None
    assert logins.use_link(link_hash(), Purpose.CONFIRM, NOON) is None
    assert logins.use_link(link, Purpose.CONFIRM, LATER) is None
    assert logins.use_link(link, Purpose.CONFIRM, NOON) == login.user_id
    assert logins.use_link(link, Purpose.CONFIRM, NOON) is None


def test_a_later_link_replaces_the_earlier_of_its_purpose(logins: Logins) -> None:
    login, first, second, reset = make_login(), link_hash(), link_hash(), link_hash()
    logins.register(login)
    logins.keep_link(first, login.user_id, Purpose.CONFIRM, LATER)
    logins.keep_link(reset, login.user_id, Purpose.RESET, LATER)
    logins.keep_link(second, login.user_id, Purpose.CONFIRM, LATER)
    assert logins.use_link(first, Purpose.CONFIRM, NOON) is None
    assert logins.use_link(second, Purpose.CONFIRM, NOON) == login.user_id
    assert logins.use_link(reset, Purpose.RESET, NOON) == login.user_id


def test_a_link_that_many_use_at_once_is_used_by_one(logins: Logins) -> None:
    login, link = make_login(), link_hash()
    logins.register(login)
    logins.keep_link(link, login.user_id, Purpose.RESET, LATER)
    with ThreadPoolExecutor(8) as people:
        used = list(people.map(lambda _: logins.use_link(link, Purpose.RESET, NOON), range(24)))
    assert sorted(filter(None, used)) == [login.user_id]


def test_a_new_password_ends_a_link_that_would_set_another(logins: Logins) -> None:
    login, reset, confirm = make_login(), link_hash(), link_hash()
    logins.register(login)
    logins.keep_link(reset, login.user_id, Purpose.RESET, LATER)
    logins.keep_link(confirm, login.user_id, Purpose.CONFIRM, LATER)
    logins.replace_hash(login.user_id, over=login.password_hash, new=DUMMY)
    assert logins.use_link(reset, Purpose.RESET, NOON) is None
    assert logins.use_link(confirm, Purpose.CONFIRM, NOON) == login.user_id


def test_rights_are_given(logins: Logins) -> None:
    login = make_login()
    logins.register(login)
    logins.make_administrator(login.user_id)
    logins.confirm(login.user_id, NOON)
    logins.confirm(login.user_id, LATER)
    assert logins.get(login.user_id) == replace(login, admin=True, confirmed_at=NOON)


def test_a_deleted_login_is_gone_with_its_links(logins: Logins) -> None:
    login, link = make_login(), link_hash()
    logins.register(login)
    logins.keep_link(link, login.user_id, Purpose.RESET, LATER)
    logins.delete(login.user_id)
    logins.delete(login.user_id)
    assert logins.get(login.user_id) is None and logins.find(login.address, DUMMY).user_id == ""
    assert logins.use_link(link, Purpose.RESET, NOON) is None
    logins.register(replace(make_login(), address=login.address))


def test_links_that_are_over_are_deleted(logins: Logins) -> None:
    login, over, good = make_login(), link_hash(), link_hash()
    logins.register(login)
    logins.keep_link(over, login.user_id, Purpose.RESET, NOON)
    logins.keep_link(good, login.user_id, Purpose.CONFIRM, LATER)
    assert logins.expire_links(NOON) >= 1
    assert logins.expire_links(NOON) == 0
    assert logins.use_link(good, Purpose.CONFIRM, NOON) == login.user_id


def test_entries_come_back_newest_first_and_once(history: LoginHistory) -> None:
    user_id = uuid.uuid4().hex
    entries = [
        make_entry(user_id, at=NOON + timedelta(microseconds=number), outcome=outcome, browser="Firefox on 🦊")
        for number, outcome in enumerate(Outcome)
    ]
    for entry in [*entries, *entries, make_entry(uuid.uuid4().hex)]:
        history.record(entry)
    assert history.page(user_id, before=None, limit=10) == entries[::-1]
    assert history.page(user_id, before=entries[2].at, limit=1) == [entries[1]]


def test_entries_are_forgotten_and_expire(history: LoginHistory) -> None:
    leaving, staying = uuid.uuid4().hex, uuid.uuid4().hex
    for user_id in (leaving, staying):
        history.record(make_entry(user_id))
        history.record(make_entry(user_id, at=NOON - timedelta(days=1)))
    history.forget(leaving)
    history.forget(leaving)
    assert history.page(leaving, before=None, limit=10) == []
    assert history.expire(NOON) >= 1
    assert [entry.at for entry in history.page(staying, before=None, limit=10)] == [NOON]
