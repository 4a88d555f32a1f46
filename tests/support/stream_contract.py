"""The behaviour that every store of streams has; run for the fake and for Redis."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from functions.playback.model import QuestionOutcome, StreamEnded, StreamLimitReached, StreamOpened, StreamRequest
from tests.support.playback import LAPTOP, PHONE, TABLET, TELEVISION

if TYPE_CHECKING:
    from functions.playback.model import Device
    from functions.playback.ports import StreamStore

HOUR = timedelta(hours=1)


class Passing(Protocol):
    """Advances the clock of a store."""

    def __call__(self, span: timedelta) -> None:
        """Return once the store's clock has advanced by `span`."""


class StreamContract:
    """Tests of a store; a subclass provides `store`, `passing`, and `short`, a lifetime that a test can wait for."""

    short = HOUR

    def user(self) -> str:
        return secrets.token_hex(16)

    def play(
        self,
        store: StreamStore,
        user: str,
        stream_id: str,
        device: Device,
        title: str = "film",
        *,
        lifetime: timedelta = HOUR,
        limit: int = 3,
    ) -> StreamOpened | StreamLimitReached | StreamEnded:
        """Open or renew a stream; its id is unique to the account."""
        return store.open_stream(
            user, StreamRequest(stream_id, device, title, title.title()), limit=limit, lifetime=lifetime
        )

    def test_a_stream_beyond_the_limit_is_refused_with_those_that_play(self, store: StreamStore) -> None:
        user = self.user()
        for stream_id, device in (("a", LAPTOP), ("b", PHONE), ("c", TELEVISION)):
            opened = self.play(store, user, stream_id, device)
            assert isinstance(opened, StreamOpened) and opened.stream_id == stream_id
        refused = self.play(store, user, "d", TABLET)
        assert isinstance(refused, StreamLimitReached)
        assert {(one.stream_id, one.session_id, one.device, one.title_id, one.title) for one in refused.open} == {
            (stream_id, device.session_id, device.name, "film", "Film")
            for stream_id, device in (("a", LAPTOP), ("b", PHONE), ("c", TELEVISION))
        }
        assert list(refused.open) == store.streams_of(user)
        assert isinstance(self.play(store, self.user(), "d", TABLET), StreamOpened)  # another account

    def test_a_renewal_is_not_another_stream_and_keeps_its_beginning(self, store: StreamStore) -> None:
        user = self.user()
        self.play(store, user, "a", LAPTOP, limit=1)
        (before,) = store.streams_of(user)
        for _ in range(3):
            assert isinstance(self.play(store, user, "a", LAPTOP, limit=1), StreamOpened)
        assert store.streams_of(user) == [before]
        self.play(store, user, "a", LAPTOP, "another film", limit=1)
        (after,) = store.streams_of(user)
        assert after.title_id == "another film" and after.since >= before.since

    def test_a_device_that_opens_its_title_again_continues_its_stream(self, store: StreamStore) -> None:
        user = self.user()
        self.play(store, user, "a", LAPTOP, limit=1)
        again = self.play(store, user, "lost its ticket", LAPTOP, limit=1)
        assert isinstance(again, StreamOpened) and again.stream_id == "a"
        assert isinstance(self.play(store, user, "b", LAPTOP, "another film", limit=1), StreamLimitReached)
        assert isinstance(self.play(store, user, "b", PHONE, limit=1), StreamLimitReached)

    def test_a_stream_that_is_not_renewed_ends_by_itself(self, store: StreamStore, passing: Passing) -> None:
        user = self.user()
        self.play(store, user, "a", LAPTOP, lifetime=self.short, limit=1)
        assert isinstance(self.play(store, user, "b", PHONE, limit=1), StreamLimitReached)
        passing(self.short)
        assert store.streams_of(user) == [] and not store.is_open(user, "a")
        assert isinstance(self.play(store, user, "b", PHONE, limit=1), StreamOpened)
        assert isinstance(self.play(store, user, "a", LAPTOP, limit=1), StreamLimitReached)

    def test_a_stopped_stream_frees_its_place_and_cannot_be_renewed(self, store: StreamStore) -> None:
        user = self.user()
        self.play(store, user, "a", LAPTOP, limit=1)
        assert store.stop_stream(user, "a", by=PHONE.name)
        assert not store.stop_stream(user, "a", by=PHONE.name) and not store.stop_stream(user, "x", by=PHONE.name)
        assert not store.is_open(user, "a") and store.streams_of(user) == []
        assert isinstance(self.play(store, user, "b", PHONE, limit=1), StreamOpened)
        assert self.play(store, user, "a", LAPTOP, limit=1) == StreamEnded(PHONE.name)
        # a new request of the stopped device is a new stream
        assert isinstance(self.play(store, user, "c", LAPTOP, limit=2), StreamOpened)

    def test_the_player_of_an_open_stream_asks_at_most_so_often(self, store: StreamStore, passing: Passing) -> None:
        user = self.user()

        def ask(stream_id: str = "a", title_id: str = "film", *, window: timedelta = HOUR) -> QuestionOutcome:
            return store.count_question(user, stream_id, title_id=title_id, most=3, window=window)

        assert ask() is QuestionOutcome.ENDED
        self.play(store, user, "a", LAPTOP, lifetime=2 * HOUR)
        assert (ask(title_id="another"), ask("b")) == (QuestionOutcome.ENDED, QuestionOutcome.ENDED)
        assert [ask() for _ in range(4)] == [*[QuestionOutcome.ALLOWED] * 3, QuestionOutcome.TOO_OFTEN]
        self.play(store, user, "b", PHONE, lifetime=2 * HOUR)
        assert ask("b") is QuestionOutcome.ALLOWED
        passing(self.short)
        assert ask(window=self.short) is QuestionOutcome.ALLOWED
        store.stop_stream(user, "b", by=LAPTOP.name)
        assert ask("b") is QuestionOutcome.ENDED

    def test_a_page_that_is_left_frees_its_place_unless_it_has_been_renewed(self, store: StreamStore) -> None:
        user = self.user()
        first = self.play(store, user, "a", LAPTOP)
        assert isinstance(first, StreamOpened)
        store.leave_stream(user, "a", renewal=first.renewal - 1)
        assert store.is_open(user, "a")
        store.leave_stream(user, "a", renewal=first.renewal)
        store.leave_stream(user, "a", renewal=first.renewal)
        assert not store.is_open(user, "a")

    def test_streams_of_one_login_session_or_of_all_end(self, store: StreamStore) -> None:
        user, other = self.user(), self.user()
        for stream_id, device, title in (("a", LAPTOP, "film"), ("b", LAPTOP, "other"), ("c", PHONE, "film")):
            self.play(store, user, stream_id, device, title)
        self.play(store, other, "a", LAPTOP)
        store.end_streams_of(user, session_id=LAPTOP.session_id)
        assert [one.stream_id for one in store.streams_of(user)] == ["c"]
        store.end_streams_of(user)
        store.end_streams_of(user)
        assert store.streams_of(user) == [] and len(store.streams_of(other)) == 1

    def test_names_arrive_as_they_are(self, store: StreamStore) -> None:
        user, name = self.user(), 'Été "1" \\ {a} 🦊 日本'
        self.play(store, user, "a", LAPTOP, name)
        assert [(one.title_id, one.title) for one in store.streams_of(user)] == [(name, name.title())]
