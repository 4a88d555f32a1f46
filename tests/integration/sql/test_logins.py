"""The MySQL stores of accounts: the effect of each procedure, alone and when called concurrently."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from functions.accounts.model import LinkPurpose, Login, LoginHistoryEntry, LoginOutcome
from functions.accounts.repository import ROWS_PER_DELETE, MySqlLoginHistoryStore, MySqlLoginStore
from functions.platform.errors import AddressTaken, Malformed
from functions.platform.pagination import TimePosition
from infra.local.stores.mariadb import SQL
from infra.migrations.files import read_folders
from infra.migrations.runner import Server, migrate

if TYPE_CHECKING:
    from tests.support.mysql import Running

NOW = datetime(2026, 11, 24, 12, 0, 0, 654_321, UTC)


def hash_of(text: str) -> str:
    return f"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${text}"


def make_login(**changes: Any) -> Login:
    name = uuid4().hex
    fields: dict[str, Any] = {
        "user_id": uuid4().hex,
        "address": f"{name}@example.org",
        "email": f"{name.upper()}@Example.org",
        "password_hash": hash_of("first"),
        "admin": False,
        "confirmed_at": None,
        "created_at": NOW,
    }
    return Login(**{**fields, **changes})


def position_of(entry: LoginHistoryEntry) -> TimePosition:
    return TimePosition(entry.at, entry.entry_id)


def make_link() -> str:
    return sha256(uuid4().bytes).hexdigest()


def make_entry(user_id: str, **changes: Any) -> LoginHistoryEntry:
    fields = {"at": NOW, "ip": "2001:db8::1", "browser": "Firefox on Linux", "outcome": LoginOutcome.SUCCESS}
    return LoginHistoryEntry(**{"entry_id": uuid4().hex, "user_id": user_id, **fields, **changes})


@pytest.fixture(scope="module")
def logins(server: Running) -> MySqlLoginStore:
    """Return the store of logins."""
    return MySqlLoginStore(server.database("logins"))


@pytest.fixture(scope="module")
def history(server: Running) -> MySqlLoginHistoryStore:
    """Return the store of login history."""
    return MySqlLoginHistoryStore(server.database("login_history"))


def test_login_is_found_by_address_and_by_id(logins: MySqlLoginStore) -> None:
    login = make_login(admin=True, confirmed_at=NOW)
    logins.add_login(login)
    assert logins.find_login(login.address, hash_of("dummy")) == login
    assert logins.get_login(login.user_id) == login
    assert logins.get_login(uuid4().hex) is None


def test_unknown_address_gives_a_row_of_the_same_shape_with_the_dummy_hash(logins: MySqlLoginStore) -> None:
    found = logins.find_login("nobody@example.org", hash_of("dummy"))
    assert (found.user_id, found.address, found.email) == ("", "nobody@example.org", "")
    assert (found.password_hash, found.admin, found.confirmed_at) == (hash_of("dummy"), False, None)
    assert isinstance(found.created_at, datetime)


@pytest.mark.parametrize("change", [str.upper, lambda address: address + " ", lambda address: " " + address])
def test_address_is_found_only_exactly_as_it_is(logins: MySqlLoginStore, change: Any) -> None:
    login = make_login()
    logins.add_login(login)
    assert logins.find_login(change(login.address), hash_of("dummy")).user_id == ""


def test_address_is_taken_once_and_the_refusal_does_not_repeat_it(logins: MySqlLoginStore) -> None:
    login = make_login()
    logins.add_login(login)
    logins.add_login(login)  # repeated, as after a broken connection
    with pytest.raises(AddressTaken) as taken:
        logins.add_login(make_login(address=login.address))
    assert login.address not in str(taken.value)
    assert logins.get_login(login.user_id) == login


def test_of_many_who_register_one_address_at_once_one_gets_it(logins: MySqlLoginStore) -> None:
    rivals = [make_login(address="rivals@example.org") for _ in range(16)]

    def register(login: Login) -> bool:
        try:
            logins.add_login(login)
        except AddressTaken:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        got = list(threads.map(register, rivals))
    assert got.count(True) == 1
    assert logins.find_login("rivals@example.org", "").user_id == rivals[got.index(True)].user_id


@pytest.mark.parametrize(
    "changes",
    [
        {"password_hash": "correct horse battery staple"},
        {"user_id": "ABCDEF" + "0" * 26},
        {"user_id": "short"},
        {"address": ""},
        {"address": "a" * 321},
        {"email": "a" * 321},
        {"password_hash": hash_of("a" * 255)},
    ],
    ids=str,
)
def test_what_a_login_cannot_be_is_not_kept(logins: MySqlLoginStore, changes: dict[str, str]) -> None:
    """Above all, a password is never stored instead of its hash."""
    login = make_login(**changes)
    with pytest.raises(Malformed):
        logins.add_login(login)
    assert logins.get_login(login.user_id) is None


def test_hash_is_replaced_only_over_the_one_that_was_read(logins: MySqlLoginStore) -> None:
    login = make_login()
    logins.add_login(login)
    assert not logins.replace_hash(login.user_id, over=hash_of("another"), new=hash_of("second"))
    assert logins.replace_hash(login.user_id, over=hash_of("first"), new=hash_of("second"))
    assert logins.replace_hash(
        login.user_id, over=hash_of("first"), new=hash_of("second")
    )  # repeated, as after a broken connection
    assert not logins.replace_hash(login.user_id, over=hash_of("first"), new=hash_of("third"))
    kept = logins.get_login(login.user_id)
    assert kept is not None
    assert kept.password_hash == hash_of("second")
    assert not logins.replace_hash(uuid4().hex, over=hash_of("first"), new=hash_of("second"))


def test_of_many_who_change_a_password_at_once_one_does(logins: MySqlLoginStore) -> None:
    login = make_login()
    logins.add_login(login)

    def change(number: int) -> bool:
        return logins.replace_hash(login.user_id, over=hash_of("first"), new=hash_of(f"new{number}"))

    with ThreadPoolExecutor(16) as threads:
        changed = list(threads.map(change, range(16)))
    assert changed.count(True) == 1
    assert logins.find_login(login.address, "").password_hash == hash_of(f"new{changed.index(True)}")


def test_new_password_ends_a_link_to_reset_it_and_no_other(logins: MySqlLoginStore) -> None:
    login, reset, confirm = make_login(), make_link(), make_link()
    logins.add_login(login)
    logins.store_link(reset, login.user_id, LinkPurpose.RESET, NOW + timedelta(minutes=30))
    logins.store_link(confirm, login.user_id, LinkPurpose.CONFIRM, NOW + timedelta(minutes=30))
    logins.replace_hash(login.user_id, over=hash_of("first"), new=hash_of("second"))
    assert logins.use_link(reset, LinkPurpose.RESET, NOW) is None
    assert logins.use_link(confirm, LinkPurpose.CONFIRM, NOW) == login.user_id


def test_link_is_good_once_for_its_purpose_and_until_its_time(logins: MySqlLoginStore) -> None:
    login, link = make_login(), make_link()
    logins.add_login(login)
    until = NOW + timedelta(minutes=30)
    logins.store_link(link, login.user_id, LinkPurpose.RESET, until)
    assert logins.use_link(link, LinkPurpose.CONFIRM, NOW) is None
    assert logins.use_link(link, LinkPurpose.RESET, until) is None
    assert logins.use_link(make_link(), LinkPurpose.RESET, NOW) is None
    assert logins.use_link(link, LinkPurpose.RESET, until - timedelta(microseconds=1)) == login.user_id
    assert logins.use_link(link, LinkPurpose.RESET, NOW) is None


def test_of_many_who_use_a_link_at_once_one_does(logins: MySqlLoginStore) -> None:
    login = make_login()
    logins.add_login(login)
    for _ in range(10):
        link = make_link()
        logins.store_link(link, login.user_id, LinkPurpose.RESET, NOW + timedelta(minutes=30))
        with ThreadPoolExecutor(8) as threads:
            used = list(threads.map(lambda _, link=link: logins.use_link(link, LinkPurpose.RESET, NOW), range(8)))
        assert used.count(login.user_id) == 1
        assert used.count(None) == 7


def test_an_earlier_link_stays_valid_beside_a_later_one_and_each_works_once(logins: MySqlLoginStore) -> None:
    login, first, second = make_login(), make_link(), make_link()
    logins.add_login(login)
    for link in (first, second):
        logins.store_link(link, login.user_id, LinkPurpose.CONFIRM, NOW + timedelta(minutes=30))
    assert logins.use_link(second, LinkPurpose.CONFIRM, NOW) == login.user_id
    assert logins.use_link(first, LinkPurpose.CONFIRM, NOW) == login.user_id
    assert logins.use_link(first, LinkPurpose.CONFIRM, NOW) is None


def test_confirmation_and_administrator_are_noted(logins: MySqlLoginStore) -> None:
    login = make_login()
    logins.add_login(login)
    logins.confirm_address(login.user_id, NOW)
    logins.confirm_address(login.user_id, NOW + timedelta(days=1))
    logins.make_administrator(login.user_id)
    kept = logins.get_login(login.user_id)
    assert kept is not None
    assert (kept.confirmed_at, kept.admin) == (NOW, True)


def test_deleted_account_is_gone_with_its_links_and_its_address_is_free(logins: MySqlLoginStore) -> None:
    login, link = make_login(), make_link()
    logins.add_login(login)
    logins.store_link(link, login.user_id, LinkPurpose.RESET, NOW + timedelta(minutes=30))
    logins.delete_login(login.user_id)
    logins.delete_login(login.user_id)
    assert logins.get_login(login.user_id) is None
    assert logins.use_link(link, LinkPurpose.RESET, NOW) is None
    logins.store_link(link, login.user_id, LinkPurpose.RESET, NOW + timedelta(minutes=30))
    assert logins.use_link(link, LinkPurpose.RESET, NOW) is None
    logins.add_login(make_login(address=login.address))


def test_links_that_are_over_are_cleared_away(logins: MySqlLoginStore, server: Running) -> None:
    logins.delete_expired_links(NOW + timedelta(days=1))
    login, over, good = make_login(), make_link(), make_link()
    logins.add_login(login)
    logins.store_link(over, login.user_id, LinkPurpose.RESET, NOW)
    logins.store_link(good, login.user_id, LinkPurpose.CONFIRM, NOW + timedelta(minutes=1))
    assert logins.delete_expired_links(NOW) == 1
    assert [row["link_hash"] for row in server.ask("SELECT link_hash FROM logins_db.links")] == [good]


def test_history_is_read_newest_first_in_pages_and_an_entry_counts_once(history: MySqlLoginHistoryStore) -> None:
    user_id = uuid4().hex
    entries = [make_entry(user_id, at=NOW - timedelta(minutes=age), outcome=o) for age, o in enumerate(LoginOutcome)]
    for entry in (*reversed(entries), *entries, make_entry(uuid4().hex)):
        history.store_entry(entry)
    assert history.entries_of(user_id, after=None, limit=10) == entries
    assert history.entries_of(user_id, after=None, limit=2) == entries[:2]
    assert history.entries_of(user_id, after=position_of(entries[1]), limit=2) == entries[2:4]
    assert history.entries_of(user_id, after=position_of(entries[-1]), limit=2) == []


def test_history_of_one_user_is_forgotten_whole(history: MySqlLoginHistoryStore) -> None:
    gone, other = uuid4().hex, uuid4().hex
    for user_id in (gone, gone, other):
        history.store_entry(make_entry(user_id))
    history.delete_entries_of(gone)
    history.delete_entries_of(gone)
    assert history.entries_of(gone, after=None, limit=10) == []
    assert len(history.entries_of(other, after=None, limit=10)) == 1


def test_old_history_is_cleared_away_in_portions(history: MySqlLoginHistoryStore, server: Running) -> None:
    server.ask("DELETE FROM login_history_db.entries")
    user_id = uuid4().hex
    long_ago = NOW.replace(tzinfo=None) - timedelta(days=400)
    rows = [(f"old{number}", user_id, long_ago, "::1", "", "success") for number in range(2 * ROWS_PER_DELETE)]
    with server.root() as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO login_history_db.entries VALUES (%s, %s, %s, %s, %s, %s)", rows)
    recent = make_entry(user_id)
    history.store_entry(recent)
    assert history.delete_entries_before(NOW - timedelta(days=365)) == 2 * ROWS_PER_DELETE
    assert history.entries_of(user_id, after=None, limit=10) == [recent]


def test_lookups_read_no_more_than_the_row_they_want(server: Running) -> None:
    """If a parameter had a different character set than the column, a lookup would read the whole table."""
    for statement in (
        "SELECT * FROM logins_db.logins WHERE address = 'x'",
        "SELECT * FROM logins_db.logins WHERE user_id = 'x'",
        "DELETE FROM logins_db.links WHERE link_hash = 'x'",
        "SELECT * FROM logins_db.second_factors WHERE user_id = 'x' ORDER BY created_at, factor_id",
        "DELETE FROM logins_db.recovery_codes WHERE user_id = 'x' AND code_hash = 'y'",
        "SELECT * FROM login_history_db.entries WHERE user_id = 'x' AND at <= '2026-01-01' "
        "AND (at < '2026-01-01' OR entry_id < 'x') ORDER BY at DESC, entry_id DESC",
    ):
        (plan,) = server.ask(f"EXPLAIN {statement}")
        assert plan["key"] or "const table" in plan["extra"], statement
    collations = server.ask(
        "SELECT DISTINCT collation_name AS name FROM information_schema.columns "
        "WHERE table_schema LIKE '%%\\_db' AND collation_name IS NOT NULL "
        "UNION SELECT DISTINCT collation_name FROM information_schema.parameters "
        "WHERE specific_schema LIKE '%%\\_db' AND collation_name IS NOT NULL"
    )
    assert collations == [{"name": "utf8mb4_bin"}]


def test_migrations_are_up_to_date_once_the_server_is(server: Running) -> None:
    folders = read_folders(SQL)
    passwords = {folder.name: server.credentials.mysql_password(folder.name) for folder in folders}
    assert not [outcome for outcome in migrate(Server(server.address), folders, passwords) if outcome.applied]
