"""What playback needs of the slices around it, of blob storage, and of the signer of keys."""

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
        """Return a title; raise NotFound."""


class WatchableProgress(Protocol):
    """How far an encode is."""

    @property
    def percent(self) -> float:
        """Return how much of the work is done, from 0 to 100."""

    @property
    def front_s(self) -> float:
        """Return the seconds from the start that can be watched."""


class ProgressReader(Protocol):
    """The encode jobs."""

    def progress(self, job_id: str) -> WatchableProgress | None:
        """Return the progress of a job, or None if it is unknown."""


class EntitlementReader(Protocol):
    """Billing."""

    def of(self, viewer: Viewer) -> Entitlement:
        """Return a viewer's entitlement."""


class ViewingStart(Protocol):
    """Where a viewer resumes, and the ticket that their heartbeats carry; None while usage cannot be stored."""

    @property
    def resume_s(self) -> float:
        """Return the position to begin at."""

    @property
    def ticket(self) -> str | None:
        """Return the ticket."""


class UsageRecorder(Protocol):
    """Usage."""

    def open(self, user_id: str, title_id: str, *, duration_s: float, ticket: str = "") -> ViewingStart:
        """Return where the viewer resumes; `ticket` is that of a player that renews its key while it plays."""


class ReadKeys(Protocol):
    """Signs keys to containers."""

    def read_key(self, container: str, now: datetime) -> ReadKey:
        """Return a key that reads the blobs of a container, and permits nothing else."""

    def url(self, path: str) -> str:
        """Return the address of a blob, given as container/blob, without a key."""


class PlaylistStore(Protocol):
    """The playlists of titles."""

    def read_playlist(self, container: str, blob: str) -> str | None:
        """Return the text of a playlist, or None if there is none; raise StoreUnavailable."""
