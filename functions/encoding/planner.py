"""Planning: probe an upload, refuse a file that cannot become a film, and decide all parameters of the encode."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from babelfish import Error as UnknownLanguage
from babelfish import Language

from functions.encoding.ffmpeg_commands import remux_arguments
from functions.encoding.ladder import chunks_for, renditions_for
from functions.encoding.model import AudioPlan, EncodePlan, SourceRef, TextPlan
from functions.encoding.probe import probe
from functions.encoding.work_folders import work_folder
from functions.platform.errors import EncodeFault, SourceRefused
from functions.platform.identifiers import UploadKind, companion, container_for, read_name

if TYPE_CHECKING:
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import MediaStore
    from functions.encoding.probe import AudioStream, ProbedSource
    from functions.platform.settings import Settings

log = logging.getLogger(__name__)

HEAD_BYTES = 64
READ_FOR = timedelta(hours=6)
REMUX_LIMIT_S = 1500

STEREO_KBPS, MONO_KBPS = 128, 80
SAMPLE_RATES = (44_100, 48_000)


class Planner:
    """Makes the plan of an encode job."""

    def __init__(self, ffmpeg: FFmpeg, media: MediaStore, settings: Settings) -> None:
        self._ffmpeg = ffmpeg
        self._media = media
        self._settings = settings

    def plan(self, job: EncodeJob) -> EncodePlan:
        """Return the plan. Raises SourceRefused if the file cannot become a film, EncodeFault if a retry may help."""
        self._check_size(job)
        self._media.create_container(container_for(job.title_id))
        ref, source = job.upload, self._probe(job, job.upload)
        if not source.indexed:
            ref = self._remuxed(job, source)
            source = self._probe(job, ref)
        limit_h = self._settings.max_duration_hours
        if source.grid.seconds(source.grid.frames) > limit_h * 3600:
            raise SourceRefused(f"{job.name} lasts longer than {limit_h} h, the limit set by MAX_DURATION_HOURS.")
        if source.grid.frames < 2:
            raise SourceRefused(f"{job.name} is a single picture, not a film. Upload the film itself.")
        return EncodePlan(
            source=ref,
            grid=source.grid,
            picture=source.picture,
            renditions=renditions_for(source.width, source.height),
            chunks=chunks_for(source.grid),
            audio=tuple(_audio_plan(number, stream) for number, stream in enumerate(source.audio)),
            text=self._text_plans(job, source),
            preset=self._settings.encode_preset,
            ffmpeg_version=self._ffmpeg.version(),
        )

    def _check_size(self, job: EncodeJob) -> None:
        limit_gb = self._settings.max_upload_gb
        if job.size > limit_gb << 30:
            raise SourceRefused(
                f"{job.name} has {job.size / (1 << 30):.1f} GB, more than the {limit_gb} GB that MAX_UPLOAD_GB allows."
            )

    def _probe(self, job: EncodeJob, ref: SourceRef) -> ProbedSource:
        head = self._media.read_head(ref, length=HEAD_BYTES)
        return probe(self._ffmpeg, self._media.signed_address(ref, lasts=READ_FOR), name=job.name, head=head)

    def _remuxed(self, job: EncodeJob, source: ProbedSource) -> SourceRef:
        """Remux a source without frame-exact seeks into a file that has them, stored beside the job's segments."""
        with work_folder("remux", self._settings.work_dir) as folder:
            free = shutil.disk_usage(folder).free
            if free < job.size * 1.1:
                raise EncodeFault(
                    f"{job.name} has to be remuxed first, which needs {job.size / 1e9:.1f} GB of temporary disk; "
                    f"{free / 1e9:.1f} GB are free. Free some, or upload it as MP4 or MKV."
                )
            target = folder / "source.mkv"
            streams = [source.picture.stream, *(s.index for s in source.audio), *(s.index for s in source.text)]
            arguments = remux_arguments(
                self._media.signed_address(job.upload, lasts=READ_FOR),
                streams=streams,
                codec=source.picture.codec,
                target=target,
            )
            result = self._ffmpeg.run(arguments, folder=folder, limit_s=REMUX_LIMIT_S)
            self._ffmpeg.raise_if_unreachable(result)
            if result.status:
                raise SourceRefused(f"{job.name} cannot be read as a film: {result.last_words}")
            ref = SourceRef(container_for(job.title_id), f"{job.id}/source.mkv")
            self._media.store_file(ref.container, ref.blob, target)
            return ref

    def _text_plans(self, job: EncodeJob, source: ProbedSource) -> tuple[TextPlan, ...]:
        """Return the plans of subtitles: sidecars first, then subtitle streams of the film."""
        stem = read_name(job.upload.blob).stem
        found = []
        for blob in self._media.list_names(job.upload.container, f"{stem}."):
            upload = companion(blob, film=stem)
            if upload and upload.kind is UploadKind.SUBTITLES:
                language = _language(upload.language)
                found.append(TextPlan("", language, _label(language, ""), None, blob))
        for stream in source.text:
            language = _language(stream.language)
            found.append(TextPlan("", language, _label(language, stream.title), stream.index, None))
        return tuple(replace(track, name=f"t{number}") for number, track in enumerate(found))


def _audio_plan(number: int, stream: AudioStream) -> AudioPlan:
    """Return the plan of a stream: mono stays mono, all else becomes stereo, at a sample rate that browsers play."""
    language = _language(stream.language)
    channels = min(stream.channels, 2)
    return AudioPlan(
        name=f"a{number}",
        stream=stream.index,
        language=language,
        label=_label(language, stream.title),
        channels=channels,
        sample_rate=stream.sample_rate if stream.sample_rate in SAMPLE_RATES else SAMPLE_RATES[-1],
        bitrate_kbps=MONO_KBPS if channels == 1 else STEREO_KBPS,
        lasts=stream.lasts,
    )


def _language(code: str) -> str:
    """Return the BCP 47 tag for a container's language code (ISO 639-2), or "und"."""
    head, _, region = code.strip().partition("-")
    try:
        found = Language.fromalpha3b(head.lower()) if len(head) == 3 else Language.fromalpha2(head.lower())
        short = str(getattr(found, "alpha2", found.alpha3))
    except (UnknownLanguage, ValueError):
        return "und"
    return f"{short}-{region}" if region else short


def _label(language: str, title: str) -> str:
    """Return the label of a track in the player."""
    if title:
        return title
    if language == "und":
        return "Unknown language"
    return str(Language.fromietf(language).name)
