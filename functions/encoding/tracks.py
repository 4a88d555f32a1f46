"""The audio and subtitle tracks of a title: which streams and sidecars become tracks, and what each is called.

A stream that cannot be used is left out, with a sentence for the owner. The first usable audio track is the main one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from functions.encoding.languages import UNKNOWN, language_name, language_tag
from functions.encoding.loudness import TOLERATED_LU
from functions.encoding.model import AudioPlan
from functions.encoding.surround import has_surround, surround_beside, surround_label, without_layout
from functions.encoding.text_plan import LAST, TextPlan, TrackRole, plan_of_sidecar
from functions.encoding.track_labels import TrackLabels, printable
from functions.encoding.track_state import TrackFault
from functions.platform.errors import SourceRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from functions.encoding.late_text import LateText
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.track_state import TrackState
    from functions.platform.identifiers import Upload

MOST_AUDIO, MOST_TEXT = 32, 64
"""The maximum number of tracks of a title. A small file can declare a thousand, each of which would start ffmpeg."""

STEREO_KBPS, MONO_KBPS = 128, 80
SAMPLE_RATES = (44_100, 48_000)

TEXT_CODECS = {"subrip", "ass", "ssa", "mov_text", "webvtt", "text"}

MOST_NAMED = 3

_DISPOSITIONS = {
    "comment": TrackRole.COMMENTARY,
    "visual_impaired": TrackRole.DESCRIPTION,
    "descriptions": TrackRole.DESCRIPTION,
    "forced": TrackRole.FORCED,
    "hearing_impaired": TrackRole.HEARING_IMPAIRED,
    "captions": TrackRole.HEARING_IMPAIRED,
}
"""Roles by ffprobe's dispositions, which are the flags of Matroska, MP4 and MPEG-TS."""

_IN_TITLES = (
    (TrackRole.COMMENTARY, re.compile(r"\b(?:comment(?:ary|aries|aire)|kommentar|comentario|commento)", re.IGNORECASE)),
    (
        TrackRole.DESCRIPTION,
        re.compile(r"audio.?descri|\bdescri(?:ptive|bed)\b|audiodeskription|hörfilm|visually impaired", re.IGNORECASE),
    ),
    (TrackRole.FORCED, re.compile(r"\bforced\b|\bforcés?\b|\berzwungen|foreign parts", re.IGNORECASE)),
    (
        TrackRole.HEARING_IMPAIRED,
        re.compile(
            r"\bSDH\b|\bCC\b|\bHoH\b|hearing.impaired|hard.of.hearing|closed.caption|hörgeschädigt", re.IGNORECASE
        ),
    ),
)
"""Roles by words in the titles of streams, because many films carry no flags."""


@dataclass(frozen=True, slots=True)
class AudioStream:
    """An audio stream of a source: its index among all streams, and its length in seconds if the source states it.

    `fault` is set if the stream cannot be used. `language` is the code in the container.
    """

    index: int
    channels: int
    sample_rate: int
    language: str
    title: str
    lasts: Fraction | None
    roles: tuple[TrackRole, ...] = ()
    fault: TrackFault | None = None


@dataclass(frozen=True, slots=True)
class TextStream:
    """A subtitle stream of a source; a `codec` outside TEXT_CODECS means images, which cannot be converted to text."""

    index: int
    language: str
    title: str
    roles: tuple[TrackRole, ...] = ()
    codec: str = ""


@dataclass(frozen=True, slots=True)
class SelectedTracks:
    """The plans of a title's tracks, and a sentence about each kind of track that is left out."""

    audio: tuple[AudioPlan, ...]
    text: tuple[TextPlan, ...]
    notes: tuple[str, ...]

    @property
    def streams(self) -> tuple[int, ...]:
        """Return the indices of the tracks' streams in the source, each of them once."""
        streams = (*(t.stream for t in self.audio), *(t.stream for t in self.text if t.stream is not None))
        return tuple(dict.fromkeys(streams))

    def copied(self, *, first: int) -> SelectedTracks:
        """Return the same tracks of a file that contains only their streams, beginning at the index `first`.

        The lengths of the audio tracks are unknown there.
        """
        at = {stream: first + number for number, stream in enumerate(self.streams)}
        return SelectedTracks(
            audio=tuple(replace(track, stream=at[track.stream], lasts=None) for track in self.audio),
            text=tuple(t if t.stream is None else replace(t, stream=at[t.stream]) for t in self.text),
            notes=self.notes,
        )


