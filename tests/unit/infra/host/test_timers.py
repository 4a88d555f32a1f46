"""NCRONTAB expressions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from infra.local.host.timers import Schedule


@pytest.mark.parametrize(
    ("expression", "after", "then"),
    [
        ("* * * * * *", "2026-11-24T10:00:00", "2026-11-24T10:00:01"),
        ("0 * * * * *", "2026-11-24T10:00:00", "2026-11-24T10:01:00"),
        ("*/20 * * * * *", "2026-11-24T10:00:41", "2026-11-24T10:01:00"),
        ("5/20 * * * * *", "2026-11-24T10:00:26", "2026-11-24T10:00:45"),
        ("0 */5 * * * *", "2026-11-24T23:59:59", "2026-11-25T00:00:00"),
        ("*/5 * * * *", "2026-11-24T10:01:00", "2026-11-24T10:05:00"),
        ("0 30 9-17 * * *", "2026-11-24T17:30:00", "2026-11-25T09:30:00"),
        ("0 0 0,12 * * *", "2026-11-24T00:00:00", "2026-11-24T12:00:00"),
        ("0 0 8-18/4 * * *", "2026-11-24T12:00:00", "2026-11-24T16:00:00"),
        ("0 0 0 * * Mon-Fri", "2026-11-27T00:00:00", "2026-11-30T00:00:00"),
        ("0 0 0 * * 0", "2026-11-24T00:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 1 JAN *", "2026-11-24T00:00:00", "2027-01-01T00:00:00"),
        ("0 0 0 13 * Friday", "2026-11-24T00:00:00", "2027-08-13T00:00:00"),
        ("0 0 0 29 2 *", "2026-11-24T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 31 * *", "2026-11-30T12:00:00", "2026-12-31T00:00:00"),
    ],
)
def test_the_next_time_follows(expression: str, after: str, then: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert Schedule.parse(expression).next_after(moment) == datetime.fromisoformat(then).replace(tzinfo=UTC)


def test_the_next_time_is_later_even_within_a_second() -> None:
    moment = datetime(2026, 11, 24, 10, 0, 0, 999_999, tzinfo=UTC)
    assert Schedule.parse("* * * * * *").next_after(moment) == datetime(2026, 11, 24, 10, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "60 * * * * *", "* * 24 * * *", "x * * * * *", "9-5 * * * * *", "*/0 * * * * *", "1- * * *"],
)
def test_a_wrong_expression_is_told(expression: str) -> None:
    with pytest.raises(ValueError, match=r"fields|not within|not a number"):
        Schedule.parse(expression)


def test_a_time_that_never_comes_is_told() -> None:
    with pytest.raises(ValueError, match="no future time"):
        Schedule.parse("0 0 0 31 2 *").next_after(datetime(2026, 1, 1, tzinfo=UTC))
