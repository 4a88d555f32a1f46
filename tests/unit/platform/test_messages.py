"""Messages are written and read in one place, one class per queue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from functions.platform.errors import Malformed
from functions.platform.messages import (
    MESSAGES,
    EncodeChunk,
    ForgetViewer,
    Message,
    PublishCatalogue,
    RecordLogin,
    SendMail,
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
        EncodeChunk("1a2b", 3),
        PublishCatalogue(),
        UpdateGraph("watched", title_id="a-film", user_id="c" * 32, progress=0.5, at=NOW),
        UpdateGraph("unwatched", user_id="c" * 32),
        RecordLogin("e", "", NOW, "::1", "Firefox", "wrong_password"),
        SendMail("reset", "jörg@example.org", "https://films.example/#t", deferrals=2),
    ],
)
def test_what_is_written_is_read_back(message: Message) -> None:
    assert decode(encode(message), type(message)) == message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"job_id": "1a2b", "chunk": -1}', EncodeChunk),
        (b'{"job_id": "../x", "chunk": 1}', EncodeChunk),
        (b'{"change": "renamed"}', UpdateGraph),
        (b'{"change": "watched", "progress": 2}', UpdateGraph),
        (b'{"change": "rated", "at": "2026-11-27T04:26:20"}', UpdateGraph),
        (b'{"user_id": "short"}', ForgetViewer),
    ],
)
def test_what_a_field_does_not_accept_is_malformed(body: bytes, kind: type[Message]) -> None:
    with pytest.raises(Malformed, match=f"A message of {kind.QUEUE} is malformed"):
        decode(body, kind)


def test_every_queue_has_one_class() -> None:
    queues: Sequence[str] = [kind.QUEUE for kind in MESSAGES]
    assert len(set(queues)) == len(queues)
    assert set(queues) == {kind.QUEUE for kind in Message.__subclasses__()}