def audio_streams(streams: Iterable[dict[str, Any]], decodable: Collection[str]) -> tuple[AudioStream, ...]:
    """Return the audio streams among ffprobe's; `decodable` has the names of the codecs that ffmpeg decodes."""
    return tuple(
        AudioStream(
            index=stream["index"],
            channels=int(stream.get("channels") or 0),
            sample_rate=int(stream.get("sample_rate") or 0),
            language=_tag(stream, "language"),
            title=_tag(stream, "title"),
            lasts=Fraction(stream["duration"]) if "duration" in stream else None,
            roles=_roles(stream, without=TrackRole.FORCED),
            fault=_fault_of(stream, decodable),
        )
        for stream in streams
        if stream.get("codec_type") == "audio"
    )


def text_streams(streams: Iterable[dict[str, Any]]) -> tuple[TextStream, ...]:
    """Return the subtitle streams among ffprobe's."""
    return tuple(
        TextStream(
            stream["index"],
            _tag(stream, "language"),
            _tag(stream, "title"),
            _roles(stream),
            codec=stream.get("codec_name", ""),
        )
        for stream in streams
        if stream.get("codec_type") == "subtitle"
    )


def select_tracks(
    name: str,
    audio: Sequence[AudioStream],
    text: Sequence[TextStream],
    sidecars: Sequence[Upload],
    *,
    surround: bool = False,
) -> SelectedTracks:
    """Return the tracks of a title: sound, and subtitles, those of sidecars first.

    With `surround`, tracks in 5.1 follow those in stereo, as far as a title can have so many. Raises SourceRefused if
    the film `name` has sound, but none that can be decoded.
    """
    usable = _main_first([stream for stream in audio if stream.fault is None])
    if not usable and any(stream.fault is TrackFault.DAMAGED for stream in audio):
        raise SourceRefused(undecodable_sound(name))
    subtitles = _main_first(
        [*map(plan_of_sidecar, sidecars), *map(_of_stream, (s for s in text if s.codec in TEXT_CODECS))]
    )
    tracks = _audio_plans(usable[:MOST_AUDIO], surround=surround)
    labels = TrackLabels("Subtitles")
    texts = tuple(
        replace(track, name=f"t{number}", label=labels.next(track.language, track.label, track.roles))
        for number, track in enumerate(subtitles[:MOST_TEXT])
    )
    notes = [
        _left_out([s for s in audio if s.fault is TrackFault.EMPTY], "is empty", "are empty"),
        _left_out([s for s in audio if s.fault is TrackFault.DAMAGED], "cannot be decoded", "cannot be decoded"),
        _left_out(
            [s for s in text if s.codec not in TEXT_CODECS],
            "consists of images instead of text",
            "consist of images instead of text",
        ),
        _too_much_audio(len(usable) - MOST_AUDIO),
        _too_many_subtitles(len(subtitles) - MOST_TEXT),
    ]
    return SelectedTracks(tracks, texts, tuple(note for note in notes if note))


COPY_FAILED = "The film's own pictures could not be used as they are, so all of them were encoded."
"""The note about pictures that were to be copied, but turned out unsuitable."""


