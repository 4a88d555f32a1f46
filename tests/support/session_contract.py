"""The behaviour that every store of sessions has; run for the fake and for Redis."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.accounts.model import Factor
from functions.accounts.sessions import MOST_SESSIONS
from functions.platform.viewer import Viewer
from tests.support.accounts import HOME

if TYPE_CHECKING:
    from functions.accounts.model import OpenedSession
    from functions.accounts.ports import SessionStore

DAY = timedelta(days=1)


def make_viewer() -> Viewer:
    """Return the viewer of a new account."""
    return Viewer(uuid.uuid4().hex, "Jo.🦊@example.org", confirmed=True)


def opened_session(sessions: SessionStore, viewer: Viewer, factor: Factor = Factor.TOTP) -> OpenedSession:
    """Return a new session at home."""
    return sessions.open_session(viewer, ip=HOME.ip, browser=HOME.browser, factor=factor)


class SessionContract:
    """Tests of a store; a subclass provides `sessions`, a store whose sessions end after a day."""

    def test_a_session_has_its_viewer_its_factor_and_its_end(self, sessions: SessionStore) -> None:
        viewer = make_viewer()
        opened, other = opened_session(sessions, viewer), opened_session(sessions, viewer, Factor.NONE)
        assert sessions.find_session(opened.token) == opened.session
        assert (opened.session.viewer, opened.session.factor, other.session.factor) == (
            viewer,
            Factor.TOTP,
            Factor.NONE,
        )
        assert opened.session.ends_at - opened.session.created_at == DAY
        assert opened.session.session_id and opened.session.session_id != other.session.session_id
        assert opened.session.session_id not in opened.token

    def test_only_a_whole_token_has_a_session(self, sessions: SessionStore) -> None:
        token = opened_session(sessions, make_viewer()).token
        assert len(token) == 43
        assert not [each for each in ("", "x", token[:-1], f"{token}x") if sessions.find_session(each)]

    def test_an_ended_session_is_not_found_and_others_are(self, sessions: SessionStore) -> None:
        viewer = make_viewer()
        here, there = (opened_session(sessions, viewer).token for _ in range(2))
        sessions.end_session(here)
        sessions.end_session(here)
        sessions.end_session("never opened")
        assert sessions.find_session(here) is None and sessions.find_session(there)

    def test_all_sessions_of_an_account_end_and_those_of_others_stay(self, sessions: SessionStore) -> None:
        viewer, other = make_viewer(), make_viewer()
        tokens = [opened_session(sessions, viewer).token for _ in range(5)]
        stays = opened_session(sessions, other).token
        sessions.end_sessions_of(viewer.user_id)
        sessions.end_sessions_of(viewer.user_id)
        assert not [token for token in tokens if sessions.find_session(token)]
        assert sessions.find_session(stays)

    def test_new_rights_reach_every_live_session_and_restore_no_ended_one(self, sessions: SessionStore) -> None:
        viewer, other = make_viewer(), make_viewer()
        tokens = [opened_session(sessions, viewer).token for _ in range(3)]
        stays = opened_session(sessions, other).token
        sessions.end_session(tokens[0])
        raised = replace(viewer, admin=True, confirmed=False)
        sessions.update_rights(raised)
        found = [sessions.find_session(token) for token in tokens]
        assert [each and each.viewer for each in found] == [None, raised, raised]
        unchanged = sessions.find_session(stays)
        assert unchanged and unchanged.viewer == other

    def test_an_account_has_a_limited_number_of_sessions_and_the_oldest_ends_first(
        self, sessions: SessionStore
    ) -> None:
        viewer, other = make_viewer(), make_viewer()
        stays = opened_session(sessions, other).token
        tokens = [opened_session(sessions, viewer).token for _ in range(MOST_SESSIONS + 3)]
        assert [bool(sessions.find_session(token)) for token in tokens[:5]] == [False, False, False, True, True]
        assert sessions.find_session(tokens[-1]) and sessions.find_session(stays)

    def test_a_session_uses_a_profile_until_it_changes_to_another(self, sessions: SessionStore) -> None:
        viewer, profile_id = replace(make_viewer(), admin=True), uuid.uuid4().hex
        here, there = (opened_session(sessions, viewer).token for _ in range(2))
        sessions.use_profile(here, profile_id, age_limit=12)
        in_profile = replace(viewer, admin=False, profile_id=profile_id, age_limit=12)
        assert _viewers(sessions, here, there) == [in_profile, viewer]
        sessions.update_rights(replace(viewer, confirmed=False))
        assert _viewers(sessions, here) == [replace(in_profile, confirmed=False)]
        sessions.use_profile(here, "", age_limit=None)
        assert _viewers(sessions, here) == [replace(viewer, confirmed=False)]
        sessions.end_session(there)
        sessions.use_profile(there, profile_id, age_limit=12)
        assert _viewers(sessions, there) == [None]

    def test_a_new_limit_reaches_the_sessions_that_use_the_profile_now(self, sessions: SessionStore) -> None:
        viewer, kid, other = make_viewer(), uuid.uuid4().hex, uuid.uuid4().hex
        tokens = [opened_session(sessions, viewer).token for _ in range(3)]
        for token in tokens:
            sessions.use_profile(token, kid, age_limit=12)
        sessions.use_profile(tokens[1], other, age_limit=None)
        sessions.use_profile(tokens[2], "", age_limit=None)
        sessions.update_age_limit(kid, 6)
        assert [each and each.age_limit for each in _viewers(sessions, *tokens)] == [6, None, None]
        sessions.update_age_limit(kid, None)
        assert [each and each.age_limit for each in _viewers(sessions, *tokens)] == [None, None, None]

    def test_the_sessions_of_a_profile_end_and_the_others_of_its_account_stay(self, sessions: SessionStore) -> None:
        viewer, kid = make_viewer(), uuid.uuid4().hex
        ends, left, never = (opened_session(sessions, viewer).token for _ in range(3))
        for token in (ends, left):
            sessions.use_profile(token, kid, age_limit=6)
        sessions.use_profile(left, "", age_limit=None)
        sessions.end_sessions_of(kid)
        assert _viewers(sessions, ends, left, never) == [None, viewer, viewer]
        sessions.end_sessions_of(viewer.user_id)
        assert _viewers(sessions, left, never) == [None, None]


def _viewers(sessions: SessionStore, *tokens: str) -> list[Viewer | None]:
    found = [sessions.find_session(token) for token in tokens]
    return [each.viewer if each else None for each in found]
