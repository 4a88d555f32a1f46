"""The step that compares an episode with those near it, and records the parts that viewers may skip.

It is a step beside the encode: the title is ready before, and stays as it is if the step fails. Repeating it changes
nothing: the same sound gives the same parts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.intros.season import find_parts, job_of, neighbourhoods
from functions.platform.errors import EncodeFault, NotFound
from functions.platform.film_keys import FilmKeyMissing

if TYPE_CHECKING:
    from functions.catalogue.model import Title
    from functions.catalogue.service import Catalogue
    from functions.encoding.intros.fingerprint import EpisodeSound
    from functions.encoding.intros.ports import Comparisons, SoundReader
    from functions.encoding.intros.season import Neighbourhood
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.ports import EncodeJobs
    from functions.encoding.spending.budget import EncodeBudget
    from functions.platform.messages import FindIntros

log = logging.getLogger(__name__)

DEPOSIT_S = 10.0
"""The replica-seconds that a comparison takes at most, if it has to make some of the fingerprints."""


@dataclass(frozen=True, slots=True)
class IntroPipeline:
    """Runs the steps that messages request; the timer `start_later_work` requests again what is not done."""

    jobs: EncodeJobs
    comparisons: Comparisons
    worker: SoundReader
    catalogue: Catalogue
    budget: EncodeBudget
    telemetry: JobTelemetry
    enabled: bool

    def run(self, message: FindIntros) -> None:
        """Compare the episode of a job with those near it, unless that was done, or it is no longer in a season.

        Raises StoreUnavailable if the same may succeed later.
        """
        neighbourhood = self._neighbourhood_of(message.job_id) if self.enabled else None
        if neighbourhood is None or self._is_done(neighbourhood):
            return
        admission = self.budget.admit_seconds(DEPOSIT_S)
        if admission is None:
            return
        try:
            with self.telemetry.step(message.job_id, "intros"):
                self._compare(neighbourhood)
        finally:
            self.budget.settle(message.job_id, admission)

    def bury_message(self, message: FindIntros) -> None:
        """Log a message that used up its attempts; the timer requests the comparison again if it is still due."""
        log.warning("A message to compare the sound of job %s was delivered too often.", message.job_id)

    def _neighbourhood_of(self, job_id: str) -> Neighbourhood | None:
        try:
            title_id = self.jobs.get_job(job_id).title_id
        except NotFound:
            return None
        season = self.catalogue.season_of(title_id)
        return next((each for each in neighbourhoods(season) if job_of(each.episode) == job_id), None)

    def _is_done(self, neighbourhood: Neighbourhood) -> bool:
        job_id = job_of(neighbourhood.episode)
        return self.comparisons.compared_with([job_id]).get(job_id) == neighbourhood.digest

    def _compare(self, neighbourhood: Neighbourhood) -> None:
        """Record the parts of an episode; if a sound could not be read, it is compared again later."""
        episode = neighbourhood.episode
        own = self._sound_of(episode)
        others = [self._sound_of(other) for other in neighbourhood.others]
        if own is None:
            return
        parts = find_parts(own, (other for other in others if other))
        job_id = job_of(episode)
        log.info("job %s has %d parts that can be skipped", job_id, len(parts))
        self.catalogue.mark_skippable(episode.id, job_id, parts)
        if None not in others:
            self.comparisons.note_compared(job_id, neighbourhood.digest)

    def _sound_of(self, episode: Title) -> EpisodeSound | None:
        try:
            return self.worker.sound_of(self.jobs.get_job(job_of(episode)))
        except (EncodeFault, FilmKeyMissing) as fault:
            log.warning("the sound of job %s cannot be compared: %s", job_of(episode), fault.detail)
            return None
