"""Times have one text form, and any other text is rejected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.platform.errors import Malformed
from functions.platform.time import from_text, now, to_text


def test_a_time_is_written_in_utc_with_whole_seconds() -> None:
    at = datetime(2026, 11, 27, 5, 26, 20, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert to_text(at) == "2026-11-27T04:26:20Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-27", "2026-11-27T04:26:20", "9999-12-31T23:59:59-14:00"])
def test_what_is_not_an_aware_time_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="2026-11-27T04:26:20Z"):
        from_text(text)


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_a_written_time_is_read_back(at: datetime) -> None:
    assert from_text(to_text(at)) == at.replace(microsecond=0)


def test_the_clock_is_aware() -> None:
    assert now().tzinfo is UTC
