"""Profiles: whose they are, what protects them, and what remains of a deleted one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.accounts.model import EmailChoices
from functions.accounts.profiles import MOST_PROFILES, Profile, ProfileChange, ProfileColour, ProfileProof
from functions.platform.errors import (
    AccountStillExists,
    AgeLimited,
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    PinRequired,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
    WrongPassword,
    WrongPin,
)
from functions.platform.messages import ForgetViewer
from tests.support.account_world import World
from tests.support.accounts import HOME, OTHER_PASSWORD, PASSWORD

if TYPE_CHECKING:
    from functions.accounts.model import OpenedSession

BY_PASSWORD = ProfileProof(PASSWORD)
KID = ProfileChange("Mia", ProfileColour.MINT, 9)
PARENT = ProfileChange("Alex", ProfileColour.SKY, None, "4711")


class Family:
    """An account, a session, and its profiles."""

    def __init__(self) -> None:
        self.world = World()
        self.viewer = self.world.confirmed_member()
        self.profiles = self.world.accounts.profiles
        self.opened = self.log_in()

    def log_in(self) -> OpenedSession:
        return self.world.accounts.log_in(self.viewer.email, PASSWORD, HOME)

    def add(self, change: ProfileChange = KID) -> Profile:
        return self.profiles.add(self.opened.session, change, BY_PASSWORD, HOME)

    def protect(self, pin: str = "4711") -> None:
        """Give the account's own profile a PIN."""
        change = ProfileChange("Alex", ProfileColour.SKY, None, pin)
        self.profiles.edit(self.opened.session, self.viewer.user_id, change, BY_PASSWORD, HOME)

    def switch(self, profile_id: str, pin: str = "", opened: OpenedSession | None = None) -> Profile:
        token = (opened or self.opened).token
        return self.profiles.switch(token, self.world.accounts.session(token), profile_id, pin)

    def names(self) -> list[str]:
        return [each.name for each in self.profiles.overview(self.viewer).profiles]


@pytest.fixture
def family() -> Family:
    return Family()


def test_an_account_without_profiles_has_its_own_which_is_not_stored(family: Family) -> None:
    overview = family.profiles.overview(family.viewer)
    (own,) = overview.profiles
    assert (own.profile_id, own.name, own.age_limit, own.is_locked) == (family.viewer.user_id, "", None, False)
    assert overview.current == family.viewer.user_id == family.viewer.watcher_id
    assert family.world.logins.profiles.profiles == {}


def test_a_session_uses_the_chosen_profile_and_its_limit_and_others_do_not(family: Family) -> None:
    kid, other = family.add(), family.log_in()
    assert family.switch(kid.profile_id) == kid
    here = family.world.accounts.viewer(family.opened.token)
    assert (here.watcher_id, here.age_limit) == (kid.profile_id, 9)
    assert family.world.accounts.viewer(other.token) == family.viewer
    family.switch(family.viewer.user_id)
    assert family.world.accounts.viewer(family.opened.token) == family.viewer


def test_a_profile_with_a_pin_is_entered_with_it_only(family: Family) -> None:
    kid = family.add()
    family.protect()
    family.switch(family.viewer.user_id)  # the session uses it already
    family.switch(kid.profile_id)
    with pytest.raises(PinRequired):
        family.switch(family.viewer.user_id)
    with pytest.raises(WrongPin):
        family.switch(family.viewer.user_id, "0000")
    assert family.world.accounts.viewer(family.opened.token).watcher_id == kid.profile_id
    family.switch(family.viewer.user_id, "4711")
    assert family.world.accounts.viewer(family.opened.token) == family.viewer


def test_a_pin_is_stored_as_a_hash(family: Family) -> None:
    family.protect("9876")
    stored = family.world.logins.profiles.profiles[family.viewer.user_id]
    assert stored.pin_hash.startswith("$argon2id$") and "9876" not in repr(stored)


def test_wrong_pins_are_limited_for_a_session_without_locking_out_the_others(family: Family) -> None:
    kid, parent = family.add(), family.log_in()
    family.protect()
    for opened in (family.opened, parent):
        family.switch(kid.profile_id, opened=opened)
    for _ in range(5):
        with pytest.raises(WrongPin):
            family.switch(family.viewer.user_id, "0000")
    with pytest.raises(TooManyAttempts):
        family.switch(family.viewer.user_id, "4711")
    family.switch(family.viewer.user_id, "4711", parent)
    for number in range(3):
        session = family.log_in()
        family.switch(kid.profile_id, opened=session)
        for _ in range(5):
            with pytest.raises(WrongPin):
                family.switch(family.viewer.user_id, f"000{number}", session)
    late = family.log_in()
    family.switch(kid.profile_id, opened=late)
    with pytest.raises(TooManyAttempts):
        family.switch(family.viewer.user_id, "4711", late)
    family.world.clock.forward(seconds=901)
    family.switch(family.viewer.user_id, "4711", late)


