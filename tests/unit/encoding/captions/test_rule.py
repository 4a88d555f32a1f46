"""Which titles get automatic captions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.encoding.captions.rule import Captioned, CaptionsMode, captioned_by
from functions.encoding.model import JobStatus
from functions.encoding.text_plan import TextPlan, TrackRole
from functions.encoding.track_state import TrackFault, TrackState
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.model import AudioPlan, EncodeJob

MARKED, ASSUMED, NEVER = CaptionsMode.MARKED, CaptionsMode.ASSUMED, CaptionsMode.NEVER


def sound(name: str, language: str, *roles: TrackRole) -> AudioPlan:
    return replace(make_plan().audio[0], name=name, language=language, roles=roles)


def text(name: str, language: str, *roles: TrackRole) -> TextPlan:
    return TextPlan(name, language, "", 3, None, roles)


def job(*audio: AudioPlan, texts: tuple[TextPlan, ...] = (), left_out: tuple[str, ...] = ()) -> EncodeJob:
    """Return a ready job with these tracks, of which some turned out to be empty."""
    names = [*(track.name for track in audio), *(track.name for track in texts)]
    states = {name: TrackState(complete=True, fault=TrackFault.EMPTY if name in left_out else None) for name in names}
    return make_job(plan=replace(make_plan(), audio=audio, text=texts), tracks=states, status=JobStatus.READY)


@pytest.mark.parametrize(
    ("made", "mode", "expected"),
    [
        (job(sound("a0", "en")), MARKED, Captioned("a0", "en", "t0")),
        (job(sound("a0", "en-US")), MARKED, Captioned("a0", "en-US", "t0")),
        (job(sound("a0", "en")), NEVER, None),
        (job(sound("a0", "de")), MARKED, None),
        (job(sound("a0", "de")), ASSUMED, None),
        (job(sound("a0", "und")), MARKED, None),
        (job(sound("a0", "und")), ASSUMED, Captioned("a0", "en", "t0")),
        (job(sound("a0", "de"), sound("a1", "en")), MARKED, Captioned("a1", "en", "t0")),
        (job(sound("a0", "en", TrackRole.COMMENTARY)), MARKED, None),
        (job(sound("a0", "en", TrackRole.DESCRIPTION)), MARKED, None),
        (job(sound("a0", "en"), left_out=("a0",)), MARKED, None),
        (job(replace(sound("a1", "en"), stereo="a0")), MARKED, None),
        (job(), ASSUMED, None),
        (job(sound("a0", "en"), texts=(text("t0", "en"),)), MARKED, None),
        (job(sound("a0", "en"), texts=(text("t0", "en-GB", TrackRole.HEARING_IMPAIRED),)), MARKED, None),
        (job(sound("a0", "und"), texts=(text("t0", "en"),)), ASSUMED, None),
        (job(sound("a0", "en"), texts=(text("t0", "de"),)), MARKED, Captioned("a0", "en", "t1")),
        (job(sound("a0", "en"), texts=(text("t0", "en", TrackRole.FORCED),)), MARKED, Captioned("a0", "en", "t1")),
        (job(sound("a0", "en"), texts=(text("t0", "en"),), left_out=("t0",)), MARKED, Captioned("a0", "en", "t1")),
    ],
)
def test_titles_get_captions_from_known_sound_without_subtitles(
    made: EncodeJob, mode: CaptionsMode, expected: Captioned | None
) -> None:
    assert captioned_by(made, mode, ["en"]) == expected


def test_another_model_knows_other_languages() -> None:
    german = job(sound("a0", "de"))
    assert captioned_by(german, MARKED, ["de", "en"]) == Captioned("a0", "de", "t0")
    assert captioned_by(job(sound("a0", "und")), ASSUMED, ["de", "en"]) == Captioned("a0", "de", "t0")
    assert captioned_by(german, MARKED, []) is None
