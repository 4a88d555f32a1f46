"""Reading what players and pages send: heartbeats, ratings and the ids of titles, with a sentence for what is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.platform.errors import Malformed, NotFound
from functions.usage.model import Heartbeat, Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SECONDS = 1_000_000.0
MOST_COUNTED = 2_000_000_000
"""More than any sitting counts, and less than what a store's 32-bit integer holds."""

_TITLE_ID = re.compile(r"[a-z0-9-]{1,60}")

Seconds = Annotated[float, Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=MOST_COUNTED)]


class _Quality(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    startup_ms: Count | None = None
    rebuffers: Count = 0
    rebuffer_ms: Count = 0
    bitrate_kbps: Count | None = None
    dropped_frames: Count = 0


class _Heartbeat(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    ticket: Annotated[str, Field(min_length=1, max_length=2000)]
    sequence: Count
    position_s: Seconds
    watched_s: Seconds | None = None
    qoe: _Quality = _Quality()


def read_heartbeat(body: Mapping[str, object]) -> tuple[str, Heartbeat]:
    """Return the ticket and the heartbeat in a body; raise Malformed naming the first field that is wrong."""
    try:
        read = _Heartbeat.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(f"{where}: {first['msg']}.") from None
    quality = Quality(**read.qoe.model_dump())
    return read.ticket, Heartbeat(read.sequence, read.position_s, read.watched_s, quality)


def read_rating(body: Mapping[str, object]) -> int:
    """Return the rating in a body; raise Malformed unless it is 1 or -1."""
    rating = body.get("rating")
    if type(rating) is not int or rating not in (1, -1):
        raise Malformed('A rating is {"rating": 1} for a thumb up or {"rating": -1} for a thumb down.')
    return rating


def read_title_id(text: str) -> str:
    """Return the id of a title; raise NotFound for what cannot be one."""
    if not _TITLE_ID.fullmatch(text):
        raise NotFound(f"There is no title {text[:60]!r}.")
    return text