def note_of(plan: EncodePlan, name: str, state: TrackState) -> str | None:
    """Return the sentence about a planned track that is not published as planned; None for any other."""
    if plan.copied and plan.copied.rendition.name == name and state.fault:
        return COPY_FAILED
    planned: tuple[AudioPlan | TextPlan, ...] = (*(track for track in plan.audio if not track.copied), *plan.text)
    track = next((each for each in planned if each.name == name), None)
    if track is None or (state.fault is None and not is_quiet(state)):
        return None
    what = f"The audio track “{track.label}”" if isinstance(track, AudioPlan) else f"The subtitle track “{track.label}”"
    if state.fault is TrackFault.CUT and isinstance(track, AudioPlan):
        return f"{what} ends after {state.ticks / track.sample_rate:.0f} s, because the rest of it is damaged."
    if state.fault is TrackFault.GAPS:
        return f"Parts of the audio track “{track.label}” could not be read and are silent."
    if state.fault is None and state.loudness:
        lufs = state.loudness.lufs + state.loudness.gain_db
        return f"{what} is at {lufs:.0f} LUFS instead of {state.loudness.target_lufs}, so that its peaks do not clip."
    if state.fault is TrackFault.EMPTY:
        return f"{what} is empty and was left out."
    return f"{what} is damaged and was left out."


def is_quiet(state: TrackState) -> bool:
    """Return whether a track is clearly quieter than its target, because its gain is limited."""
    return state.loudness is not None and state.loudness.missing_lu > TOLERATED_LU


def notes_of(job: EncodeJob) -> tuple[str, ...]:
    """Return the sentences about all tracks of a job that are not published as planned."""
    plan = job.plan
    if plan is None:
        return ()
    plans = (plan, plan.without_failed_copies(job.tracks))
    replaced = {track.blob for track in job.late.tracks}
    replaced_names = {text.name for text in plan.text if text.blob and text.blob in replaced}
    names = [name for each in plans for name in each.tracks if name in job.tracks and name not in replaced_names]
    found = dict.fromkeys(note_of(each, name, job.tracks[name]) for each in plans for name in dict.fromkeys(names))
    late = [_late_note(text, is_kept=_is_kept(job, text)) for text in job.late.texts if text.fault]
    most = _too_many_subtitles(job.late.left_out)
    return (*plan.notes, *(note for note in (*found, *late, most) if note))


def _is_kept(job: EncodeJob, text: LateText) -> bool:
    """Return whether an earlier version of a subtitle file is published."""
    planned = job.plan.text if job.plan else ()
    return text.size > 0 or any(each.blob == text.blob and not job.tracks[each.name].left_out for each in planned)


def _late_note(text: LateText, *, is_kept: bool) -> str:
    """Return the sentence about a late version of a subtitle file that cannot be published."""
    what = f"The subtitle track “{text.track.label}”"
    if is_kept:
        if text.fault is TrackFault.EMPTY:
            return f"The new file of the subtitle track “{text.track.label}” is empty, so the earlier one is kept."
        return f"The new file of the subtitle track “{text.track.label}” is damaged, so the earlier one is kept."
    if text.fault is TrackFault.EMPTY:
        return f"{what} is empty and was left out."
    return f"{what} is damaged and was left out."


def is_main(plan: EncodePlan, name: str) -> bool:
    """Return whether a track is the main sound, without which a film must not be published.

    A copied track does not count: if copying it fails, it is encoded instead.
    """
    return bool(plan.audio) and plan.audio[0].name == name and plan.audio[0].copied is None


def check_sound(job: EncodeJob) -> None:
    """Raise SourceRefused if every audio track of a job turned out to be unusable, and at least one of them damaged."""
    states = [job.tracks.get(track.name) for track in job.current_plan.audio] if job.current_plan else []
    left_out = [state.fault for state in states if state and state.left_out]
    if len(left_out) == len(states) and TrackFault.DAMAGED in left_out:
        raise SourceRefused(undecodable_sound(job.name))


def undecodable_sound(name: str) -> str:
    """Return the sentence about a film whose sound cannot be decoded."""
    return f"The sound of {name} cannot be decoded. Upload a version with AAC, AC-3, MP3, Opus, FLAC or PCM sound."


def _fault_of(stream: dict[str, Any], decodable: Collection[str]) -> TrackFault | None:
    """Return why a stream cannot be used, if the container shows it; other reasons are found only by encoding it."""
    if stream.get("codec_name") not in decodable:
        return TrackFault.DAMAGED
    known = int(stream.get("channels") or 0) > 0 and int(stream.get("sample_rate") or 0) > 0
    return TrackFault.EMPTY if not known or stream.get("duration_ts") == 0 else None