def test_a_pin_that_cannot_be_verified_counts_as_no_attempt(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    kid = family.add()
    family.protect()
    family.switch(kid.profile_id)

    def fails(*_: object) -> bool:
        raise StoreUnavailable("No hash can be computed now.")

    with monkeypatch.context() as patched:
        patched.setattr(family.world.hasher, "verify", fails)
        for _ in range(9):
            with pytest.raises(StoreUnavailable):
                family.switch(family.viewer.user_id, "4711")
    family.switch(family.viewer.user_id, "4711")


def test_changes_need_the_password_or_the_pin_of_the_own_profile(family: Family) -> None:
    kid = family.add()
    session = family.opened.session
    locked = family.add(PARENT)
    for proof, error in (
        (ProfileProof(), Malformed),
        (ProfileProof(OTHER_PASSWORD), WrongPassword),
        (ProfileProof(pin="4711"), WrongPin),  # the own profile has none
    ):
        with pytest.raises(error):
            family.profiles.add(session, KID, proof, HOME)
        with pytest.raises(error):
            family.profiles.edit(session, kid.profile_id, KID, proof, HOME)
        with pytest.raises(error):
            family.profiles.remove(family.opened.token, session, kid.profile_id, proof, HOME)
    family.protect("1234")
    family.profiles.edit(session, kid.profile_id, replace(KID, name="Mia M."), ProfileProof(pin="1234"), HOME)
    with pytest.raises(WrongPin):
        family.profiles.remove(family.opened.token, session, locked.profile_id, ProfileProof(pin="4711"), HOME)
    assert sorted(family.names()) == ["Alex", "Alex", "Mia M."]


def test_a_change_keeps_the_pin_unless_it_names_one(family: Family) -> None:
    parent, session = family.add(PARENT), family.opened.session
    keep = replace(PARENT, pin=None, name="  Alex   B. ")
    kept = family.profiles.edit(session, parent.profile_id, keep, BY_PASSWORD, HOME)
    assert (kept.name, kept.pin_hash) == ("Alex B.", parent.pin_hash)
    open_ = family.profiles.edit(session, parent.profile_id, replace(PARENT, pin=""), BY_PASSWORD, HOME)
    assert not open_.is_locked


def test_a_new_limit_applies_at_once_to_the_sessions_that_use_the_profile(family: Family) -> None:
    kid = family.add()
    family.switch(kid.profile_id)
    family.profiles.edit(family.opened.session, kid.profile_id, replace(KID, age_limit=6), BY_PASSWORD, HOME)
    assert family.world.accounts.viewer(family.opened.token).age_limit == 6


def test_what_cannot_be_stored_is_refused(family: Family) -> None:
    session = family.opened.session
    for change in (replace(KID, name="  "), replace(KID, name="a\x00b")):
        with pytest.raises(Malformed):
            family.add(change)
    with pytest.raises(Malformed):
        family.profiles.edit(session, family.viewer.user_id, KID, BY_PASSWORD, HOME)
    with pytest.raises(NotFound):
        family.profiles.edit(session, "0" * 32, KID, BY_PASSWORD, HOME)
    with pytest.raises(Conflict):
        family.profiles.remove(family.opened.token, session, family.viewer.user_id, BY_PASSWORD, HOME)
    for _ in range(MOST_PROFILES - 1):
        family.add()
    with pytest.raises(Conflict):
        family.add()


def test_nobody_reaches_the_profiles_of_another_account(family: Family) -> None:
    kid, session = family.add(), family.opened.session
    stranger = family.world.confirmed_member()
    opened = family.world.accounts.log_in(stranger.email, PASSWORD, HOME)
    for ask in (
        lambda: family.profiles.switch(opened.token, opened.session, kid.profile_id, ""),
        lambda: family.profiles.edit(opened.session, kid.profile_id, KID, BY_PASSWORD, HOME),
        lambda: family.profiles.remove(opened.token, opened.session, kid.profile_id, BY_PASSWORD, HOME),
        lambda: family.profiles.watcher_of(stranger, kid.profile_id),
        lambda: family.profiles.watcher_of(stranger, family.viewer.user_id),
    ):
        with pytest.raises(NotFound):
            ask()
    assert family.profiles.watcher_of(session.viewer, kid.profile_id) == kid.profile_id


def test_only_the_own_profile_reads_what_another_has_watched(family: Family) -> None:
    kid, sister = family.add(), family.add(replace(KID, name="Lea"))
    family.switch(kid.profile_id)
    viewer = family.world.accounts.viewer(family.opened.token)
    assert (
        family.profiles.watcher_of(viewer, "") == family.profiles.watcher_of(viewer, kid.profile_id) == kid.profile_id
    )
    for other in (sister.profile_id, family.viewer.user_id):
        with pytest.raises(Forbidden):
            family.profiles.watcher_of(viewer, other)


def test_an_administrator_is_one_in_the_own_profile_only(family: Family) -> None:
    family.protect("")
    kid = family.add()
    family.world.accounts.make_administrator(family.viewer.email)
    assert family.world.accounts.viewer(family.opened.token).admin
    family.switch(kid.profile_id)
    assert not family.world.accounts.viewer(family.opened.token).admin
    with pytest.raises(Forbidden):
        family.world.accounts.administrator(family.opened.token)
    family.switch(family.viewer.user_id)
    assert family.world.accounts.viewer(family.opened.token).admin


def test_a_deleted_profile_ends_its_sessions_and_its_data_is_deleted(family: Family) -> None:
    forgotten: list[str] = []
    family.world.forgetters = (forgotten.append,)
    kid, tablet = family.add(), family.log_in()
    for opened in (family.opened, tablet):
        family.switch(kid.profile_id, opened=opened)
    with pytest.raises(AccountStillExists):
        family.world.accounts.forget_viewer(kid.profile_id)
    session = family.world.accounts.session(family.opened.token)
    family.profiles.remove(family.opened.token, session, kid.profile_id, BY_PASSWORD, HOME)
    assert family.world.accounts.viewer(family.opened.token) == family.viewer
    with pytest.raises(Unauthenticated):
        family.world.accounts.session(tablet.token)
    assert family.names() == [""]
    delays = [delay_s for message, delay_s in family.world.queues.sent if message == ForgetViewer(kid.profile_id)]
    assert delays == [5, 3600, 0]
    family.world.settle()
    assert set(forgotten) == {kid.profile_id}


def test_a_deleted_account_leaves_no_profile_and_no_data_of_one(family: Family) -> None:
    forgotten: list[str] = []
    family.world.forgetters = (forgotten.append,)
    kid = family.add()
    family.protect()
    family.world.accounts.delete_account(family.viewer, PASSWORD, HOME)
    for _ in range(2):  # the second round handles the messages of the first
        family.world.settle()
    assert set(forgotten) == {family.viewer.user_id, kid.profile_id}
    assert family.world.logins.profiles.profiles == {}


def test_a_profile_that_is_deleted_during_a_switch_is_not_used(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    kid = family.add()
    use = family.world.sessions.use_profile

    def deleted_meanwhile(token: str, profile_id: str, *, age_limit: int | None) -> None:
        family.world.logins.profiles.delete_profile(kid)
        use(token, profile_id, age_limit=age_limit)

    monkeypatch.setattr(family.world.sessions, "use_profile", deleted_meanwhile)
    with pytest.raises(Unauthenticated):
        family.switch(kid.profile_id)
    assert not family.world.sessions.live


def test_a_limit_that_changes_during_a_switch_is_the_one_that_holds(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    kid = family.add()
    use = family.world.sessions.use_profile

    def limited_meanwhile(token: str, profile_id: str, *, age_limit: int | None) -> None:
        family.world.logins.profiles.change_profile(replace(kid, age_limit=6))
        use(token, profile_id, age_limit=age_limit)

    monkeypatch.setattr(family.world.sessions, "use_profile", limited_meanwhile)
    assert family.switch(kid.profile_id).age_limit == 6
    assert family.world.accounts.viewer(family.opened.token).age_limit == 6


def test_a_deleted_account_gets_no_profile(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family.world.logins.profiles, "add_profile", lambda _: False)
    with pytest.raises(Unauthenticated):
        family.add()


def test_a_profile_with_a_limit_changes_nothing_of_the_account(family: Family) -> None:
    kid = replace(family.viewer, profile_id="7" * 32, age_limit=16)
    with pytest.raises(AgeLimited):
        family.world.accounts.email_choices.choose(kid, EmailChoices(payments=False))
    unlimited = replace(kid, age_limit=None)
    assert not family.world.accounts.email_choices.choose(unlimited, EmailChoices(payments=False)).payments
