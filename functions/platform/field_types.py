"""Field types shared by requests, answers and queue messages, with the limits that are checked on reading."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

# Python's `$` also matches before a line end at the end of the string; the `$` of JSON Schema does not

TitleId = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,60}$(?!\n)", description="The id of a title.")]
UserId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="The id of an account.")]
ProfileId = Annotated[
    str,
    Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="The id of a profile; the account's own has the account's id."),
]
JobId = Annotated[str, Meta(pattern=r"^[0-9a-f]{1,32}$(?!\n)", description="The id of an encode job.")]
Time = Annotated[datetime, Meta(tz=True)]
"""An aware time. Answers write it as `2026-11-27T04:26:20Z`."""
Cursor = Annotated[str, Meta(max_length=500, description="The cursor of the previous page; absent for the first.")]
NextCursor = Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]
Limit = Annotated[int, Meta(ge=1, le=100, description="The most entries to return.")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$(?!\n)", description="A day in UTC, such as 2026-11-27.")]
DayCount = Annotated[int, Meta(ge=1, le=90, description="How many days to report on; the last one is today.")]
