"""An upload that a client commits in steps, as the Studio does.

It may stop, be cancelled, continue a day later, or be replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.identifiers import container_for, job_id_for, title_id_for

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import datetime

    from tests.simulation.host import SimulatedHost
    from tests.simulation.storage import SimulatedStorage
    from tests.support.catalogue import MemoryTitles

PAUSES_S = (1, 1, 20, 20, 600, 26 * 3600)
"""How long a client may wait before its next commit; after the longest, the job has been given up."""

STOPS = 0.15
"""How many clients never make their next commit."""

CANCELS = 0.2
"""How often a client cancels after a commit that was not the last; it may continue nevertheless."""


@dataclass
class Sent:
    """An acknowledged upload of a film; `is_film` is false while it is not whole, and for one that is no film."""

    blob: str
    version: str
    is_film: bool


class GrowingUpload:
    """One upload: `fronts` are the bytes from the beginning of the file at each commit before the last one."""

    def __init__(
        self,
        host: SimulatedHost,
        storage: SimulatedStorage,
        titles: MemoryTitles,
        *,
        blob: str,
        content: bytes,
        is_film: bool,
        rng: random.Random,
        note_sent: Callable[[Sent], None],
    ) -> None:
        self._host = host
        self._storage = storage
        self._titles = titles
        self._blob = blob
        self._content = content
        self._is_film = is_film
        self._rng = rng
        self._note_sent = note_sent
        self._id = f"{rng.getrandbits(48):012x}-{rng.getrandbits(32):08x}"
        self._tail = len(content) - content.rindex(b"moov") + 4 if b"moov" in content[-len(content) // 2 :] else 0
        most = len(content) - self._tail - 1
        self._fronts = sorted(rng.randrange(most // 20, most) for _ in range(rng.choice((1, 2, 3))))
        self.sent = Sent(blob, job_id_for(blob, self._id), is_film=False)
        self.premature: list[str] = []
        """What was shown as complete before the upload was whole."""

    def begin(self, at: datetime) -> None:
        """Make the first commit at a time; each one requests the next."""
        self._host.request("client", lambda: self._commit(0), at=at, app="client")

    def _commit(self, number: int) -> None:
        stored = self._storage.uploads.blobs.get(self._blob)
        if number == 0 and stored and stored.is_whole:
            return  # the ticket has no id: such a film is committed at once, which the flow does anyway
        if number and (stored is None or stored.upload_id != self._id):
            return  # storage does not have the blocks any more, because another upload has replaced them
        self._look()
        front = self._fronts[number] if number < len(self._fronts) else None
        etag = self._storage.commit(self._blob, self._content, upload_id=self._id, front=front, tail=self._tail)
        self._host.simulation.note(f"commit {self._blob} {etag}, {front or 'all'} of {len(self._content)}")
        if number == 0:
            self._note_sent(self.sent)
        if front is None:
            self.sent.is_film = self._is_film
        elif self._rng.random() > STOPS:
            pause = timedelta(seconds=self._rng.choice(PAUSES_S))
            following = number + 1
            self._host.request(
                "client", lambda: self._commit(following), at=self._host.simulation.now + pause, app="client"
            )
        if front is not None and self._rng.random() < CANCELS:
            soon = self._host.simulation.now + timedelta(seconds=self._rng.uniform(0, 1.5))
            self._host.request("cancel_upload", lambda: bootstrap.uploads().cancel_upload(self._blob), at=soon)
        if self._rng.random() > 0.1:  # otherwise, the event is lost
            self._host.announce(self._blob, after=timedelta(seconds=self._rng.choice((0, 0, 1, 90, 700))))

    def _look(self) -> None:
        """Record what says that the film is complete, although its upload is not."""
        title = self._titles.get(title_id_for(self._blob))
        if title and title.playback and title.playback.complete and title.playback.job_id == self.sent.version:
            self.premature.append(f"{title.id} was complete before its upload was whole")
        folder = f"{self.sent.version}/"
        for (container, name), content in self._storage.blobs.items():
            is_own = container == container_for(title_id_for(self._blob)) and name.startswith(folder)
            if is_own and name.endswith(".mpd") and b'type="static"' in content:
                self.premature.append(f"{name} was complete before its upload was whole")
