"""From ready to all renditions: AV1, and renditions on demand that come with viewers and leave without them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.catalogue.model import Status
from functions.encoding.assembly import assemble_demand
from functions.encoding.av1_encode import Av1Status, av1_renditions
from functions.encoding.later_pipeline import STOPPED
from functions.encoding.model import JobStatus
from functions.encoding.on_demand_encode import OnDemandStatus
from functions.platform.identifiers import container_for, title_id_for
from tests.simulation.upload_flow import NAMES, UploadFlow, UploadRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.encoding.model import EncodeJob
    from tests.simulation.flow import FlowRun
    from tests.simulation.kernel import Simulation
    from tests.simulation.upload_samples import Samples

KEPT_DAYS = 1
"""How long renditions stay that nobody wants; less than the pauses at the end of a run."""

HOURS = 3
"""How long viewers and owners do something; the timers that begin encodes run every half hour."""


class RenditionRun(UploadRun):
    """One run: one film, whose renditions are made in AV1 and on demand while it is watched, replaced or withdrawn."""

    def _plan(self, samples: Samples) -> None:
        rng, at = self.simulation.rng, self.simulation.now
        blob = NAMES[0]
        title_id = title_id_for(blob)

        def later() -> timedelta:
            return timedelta(seconds=rng.randrange(60, HOURS * 3600))

        self._plan_upload(blob, samples.wide, at)
        for _ in range(rng.choice((0, 1, 1, 3))):
            self.host.request("want_renditions", lambda: self._want(title_id), at=at + later())
        if rng.random() < 0.2:
            self._plan_upload(blob, rng.choice((samples.wide, samples.long)), at + later())
        if rng.random() < 0.15:
            self.host.request("withdraw_title", lambda: self.withdrawn.withdraw(title_id), at=at + later())
        if rng.random() < 0.15:
            self.host.request("encode_again", lambda: self._encode_again(title_id), at=at + later())
        if rng.random() < 0.5:
            lost_at = at + later()
            self.host.request("lose_files", lambda: self._lose(title_id), at=lost_at, app="storage")
            if rng.random() < 0.5:  # what is lost is then not encoded again, and the title plays what it has
                self._plan_upload(blob, samples.text, lost_at + timedelta(seconds=rng.randrange(1, 1500)))

    def _want(self, title_id: str) -> None:
        """Open a title, as the route of playback does."""
        title = bootstrap.catalogue().find_title(title_id)
        if title and title.watchable and title.playback and title.playback.complete and title.playback.on_demand:
            assemble_demand(bootstrap.resources, lambda user_id: True).want(title.playback.job_id, by="viewer")

    def _lose(self, title_id: str) -> None:
        """Lose a segment that was made later; the verification that is due soon finds this."""
        newest = self.jobs.latest_summary(title_id)
        job = self._job(newest.id) if newest else None
        names = sorted(self.storage.names(container_for(title_id)))
        later = [name for name in names if job and name.startswith(f"{job.id}/") and _is_later(job, name)]
        if newest and later:
            del self.storage.blobs[container_for(title_id), self.simulation.rng.choice(later)]
            self.jobs.schedule_verification(newest.id, at=self.simulation.now, repair=True)
            if self.simulation.rng.random() < 0.5:
                self.storage.unwritable_until = self.simulation.now + timedelta(minutes=10)

    def broken(self) -> Iterator[str]:
        """Yield a sentence for each invariant that does not hold."""
        yield from super().broken()
        title_id = title_id_for(NAMES[0])
        title, newest = self.titles.get(title_id), self.jobs.latest_summary(title_id)
        job = self._job(newest.id) if newest else None
        if title is None or job is None or title.status is not Status.READY or job.status is not JobStatus.READY:
            return
        yield from self._broken_av1(job)
        yield from self._broken_on_demand(job)

    def _broken_av1(self, job: EncodeJob) -> Iterator[str]:
        assert job.plan
        if not av1_renditions(job.plan):  # the film is too small
            return
        if job.av1 is None:
            yield f"job {job.id} has no encode in AV1"
        elif job.av1.status is Av1Status.ENCODING:
            yield f"job {job.id} is still encoded in AV1"
        elif job.av1.status is Av1Status.ABANDONED and job.av1.reason != STOPPED:
            yield f"job {job.id} is not encoded in AV1: {job.av1.reason}"
        elif job.av1.status is Av1Status.COMPLETE and "av01" not in self._manifest(job):
            yield f"job {job.id} is complete in AV1, but its manifest does not list it"

    def _broken_on_demand(self, job: EncodeJob) -> Iterator[str]:
        assert job.plan
        if not job.plan.on_demand or job.on_demand is None:
            return
        if job.on_demand.status not in (OnDemandStatus.REMOVED, OnDemandStatus.ABANDONED):
            yield f"the renditions on demand of job {job.id} are {job.on_demand.status}, though nobody wants them"
        if job.on_demand.status is OnDemandStatus.ABANDONED and job.on_demand.reason != STOPPED:
            yield f"job {job.id} has no renditions on demand: {job.on_demand.reason}"
        names = [each.name for each in job.plan.on_demand]
        if listed := [name for name in names if f'id="{name}"' in self._manifest(job)]:
            yield f"the manifest of job {job.id} lists {listed}, which were removed"
        files = self.storage.names(container_for(job.title_id))
        if left := [file for file in files if file.startswith(tuple(f"{job.id}/{name}/" for name in names))]:
            yield f"job {job.id} still has {left}, which no manifest lists"

    def _manifest(self, job: EncodeJob) -> str:
        return self.storage.blobs[container_for(job.title_id), f"{job.id}/manifest.mpd"].decode()


def _is_later(job: EncodeJob, name: str) -> bool:
    """Return whether a file is a segment in AV1, or of a rendition on demand."""
    track = name.split("/")[1]
    on_demand = {each.name for each in job.plan.on_demand} if job.plan else set()
    return name.endswith(".m4s") and (track.startswith("av") or track in on_demand)


@dataclass
class RenditionFlow(UploadFlow):
    """The flow, with what all of its runs share."""

    name: str = "ready to all renditions"

    def begin(self, simulation: Simulation) -> FlowRun:
        """Return a run of this flow in a simulation."""
        self.wiring.seed(simulation.seed)
        run = RenditionRun(simulation, self)
        self.wiring.configure(encode_av1="always", encode_renditions="on-demand", renditions_kept_days=KEPT_DAYS)
        return run

    def covers(self, effect: str) -> bool:
        """Return whether an effect belongs to later renditions; the others belong to the flow of uploads."""
        return any(word in effect for word in ("av1", "on_demand", "rendition"))
