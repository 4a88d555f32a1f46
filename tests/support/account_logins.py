"""Accounts' stores in MySQL, in memory: logins, second factors and login history."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functions.accounts.model import EmailChoices, LinkPurpose, Login, LoginHistoryEntry, LoginOutcome, SecondFactor
from functions.platform.errors import AddressTaken, Conflict
from functions.platform.viewer import Viewer
from tests.support.account_profiles import FakeProfileStore
from tests.support.accounts import FakeStore
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.platform.pagination import TimePosition


class FakeLoginStore(FakeStore):
    """Logins in memory."""

    def __init__(self) -> None:
        self.logins: dict[str, Login] = {}
        self.links: dict[str, tuple[str, LinkPurpose, datetime]] = {}
        self.factors = FakeSecondFactorStore(self)
        self.profiles = FakeProfileStore(self)
        self.choices: dict[str, EmailChoices] = {}
        self.languages: dict[str, str] = {}

    def add_login(self, login: Login) -> None:
        self.check()
        if any(other.address == login.address and other.user_id != login.user_id for other in self.logins.values()):
            raise AddressTaken("There is an account of that address already.")
        self.logins.setdefault(login.user_id, login)

    def find_login(self, address: str, dummy_hash: str) -> Login:
        self.check()
        dummy = Login("", address, "", dummy_hash, False, None, NOON)
        return next((self._full(login) for login in self.logins.values() if login.address == address), dummy)

    def get_login(self, user_id: str) -> Login | None:
        self.check()
        login = self.logins.get(user_id)
        return login and self._full(login)

    def replace_hash(self, user_id: str, *, over: str, new: str) -> bool:
        self.check()
        login = self.logins.get(user_id)
        if login is None or login.password_hash not in (over, new):
            return False
        self.logins[user_id] = replace(login, password_hash=new)
        self._end_links(user_id, LinkPurpose.RESET)
        return True

    def make_administrator(self, user_id: str) -> None:
        self._change(user_id, admin=True)

    def list_administrators(self) -> list[Viewer]:
        self.check()
        found = [login for login in self.logins.values() if login.admin]
        return [
            Viewer(login.user_id, login.email, admin=True, confirmed=login.confirmed_at is not None)
            for login in sorted(found, key=lambda login: login.email)
        ]

    def emails_of(self, user_ids: Sequence[str]) -> dict[str, str]:
        self.check()
        return {user_id: self.logins[user_id].email for user_id in user_ids if user_id in self.logins}

    def get_email_choices(self, user_id: str) -> EmailChoices:
        self.check()
        return self.choices.get(user_id, EmailChoices())

    def set_email_choices(self, user_id: str, choices: EmailChoices) -> None:
        self.check()
        if user_id in self.logins:
            self.choices[user_id] = choices

    def get_language(self, user_id: str) -> str:
        self.check()
        return self.languages.get(user_id, "") if user_id in self.logins else ""

    def set_language(self, user_id: str, language: str) -> None:
        self.check()
        if user_id in self.logins:
            self.languages[user_id] = language

    def revoke_administrator(self, user_id: str) -> bool:
        login = self.get_login(user_id)
        self._change(user_id, admin=False)
        return login is not None and login.admin

    def store_link(self, link_hash: str, user_id: str, purpose: LinkPurpose, expires_at: datetime) -> None:
        self.check()
        self.links[link_hash] = (user_id, purpose, expires_at)

    def renew_link(self, link_hash: str, expires_at: datetime) -> None:
        self.check()
        if link := self.links.get(link_hash):
            user_id, purpose, until = link
            self.links[link_hash] = (user_id, purpose, max(until, expires_at))

    def use_link(self, link_hash: str, purpose: LinkPurpose, now: datetime) -> str | None:
        self.check()
        user_id, of, expires_at = self.links.get(link_hash, ("", purpose, now))
        if of != purpose or expires_at <= now:
            return None
        del self.links[link_hash]
        return user_id

    def confirm_address(self, user_id: str, at: datetime) -> None:
        login = self.get_login(user_id)
        if login and login.confirmed_at is None:
            self._change(user_id, confirmed_at=at)

    def delete_login(self, user_id: str) -> None:
        self.check()
        self.logins.pop(user_id, None)
        self.choices.pop(user_id, None)
        self.languages.pop(user_id, None)
        self.factors.remove_factors(user_id)
        for purpose in LinkPurpose:
            self._end_links(user_id, purpose)

    def delete_expired_links(self, now: datetime) -> int:
        self.check()
        over = [key for key, (_, _, expires_at) in self.links.items() if expires_at <= now]
        for key in over:
            del self.links[key]
        return len(over)

    def valid_until(self, token: str) -> datetime | None:
        """Return until when the link with a token is valid; None if there is none."""
        link = self.links.get(hashlib.sha256(token.encode()).hexdigest())
        return link and link[2]

    def _full(self, login: Login) -> Login:
        return replace(login, has_second_factor=bool(self.factors.list_factors(login.user_id)))

    def _end_links(self, user_id: str, purpose: LinkPurpose) -> None:
        self.links = {key: link for key, link in self.links.items() if link[:2] != (user_id, purpose)}

    def _change(self, user_id: str, **changes: Any) -> None:
        self.check()
        if user_id in self.logins:
            self.logins[user_id] = replace(self.logins[user_id], **changes)


class FakeSecondFactorStore(FakeStore):
    """Second factors in memory."""

    def __init__(self, logins: FakeLoginStore) -> None:
        self._logins = logins
        self.factors: dict[str, SecondFactor] = {}
        self.codes: defaultdict[str, set[str]] = defaultdict(set)

    def add_factor(self, factor: SecondFactor, *, most: int, code_hashes: Sequence[str]) -> bool:
        self.check()
        old = self.factors.get(factor.factor_id)
        if old and old.user_id != factor.user_id:
            raise Conflict("This passkey already belongs to another account. Use another one.")
        if factor.user_id in self._logins.logins and not old:
            stored = len(self.list_factors(factor.user_id))
            if stored >= most:
                raise Conflict(
                    f"Your account already has {most} passkeys and authenticator apps. Remove one to add another."
                )
            self.factors[factor.factor_id] = factor
            if not stored:
                self.codes[factor.user_id] = set(code_hashes)
        return set(code_hashes[:1]) <= self.codes.get(factor.user_id, set()) and bool(code_hashes)

    def list_factors(self, user_id: str) -> list[SecondFactor]:
        self.check()
        own = [each for each in self.factors.values() if each.user_id == user_id]
        return sorted(own, key=lambda each: (each.created_at, each.factor_id))

    def record_use(self, factor: SecondFactor, *, sign_count: int, at: datetime) -> bool:
        self.check()
        stored = self.factors.get(factor.factor_id)
        if stored is None or stored.user_id != factor.user_id:
            return False
        count = max(stored.sign_count, sign_count)
        self.factors[factor.factor_id] = replace(stored, sign_count=count, last_used_at=at)
        return True

    def remove_factor(self, user_id: str, factor_id: str) -> int:
        own = [each.factor_id for each in self.list_factors(user_id)]
        login = self._logins.logins.get(user_id)
        if login and login.admin and own == [factor_id]:
            raise Conflict("Administrators need a second step to log in. Add another one, then remove this one.")
        if factor_id in own:
            del self.factors[factor_id]
        remaining = len(self.list_factors(user_id))
        if not remaining:
            self.codes.pop(user_id, None)
        return remaining

    def page_factors(self, after: str, *, limit: int) -> list[SecondFactor]:
        self.check()
        return [self.factors[key] for key in sorted(self.factors) if key > after][:limit]

    def replace_secret(self, factor: SecondFactor, new: str) -> None:
        self.check()
        stored = self.factors.get(factor.factor_id)
        if stored and stored.secret == factor.secret:
            self.factors[factor.factor_id] = replace(stored, secret=new)

    def remove_factors(self, user_id: str) -> None:
        self.check()
        self.factors = {key: each for key, each in self.factors.items() if each.user_id != user_id}
        self.codes.pop(user_id, None)

    def replace_recovery_codes(self, user_id: str, code_hashes: Sequence[str]) -> None:
        self.check()
        if user_id in self._logins.logins:
            self.codes[user_id] = set(code_hashes)

    def count_recovery_codes(self, user_id: str) -> int:
        self.check()
        return len(self.codes.get(user_id, ()))

    def use_recovery_code(self, user_id: str, code_hash: str) -> bool:
        self.check()
        if code_hash not in self.codes.get(user_id, ()):
            return False
        self.codes[user_id].remove(code_hash)
        return True


class FakeLoginHistoryStore(FakeStore):
    """Login history in memory."""

    def __init__(self) -> None:
        self.entries: dict[str, LoginHistoryEntry] = {}

    def store_entry(self, entry: LoginHistoryEntry) -> None:
        self.check()
        stored = self.entries.get(entry.entry_id)
        if stored is None or stored.outcome is LoginOutcome.UNFINISHED:
            self.entries[entry.entry_id] = entry

    def entries_of(self, user_id: str, *, after: TimePosition | None, limit: int) -> list[LoginHistoryEntry]:
        self.check()
        own = [entry for entry in self.entries.values() if entry.user_id == user_id]
        newest = sorted(own, key=lambda entry: (entry.at, entry.entry_id), reverse=True)
        follow = [each for each in newest if after is None or (each.at, each.entry_id) < (after.at, after.entry_id)]
        return follow[:limit]

    def delete_entries_of(self, user_id: str) -> None:
        self.check()
        self.entries = {key: entry for key, entry in self.entries.items() if entry.user_id != user_id}

    def delete_entries_before(self, before: datetime) -> int:
        self.check()
        old = [key for key, entry in self.entries.items() if entry.at < before]
        for key in old:
            del self.entries[key]
        return len(old)
