"""An opened title names its intro and its credits, where they are known."""

from __future__ import annotations

from msgspec import to_builtins

from functions.catalogue.model import PartKind, SkippablePart
from functions.playback.schemas import PlaybackOpened
from tests.support.catalogue import make_playback, make_title
from tests.support.playback import LAPTOP
from tests.unit.playback.test_playback import VIEWER, opener


def test_parts_that_can_be_skipped_are_named_unless_that_is_off() -> None:
    parts = (SkippablePart(PartKind.INTRO, 12.5, 61.0), SkippablePart(PartKind.CREDITS, 100.0, 120.0))
    title = make_title("film", playback=make_playback("job", complete=True, skippable=parts))
    session = opener(title).open_title("film", VIEWER, LAPTOP)
    assert session.skippable == parts
    assert to_builtins(PlaybackOpened.of(session).skippable) == (
        {"kind": "intro", "start_s": 12.5, "end_s": 61.0},
        {"kind": "credits", "start_s": 100.0, "end_s": 120.0},
    )
    assert opener(title, finds_intros=False).open_title("film", VIEWER, LAPTOP).skippable == ()
