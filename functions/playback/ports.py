"""The interfaces that playback needs: other slices, blob storage, and the signer of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from functions.billing.model import Entitlement
    from functions.catalogue.model import Title
    from functions.platform.viewer import Viewer
    from functions.playback.keys import ReadKey
    from functions.playback.model import (
        QuestionOutcome,
        Stream,
        StreamEnded,
        StreamLimitReached,
        StreamOpened,
        StreamRequest,
    )


class TitleReader(Protocol):
    """The catalogue."""

    def get(self, title_id: str, *, drafts: bool = False) -> Title:
        """Return a title; a draft or a trailer only with `drafts`. Raises NotFound."""

    def find_trailer(self, title: Title) -> Title | None:
        """Return the trailer of a title, withdrawn or not; None if there never was one."""


class WatchableProgress(Protocol):
    """The progress of an encode."""

    @property
    def percent(self) -> float:
        """Return the completed share of the work, from 0 to 100."""

    @property
    def front_s(self) -> float:
        """Return how many seconds from the start can be watched."""

    @property
    def uploaded_percent(self) -> float | None:
        """Return how much of the upload has arrived, from 0 to 100; None once it is complete."""


class ProgressReader(Protocol):
    """The encode jobs."""

    def progress(self, job_id: str) -> WatchableProgress | None:
        """Return the progress of a job, or None if it is unknown."""


class DemandRecorder(Protocol):
    """The renditions that are made when viewers want them."""

    def want(self, job_id: str, *, by: str) -> None:
        """Note that an account watches the film of a job; make its renditions if they are not there. Idempotent.

        An account that has begun too many encodes begins no other. Raises StoreUnavailable.
        """


class ManifestPart(Protocol):
    """A part of a film that can be watched."""

    @property
    def from_s(self) -> float:
        """Return the second at which the part begins."""

    @property
    def until_s(self) -> float:
        """Return the second up to which the part can be watched."""

    @property
    def manifest(self) -> str:
        """Return the name of the manifest of the part."""


class AudienceReader(Protocol):
    """The audience of films that are being encoded."""

    def request_position(self, job_id: str, *, title_id: str, position_s: float, viewer: str) -> Sequence[ManifestPart]:
        """Return the parts of a film that can be watched; if none has the position, encode it next. Raises NotFound."""


class EntitlementReader(Protocol):
    """Billing."""

    def of(self, viewer: Viewer) -> Entitlement:
        """Return a viewer's entitlement."""


class ViewingStart(Protocol):
    """The position at which a viewer resumes, and the ticket for heartbeats, None while usage is unavailable."""

    @property
    def resume_s(self) -> float:
        """Return the position at which to start."""

    @property
    def ticket(self) -> str | None:
        """Return the ticket."""


class UsageRecorder(Protocol):
    """Usage."""

    def open(self, user_id: str, title_id: str, *, duration_s: float, ticket: str = "") -> ViewingStart:
        """Return the position at which the viewer resumes; a player that renews its key passes its current `ticket`."""


class ReadKeys(Protocol):
    """Issues keys for reading containers."""

    def expires_at(self, now: datetime) -> datetime:
        """Return when a key that is issued now expires."""

    def read_key(self, container: str, expires_at: datetime, *, stream_id: str) -> ReadKey:
        """Return a key that permits only reading the blobs of a container; storage logs `stream_id`, if possible.

        Equal arguments result in equal keys.
        """

    def url(self, path: str) -> str:
        """Return the address, without a key, of a blob; `path` is container/blob."""


class PlaylistStore(Protocol):
    """The playlists of titles."""

    def read_playlist(self, container: str, blob: str) -> str | None:
        """Return the text of a playlist, or None if there is none. Raises StoreUnavailable."""


class StreamStore(Protocol):
    """The open streams of accounts; every method takes one round trip and raises StoreUnavailable."""

    def open_stream(
        self, user_id: str, request: StreamRequest, *, limit: int, lifetime: timedelta
    ) -> StreamOpened | StreamLimitReached | StreamEnded:
        """Open or renew a stream for `lifetime`, unless it was stopped or the account has `limit` other streams."""

    def streams_of(self, user_id: str) -> list[Stream]:
        """Return the open streams of an account, oldest first."""

    def stop_stream(self, user_id: str, stream_id: str, *, by: str) -> bool:
        """Stop a stream, so that its next renewal is refused; return False if it is not open."""

    def is_open(self, user_id: str, stream_id: str) -> bool:
        """Return whether a stream is open."""

    def count_question(
        self, user_id: str, stream_id: str, *, title_id: str, most: int, window: timedelta
    ) -> QuestionOutcome:
        """Return whether the player of an open stream of a title may ask, `most` times in a window; count it."""

    def leave_stream(self, user_id: str, stream_id: str, *, renewal: int) -> None:
        """Remove a stream that its device has left, unless it was renewed after `renewal`. Idempotent."""

    def end_streams_of(self, user_id: str, *, session_id: str = "") -> None:
        """Remove the streams of an account, or only those of one login session. Idempotent."""
