"""Creates what late subtitles need; `encoding.assembly` offers it to the composition roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.late_subtitles.store import MongoLateSubtitles

if TYPE_CHECKING:
    from functions.catalogue.service import Catalogue
    from functions.encoding.late_subtitles.service import SubtitleArrivals
    from functions.encoding.late_text_worker import LateSubtitlesWorker
    from functions.encoding.ports import EncodeJobs, JobUpkeep, MediaStore
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.platform.resources import Resources


def arrivals_of(resources: Resources, catalogue: Catalogue) -> SubtitleArrivals:
    """Return what notes that subtitles arrive."""
    from functions.encoding.late_subtitles.service import SubtitleArrivals

    return SubtitleArrivals(late_subtitles_of(resources), catalogue, resources.queues, resources.now)


def late_subtitles_of(resources: Resources) -> MongoLateSubtitles:
    """Return the store of late subtitles."""
    return MongoLateSubtitles(resources.mongo_database()["encode_jobs"])


def late_worker(
    resources: Resources, media: MediaStore, jobs: EncodeJobs, upkeep: JobUpkeep, publisher: ManifestPublisher
) -> LateSubtitlesWorker:
    """Return what adds late subtitles, for the encoder app."""
    from functions.encoding.late_text_worker import LateSubtitlesWorker

    late, work_dir = late_subtitles_of(resources), resources.settings().work_dir
    return LateSubtitlesWorker(media, jobs, late, upkeep, publisher, resources.now, work_dir=work_dir)
