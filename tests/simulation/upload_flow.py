"""From upload to ready: films, sidecars, newer versions, withdrawals and retries, and what must be true in the end."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions import bootstrap
from functions.catalogue import triggers as catalogue_triggers
from functions.catalogue.dialogue import shard_of
from functions.catalogue.model import Details, Status
from functions.catalogue.omdb import Found, Miss, Missed
from functions.catalogue.posters import PosterRefused
from functions.catalogue.schemas import CATALOGUE_FORMAT, TitleEdit
from functions.encoding import triggers as encoding_triggers
from functions.encoding.assembly import assemble_audience
from functions.encoding.model import OPEN, JobStatus
from functions.encoding.upkeep.retention import FAILED_KEPT, REPLACED_KEPT
from functions.encoding.upkeep.sweep import AGAIN_AFTER
from functions.platform.errors import Conflict, NotFound
from functions.platform.identifiers import INTERMEDIATES, UploadKind, container_for, job_id_for, read_name, title_id_for
from functions.uploads import triggers as uploads_triggers
from tests.simulation.flow import QUIET, Flow, FlowRun
from tests.simulation.growing_upload import GrowingUpload, Sent
from tests.simulation.host import SimulatedHost, functions_of
from tests.simulation.kernel import Port
from tests.simulation.recorded_ffmpeg import RecordedFFmpeg, Recordings
from tests.simulation.storage import UPLOADS, SimulatedStorage
from tests.simulation.stored_files import broken_files, broken_subtitles
from tests.simulation.withdrawals import Withdrawals
from tests.support.arrivals import MemoryArrivals
from tests.support.av1 import MemoryAv1Encodes
from tests.support.captions import MemoryCaptions
from tests.support.catalogue import MemoryFilms, MemoryPosters, MemoryPublicationLock, MemorySite, MemoryTitles
from tests.support.encoding_claims import MemoryClaims
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_spending import MemoryEncodeLimit, MemorySpending
from tests.support.intros import MemoryComparisons
from tests.support.late_subtitles import MemoryLateSubtitles
from tests.support.on_demand import MemoryOnDemandEncodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from functions.catalogue.model import Title
    from functions.encoding.model import EncodeJob
    from tests.simulation.kernel import Simulation
    from tests.simulation.upload_samples import Samples
    from tests.simulation.wiring import Wiring

NAMES = ("The Sea (2021).mkv", "Silent Harbour.mp4")
TEXT = b"This"
"""How the upload begins that is not a film."""

STORES = ("documents", "storage", "queues", "omdb")


class UploadRun(FlowRun):
    """One run: the workload that its seed determines, and the invariants."""

    quiet = (*QUIET, max(FAILED_KEPT, REPLACED_KEPT) + timedelta(days=1), 2 * AGAIN_AFTER)
    """Long enough for the sweep to delete what nobody can play any more."""

    def __init__(self, simulation: Simulation, flow: UploadFlow) -> None:
        self.simulation = simulation
        simulation.stores = STORES
        now = simulation.clock
        self.storage = SimulatedStorage(flow.folder, now)
        self.jobs = MemoryEncodeJobs(now)
        self.titles = MemoryTitles()
        self.site = MemorySite()
        self.arrivals = MemoryArrivals()
        known = Found(Details("The Sea", year=2021, plot="Water.", genres=("Drama",)), "https://omdb.invalid/sea.jpg")
        films = MemoryFilms({("The Sea", 2021): known})
        posters = MemoryPosters({"https://omdb.invalid/sea.jpg": flow.poster})
        self.host = SimulatedHost(
            simulation,
            functions_of(uploads_triggers, encoding_triggers, catalogue_triggers),
            elsewhere=frozenset({"update-graph"}),
        )

        def missed() -> Missed:
            return Missed(Miss.UNREACHABLE, "OMDb did not answer in time.")

        def refused() -> bytes:
            raise PosterRefused("The poster's host does not answer.", passing=True)

        def port(store: str, name: str, target: object, **away: Callable[[], Any]) -> Any:
            return Port(simulation, store, name, target, away)

        flow.wiring.connect(
            self.host,
            {
                "uploads": port("storage", "uploads", self.storage.uploads),
                "arrivals": port("documents", "arrivals", self.arrivals),
                "jobs": port("documents", "jobs", self.jobs),
                "audience": port("documents", "audience", self.jobs),
                "claims": port("documents", "claims", MemoryClaims()),
                "spending": port("documents", "spending", MemorySpending(self.jobs)),
                "encode_limit": port("documents", "encode_limit", MemoryEncodeLimit()),
                "upkeep": port("documents", "upkeep", self.jobs),
                "av1": port("documents", "av1", MemoryAv1Encodes(self.jobs)),
                "captions": MemoryCaptions(self.jobs),
                "comparisons": port("documents", "comparisons", MemoryComparisons(self.jobs)),
                "late": port("documents", "late", MemoryLateSubtitles(self.jobs)),
                "on_demand": port("documents", "on_demand", MemoryOnDemandEncodes(self.jobs)),
                "folders": port("storage", "folders", self.storage),
                "media": port("storage", "media", self.storage),
                "ffmpeg": RecordedFFmpeg(simulation, flow.recordings),
                "titles": port("documents", "titles", self.titles),
                "site": port("storage", "site", self.site),
                "publication_lock": port("documents", "publication_lock", MemoryPublicationLock()),
                "subtitles": port("storage", "subtitles", self.storage),
                "sidecars": port("storage", "sidecars", self.storage),
                "films": port("omdb", "films", films, by_id=missed, by_name=missed),
                "posters": port("omdb", "posters", posters, fetch=refused),
            },
        )
        self.sent: list[Sent] = []
        self.growing: list[GrowingUpload] = []
        self.withdrawn = Withdrawals(simulation, self.titles, self.jobs)
        self._plan(flow.samples)

    def _plan(self, samples: Samples) -> None:
        """Choose which films are uploaded, and what happens to them."""
        rng = self.simulation.rng
        for name in rng.sample(NAMES, rng.choice((1, 1, 2))):
            self._plan_film(name, samples)

    def _plan_film(self, blob: str, samples: Samples) -> None:
        """Choose what happens to one film, and when."""
        rng, at = self.simulation.rng, self.simulation.now
        stem = read_name(blob).stem

        def later(most_s: int) -> datetime:
            return at + timedelta(seconds=rng.randrange(most_s))

        def content() -> bytes:
            return samples.text if rng.random() < 0.15 else rng.choice(samples.films)

        first, begins_at = content(), later(5)
        in_steps = random.Random(f"{self.simulation.seed} {blob}")  # its own, so all else is the same without it
        if in_steps.random() < 0.25 and first != samples.long:  # few other films have parts for which viewers wait
            self._plan_growing_upload(blob, in_steps.choice((*samples.growing, first)), begins_at, in_steps)
            if in_steps.random() < 0.8:  # another file of the same name
                soon = begins_at + timedelta(seconds=in_steps.choice((0, 1, 5, 30)))
                self._plan_growing_upload(blob, in_steps.choice(samples.growing), soon, in_steps, by_mistake=True)
        else:
            self._plan_upload(blob, first, begins_at)
        for _ in range(4 if first == samples.long else 0):  # an encode takes less than a second
            at_once = begins_at + timedelta(seconds=in_steps.uniform(0.1, 0.6))
            self._plan_position(title_id_for(blob), "viewer 0", in_steps.uniform(15, 36), at_once)
        if rng.random() < 0.3:
            self._plan_upload(blob, content(), later(600))
        if rng.random() < 0.3:
            described = json.dumps({"title": "The Quiet Sea", "plot": "Waves."}).encode()
            self._plan_upload(f"{stem}.json", described, later(60))
        if rng.random() < 0.2:
            self._plan_upload(f"{stem}.en.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n", later(4))
        late = random.Random(f"late {self.simulation.seed} {blob}")  # its own, as above
        for _ in range(late.choice((0, 0, 1, 2))):  # once the film is ready, or while it is encoded
            said = late.choice((b"Hello.", b"Hello!", b"Hello?", b""))
            self._plan_upload(
                f"{stem}.{late.choice(('en', 'de'))}.srt",
                b"1\n00:00:01,000 --> 00:00:02,000\n%s\n" % said,
                at + timedelta(seconds=late.uniform(1, 900)),
                late,
            )
        title_id = title_id_for(blob)
        if rng.random() < 0.2:
            self.host.request("edit_title", lambda: self._edit(title_id), at=later(400))
        for viewer in range(rng.choice((0, 0, 2, 5))):
            self._plan_position(title_id, f"viewer {viewer % 2}", rng.uniform(0, 40), later(90))
        if rng.random() < 0.15:
            self.host.request("withdraw_title", lambda: self.withdrawn.withdraw(title_id), at=later(900))
        if rng.random() < 0.2:
            self.host.request("retry_job", lambda: self._retry(title_id), at=later(900))
        if rng.random() < 0.15:
            self.host.request("encode_again", lambda: self._encode_again(title_id), at=later(900))

    def _plan_position(self, title_id: str, viewer: str, position_s: float, at: datetime) -> None:
        """Let a viewer go to a position, as the route does."""

        def ask() -> None:
            job = self.jobs.latest_summary(title_id)
            if job and job.playable_at:
                audience = assemble_audience(bootstrap.resources)
                audience.request_position(job.id, title_id=title_id, position_s=position_s, viewer=viewer)

        self.host.request("request_position", ask, at=at)

    def _plan_upload(self, blob: str, content: bytes, at: datetime, rng: random.Random | None = None) -> None:
        rng = rng or self.simulation.rng
        is_lost = rng.random() < 0.1
        after = timedelta(seconds=rng.choice((0, 0, 1, 90, 700)))

        def upload() -> None:
            etag = self.storage.upload(blob, content)
            self.simulation.note(f"upload {blob} {etag}{' (its event is lost)' if is_lost else ''}")
            if read_name(blob).kind is UploadKind.FILM:
                self.sent.append(Sent(blob, job_id_for(blob, etag), not content.startswith(TEXT)))
            if not is_lost:
                self.host.announce(blob, after=after)

        self.host.request("client", upload, at=at, app="client")

    def _plan_growing_upload(
        self, blob: str, content: bytes, at: datetime, rng: random.Random, *, by_mistake: bool = False
    ) -> None:
        made = GrowingUpload(
            self.host,
            self.storage,
            self.titles,
            blob=blob,
            content=content,
            is_film=not content.startswith(TEXT),
            rng=rng,
            note_sent=self.sent.append,
            withdraw=self.withdrawn.withdraw,
            by_mistake=by_mistake,
        )
        self.growing.append(made)
        made.choose(at)

    def _edit(self, title_id: str) -> None:
        try:
            bootstrap.catalogue().edit_title(title_id, TitleEdit(rated="PG"))
        except NotFound:
            return

    def _retry(self, title_id: str) -> None:
        latest = bootstrap.encodes().latest_for(title_id)
        if latest:
            try:
                bootstrap.encodes().retry_job(latest.job_id)
            except Conflict:
                return

    def _encode_again(self, title_id: str) -> None:
        try:
            bootstrap.uploads().encode_again(title_id)
        except (Conflict, NotFound):
            return

    # What must be true in the end

    def broken(self) -> Iterator[str]:
        """Yield a sentence for each invariant that does not hold."""
        for blob in sorted(
            {sent.blob for sent in self.sent}
        ):  # the present version, if its film was to be encoded again
            version = self._current_version(blob)
            if version not in {sent.version for sent in self.sent}:
                content = self.storage.blobs[UPLOADS, blob]
                self.sent.append(Sent(blob, version, not content.startswith(TEXT)))
        for upload in self.growing:
            yield from upload.premature
        yield from self._broken_jobs()
        yield from self._broken_titles()
        yield from self.withdrawn.broken()
        yield from self._broken_catalogue()
        yield from self._orphans()

    def _broken_jobs(self) -> Iterator[str]:
        for sent in self.sent:
            is_newest = self._current_version(sent.blob) == sent.version
            job = self._job(sent.version)
            if ("uploads", sent.blob) not in self.storage.blobs:
                yield f"the upload {sent.blob} is gone"
            if job is None:
                if is_newest:
                    yield f"{sent.blob} was acknowledged, but has no job"
                continue
            if job.status in OPEN:
                yield f"job {job.id} of {sent.blob} has not ended: it is {job.status}"
            if job.status is JobStatus.FAILED and not job.reason:
                yield f"job {job.id} of {sent.blob} failed without a reason"
            touched = title_id_for(sent.blob) in self.withdrawn
            if is_newest and sent.is_film and job.status is not JobStatus.READY and not touched:
                yield f"{sent.blob} is a good film, but its job is {job.status}: {job.reason}"
            if is_newest and job.status is JobStatus.READY and not touched:
                title = self.titles.get(job.title_id)
                if title is None or title.playback is None or title.playback.job_id != job.id:
                    yield f"job {job.id} of {sent.blob} is ready, but its title shows {title and title.playback}"
            if is_newest and not sent.is_film and job.status is JobStatus.READY:
                yield f"{sent.blob} is not a film, but its job is ready"

    def _broken_titles(self) -> Iterator[str]:
        for title_id in {title_id_for(sent.blob) for sent in self.sent}:
            title = self.titles.get(title_id)
            newest = self.jobs.latest_summary(title_id)
            if title is None or newest is None:
                if title_id not in self.withdrawn:
                    yield f"{title_id} has no title or no job"
                continue
            if title.status is Status.WITHDRAWN:
                if title_id not in self.withdrawn:
                    yield f"{title_id} is withdrawn, though nobody withdrew it"
                continue
            if newest.status is JobStatus.READY:
                if title.status is not Status.READY or not title.playback or title.playback.job_id != newest.id:
                    yield f"job {newest.id} is ready, but {title_id} is {title.status} with {title.playback}"
            elif title.status is Status.ENCODING:
                yield f"{title_id} says it is encoding, but its newest job is {newest.status}"
            elif title.status is Status.FAILED and not title.failure:
                yield f"{title_id} failed without a reason"

    def _orphans(self) -> Iterator[str]:
        """Yield a sentence for each file that nobody can play and that should have been deleted, or that is missing."""
        for title_id in sorted({title_id_for(sent.blob) for sent in self.sent}):
            title, newest = self.titles.get(title_id), self.jobs.latest_summary(title_id)
            kept = {newest.id} if newest and newest.status is JobStatus.READY else set()
            if title and title.playback and title.watchable:
                kept.add(title.playback.job_id)
            if title and title.status is Status.WITHDRAWN:
                kept.clear()
            folders = {name.partition("/")[0] for name in self.storage.names(container_for(title_id))}
            if orphans := folders - kept:
                yield f"{title_id} still has files of {sorted(orphans)}, which nobody can play"
            for job in filter(None, map(self._job, sorted(kept))):
                if job.status is JobStatus.READY:
                    yield from broken_files(self.storage, job, at=self.simulation.now)
                if job.status is JobStatus.READY and title and title.playback and title.playback.job_id == job.id:
                    yield from broken_subtitles(self.storage, job, title)
        if copies := self.storage.names(INTERMEDIATES):
            yield f"the copies {copies} of uploads are left"

    def _broken_catalogue(self) -> Iterator[str]:
        for title in self.titles.in_order(after="", limit=100):
            if not title.published or title.page_format != CATALOGUE_FORMAT:
                yield f"{title.id} has changes that were not published"
            page = self.site.files.get(f"catalogue/titles/{title.id}.json")
            if (page is None) != (title.status is Status.WITHDRAWN):
                yield f"{title.id} is {title.status}, but its page {'is missing' if page is None else 'exists'}"
            elif page and (shown := json.loads(page))["name"] != title.details.name:
                yield f"the page of {title.id} shows {shown['name']!r}, not {title.details.name!r}"
            yield from self._broken_dialogue(title)
        listed = {title.id for title in self.titles.listed()}
        if self.site.files:
            shown = {entry["id"] for entry in json.loads(self.site.files["catalogue/search.json"])["titles"]}
            if shown != listed:
                yield f"the search list shows {sorted(shown)}, not {sorted(listed)}"

    def _broken_dialogue(self, title: Title) -> Iterator[str]:
        """Compare the index of what is said with the title's subtitles, all of which consist of one word."""
        playback = title.playback
        if title.listed and playback and not playback.complete:
            return
        is_said = bool(title.listed and playback and playback.subtitles)
        written = self.site.files.get(f"catalogue/dialogue/{title.id}.json")
        words = json.loads(written)["words"] if written else None
        if words != ({"hello": [1]} if is_said else None):
            yield f"{title.id} {'has' if is_said else 'has no'} subtitles, but its words are {words}"
        shard = self.site.files.get(f"catalogue/dialogue/shards/{shard_of('hello')}.json")
        if is_said and title.id not in json.loads(shard or b'{"titles":[]}')["titles"]:
            yield f"no shard names {title.id}"

    def _current_version(self, blob: str) -> str:
        """Return the id of the job of what is stored as a blob."""
        stored = self.storage.uploads.blobs[blob]
        return job_id_for(blob, stored.upload_id or stored.etag)

    def _job(self, job_id: str) -> EncodeJob | None:
        try:
            return self.jobs.get_job(job_id)
        except NotFound:
            return None


@dataclass
class UploadFlow(Flow):
    """The flow, with what all of its runs share."""

    wiring: Wiring
    folder: Path
    samples: Samples
    poster: bytes
    recordings: Recordings = field(default_factory=Recordings)
    name: str = "upload to ready"

    def begin(self, simulation: Simulation) -> FlowRun:
        """Return a run of this flow in a simulation."""
        self.wiring.seed(simulation.seed)
        return UploadRun(simulation, self)
