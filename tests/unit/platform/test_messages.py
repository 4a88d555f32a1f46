"""Messages are written and read in one place, one class per queue."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import encoder_app
import function_app
from functions.platform.errors import Malformed
from functions.platform.messages import (
    MESSAGES,
    EncodeAudio,
    EncodeChunk,
    ForgetViewer,
    Message,
    PrepareEncode,
    PublishCatalogue,
    RecordLogin,
    SendMail,
    StartReset,
    UpdateGraph,
    decode,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 27, 4, 26, 20, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "message",
    [
        EncodeChunk(),
        EncodeAudio("1a2b", "a0"),
        PublishCatalogue(),
        UpdateGraph("watched", title_id="a-film", user_id="c" * 32, progress=0.5, at=NOW),
        UpdateGraph("unwatched", user_id="c" * 32),
        RecordLogin("e", "", NOW, "::1", "Firefox", "wrong_password"),
        StartReset("jörg@example.org", known=True, deferrals=2),
        SendMail("reset", "jörg@example.org", "https://films.example/#t", deferrals=2),
    ],
)
def test_what_is_written_is_read_back(message: Message) -> None:
    assert decode(encode(message), type(message)) == message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"job_id": "1a2b", "track": "a-1"}', EncodeAudio),
        (b'{"job_id": "../x", "track": "a1"}', EncodeAudio),
        (b'{"change": "renamed"}', UpdateGraph),
        (b'{"change": "watched", "progress": 2}', UpdateGraph),
        (b'{"change": "rated", "at": "2026-11-27T04:26:20"}', UpdateGraph),
        (b'{"user_id": "short"}', ForgetViewer),
    ],
)
def test_what_a_field_does_not_accept_is_malformed(body: bytes, kind: type[Message]) -> None:
    with pytest.raises(Malformed, match=f"A message of {kind.QUEUE} is malformed"):
        decode(body, kind)


def test_every_message_has_a_function_for_it_and_one_for_its_dead_letters_in_the_same_app() -> None:
    """An encoder takes one message at a time for each function; two functions plan large uploads."""
    found: Counter[tuple[str, bool]] = Counter()
    for slices in (function_app.SLICES, encoder_app.SLICES):
        declared = [each for app in slices for each in app.queue_functions]
        handled, buried = ({each.queue for each in declared if each.dead_letters is dead} for dead in (False, True))
        assert handled == buried
        found.update((each.queue, each.dead_letters) for each in declared)
    expected = Counter((kind.QUEUE, dead) for kind in MESSAGES for dead in (False, True))
    expected[PrepareEncode.QUEUE, False] += 1
    assert found == expected


def test_every_queue_has_one_class() -> None:
    queues: Sequence[str] = [kind.QUEUE for kind in MESSAGES]
    assert len(set(queues)) == len(queues)
    assert set(queues) == {kind.QUEUE for kind in Message.__subclasses__()}