def _roles(stream: dict[str, Any], *, without: TrackRole | None = None) -> tuple[TrackRole, ...]:
    flags = stream.get("disposition", {})
    found = [role for name, role in _DISPOSITIONS.items() if flags.get(name)]
    title = _tag(stream, "title")
    found += [role for role, words in _IN_TITLES if words.search(title)]
    return tuple(role for role in TrackRole if role in found and role is not without)


def _main_first[T: (AudioStream, TextPlan)](tracks: Sequence[T]) -> list[T]:
    return sorted(tracks, key=lambda track: any(role in LAST for role in track.roles))


def _audio_plans(streams: Sequence[AudioStream], *, surround: bool) -> tuple[AudioPlan, ...]:
    """Return the plans of streams in mono or stereo, and after these, the plans in 5.1 of those that have it."""
    labels = TrackLabels("Audio")
    plans: list[AudioPlan] = []
    doubled: list[AudioPlan] = []
    for number, stream in enumerate(streams):
        is_doubled = surround and has_surround(stream)
        title = without_layout(stream.title) if is_doubled else stream.title
        plans.append(_audio_plan(number, replace(stream, title=title), labels))
        if is_doubled:
            doubled.append(plans[-1])
    for stereo in doubled[: MOST_AUDIO - len(streams)]:
        label = labels.next(stereo.language, surround_label(stereo.label), stereo.roles)
        plans.append(surround_beside(stereo, name=f"a{len(plans)}", label=label))
    return tuple(plans)


def _audio_plan(number: int, stream: AudioStream, labels: TrackLabels) -> AudioPlan:
    """Return the plan of a stream: mono stays mono, all else becomes stereo, at a sample rate that browsers play."""
    language = language_tag(stream.language)
    channels = min(stream.channels, 2)
    return AudioPlan(
        name=f"a{number}",
        stream=stream.index,
        language=language,
        label=labels.next(language, stream.title, stream.roles),
        channels=channels,
        sample_rate=stream.sample_rate if stream.sample_rate in SAMPLE_RATES else SAMPLE_RATES[-1],
        bitrate_kbps=MONO_KBPS if channels == 1 else STEREO_KBPS,
        lasts=stream.lasts,
        roles=stream.roles,
    )


def _of_stream(stream: TextStream) -> TextPlan:
    return TextPlan("", language_tag(stream.language), stream.title, stream.index, None, stream.roles, stream.codec)


def _left_out(streams: Sequence[AudioStream | TextStream], why_one: str, why_many: str) -> str | None:
    """Return the sentence about streams of one kind; each is written out, because pages find its translation by it."""
    if not streams:
        return None
    names = ", ".join(map(_name_of, streams[:MOST_NAMED])) + (", …" if len(streams) > MOST_NAMED else "")
    if isinstance(streams[0], AudioStream):
        if len(streams) == 1:
            return f"An audio track ({names}) {why_one} and was left out."
        return f"{len(streams)} audio tracks ({names}) {why_many} and were left out."
    if len(streams) == 1:
        return f"A subtitle track ({names}) {why_one} and was left out."
    return f"{len(streams)} subtitle tracks ({names}) {why_many} and were left out."


def _name_of(stream: AudioStream | TextStream) -> str:
    language = language_tag(stream.language)
    named = printable(stream.title) or (language_name(language) if language != UNKNOWN else "")
    return named or f"no. {stream.index} in the file"


def _too_much_audio(over: int) -> str | None:
    if over == 1:
        return f"One audio track was left out, because a title can have at most {MOST_AUDIO}."
    return f"{over} audio tracks were left out, because a title can have at most {MOST_AUDIO}." if over > 1 else None


def _too_many_subtitles(over: int) -> str | None:
    if over == 1:
        return f"One subtitle track was left out, because a title can have at most {MOST_TEXT}."
    return f"{over} subtitle tracks were left out, because a title can have at most {MOST_TEXT}." if over > 1 else None


def _tag(stream: dict[str, Any], key: str) -> str:
    return str(stream.get("tags", {}).get(key, ""))
