"""Write the HLS playlists of a title, for the same segments as its DASH manifest (RFC 8216 and its second edition).

The playlist of a growing title has type EVENT, so players start at the beginning; ENDLIST marks its end. As in DASH,
entries never change once listed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.encoding.model import SEGMENT_S
from functions.encoding.presentation import TimedSegments

if TYPE_CHECKING:
    from fractions import Fraction

    from functions.encoding.presentation import AudioTrack, Presentation, TextTrack, VideoTrack

AUDIO_GROUP, TEXT_GROUP = "audio", "subtitles"
FROM_THE_START = "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"
"""Without this tag, a player treats a growing playlist as live and starts at the end of the playlist."""


def write_master(presentation: Presentation) -> str:
    """Return the text of `master.m3u8`."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if not presentation.complete:
        lines.append(FROM_THE_START)
    names = _unique_names([track.label for track in presentation.audio])
    for number, (audio, name) in enumerate(zip(presentation.audio, names, strict=True)):
        lines.append(_audio_media(audio, name, is_default=number == 0))
    names = _unique_names([track.label for track in presentation.text])
    lines += [_text_media(text, name) for text, name in zip(presentation.text, names, strict=True)]
    for video in presentation.video:
        lines += [_stream(video, presentation), f"{video.name}.m3u8"]
    return _text(lines)


def write_media(presentation: Presentation, track_name: str) -> str:
    """Return the text of `<track_name>.m3u8`. Raises LookupError if the presentation has no such track."""
    if any(track.name == track_name for track in presentation.video):
        return _segments(track_name, presentation.video_segments, complete=presentation.complete)
    for audio in presentation.audio:
        if audio.name == track_name:
            return _segments(track_name, audio.segments, complete=presentation.complete)
    if any(track.name == track_name for track in presentation.text):
        return _single_file(f"{track_name}.vtt", presentation.duration)
    raise LookupError(f"The presentation has no track {track_name}.")


def _segments(folder: str, segments: TimedSegments, *, complete: bool) -> str:
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{_target_duration(segments)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if not complete:
        lines.append(FROM_THE_START)
    lines.append(f'#EXT-X-MAP:URI="{folder}/init.mp4"')
    for number, duration in enumerate(segments.durations):
        lines += [f"#EXTINF:{duration / segments.timescale:.6f},", f"{folder}/s{number:05d}.m4s"]
    if complete:
        lines.append("#EXT-X-ENDLIST")
    return _text(lines)


def _single_file(address: str, duration: Fraction) -> str:
    """Return the playlist of a subtitle file, which is a single segment as long as the title."""
    return _text(
        [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{_nearest_second(duration)}",
            "#EXT-X-MEDIA-SEQUENCE:0",
            "#EXT-X-PLAYLIST-TYPE:VOD",
            f"#EXTINF:{float(duration):.6f},",
            address,
            "#EXT-X-ENDLIST",
        ]
    )


def _target_duration(segments: TimedSegments) -> int:
    """Return a target duration that no rounded segment exceeds and that stays the same while the playlist grows."""
    longest = max(segments.durations, default=0)
    return max(SEGMENT_S, _nearest_second(TimedSegments(segments.timescale, (longest,)).end))


def _nearest_second(duration: Fraction) -> int:
    """Round to the nearest integer (RFC 8216, 4.3.3.1), halves upwards; Python's `round` would turn 4.5 into 4."""
    return max(1, int(2 * duration + 1) // 2)


def _audio_media(track: AudioTrack, name: str, *, is_default: bool) -> str:
    attributes = ["TYPE=AUDIO", f'GROUP-ID="{AUDIO_GROUP}"', f'NAME="{name}"']
    if track.language != "und":
        attributes.append(f'LANGUAGE="{_quotable(track.language)}"')
    attributes += [
        f"DEFAULT={'YES' if is_default else 'NO'}",
        "AUTOSELECT=YES",
        f'CHANNELS="{track.channels}"',
        f'URI="{track.name}.m3u8"',
    ]
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _text_media(track: TextTrack, name: str) -> str:
    attributes = ["TYPE=SUBTITLES", f'GROUP-ID="{TEXT_GROUP}"', f'NAME="{name}"']
    if track.language != "und":
        attributes.append(f'LANGUAGE="{_quotable(track.language)}"')
    attributes += ["DEFAULT=NO", "AUTOSELECT=YES", "FORCED=NO", f'URI="{track.name}.m3u8"']
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _stream(video: VideoTrack, presentation: Presentation) -> str:
    """Return the line of a rendition; its bandwidth is the video's plus the largest audio bandwidth."""
    audio_bps = max((track.bandwidth_bps for track in presentation.audio), default=0)
    codecs = dict.fromkeys([video.codec, *(track.codec for track in presentation.audio)])
    attributes = [
        f"BANDWIDTH={video.bandwidth_bps + audio_bps}",
        f'CODECS="{",".join(codecs)}"',
        f"RESOLUTION={video.rendition.width}x{video.rendition.height}",
        f"FRAME-RATE={float(presentation.rate):.3f}",
    ]
    if presentation.audio:
        attributes.append(f'AUDIO="{AUDIO_GROUP}"')
    if presentation.text:
        attributes.append(f'SUBTITLES="{TEXT_GROUP}"')
    attributes.append("CLOSED-CAPTIONS=NONE")
    return f"#EXT-X-STREAM-INF:{','.join(attributes)}"


def _unique_names(labels: list[str]) -> list[str]:
    """Return the labels, with a number appended to duplicates.

    Each NAME must be unique in its group (RFC 8216, 4.3.4.1.1).
    """
    names: list[str] = []
    for label in map(_quotable, labels):
        name, count = label, 1
        while name in names:
            count += 1
            name = f"{label} {count}"
        names.append(name)
    return names


def _quotable(text: str) -> str:
    """Return `text` without characters that are forbidden in a quoted string: quotes and controls (RFC 8216, 4.2)."""
    return re.sub(r"[\x00-\x1f\x7f]", " ", text).replace('"', "'")


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
