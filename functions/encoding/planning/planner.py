"""Planning: probe an upload, refuse a file that cannot become a film, and decide all parameters of the encode."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.copying.disk_room import DiskRoom, TooLittleRoom
from functions.encoding.copying.passthrough import CopyLimits, Unsuitable
from functions.encoding.copying.track_copier import is_large
from functions.encoding.damage import DamageLimits, report_of
from functions.encoding.ffmpeg import PROBE_LIMIT_S, RunTooLong
from functions.encoding.ffmpeg_commands import remux_arguments
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.frame_rates import FILM
from functions.encoding.ladder import chunks_for, renditions_for
from functions.encoding.model import EncodePlan, copy_of
from functions.encoding.on_demand_encode import split_renditions
from functions.encoding.planning.detail import NeededRenditions, RenditionChoice, find_needed
from functions.encoding.planning.own_pictures import OwnPictures, own_pictures
from functions.encoding.planning.probe import probe
from functions.encoding.planning.refusals import FILM_ITSELF, HEAD_BYTES
from functions.encoding.planning.scan import SCAN_LIMIT_S, find_scan
from functions.encoding.planning.sidecars import sidecar_versions
from functions.encoding.surround import SurroundChoice
from functions.encoding.tracks import select_tracks
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault, SourceRefused
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.model import EncodeJob, SourceRef
    from functions.encoding.planning.probe import ProbedSource
    from functions.encoding.ports import MediaStore
    from functions.encoding.renditions import Rendition
    from functions.encoding.tracks import SelectedTracks
    from functions.platform.settings import Settings

log = logging.getLogger(__name__)

READ_FOR = timedelta(hours=6)
REMUX_LIMIT_S = 1500
REMUX_CPU_S, REMUX_CPU_S_PER_GB = 20, 30
"""CPU-seconds in which a file must be remuxed; a gigabyte usually takes five."""

COPY_PERCENT = 110
"""The room that is reserved for the copy of a file that is remuxed, relative to the file."""

AT_ONCE_S = 5
"""Seconds that each part of a probe may take while plans of other films wait."""

TIMED = {"mpegts", "flv", "matroska"}
"""Containers that are remuxed, but say when each picture is shown."""


class Planned(NamedTuple):
    """The plan of a job, and the tracks in the index of its source if pictures are copied."""

    plan: EncodePlan
    tracks: tuple[IndexedTrack, ...] = ()


class Planner:
    """Makes the plan of an encode job."""

    def __init__(self, ffmpeg: FFmpeg, media: MediaStore, settings: Settings) -> None:
        self._ffmpeg = ffmpeg
        self._media = media
        self._settings = settings
        self._room = DiskRoom()

    def plan(self, job: EncodeJob, *, at_once: bool = False) -> Planned | None:
        """Return the plan; with `at_once`, None if making it takes more than some seconds.

        Raises SourceRefused if the file cannot become a film, EncodeFault if a retry may help.
        """
        try:
            return self._plan(job, at_once=at_once)
        except RunTooLong:
            if at_once:
                return None
            raise

    def _plan(self, job: EncodeJob, *, at_once: bool) -> Planned | None:
        self._check_size(job)
        self._media.create_container(container_for(job.title_id))
        probe_s, scan_s = (AT_ONCE_S, AT_ONCE_S) if at_once else (PROBE_LIMIT_S, SCAN_LIMIT_S)
        ref, source = job.upload, self._probe(job, job.upload, limit_s=probe_s)
        tracks = self._tracks(job, source)
        containers = set(source.container.split(","))
        is_timed = source.indexed or bool(TIMED & containers)
        if source.indexed:
            self._check_length(job, source)
        if at_once and is_large(job) and not source.indexed:
            return None
        if not source.indexed:
            ref = self._remuxed(job, source, tracks, limit_s=2 * AT_ONCE_S if at_once else REMUX_LIMIT_S)
            chapters = source.chapters  # the remuxed copy has no chapters
            source, tracks = replace(self._probe(job, ref, limit_s=probe_s), chapters=chapters), tracks.copied(first=1)
            self._check_length(job, source)
        source = self._scanned(ref, source, limit_s=scan_s)
        own = self._own_pictures(job, ref, source, is_timed=is_timed, at_once=at_once)
        if own is None:
            return None
        grid = own.copy.grid if own.copy else source.grid
        needed = self._needed(ref, source, own)
        encoded, on_demand = self._split(needed.encoded, own)
        plan = EncodePlan(
            source=ref,
            grid=grid,
            picture=source.picture,
            renditions=encoded,
            chunks=chunks_for(grid),
            audio=own.sounds(tracks.audio),
            text=tracks.text,
            preset=self._settings.encode_preset,
            ffmpeg_version=self._ffmpeg.version(),
            missing=source.missing,
            notes=(*tracks.notes, *((needed.note,) if needed.note else ())),
            copied=own.copy.copied if own.copy else None,
            passthrough=own.sentence,
            target_vmaf=self._settings.encode_target_vmaf,
            chapters=source.chapters,
            target_lufs=self._settings.loudness_lufs,
            left_out=tuple(each.name for each in needed.left_out),
            on_demand=on_demand,
        )
        return Planned(plan, own.tracks)

    def _needed(self, ref: SourceRef, source: ProbedSource, own: OwnPictures) -> NeededRenditions:
        """Return the renditions to encode: those that show more detail than a smaller one, or all, by setting."""
        renditions = own.copy.encoded if own.copy else renditions_for(source.width, source.height)
        if self._settings.encode_renditions != RenditionChoice.NEEDED:
            return NeededRenditions(renditions)
        address = self._media.signed_address(ref, lasts=READ_FOR)
        work_dir = self._settings.work_dir
        return find_needed(self._ffmpeg, address, source, renditions, copies=own.kept, work_dir=work_dir)

    def _split(
        self, renditions: tuple[Rendition, ...], own: OwnPictures
    ) -> tuple[tuple[Rendition, ...], tuple[Rendition, ...]]:
        """Return the renditions that are encoded at once, and those on demand, by setting."""
        if self._settings.encode_renditions != RenditionChoice.ON_DEMAND:
            return renditions, ()
        return split_renditions(renditions, copies=own.kept)

    def is_large(self, job: EncodeJob) -> bool:
        """Return whether reading an upload as a whole takes so long that the plans of other films must not wait."""
        return is_large(job)

    def _check_length(self, job: EncodeJob, source: ProbedSource) -> None:
        """Raise SourceRefused if a film is too long or too short, or if too much of it is cut off."""
        limit_h = self._settings.max_duration_hours
        if source.grid.seconds(source.grid.frames) > limit_h * 3600:
            raise SourceRefused(
                f"{job.name} is longer than {limit_h} h, the limit set by MAX_DURATION_HOURS. "
                "Upload a shorter film, or raise the setting."
            )
        if source.grid.frames < 2:
            raise SourceRefused(f"{job.name} has only one frame, so it is not a film. {FILM_ITSELF}")
        cut = report_of((), rate=source.grid.rate, frames=source.grid.frames, missing=source.missing)
        if cut and DamageLimits.of(self._settings).exceeded_by(cut):
            stated_s = float(source.grid.seconds(cut.total))
            raise SourceRefused(
                f"{job.name} is cut off: it should last {stated_s:.0f} s, but its video cannot be read "
                f"to the end. Upload the whole file again."
            )

    def _own_pictures(
        self, job: EncodeJob, ref: SourceRef, source: ProbedSource, *, is_timed: bool, at_once: bool
    ) -> OwnPictures | None:
        """Decide whether pictures are used as they are; with `at_once`, return None if this takes long.

        `is_timed` is true if the upload says when each is shown.
        """
        try:
            if not is_timed:
                raise Unsuitable("the file does not have the times of all of them")
            limits = CopyLimits.of(self._settings)
            if not limits.most:
                raise Unsuitable("PASSTHROUGH_PERCENT is 0")
            return own_pictures(self._media, job, ref, source, limits=limits, at_once=at_once)
        except Unsuitable as error:
            return OwnPictures(error.sentence)

    def restore_source(self, job: EncodeJob) -> None:
        """Create again what a planned job has lost: its container, and the remuxed copy that its missing parts need."""
        self._media.create_container(container_for(job.title_id))
        if not job.all_done:
            self.restore_copy(job)

    def restore_copy(self, job: EncodeJob) -> None:
        """Make the remuxed copy that a planned job reads again, if it reads one that is no longer stored."""
        if self.lacks_copy(job):
            source = self._probe(job, job.upload)
            self._remuxed(job, source, self._tracks(job, source))

    def lacks_copy(self, job: EncodeJob) -> bool:
        """Return whether a planned job reads a remuxed copy of its upload that is no longer stored."""
        plan = job.plan
        if plan is None or plan.source == job.upload:
            return False
        return not self._media.list_sizes(plan.source.container, plan.source.blob)

    def can_remake(self, job: EncodeJob) -> bool:
        """Return whether a planned job's parts can be encoded again: its source is stored, and ffmpeg is unchanged."""
        plan = job.plan
        if plan is None or plan.ffmpeg_version != self._ffmpeg.version():
            return False
        return any("" in self._media.list_sizes(ref.container, ref.blob) for ref in (job.upload, plan.source))

    def _check_size(self, job: EncodeJob) -> None:
        limit_gb = self._settings.max_upload_gb
        if job.size > limit_gb << 30:
            raise SourceRefused(
                f"{job.name} is {job.size / (1 << 30):.1f} GB; MAX_UPLOAD_GB allows {limit_gb} GB. "
                "Upload a smaller file, or raise the setting."
            )

    def _probe(self, job: EncodeJob, ref: SourceRef, *, limit_s: float = PROBE_LIMIT_S) -> ProbedSource:
        head = self._media.read_head(ref, length=HEAD_BYTES)
        address = self._media.signed_address(ref, lasts=READ_FOR)
        return probe(self._ffmpeg, address, name=job.name, head=head, limit_s=limit_s)

    def _scanned(self, ref: SourceRef, source: ProbedSource, *, limit_s: float) -> ProbedSource:
        """Return the source with the scan of its picture, and with the frame grid of the film if it is telecined."""
        address = self._media.signed_address(ref, lasts=READ_FOR)
        scan = find_scan(self._ffmpeg, address, source, work_dir=self._settings.work_dir, limit_s=limit_s)
        picture = replace(
            source.picture,
            field_order="" if source.field_order else scan.field_order,
            deinterlace=bool(scan.field_order) and not scan.telecine,
            telecine=scan.telecine,
        )
        grid = source.grid
        if scan.telecine:
            grid = FrameGrid(FILM, max(1, round(grid.seconds(grid.frames) * FILM)))
        return replace(source, picture=picture, grid=grid, missing=round(source.missing * grid.rate / source.grid.rate))

    def _remuxed(
        self, job: EncodeJob, source: ProbedSource, tracks: SelectedTracks, *, limit_s: float = REMUX_LIMIT_S
    ) -> SourceRef:
        """Remux a source without frame-exact seeks into a file that has them, which no viewer can read."""
        with ExitStack() as stack:
            folder = stack.enter_context(work_folder("remux", self._settings.work_dir))
            try:
                stack.enter_context(self._room.reserved(folder, job.size * COPY_PERCENT // 100))
            except TooLittleRoom as found:
                raise EncodeFault(
                    f"{job.name} has to be remuxed first, which needs {job.size / 1e9:.1f} GB of temporary disk; "
                    f"only {found.free / 1e9:.1f} GB is free. Free some space, or upload it as MP4 or MKV."
                ) from None
            target = folder / "source.mkv"
            arguments = remux_arguments(
                self._media.signed_address(job.upload, lasts=READ_FOR),
                streams=[source.picture.stream, *tracks.streams],
                codec=source.picture.codec,
                target=target,
            )
            cpu_s = REMUX_CPU_S + job.size * REMUX_CPU_S_PER_GB // 10**9
            result = self._ffmpeg.run(arguments, folder=folder, limit_s=limit_s, cpu_s=cpu_s)
            self._ffmpeg.raise_if_unreachable(result)
            if result.status:
                log.warning("job %s: the upload could not be remuxed: %s", job.id, result.last_words)
                raise SourceRefused(
                    f"{job.name} cannot be read to its end; it may be damaged. Upload the original again."
                )
            ref = copy_of(job.id)
            self._media.create_container(ref.container)
            self._media.store_file(ref.container, ref.blob, target)
            return ref

    def _tracks(self, job: EncodeJob, source: ProbedSource) -> SelectedTracks:
        surround = self._settings.surround_sound == SurroundChoice.ALWAYS
        versions = sidecar_versions(self._media, job)
        tracks = select_tracks(job.name, source.audio, source.text, list(versions), surround=surround)
        etags = {upload.blob: etag for upload, etag in versions.items()}
        text = (replace(track, etag=etags[track.blob]) if track.blob else track for track in tracks.text)
        return replace(tracks, text=tuple(text))
