"""The interfaces that playback needs: other slices, blob storage, and the signer of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Entitlement
    from functions.catalogue.model import Title
    from functions.platform.viewer import Viewer
    from functions.playback.keys import ReadKey


class TitleReader(Protocol):
    """The catalogue."""

    def get(self, title_id: str) -> Title:
        """Return a title. Raises NotFound."""


class WatchableProgress(Protocol):
    """The progress of an encode."""

    @property
    def percent(self) -> float:
        """Return the completed share of the work, from 0 to 100."""

    @property
    def front_s(self) -> float:
        """Return how many seconds from the start can be watched."""


class ProgressReader(Protocol):
    """The encode jobs."""

    def progress(self, job_id: str) -> WatchableProgress | None:
        """Return the progress of a job, or None if it is unknown."""


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

    def read_key(self, container: str, now: datetime) -> ReadKey:
        """Return a key that permits only reading the blobs of a container."""

    def url(self, path: str) -> str:
        """Return the address, without a key, of a blob; `path` is container/blob."""


class PlaylistStore(Protocol):
    """The playlists of titles."""

    def read_playlist(self, container: str, blob: str) -> str | None:
        """Return the text of a playlist, or None if there is none. Raises StoreUnavailable."""
