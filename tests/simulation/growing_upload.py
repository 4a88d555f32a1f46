"""An upload that a client commits in steps, as the Studio does.

It may stop, be cancelled, continue a day later, or be replaced by another file, and continue nevertheless.
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


STOPS_MISTAKEN, CANCELS_MISTAKEN = 0.8, 0.6
"""The same for a file that was chosen by mistake."""

WITHDRAWS = 0.5
"""How often a client withdraws the title after it has cancelled."""

CHOSEN_AGAIN, SENT_AGAIN = 0.35, 0.6
"""How often a file whose blocks were replaced is chosen again, or continues with its ticket."""

MOST_CHOSEN = 3


@dataclass
class Sent:
    """An acknowledged upload of a film; `is_film` is false while it is not whole, and for one that is no film."""

    blob: str
    version: str
    is_film: bool


class GrowingUpload:
    """One file: `fronts` are the bytes from its beginning at each commit before the last one.

    Each time that the file is chosen, a ticket is requested. Another file of the same name, chosen `by_mistake`, may
    take its place; then it is chosen again, or sent again with its old ticket, or given up.
    """

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
        withdraw: Callable[[str], None],
        by_mistake: bool,
    ) -> None:
        self._host = host
        self._storage = storage
        self._titles = titles
        self._blob = blob
        self._content = content
        self._is_film = is_film
        self._rng = rng
        self._note_sent = note_sent
        self._withdraw = withdraw
        self._stops, self._cancels = (STOPS_MISTAKEN, CANCELS_MISTAKEN) if by_mistake else (STOPS, CANCELS)
        self._mark = f"{rng.getrandbits(32):08x}"
        self._marked = rng.choice((self._mark, None))  # as an earlier release of the Studio
        self._tail = len(content) - content.rindex(b"moov") + 4 if b"moov" in content[-len(content) // 2 :] else 0
        most = len(content) - self._tail - 1
        self._fronts = sorted(rng.randrange(most // 20, most) for _ in range(rng.choice((1, 2, 3))))
        self._id = ""
        self._chosen = 0
        self._sent: dict[str, Sent] = {}
        self.premature: list[str] = []
        """What was shown as complete before the upload was whole."""

    def choose(self, at: datetime) -> None:
        """Choose the file at a time: request a ticket, and make the first commit; each one requests the next."""
        self._chosen += 1
        self._id, number = "", self._chosen
        self._host.request("create_upload", lambda: self._begin(number), at=at)

    def _begin(self, number: int) -> None:
        ticket = bootstrap.uploads().issue_ticket(self._blob, size=len(self._content), mark=self._marked)
        if number == self._chosen and not self._id and ticket.upload_id:  # else it must be committed at once, by others
            self._id = f"{ticket.upload_id}-{self._mark}"
            self._commit_later(0, self._host.simulation.now)

    def _commit_later(self, number: int, at: datetime) -> None:
        upload_id = self._id
        self._host.request("client", lambda: self._commit(number, upload_id), at=at, app="client")

    def _commit(self, number: int, upload_id: str) -> None:
        stored = self._storage.uploads.blobs.get(self._blob)
        if upload_id != self._id or (stored and stored.is_whole):
            return  # the file was chosen again, or a whole one has arrived, which the flow replaces at once
        now = self._host.simulation.now
        if number and (stored is None or stored.upload_id != self._id):
            # storage does not have the blocks any more, because another upload has replaced them
            chance = self._rng.random()
            if chance < CHOSEN_AGAIN and self._chosen < MOST_CHOSEN:
                self.choose(now + timedelta(seconds=self._rng.choice((1, 20, 600))))
            if chance < 1 - SENT_AGAIN:
                return
        sent = self._sent.get(self._id)
        if sent is None:
            sent = self._sent[self._id] = Sent(self._blob, job_id_for(self._blob, self._id), is_film=False)
            self._note_sent(sent)
        self._look(sent)
        front = self._fronts[number] if number < len(self._fronts) else None
        etag = self._storage.commit(self._blob, self._content, upload_id=self._id, front=front, tail=self._tail)
        self._host.simulation.note(f"commit {self._blob} {etag} {self._id}, {front or 'all'} of {len(self._content)}")
        if front is None:
            sent.is_film = self._is_film
        elif self._rng.random() > self._stops:
            self._commit_later(number + 1, now + timedelta(seconds=self._rng.choice(PAUSES_S)))
        if front is not None and self._rng.random() < self._cancels:
            soon = now + timedelta(seconds=self._rng.uniform(0, 1.5))
            self._host.request("cancel_upload", lambda: self._cancel(upload_id), at=soon)
            if self._rng.random() < WITHDRAWS:
                title_id, then = title_id_for(self._blob), soon + timedelta(seconds=self._rng.uniform(0.5, 5))
                self._host.request("withdraw_title", lambda: self._withdraw(title_id), at=then)
        if self._rng.random() > 0.1:  # otherwise, the event is lost
            self._host.announce(self._blob, after=timedelta(seconds=self._rng.choice((0, 0, 1, 90, 700))))

    def _cancel(self, upload_id: str) -> None:
        bootstrap.uploads().cancel_upload(self._blob, upload_id=upload_id)

    def _look(self, sent: Sent) -> None:
        """Record what says that the film is complete, although its upload is not."""
        title = self._titles.get(title_id_for(self._blob))
        if title and title.playback and title.playback.complete and title.playback.job_id == sent.version:
            self.premature.append(f"{title.id} was complete before its upload was whole")
        folder = f"{sent.version}/"
        for (container, name), content in self._storage.blobs.items():
            is_own = container == container_for(title_id_for(self._blob)) and name.startswith(folder)
            if is_own and name.endswith(".mpd") and b'type="static"' in content:
                self.premature.append(f"{name} was complete before its upload was whole")
