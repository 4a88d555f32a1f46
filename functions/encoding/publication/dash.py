"""Write the DASH manifest of a title: dynamic, like a recording in progress, while it grows; static once complete.

Invariant: ids, bandwidths, codecs and addresses are the same in every manifest of one job, and a manifest that a player
reloads keeps its renditions. So a player that started while the title was growing can play the title to the end.
Element and attribute names are those of ISO/IEC 23009-1.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING
from uuid import UUID
from xml.etree import ElementTree

from functions.encoding.frame_grid import SEGMENT_S
from functions.encoding.text_plan import TrackRole
from functions.platform.time import to_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from functions.encoding.publication.presentation import (
        AudioTrack,
        Presentation,
        TextTrack,
        TimedSegments,
        VideoTrack,
    )

UPDATE_PERIOD_S = 2
"""How often a player reloads a growing manifest."""

CHANNELS_SCHEME = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
ROLE_SCHEME = "urn:mpeg:dash:role:2011"
AUDIO_PURPOSE_SCHEME = "urn:tva:metadata:cs:AudioPurposeCS:2007"
"""The scheme of DVB for accessibility: 1 for the visually impaired, 2 for the hard of hearing."""

AUTOMATIC_SCHEME = "urn:notflix:machine-generated:2026"
"""Marks subtitles that a machine made. DASH has no word for them; HLS has one, see `hls`."""

_ACCESSIBILITY = {
    TrackRole.DESCRIPTION: ((AUDIO_PURPOSE_SCHEME, "1"), (ROLE_SCHEME, "description")),
    TrackRole.HEARING_IMPAIRED: ((AUDIO_PURPOSE_SCHEME, "2"),),
    TrackRole.FORCED: ((ROLE_SCHEME, "forced-subtitle"),),
}
"""Accessibility descriptors by role. Values from later editions of the role scheme are written as Accessibility,
because the rules of DASH-IF accept only values of the first edition as Role; players read both."""

SEGMENTED_PROFILE = "urn:mpeg:dash:profile:isoff-live:2011"
FULL_PROFILE = "urn:mpeg:dash:profile:full:2011"
"""The profile of a manifest with subtitles: the live profile demands a SegmentTemplate in each Representation (8.4.2),
but a subtitle track is a single file."""

ENCRYPTED_SCHEME = "urn:mpeg:dash:mp4protection:2011"
CLEAR_KEY_SCHEME = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
"""How the segments are encrypted (ISO/IEC 23009-1, 5.8.5.2), and with which system browsers decrypt them: Clear Key,
whose keys the site gives to the player."""

COLOUR_SCHEME = "urn:mpeg:mpegB:cicp:"
"""The schemes of code points for colours (ISO/IEC 23091-2), by which players recognise pictures in HDR."""

BT2020 = {"ColourPrimaries": 9, "MatrixCoefficients": 9}

TEXT_BANDWIDTH_BPS = 1000
"""The bandwidth declared for a WebVTT file, because the attribute is mandatory; players ignore its value."""


def write_mpd(presentation: Presentation, *, reloaded_from: str | None = None) -> str:
    """Return the text of a manifest. Raises ValueError if a video or audio track has no segment yet.

    `reloaded_from` is the name of another manifest of the job, from which a player gets all updates of this one.
    """
    for name, timeline in (
        ("video", presentation.video_segments),
        *((track.name, track.segments) for track in presentation.audio),
    ):
        if not timeline.durations:
            raise ValueError(f"The track {name} has no segment yet: there is nothing to announce.")
    mpd = ElementTree.Element("MPD", _mpd_attributes(presentation))
    if presentation.key_id:
        mpd.set("xmlns:cenc", "urn:mpeg:cenc:2013")
    if reloaded_from:
        ElementTree.SubElement(mpd, "Location").text = reloaded_from
    period = ElementTree.SubElement(mpd, "Period", {"id": "0", "start": "PT0S"})
    _add_video(period, presentation, presentation.video)
    for number, track in enumerate(presentation.audio):
        _add_audio(period, track, is_main=number == 0, key_id=presentation.key_id)
    for text in presentation.text:
        _add_text(period, text)
    if presentation.av1:  # last, so that the other sets keep their ids
        _add_video(period, presentation, presentation.av1)
    ElementTree.indent(mpd)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(mpd, encoding="unicode")}\n'


def _mpd_attributes(presentation: Presentation) -> dict[str, str]:
    longest = max(
        Fraction(max(timeline.durations), timeline.timescale)
        for timeline in (presentation.video_segments, *(track.segments for track in presentation.audio))
    )
    if presentation.longest_s > SEGMENT_S:  # the same in each manifest, although a longer segment may follow
        longest = max(longest, presentation.longest_s)
    attributes = {
        "xmlns": "urn:mpeg:dash:schema:mpd:2011",
        "profiles": FULL_PROFILE if presentation.text else SEGMENTED_PROFILE,
        "type": "static",
        "mediaPresentationDuration": _duration(presentation.duration),
        "minBufferTime": "PT4S",
        "maxSegmentDuration": _duration(longest),
    }
    if not presentation.is_static:
        # The length is known and the start is in 1970, so all segments are available regardless of the player's clock.
        # The manifest grows, but it is not a live stream.
        attributes |= {
            "type": "dynamic",
            "availabilityStartTime": "1970-01-01T00:00:00Z",
            "publishTime": to_text(presentation.published_at),
            "minimumUpdatePeriod": f"PT{UPDATE_PERIOD_S}S",
            "suggestedPresentationDelay": "PT0S",
        }
    return attributes


def _add_video(period: ElementTree.Element, presentation: Presentation, tracks: Collection[VideoTrack]) -> None:
    renditions = [track.rendition for track in tracks]
    best = max(renditions, key=lambda rendition: rendition.height)
    picture_ratio = Fraction(best.width, best.height)
    adaptation_set = _add_set(
        period,
        {
            "contentType": "video",
            "mimeType": "video/mp4",
            "segmentAlignment": "true",
            "startWithSAP": "1",
            "frameRate": str(presentation.rate),
            "maxWidth": str(max(rendition.width for rendition in renditions)),
            "maxHeight": str(max(rendition.height for rendition in renditions)),
            "par": _ratio(picture_ratio),
        },
    )
    _add_protection(adaptation_set, presentation.key_id)
    for hdr in dict.fromkeys(track.hdr for track in tracks if track.hdr):
        for name, code in {**BT2020, "TransferCharacteristics": hdr.code}.items():
            attributes = {"schemeIdUri": f"{COLOUR_SCHEME}{name}", "value": str(code)}
            ElementTree.SubElement(adaptation_set, "EssentialProperty", attributes)
    for track in tracks:
        _add_rendition(adaptation_set, track, presentation.video_segments)


def _add_rendition(adaptation_set: ElementTree.Element, track: VideoTrack, segments: TimedSegments) -> None:
    representation = ElementTree.SubElement(
        adaptation_set,
        "Representation",
        {
            "id": track.name,
            "codecs": track.codec,
            "bandwidth": str(track.bandwidth_bps),
            "width": str(track.rendition.width),
            "height": str(track.rendition.height),
            "sar": "1:1",  # encoded with square pixels; width and height are rounded to even numbers
        },
    )
    _add_segments(representation, track.name, segments)


def _add_audio(period: ElementTree.Element, track: AudioTrack, *, is_main: bool, key_id: str | None) -> None:
    adaptation_set = _add_set(
        period,
        {
            "contentType": "audio",
            "mimeType": "audio/mp4",
            "lang": track.language,
            "segmentAlignment": "true",
            "startWithSAP": "1",
        },
    )
    _add_protection(adaptation_set, key_id)
    ElementTree.SubElement(adaptation_set, "Label").text = _allowed(track.label)
    _add_accessibility(adaptation_set, track.roles)
    _add_role(adaptation_set, "main" if is_main else "alternate")
    if TrackRole.COMMENTARY in track.roles:
        _add_role(adaptation_set, "commentary")
    representation = ElementTree.SubElement(
        adaptation_set,
        "Representation",
        {
            "id": track.name,
            "codecs": track.codec,
            "bandwidth": str(track.bandwidth_bps),
            "audioSamplingRate": str(track.sample_rate),
        },
    )
    ElementTree.SubElement(
        representation,
        "AudioChannelConfiguration",
        {"schemeIdUri": CHANNELS_SCHEME, "value": str(track.channels)},
    )
    _add_segments(representation, track.name, track.segments)


def _add_text(period: ElementTree.Element, track: TextTrack) -> None:
    adaptation_set = _add_set(
        period,
        {"contentType": "text", "mimeType": "text/vtt", "lang": track.language},
    )
    if TrackRole.AUTOMATIC in track.roles:
        mark = {"schemeIdUri": AUTOMATIC_SCHEME, "value": "true"}
        ElementTree.SubElement(adaptation_set, "SupplementalProperty", mark)
    ElementTree.SubElement(adaptation_set, "Label").text = _allowed(track.label)
    _add_accessibility(adaptation_set, track.roles)
    _add_role(adaptation_set, "caption" if TrackRole.HEARING_IMPAIRED in track.roles else "subtitle")
    if TrackRole.COMMENTARY in track.roles:
        _add_role(adaptation_set, "commentary")
    representation = ElementTree.SubElement(
        adaptation_set, "Representation", {"id": track.name, "bandwidth": str(TEXT_BANDWIDTH_BPS)}
    )
    ElementTree.SubElement(representation, "BaseURL").text = f"{track.name}.vtt"


def _add_set(period: ElementTree.Element, attributes: dict[str, str]) -> ElementTree.Element:
    """Add an AdaptationSet whose id is its position: video, audio; subtitles and AV1 once the title is complete."""
    return ElementTree.SubElement(period, "AdaptationSet", {"id": str(len(period)), **attributes})


def _add_protection(adaptation_set: ElementTree.Element, key_id: str | None) -> None:
    """Say that the segments are encrypted, and with which key; `key_id` is in hexadecimal."""
    if key_id:
        for attributes in (
            {"schemeIdUri": ENCRYPTED_SCHEME, "value": "cbcs", "cenc:default_KID": str(UUID(hex=key_id))},
            {"schemeIdUri": CLEAR_KEY_SCHEME, "value": "ClearKey1.0"},
        ):
            ElementTree.SubElement(adaptation_set, "ContentProtection", attributes)


def _add_role(adaptation_set: ElementTree.Element, value: str) -> None:
    ElementTree.SubElement(adaptation_set, "Role", {"schemeIdUri": ROLE_SCHEME, "value": value})


def _add_accessibility(adaptation_set: ElementTree.Element, roles: Collection[TrackRole]) -> None:
    for role in roles:
        for scheme, value in _ACCESSIBILITY.get(role, ()):
            ElementTree.SubElement(adaptation_set, "Accessibility", {"schemeIdUri": scheme, "value": value})


def _add_segments(representation: ElementTree.Element, folder: str, segments: TimedSegments) -> None:
    template = ElementTree.SubElement(
        representation,
        "SegmentTemplate",
        {
            "timescale": str(segments.timescale),
            "initialization": f"{folder}/init.mp4",
            "media": f"{folder}/s$Number%05d$.m4s",
            "startNumber": str(segments.first),
        },
    )
    timeline = ElementTree.SubElement(template, "SegmentTimeline")
    clock = segments.begin
    for duration, run in groupby(segments.durations):
        count = sum(1 for _ in run)
        entry = ElementTree.SubElement(timeline, "S", {"t": str(clock), "d": str(duration)})
        if count > 1:
            entry.set("r", str(count - 1))
        clock += count * duration


def _duration(seconds: Fraction) -> str:
    """Return an xs:duration, rounded up to the microsecond: players may drop a frame that ends after the duration."""
    text = f"{ceil(seconds * 1_000_000) / 1_000_000:.6f}".rstrip("0").rstrip(".")
    return f"PT{text}S"


def _allowed(text: str) -> str:
    """Return `text` without the characters that XML does not allow even when escaped (XML 1.0, 2.2)."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", text)


def _ratio(ratio: Fraction) -> str:
    return f"{ratio.numerator}:{ratio.denominator}"
