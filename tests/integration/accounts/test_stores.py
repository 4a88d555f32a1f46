"""The stores of accounts: the fakes of the unit tests and the stores on real servers satisfy the same contract."""

from __future__ import annotations

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.accounts.model import LinkPurpose, LoginOutcome
from functions.platform.errors import AddressTaken
from functions.platform.pagination import TimePosition
from tests.support.accounts import NOON, FakeLoginHistoryStore, FakeLoginStore, make_entry, make_login

if TYPE_CHECKING:
    from functions.accounts.model import LoginHistoryEntry
    from functions.accounts.ports import LoginHistoryStore, LoginStore

DUMMY = make_login().password_hash
LATER = NOON + timedelta(minutes=30)


@pytest.fixture(params=["fake", "real"])
def logins(request: pytest.FixtureRequest) -> LoginStore:
    """Return a store of logins."""
    if request.param == "fake":
        return FakeLoginStore()
    store: LoginStore = request.getfixturevalue("real_logins")
    return store


@pytest.fixture(params=["fake", "real"])
def history(request: pytest.FixtureRequest) -> LoginHistoryStore:
    """Return a store of login history."""
    if request.param == "fake":
        return FakeLoginHistoryStore()
    store: LoginHistoryStore = request.getfixturevalue("real_history")
    return store


def position_of(entry: LoginHistoryEntry) -> TimePosition:
    return TimePosition(entry.at, entry.entry_id)


def link_hash() -> str:
    return hashlib.sha256(uuid.uuid4().bytes).hexdigest()


def test_a_login_is_returned_as_it_was_stored(logins: LoginStore) -> None:
    login = make_login("jo." + uuid.uuid4().hex + "@münchen.example.org", confirmed_at=NOON, admin=True)
    logins.add_login(login)
    assert logins.get_login(login.user_id) == logins.find_login(login.address, DUMMY) == login


def test_an_unknown_address_has_a_row_of_the_same_shape(logins: LoginStore) -> None:
    row = logins.find_login("nobody@example.org", DUMMY)
    assert (row.user_id, row.address, row.password_hash) == ("", "nobody@example.org", DUMMY)
    assert logins.get_login(uuid.uuid4().hex) is None


def test_an_address_is_taken_once(logins: LoginStore) -> None:
    login = make_login()
    logins.add_login(login)
    logins.add_login(login)
    with pytest.raises(AddressTaken):
        logins.add_login(replace(make_login(), address=login.address))


@pytest.mark.parametrize("other", ["Jo", "jó", "jo ", "j\u043e", "jo\U0001f98a"])
def test_addresses_are_compared_exactly(logins: LoginStore, other: str) -> None:
    tail = f".{uuid.uuid4().hex}@example.org"
    logins.add_login(make_login(f"jo{tail}"))
    assert logins.find_login(f"{other}{tail}", DUMMY).user_id == ""
    assert logins.find_login(f"jo{tail} ", DUMMY).user_id == ""


def test_one_of_many_concurrent_registrations_of_an_address_succeeds(logins: LoginStore) -> None:
    email = make_login().email

    def register(_: int) -> bool:
        try:
            logins.add_login(replace(make_login(), address=email))
        except AddressTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(register, range(24))) == 1


def test_a_hash_is_replaced_only_over_the_expected_one(logins: LoginStore) -> None:
    login, new, newer = make_login(), make_login().password_hash, make_login().password_hash
    logins.add_login(login)
    assert logins.replace_hash(login.user_id, over=login.password_hash, new=new)
    assert not logins.replace_hash(login.user_id, over=login.password_hash, new=newer)
    assert logins.find_login(login.address, DUMMY).password_hash == new
    assert not logins.replace_hash(uuid.uuid4().hex, over=new, new=newer)


def test_a_link_can_be_used_once_for_its_purpose_before_it_expires(logins: LoginStore) -> None:
    login, link = make_login(), link_hash()
    logins.add_login(login)
    logins.store_link(link, login.user_id, LinkPurpose.CONFIRM, LATER)
    assert logins.use_link(link, LinkPurpose.RESET, NOON) is None
    assert logins.use_link(link_hash(), LinkPurpose.CONFIRM, NOON) is None
    assert logins.use_link(link, LinkPurpose.CONFIRM, LATER) is None
    assert logins.use_link(link, LinkPurpose.CONFIRM, NOON) == login.user_id
    assert logins.use_link(link, LinkPurpose.CONFIRM, NOON) is None


def test_a_later_link_leaves_the_earlier_ones_valid(logins: LoginStore) -> None:
    login, first, second, reset = make_login(), link_hash(), link_hash(), link_hash()
    logins.add_login(login)
    logins.store_link(first, login.user_id, LinkPurpose.CONFIRM, LATER)
    logins.store_link(reset, login.user_id, LinkPurpose.RESET, LATER)
    logins.store_link(second, login.user_id, LinkPurpose.CONFIRM, LATER)
    logins.store_link(second, login.user_id, LinkPurpose.CONFIRM, LATER)
    assert logins.use_link(first, LinkPurpose.CONFIRM, NOON) == login.user_id
    assert logins.use_link(second, LinkPurpose.CONFIRM, NOON) == login.user_id
    assert logins.use_link(second, LinkPurpose.CONFIRM, NOON) is None
    assert logins.use_link(reset, LinkPurpose.RESET, NOON) == login.user_id


