"""The stores of second factors and used codes: the fakes and the stores on real servers satisfy the same contract."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap
from functions.accounts.factor_repository import MySqlSecondFactorStore
from functions.accounts.model import Factor, SecondFactor
from functions.accounts.repository import MySqlLoginStore
from functions.accounts.used_codes import RedisUsedCodes
from functions.platform.errors import Conflict
from tests.support.account_logins import FakeLoginStore
from tests.support.account_sessions import FakeUsedCodes
from tests.support.accounts import LATER, make_hash, make_login
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from functions.accounts.ports import LoginStore, SecondFactorStore, UsedCodes

DUMMY = make_login().password_hash


@pytest.fixture
def factors(logins: LoginStore) -> SecondFactorStore:
    """Return the store of second factors that belongs to the store of logins."""
    if isinstance(logins, FakeLoginStore):
        return logins.factors
    assert isinstance(logins, MySqlLoginStore)
    return MySqlSecondFactorStore(logins._database)


def make_factor(user_id: str, **changes: Any) -> SecondFactor:
    factor = SecondFactor(uuid.uuid4().hex, user_id, Factor.TOTP, "Jo’s 🦊", "c2VjcmV0", "", 0, NOON)
    return replace(factor, **changes)


def test_a_factor_is_returned_as_it_was_stored_and_the_account_says_so(
    logins: LoginStore, factors: SecondFactorStore
) -> None:
    login = make_login()
    logins.add_login(login)
    app = make_factor(login.user_id)
    key = make_factor(login.user_id, kind=Factor.PASSKEY, credential_id="YWJj", sign_count=2**32 - 1, created_at=LATER)
    for factor in (key, app, app):
        factors.add_factor(factor, most=2, code_hashes=[])
    assert factors.list_factors(login.user_id) == [app, key]
    assert logins.get_login(login.user_id) == logins.find_login(login.address, DUMMY)
    assert logins.find_login(login.address, DUMMY).has_second_factor
    assert not logins.find_login("nobody@example.org", DUMMY).has_second_factor
    with pytest.raises(Conflict, match="already has 2"):
        factors.add_factor(make_factor(login.user_id), most=2, code_hashes=[])
    other = make_login()
    logins.add_login(other)
    with pytest.raises(Conflict, match="belongs to another account"):
        factors.add_factor(replace(key, user_id=other.user_id), most=2, code_hashes=[])
    factors.add_factor(make_factor(uuid.uuid4().hex), most=2, code_hashes=[])  # the account was deleted


def test_concurrent_additions_do_not_exceed_the_limit(logins: LoginStore, factors: SecondFactorStore) -> None:
    login = make_login()
    logins.add_login(login)

    def add(_: int) -> bool:
        try:
            factors.add_factor(make_factor(login.user_id), most=3, code_hashes=[])
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(1 if isinstance(logins, FakeLoginStore) else 6) as people:
        assert sum(people.map(add, range(6))) == 3


def test_a_use_is_recorded_and_the_sign_count_never_decreases(logins: LoginStore, factors: SecondFactorStore) -> None:
    login = make_login()
    logins.add_login(login)
    factor = make_factor(login.user_id)
    factors.add_factor(factor, most=2, code_hashes=[])
    assert factors.record_use(factor, sign_count=7, at=LATER)
    assert factors.record_use(factor, sign_count=5, at=LATER)
    assert factors.list_factors(login.user_id) == [replace(factor, sign_count=7, last_used_at=LATER)]
    assert not factors.record_use(make_factor(login.user_id), sign_count=1, at=LATER)
    assert not factors.record_use(replace(factor, user_id=uuid.uuid4().hex), sign_count=9, at=LATER)


def test_recovery_codes_are_used_once_and_end_with_the_last_factor(
    logins: LoginStore, factors: SecondFactorStore
) -> None:
    login, codes = make_login(), [make_hash() for _ in range(10)]
    logins.add_login(login)
    first, second = make_factor(login.user_id), make_factor(login.user_id)
    factors.add_factor(first, most=2, code_hashes=[])
    factors.add_factor(second, most=2, code_hashes=[])
    factors.replace_recovery_codes(login.user_id, [make_hash()])
    factors.replace_recovery_codes(login.user_id, codes)
    factors.replace_recovery_codes(uuid.uuid4().hex, codes)  # the account was deleted
    assert factors.count_recovery_codes(login.user_id) == 10
    assert factors.use_recovery_code(login.user_id, codes[0])
    assert not factors.use_recovery_code(login.user_id, codes[0])
    assert not factors.use_recovery_code(uuid.uuid4().hex, codes[1])
    assert factors.remove_factor(login.user_id, uuid.uuid4().hex) == 2
    assert factors.remove_factor(login.user_id, first.factor_id) == 1
    assert factors.count_recovery_codes(login.user_id) == 9
    assert factors.remove_factor(login.user_id, second.factor_id) == 0
    assert factors.count_recovery_codes(login.user_id) == 0


def test_recovery_codes_are_stored_with_the_first_factor_only(logins: LoginStore, factors: SecondFactorStore) -> None:
    login, codes = make_login(), [make_hash() for _ in range(10)]
    logins.add_login(login)
    first, second = make_factor(login.user_id), make_factor(login.user_id)
    for _ in range(2):  # a repeated call has the same answer
        assert factors.add_factor(first, most=2, code_hashes=codes)
    assert not factors.add_factor(second, most=2, code_hashes=[make_hash()])
    assert factors.count_recovery_codes(login.user_id) == 10
    assert all(factors.use_recovery_code(login.user_id, each) for each in codes)
    assert not factors.add_factor(make_factor(uuid.uuid4().hex), most=2, code_hashes=codes)  # the account was deleted


def test_one_of_many_concurrent_first_factors_brings_the_recovery_codes(
    logins: LoginStore, factors: SecondFactorStore
) -> None:
    login = make_login()
    logins.add_login(login)
    codes = [[make_hash() for _ in range(10)] for _ in range(6)]

    def add(own: list[str]) -> bool:
        return factors.add_factor(make_factor(login.user_id), most=9, code_hashes=own)

    with ThreadPoolExecutor(1 if isinstance(logins, FakeLoginStore) else 6) as people:
        stored = list(people.map(add, codes))
    assert sum(stored) == 1 and factors.count_recovery_codes(login.user_id) == 10
    assert factors.use_recovery_code(login.user_id, codes[stored.index(True)][3])


def test_the_last_factor_of_an_administrator_stays_even_if_all_are_removed_at_once(
    logins: LoginStore, factors: SecondFactorStore
) -> None:
    login = make_login()
    logins.add_login(login)
    logins.make_administrator(login.user_id)
    added = [make_factor(login.user_id) for _ in range(4)]
    for factor in added:
        factors.add_factor(factor, most=9, code_hashes=[make_hash()])

    def remove(factor: SecondFactor) -> bool:
        try:
            factors.remove_factor(login.user_id, factor.factor_id)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(1 if isinstance(logins, FakeLoginStore) else 4) as people:
        assert sum(people.map(remove, added)) == 3
    (last,) = factors.list_factors(login.user_id)
    assert factors.count_recovery_codes(login.user_id) == 1
    assert factors.remove_factor(login.user_id, added[0].factor_id if added[0] != last else added[1].factor_id) == 1
    logins.revoke_administrator(login.user_id)
    assert factors.remove_factor(login.user_id, last.factor_id) == 0


def test_all_factors_are_read_page_by_page_and_a_secret_is_replaced_only_over_the_one_that_was_read(
    logins: LoginStore, factors: SecondFactorStore
) -> None:
    login = make_login()
    logins.add_login(login)
    added = sorted((make_factor(login.user_id) for _ in range(5)), key=lambda factor: factor.factor_id)
    for factor in added:
        factors.add_factor(factor, most=9, code_hashes=[])
    after, seen = "", []
    while page := factors.page_factors(after, limit=2):
        assert len(page) <= 2
        seen += [each for each in page if each.user_id == login.user_id]
        after = page[-1].factor_id
    assert seen == added
    factors.replace_secret(added[0], "bmV3")
    factors.replace_secret(added[0], "bmV3ZXI=")
    assert {each.factor_id: each.secret for each in factors.list_factors(login.user_id)} == {
        each.factor_id: "bmV3" if each == added[0] else each.secret for each in added
    }


@pytest.mark.parametrize("how", ["reset", "account deleted"])
def test_all_factors_of_an_account_are_removed(logins: LoginStore, factors: SecondFactorStore, how: str) -> None:
    login, other = make_login(), make_login()
    for each in (login, other):
        logins.add_login(each)
        factors.add_factor(make_factor(each.user_id), most=2, code_hashes=[])
        factors.replace_recovery_codes(each.user_id, [make_hash()])
    if how == "reset":
        factors.remove_factors(login.user_id)
    else:
        logins.delete_login(login.user_id)
    assert factors.list_factors(login.user_id) == [] and factors.count_recovery_codes(login.user_id) == 0
    assert len(factors.list_factors(other.user_id)) == factors.count_recovery_codes(other.user_id) == 1


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_a_code_is_claimed_once(kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "real":
        request.getfixturevalue("wired")
    codes: UsedCodes = FakeUsedCodes(Clock()) if kind == "fake" else RedisUsedCodes(bootstrap.resources.redis())
    name = f"totp:{uuid.uuid4().hex}:1"
    with ThreadPoolExecutor(1 if kind == "fake" else 8) as people:
        assert sum(people.map(lambda _: codes.claim(name, for_s=60), range(8))) == 1
    assert codes.claim(f"{name}0", for_s=60)
