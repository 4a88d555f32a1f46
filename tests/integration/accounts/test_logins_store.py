"""The store of logins: the fake of the unit tests and the store in MySQL satisfy the same contract."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.accounts.model import EmailChoices, LinkPurpose
from functions.platform.bulkhead import PLACES
from functions.platform.errors import AddressTaken
from functions.platform.viewer import Viewer
from tests.support.accounts import LATER, make_hash, make_login
from tests.support.clock import NOON

if TYPE_CHECKING:
    from functions.accounts.ports import LoginStore

DUMMY = make_login().password_hash


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

    with ThreadPoolExecutor(PLACES) as people:
        assert sum(people.map(register, range(24))) == 1


def test_a_hash_is_replaced_only_over_the_expected_one(logins: LoginStore) -> None:
    login, new, newer = make_login(), make_login().password_hash, make_login().password_hash
    logins.add_login(login)
    assert logins.replace_hash(login.user_id, over=login.password_hash, new=new)
    assert not logins.replace_hash(login.user_id, over=login.password_hash, new=newer)
    assert logins.find_login(login.address, DUMMY).password_hash == new
    assert not logins.replace_hash(uuid.uuid4().hex, over=new, new=newer)


def test_a_link_can_be_used_once_for_its_purpose_before_it_expires(logins: LoginStore) -> None:
    login, link = make_login(), make_hash()
    logins.add_login(login)
    logins.store_link(link, login.user_id, LinkPurpose.CONFIRM, LATER)
    assert logins.use_link(link, LinkPurpose.RESET, NOON) is None
    assert logins.use_link(make_hash(), LinkPurpose.CONFIRM, NOON) is None
    assert logins.use_link(link, LinkPurpose.CONFIRM, LATER) is None
    assert logins.use_link(link, LinkPurpose.CONFIRM, NOON) == login.user_id
    assert logins.use_link(link, LinkPurpose.CONFIRM, NOON) is None


def test_a_later_link_leaves_the_earlier_ones_valid(logins: LoginStore) -> None:
    login, first, second, reset = make_login(), make_hash(), make_hash(), make_hash()
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
    login, link = make_login(), make_hash()
    logins.add_login(login)
    logins.store_link(link, login.user_id, LinkPurpose.RESET, LATER)
    with ThreadPoolExecutor(PLACES) as people:
        used = list(people.map(lambda _: logins.use_link(link, LinkPurpose.RESET, NOON), range(24)))
    assert sorted(filter(None, used)) == [login.user_id]


def test_a_new_password_ends_all_reset_links(logins: LoginStore) -> None:
    login, reset, other, confirm = make_login(), make_hash(), make_hash(), make_hash()
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


def test_administrators_are_listed_and_revoked(logins: LoginStore) -> None:
    one, other, viewer = make_login(), make_login(), make_login()
    for login in (one, other, viewer):
        logins.add_login(login)
    for login in (one, other):
        logins.make_administrator(login.user_id)
    logins.confirm_address(other.user_id, NOON)
    listed = {each.user_id: each for each in logins.list_administrators()}
    assert listed[one.user_id] == Viewer(one.user_id, one.email, admin=True, confirmed=False)
    assert listed[other.user_id].confirmed and viewer.user_id not in listed
    assert logins.revoke_administrator(one.user_id) and not logins.revoke_administrator(one.user_id)
    assert not logins.revoke_administrator(viewer.user_id)
    assert logins.get_login(one.user_id) == one
    emails = [each.email for each in logins.list_administrators()]
    assert one.email not in emails and emails == sorted(emails)


def test_emails_are_returned_for_the_accounts_that_exist(logins: LoginStore) -> None:
    known = [make_login() for _ in range(60)]
    for login in known:
        logins.add_login(login)
    ids = [login.user_id for login in known]
    assert logins.emails_of([*ids, uuid.uuid4().hex]) == {login.user_id: login.email for login in known}
    assert logins.emails_of([]) == {}


def test_a_deleted_login_is_not_found_and_its_links_end(logins: LoginStore) -> None:
    login, link = make_login(), make_hash()
    logins.add_login(login)
    logins.store_link(link, login.user_id, LinkPurpose.RESET, LATER)
    logins.delete_login(login.user_id)
    logins.delete_login(login.user_id)
    assert logins.get_login(login.user_id) is None and logins.find_login(login.address, DUMMY).user_id == ""
    assert logins.use_link(link, LinkPurpose.RESET, NOON) is None
    logins.add_login(replace(make_login(), address=login.address))


def test_an_expired_link_is_renewed_and_a_used_one_is_not(logins: LoginStore) -> None:
    login, link = make_login(), make_hash()
    logins.add_login(login)
    logins.store_link(link, login.user_id, LinkPurpose.RESET, NOON)
    assert logins.use_link(link, LinkPurpose.RESET, NOON) is None
    logins.renew_link(link, LATER)
    logins.renew_link(link, NOON)  # an earlier time changes nothing
    assert logins.use_link(link, LinkPurpose.CONFIRM, NOON) is None
    assert logins.use_link(link, LinkPurpose.RESET, NOON) == login.user_id
    logins.renew_link(link, LATER)
    assert logins.use_link(link, LinkPurpose.RESET, NOON) is None


def test_expired_links_are_deleted(logins: LoginStore) -> None:
    login, over, good = make_login(), make_hash(), make_hash()
    logins.add_login(login)
    logins.store_link(over, login.user_id, LinkPurpose.RESET, NOON)
    logins.store_link(good, login.user_id, LinkPurpose.CONFIRM, LATER)
    assert logins.delete_expired_links(NOON) >= 1
    assert logins.delete_expired_links(NOON) == 0
    assert logins.use_link(good, LinkPurpose.CONFIRM, NOON) == login.user_id


def test_choices_of_emails_are_kept_for_each_account_until_it_is_deleted(logins: LoginStore) -> None:
    mine, other = make_login(), make_login()
    for login in (mine, other):
        logins.add_login(login)
    none = EmailChoices(payments=False)
    assert logins.get_email_choices(mine.user_id) == EmailChoices()
    for _ in range(2):
        logins.set_email_choices(mine.user_id, none)
    assert (logins.get_email_choices(mine.user_id), logins.get_email_choices(other.user_id)) == (none, EmailChoices())
    assert logins.get_login(mine.user_id) == mine
    logins.delete_login(mine.user_id)
    logins.set_email_choices(mine.user_id, none)
    assert logins.get_email_choices(mine.user_id) == EmailChoices()


def test_the_language_of_emails_is_kept_for_each_account_until_it_is_deleted(logins: LoginStore) -> None:
    mine, other = make_login(), make_login()
    for login in (mine, other):
        logins.add_login(login)
    assert logins.get_language(mine.user_id) == ""
    for _ in range(2):
        logins.set_language(mine.user_id, "de")
    assert (logins.get_language(mine.user_id), logins.get_language(other.user_id)) == ("de", "")
    assert logins.get_login(mine.user_id) == mine
    logins.delete_login(mine.user_id)
    logins.set_language(mine.user_id, "de")
    assert logins.get_language(mine.user_id) == ""