def test_one_of_many_concurrent_uses_of_a_link_succeeds(logins: LoginStore) -> None:
    login, link = make_login(), link_hash()
    logins.add_login(login)
    logins.store_link(link, login.user_id, LinkPurpose.RESET, LATER)
    with ThreadPoolExecutor(8) as people:
        used = list(people.map(lambda _: logins.use_link(link, LinkPurpose.RESET, NOON), range(24)))
    assert sorted(filter(None, used)) == [login.user_id]


def test_a_new_password_ends_all_reset_links(logins: LoginStore) -> None:
    login, reset, other, confirm = make_login(), link_hash(), link_hash(), link_hash()
    logins.add_login(login)
    logins.store_link(reset, login.user_id, LinkPurpose.RESET, LATER)
    logins.store_link(confirm, login.user_id, LinkPurpose.CONFIRM, LATER)
    logins.store_link(other, login.user_id, LinkPurpose.RESET, LATER)
    logins.replace_hash(login.user_id, over=login.password_hash, new=DUMMY)
    assert logins.use_link(other, LinkPurpose.RESET, NOON) is None
    assert logins.use_link(reset, LinkPurpose.RESET, NOON) is None
    assert logins.use_link(confirm, LinkPurpose.CONFIRM, NOON) == login.user_id


def test_rights_are_granted(logins: LoginStore) -> None:
    login = make_login()
    logins.add_login(login)
    logins.make_administrator(login.user_id)
    logins.confirm_address(login.user_id, NOON)
    logins.confirm_address(login.user_id, LATER)
    assert logins.get_login(login.user_id) == replace(login, admin=True, confirmed_at=NOON)


def test_a_deleted_login_is_not_found_and_its_links_end(logins: LoginStore) -> None:
    login, link = make_login(), link_hash()
    logins.add_login(login)
    logins.store_link(link, login.user_id, LinkPurpose.RESET, LATER)
    logins.delete_login(login.user_id)
    logins.delete_login(login.user_id)
    assert logins.get_login(login.user_id) is None and logins.find_login(login.address, DUMMY).user_id == ""
    assert logins.use_link(link, LinkPurpose.RESET, NOON) is None
    logins.add_login(replace(make_login(), address=login.address))


def test_expired_links_are_deleted(logins: LoginStore) -> None:
    login, over, good = make_login(), link_hash(), link_hash()
    logins.add_login(login)
    logins.store_link(over, login.user_id, LinkPurpose.RESET, NOON)
    logins.store_link(good, login.user_id, LinkPurpose.CONFIRM, LATER)
    assert logins.delete_expired_links(NOON) >= 1
    assert logins.delete_expired_links(NOON) == 0
    assert logins.use_link(good, LinkPurpose.CONFIRM, NOON) == login.user_id


def test_entries_are_returned_newest_first_and_once(history: LoginHistoryStore) -> None:
    user_id = uuid.uuid4().hex
    entries = [
        make_entry(user_id, at=NOON + timedelta(microseconds=number), outcome=outcome, browser="Firefox on 🦊")
        for number, outcome in enumerate(LoginOutcome)
    ]
    for entry in [*entries, *entries, make_entry(uuid.uuid4().hex)]:
        history.store_entry(entry)
    assert history.entries_of(user_id, after=None, limit=10) == entries[::-1]
    assert history.entries_of(user_id, after=position_of(entries[2]), limit=1) == [entries[1]]


def test_entries_of_equal_times_are_neither_lost_nor_repeated_between_pages(history: LoginHistoryStore) -> None:
    user_id = uuid.uuid4().hex
    entries = [make_entry(user_id) for _ in range(5)] + [make_entry(user_id, at=NOON + timedelta(microseconds=1))]
    for entry in entries:
        history.store_entry(entry)
    seen: list[LoginHistoryEntry] = []
    while page := history.entries_of(user_id, after=position_of(seen[-1]) if seen else None, limit=2):
        seen += page
    assert seen == sorted(entries, key=lambda entry: (entry.at, entry.entry_id), reverse=True)


def test_entries_are_deleted_by_user_and_by_age(history: LoginHistoryStore) -> None:
    leaving, staying = uuid.uuid4().hex, uuid.uuid4().hex
    for user_id in (leaving, staying):
        history.store_entry(make_entry(user_id))
        history.store_entry(make_entry(user_id, at=NOON - timedelta(days=1)))
    history.delete_entries_of(leaving)
    history.delete_entries_of(leaving)
    assert history.entries_of(leaving, after=None, limit=10) == []
    assert history.delete_entries_before(NOON) >= 1
    assert [entry.at for entry in history.entries_of(staying, after=None, limit=10)] == [NOON]
