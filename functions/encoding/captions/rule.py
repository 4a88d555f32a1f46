"""Which titles get automatic captions: those with sound in a language that the model knows, without subtitles in it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.languages import UNKNOWN
from functions.encoding.late_text import listed_texts
from functions.encoding.text_plan import TrackRole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from functions.encoding.model import EncodeJob
    from functions.encoding.text_plan import TextPlan

OTHER_SOUND = {TrackRole.COMMENTARY, TrackRole.DESCRIPTION}
"""Sound that does not say what is said in the film, or says more."""

OTHER_TEXT = {TrackRole.COMMENTARY, TrackRole.FORCED}
"""Subtitles that do not say all that is said in the film."""


class CaptionsMode(StrEnum):
    """For which sound captions are made, as set by AUTOMATIC_CAPTIONS.

    `marked`: for sound that is marked with a language that the model knows. `assumed`: also for sound without a
    language, which is taken to be in the first of these languages; a model for one language cannot tell.
    """

    NEVER = "never"
    MARKED = "marked"
    ASSUMED = "assumed"


class Captioned(NamedTuple):
    """The audio track from which captions are made, their language, and the name of their track."""

    audio: str
    language: str
    track: str


def captioned_by(job: EncodeJob, mode: CaptionsMode, languages: Sequence[str]) -> Captioned | None:
    """Return from which track the captions of a ready job are made, or None if it gets none.

    `languages` are those that the model knows, as the shortest codes (ISO 639). The first suitable audio track counts.
    """
    plan = job.current_plan
    if mode is CaptionsMode.NEVER or plan is None or not languages:
        return None
    subtitles = spoken_in(listed_texts(job, plan))
    for audio in plan.audio:
        if OTHER_SOUND.intersection(audio.roles) or audio.stereo or job.tracks[audio.name].left_out:
            continue
        is_assumed = audio.language == UNKNOWN and mode is CaptionsMode.ASSUMED
        language = languages[0] if is_assumed else audio.language
        if base_of(language) in languages and base_of(language) not in subtitles:
            return Captioned(audio.name, language, f"t{len(plan.text)}")
    return None


def spoken_in(texts: Iterable[TextPlan]) -> set[str]:
    """Return the languages of those subtitles that say all that is said in the film."""
    return {base_of(text.language) for text in texts if not OTHER_TEXT.intersection(text.roles)}


def base_of(language: str) -> str:
    """Return the language of a BCP 47 tag without its script and region."""
    return language.partition("-")[0].lower()
