"""Profiles: who watches with an account, what each may watch, and with which PIN.

Usage and recommendations are stored under the id of a profile (`Viewer.watcher_id`); for the account's own profile, it
is the account's id. So an account that has no other profile is stored as if there were no profiles.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.accounts.addresses import address_of
from functions.accounts.authentication import SESSION
from functions.accounts.moderation import FORGET_AFTER_S, FORGET_AGAIN_S
from functions.accounts.profiles import Profile, ProfileColour, ProfileOverview
from functions.accounts.rate_limits import PINS_OF_ACCOUNT, PINS_OF_SESSION, RateLimitBucket, Refusal
from functions.platform.errors import (
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    PinRequired,
    StoreUnavailable,
    Unauthenticated,
    WrongCredentials,
    WrongPassword,
    WrongPin,
)
from functions.platform.messages import ForgetViewer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.accounts.authentication import Authentication
    from functions.accounts.model import RequestOrigin, Session
    from functions.accounts.ports import (
        LoginStore,
        MessageSender,
        PasswordHasher,
        ProfileStore,
        RateLimiter,
        SessionStore,
    )
    from functions.accounts.profiles import ProfileChange, ProfileProof
    from functions.platform.viewer import Viewer

DELETED = "This account has been deleted, so you are logged out."


class ProfileService:
    """Operations on profiles; every method raises StoreUnavailable."""

    def __init__(
        self,
        profiles: ProfileStore,
        logins: LoginStore,
        sessions: SessionStore,
        authentication: Authentication,
        hasher: PasswordHasher,
        limiter: RateLimiter,
        queues: MessageSender,
        now: Callable[[], datetime],
    ) -> None:
        self._profiles = profiles
        self._logins = logins
        self._sessions = sessions
        self._authentication = authentication
        self._hasher = hasher
        self._limiter = limiter
        self._queues = queues
        self._now = now

    def overview(self, viewer: Viewer) -> ProfileOverview:
        """Return the profiles of the viewer's account."""
        return ProfileOverview(self._profiles_of(viewer.user_id), viewer.watcher_id)

    def watcher_of(self, viewer: Viewer, profile_id: str) -> str:
        """Return the id under which a profile's usage is stored; the viewer's own profile may read that of all others.

        An empty `profile_id` stands for the viewer's current profile. Raises Forbidden, NotFound.
        """
        if profile_id in ("", viewer.watcher_id):
            return viewer.watcher_id
        if viewer.profile_id:
            raise Forbidden("Only the main profile can see what other profiles have watched.")
        return self._existing(viewer.user_id, profile_id).profile_id

    def switch(self, token: str, session: Session, profile_id: str, pin: str) -> Profile:
        """Let a session use another profile of its account.

        Raises NotFound, PinRequired and WrongPin if the profile has a PIN, TooManyAttempts.
        """
        viewer = session.viewer
        profile = self._existing(viewer.user_id, profile_id)
        if profile.is_locked and profile_id != viewer.watcher_id:
            if not pin:
                raise PinRequired("This profile has a PIN. Enter it to switch.")
            self._verify_pin(session, profile, pin)
        self._use(token, profile)
        # an edit or deletion in the meantime may have missed this session
        current = next((each for each in self._profiles_of(viewer.user_id) if each.profile_id == profile_id), None)
        if current is None:
            self._sessions.end_session(token)
            raise Unauthenticated("This profile has just been deleted, so you are logged out.")
        if current.age_limit != profile.age_limit:
            self._use(token, current)
        return current

    def add(self, session: Session, change: ProfileChange, proof: ProfileProof, origin: RequestOrigin) -> Profile:
        """Add a profile. Raises Malformed, Conflict if there are too many, and the errors of a wrong proof."""
        user_id = session.viewer.user_id
        self._require_proof(session, proof, origin)
        blank = Profile(uuid.uuid4().hex, user_id, "", change.colour, self._now())
        profile = self._changed(blank, change)
        if not self._profiles.add_profile(profile):
            raise Unauthenticated(DELETED)
        return profile

    def edit(
        self, session: Session, profile_id: str, change: ProfileChange, proof: ProfileProof, origin: RequestOrigin
    ) -> Profile:
        """Change a profile; a new limit applies at once.

        Raises NotFound, Malformed, and the errors of a wrong proof.
        """
        self._require_proof(session, proof, origin)
        profile = self._changed(self._existing(session.viewer.user_id, profile_id), change)
        if not self._profiles.change_profile(profile):
            raise NotFound("This profile has just been deleted.")
        if not profile.is_own:
            self._sessions.update_age_limit(profile_id, profile.age_limit)
        return profile

    def remove(self, token: str, session: Session, profile_id: str, proof: ProfileProof, origin: RequestOrigin) -> None:
        """Delete a profile with everything that it has watched, listed and rated; its other sessions end.

        Raises NotFound, Conflict for the account's own profile, and the errors of a wrong proof.
        """
        self._require_proof(session, proof, origin)
        profile = self._existing(session.viewer.user_id, profile_id)
        if profile.is_own:
            raise Conflict("This is the main profile of the account. To delete it, delete the account.")
        # enqueued before the deletion, as for an account, so that no data can be left behind
        for delay_s in (FORGET_AFTER_S, FORGET_AGAIN_S):
            self._queues.send(ForgetViewer(profile_id), delay_s=delay_s)
        if session.viewer.profile_id == profile_id:
            self._use(token, _own(session.viewer.user_id, self._now()))
        self._profiles.delete_profile(profile)
        with suppress(StoreUnavailable):  # the messages complete the deletion
            self._sessions.end_sessions_of(profile_id)
            self._queues.send(ForgetViewer(profile_id))

    def is_in_use(self, profile_id: str) -> bool:
        """Return whether a profile exists and its account does, too."""
        return self._profiles.is_in_use(profile_id)

    def forget(self, user_id: str) -> None:
        """Request the deletion of everything that the profiles of a deleted account have stored. Idempotent."""
        for profile in self._profiles.list_profiles(user_id):
            if not profile.is_own:
                for delay_s in (0, FORGET_AGAIN_S):
                    self._queues.send(ForgetViewer(profile.profile_id), delay_s=delay_s)
        self._profiles.forget_profiles(user_id)

    def _use(self, token: str, profile: Profile) -> None:
        own = profile.is_own
        self._sessions.use_profile(token, "" if own else profile.profile_id, age_limit=profile.age_limit)

    def _profiles_of(self, user_id: str) -> tuple[Profile, ...]:
        """Return the profiles of an account, its own first, which exists even if it is not stored."""
        found = self._profiles.list_profiles(user_id)
        own = [] if found and found[0].is_own else [_own(user_id, self._now())]
        return (*own, *found)

    def _existing(self, user_id: str, profile_id: str) -> Profile:
        for profile in self._profiles_of(user_id):
            if profile.profile_id == profile_id:
                return profile
        raise NotFound("There is no such profile any more. Reload the page.")

    def _changed(self, profile: Profile, change: ProfileChange) -> Profile:
        """Return a profile after a change; a new PIN is hashed. Raises Malformed."""
        name = " ".join(change.name.split())
        if not name and not profile.is_own:
            raise Malformed("`name`: A profile needs a name.")
        if not name.isprintable():
            raise Malformed("`name`: A name cannot have control characters.")
        if profile.is_own and change.age_limit is not None:
            raise Malformed("`age_limit`: The main profile cannot be limited.")
        pin_hash = profile.pin_hash
        if change.pin is not None:
            login = self._logins.get_login(profile.user_id)
            if login is None:
                raise Unauthenticated(DELETED)
            pin_hash = self._hasher.hash(change.pin, self._authentication.line_of(login)) if change.pin else ""
        return replace(profile, name=name, colour=change.colour, age_limit=change.age_limit, pin_hash=pin_hash)

    def _require_proof(self, session: Session, proof: ProfileProof, origin: RequestOrigin) -> None:
        """Raise WrongPassword, WrongPin or TooManyAttempts unless the proof permits to change profiles."""
        viewer = session.viewer
        if proof.pin and not proof.password:
            own = self._existing(viewer.user_id, viewer.user_id)
            if not own.is_locked:
                raise WrongPin("The main profile has no PIN. Enter your password.")
            self._verify_pin(session, own, proof.pin)
            return
        try:
            login = self._authentication.authenticate(address_of(viewer.email), proof.password, origin, known=SESSION)
        except WrongCredentials:
            raise WrongPassword("The password is wrong.") from None
        if login.user_id != viewer.user_id:
            raise Unauthenticated(DELETED)

    def _verify_pin(self, session: Session, profile: Profile, pin: str) -> None:
        """Verify a PIN. Raises WrongPin, TooManyAttempts.

        Attempts are counted for the session, so that guessing in one does not lock out the others, and for the account.
        """
        user_id = session.viewer.user_id
        reserved = self._limiter.reserve(
            (
                RateLimitBucket(user_id, f"pin:{session.session_id}", PINS_OF_SESSION),
                RateLimitBucket(user_id, "pin", PINS_OF_ACCOUNT),
            )
        )
        if isinstance(reserved, Refusal):
            raise reserved.error("Too many wrong PINs.")
        try:
            login = self._logins.get_login(user_id)
            if login is None:
                raise Unauthenticated(DELETED)
            right = self._hasher.verify(profile.pin_hash, pin, self._authentication.line_of(login))
        except StoreUnavailable:
            with suppress(StoreUnavailable):
                self._limiter.cancel(reserved)
            raise
        if not right:
            raise WrongPin("This PIN is wrong.")
        self._limiter.record_success(reserved)


def _own(user_id: str, now: datetime) -> Profile:
    """Return the own profile of an account that has not stored one."""
    return Profile(user_id, user_id, "", ProfileColour.CORAL, now)
