"""Write the HLS playlists of a title, for the same segments as its DASH manifest (RFC 8216 and its second edition).

The playlist of a growing title has type EVENT, so players start at the beginning; ENDLIST marks its end. As in DASH,
entries never change once listed.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.frame_grid import SEGMENT_S
from functions.encoding.publication.presentation import TimedSegments
from functions.encoding.text_plan import TrackRole
from functions.platform.film_keys import KEY_FILE, track_iv

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from functions.encoding.publication.presentation import AudioTrack, Presentation, TextTrack, VideoTrack

_DESCRIBES_VIDEO = "public.accessibility.describes-video"
_MADE_BY_MACHINE = "public.machine-generated"
"""Apple's AVMediaCharacteristic.machineGenerated."""
_DESCRIBES_SOUND = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"

AUDIO_GROUP, SURROUND_GROUP, TEXT_GROUP = "audio", "surround", "subtitles"
FROM_THE_START = "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"
"""Without this tag, a player treats a growing playlist as live and starts at the end of the playlist."""


def write_master(presentation: Presentation) -> str:
    """Return the text of `master.m3u8`."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if not presentation.is_static:
        lines.append(FROM_THE_START)
    groups = _audio_groups(presentation)
    for group, tracks in groups.items():
        chosen = _automatic(tracks)
        names = _unique_names([track.label for track in groups[AUDIO_GROUP]])
        for number, (audio, name) in enumerate(zip(tracks, names, strict=True)):
            is_automatic = audio.name in chosen
            lines.append(_audio_media(audio, group, name, is_default=number == 0, is_automatic=is_automatic))
    names, chosen = _unique_names([track.label for track in presentation.text]), _automatic(presentation.text)
    for text, name in zip(presentation.text, names, strict=True):
        lines.append(_text_media(text, name, is_automatic=text.name in chosen))
    for group in groups or ("",):
        for video in (*presentation.video, *presentation.av1):
            lines += [_stream(video, presentation, group, groups.get(group, ())), f"{video.name}.m3u8"]
    return _text(lines)


def _audio_groups(presentation: Presentation) -> dict[str, list[AudioTrack]]:
    """Return the tracks of each group: one of mono and stereo and, if a track is in 5.1, the same with these tracks.

    Groups must have the same members, as far as a player is concerned (RFC 8216bis, 4.4.6.2), so a track without 5.1 is
    in both.
    """
    if not presentation.audio:
        return {}
    names = {track.name for track in presentation.audio}
    beside = {track.stereo: track for track in presentation.audio if track.stereo in names}
    plain = [track for track in presentation.audio if track.stereo not in names]
    if not beside:
        return {AUDIO_GROUP: plain}
    return {AUDIO_GROUP: plain, SURROUND_GROUP: [beside.get(track.name, track) for track in plain]}


def write_media(presentation: Presentation, track_name: str) -> str:
    """Return the text of `<track_name>.m3u8`. Raises LookupError if the presentation has no such track."""
    if any(track.name == track_name for track in (*presentation.video, *presentation.av1)):
        picture = presentation.video_segments
        return _segments(track_name, picture, presentation, longest_s=presentation.longest_s)
    for audio in presentation.audio:
        if audio.name == track_name:
            return _segments(track_name, audio.segments, presentation)
    if any(track.name == track_name for track in presentation.text):
        return _single_file(f"{track_name}.vtt", presentation.duration)
    raise LookupError(f"The presentation has no track {track_name}.")


def _segments(
    folder: str, segments: TimedSegments, presentation: Presentation, *, longest_s: Fraction = Fraction(SEGMENT_S)
) -> str:
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{_target_duration(segments, longest_s)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if not presentation.is_static:
        lines.append(FROM_THE_START)
    lines.append(f'#EXT-X-MAP:URI="{folder}/init.mp4"')
    if presentation.key_id:
        lines.append(_key(presentation.key_id, folder))
    for number, duration in enumerate(segments.durations):
        lines += [f"#EXTINF:{duration / segments.timescale:.6f},", f"{folder}/s{number:05d}.m4s"]
    if presentation.is_static:
        lines.append("#EXT-X-ENDLIST")
    return _text(lines)


def _key(key_id: str, track: str) -> str:
    """Return the line from which a player gets the key; its address is that of a file beside the playlist.

    The API, which gives playlists to native players, replaces it by the address of the key (functions/playback/hls.py).
    Without an IV, a player would use the number of the segment (RFC 8216, 5.2).
    """
    iv = track_iv(key_id, track).hex()
    return f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{KEY_FILE}",IV=0x{iv},KEYFORMAT="identity"'


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


def _target_duration(segments: TimedSegments, longest_s: Fraction) -> int:
    """Return a target duration that no rounded segment exceeds and that stays the same while the playlist grows."""
    longest = TimedSegments(segments.timescale, (max(segments.durations, default=0),)).end
    return max(SEGMENT_S, _nearest_second(longest), _nearest_second(longest_s))


def _nearest_second(duration: Fraction) -> int:
    """Round to the nearest integer (RFC 8216, 4.3.3.1), halves upwards; Python's `round` would turn 4.5 into 4."""
    return max(1, int(2 * duration + 1) // 2)


def _audio_media(track: AudioTrack, group: str, name: str, *, is_default: bool, is_automatic: bool) -> str:
    attributes = _media(track, "AUDIO", group, name)
    attributes += [f"DEFAULT={_yes(is_default)}", f"AUTOSELECT={_yes(is_default or is_automatic)}"]
    if TrackRole.DESCRIPTION in track.roles:
        attributes.append(f'CHARACTERISTICS="{_DESCRIBES_VIDEO}"')
    attributes += [f'CHANNELS="{track.channels}"', f'URI="{track.name}.m3u8"']
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _text_media(track: TextTrack, name: str, *, is_automatic: bool) -> str:
    attributes = _media(track, "SUBTITLES", TEXT_GROUP, name)
    is_forced = TrackRole.FORCED in track.roles
    attributes += ["DEFAULT=NO", f"AUTOSELECT={_yes(is_automatic)}", f"FORCED={_yes(is_forced)}"]
    if TrackRole.HEARING_IMPAIRED in track.roles:
        attributes.append(f'CHARACTERISTICS="{_DESCRIBES_SOUND}"')
    elif TrackRole.AUTOMATIC in track.roles:
        attributes.append(f'CHARACTERISTICS="{_MADE_BY_MACHINE}"')
    attributes.append(f'URI="{track.name}.m3u8"')
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _media(track: AudioTrack | TextTrack, kind: str, group: str, name: str) -> list[str]:
    attributes = [f"TYPE={kind}", f'GROUP-ID="{group}"', f'NAME="{name}"']
    if track.language != "und":
        attributes.append(f'LANGUAGE="{_quotable(track.language)}"')
    return attributes


def _automatic(tracks: Sequence[AudioTrack | TextTrack]) -> set[str]:
    """Return the tracks that a player may select automatically: no commentary, and one of each language and purpose.

    Tracks that differ in nothing else cannot be told apart by a player (RFC 8216bis, 4.4.6.1.1).
    """
    first: dict[tuple[object, ...], str] = {}
    for track in tracks:
        if TrackRole.COMMENTARY not in track.roles:
            first.setdefault((track.language, track.roles), track.name)
    return set(first.values())


def _yes(condition: bool) -> str:
    return "YES" if condition else "NO"


def _stream(video: VideoTrack, presentation: Presentation, group: str, tracks: Collection[AudioTrack]) -> str:
    """Return the line of a rendition with a group of audio tracks, "" if there is no sound.

    Its bandwidth is the video's plus the largest audio bandwidth of all groups. If the groups had different bandwidths,
    hls.js would take them for different renditions, and play 5.1 to everybody whose connection is good.
    """
    audio_bps = max((track.bandwidth_bps for track in presentation.audio), default=0)
    codecs = dict.fromkeys([video.codec, *(track.codec for track in tracks)])
    attributes = [
        f"BANDWIDTH={video.bandwidth_bps + audio_bps}",
        f'CODECS="{",".join(codecs)}"',
        f"RESOLUTION={video.rendition.width}x{video.rendition.height}",
        f"FRAME-RATE={float(presentation.rate):.3f}",
    ]
    if video.hdr:
        attributes.append(f"VIDEO-RANGE={video.hdr.video_range}")
    if group:
        attributes.append(f'AUDIO="{group}"')
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
