"""Steps between titles: closer steps weigh more, and the reverse of a change restores the weights exactly."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.recommendations import steps
from tests.support.clock import NOON

histories = st.lists(
    st.tuples(st.sampled_from([f"film-{number}" for number in range(30)]), st.integers(0, 20)),
    max_size=40,
    unique_by=lambda watched: watched[0],
).map(lambda watched: sorted(watched, key=lambda each: (each[1], each[0])))


def watched(*names: str) -> list[tuple[str, object]]:
    """Return a history of titles watched one after the other."""
    return [(name, number) for number, name in enumerate(names)]


def test_the_next_title_weighs_most_and_the_way_back_a_fifth() -> None:
    weights = steps.steps(watched("a", "b", "c"))
    assert weights == {
        ("a", "b"): 667,
        ("b", "c"): 667,
        ("a", "c"): 400,
        ("b", "a"): 133,
        ("c", "b"): 133,
        ("c", "a"): 80,
    }


def test_titles_watched_at_one_time_are_nearer() -> None:
    together = steps.steps([("a", 1), ("b", 1), ("c", 2)])
    assert together["a", "b"] == 1000
    assert together["b", "c"] == 667
    assert together["a", "c"] == 500


def test_beyond_the_window_there_is_no_step() -> None:
    weights = steps.steps(watched(*(f"{number:02d}" for number in range(30))))
    assert ("00", "20") in weights
    assert ("00", "21") not in weights


@given(before=histories, between=histories, after=histories)
def test_a_change_and_its_opposite_leave_nothing(
    before: list[tuple[str, int]], between: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    weights = steps.steps(before)
    for old, new in ((before, between), (between, after)):
        for step, (was, now) in steps.difference(old, new).items():
            weights[step] += now - was
    assert +weights == +steps.steps(after)


@given(histories=st.lists(histories, max_size=5))
def test_rows_add_up_every_viewers_steps_and_leave_out_what_says_nothing(
    histories: list[list[tuple[str, int]]],
) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for history in histories:
        expected.update(steps.steps(history))
    views = Counter(title for history in histories for title, _ in history)
    found = {(start, end): weight for start, row in steps.rows(histories, views).items() for end, weight in row.items()}
    assert found == {step: weight for step, weight in expected.items() if weight >= steps.SIGNIFICANT}


def test_rows_of_some_titles_are_those_of_all() -> None:
    views = Counter("abcd")
    history = watched(*"abcd")
    everything = steps.rows([history], views)
    assert steps.rows([history], views, frozenset("bd")) == {title: everything[title] for title in "bd"}


def test_a_row_keeps_the_strongest_and_of_equals_the_lower_ids() -> None:
    names = [f"{number:04d}" for number in range(steps.ROW + 50)]
    views = Counter({"seed": 1, **dict.fromkeys(names, 1), names[-1]: 0})
    row = steps.rows([watched("seed", name) for name in names], views)["seed"]
    assert len(row) == steps.ROW
    assert names[-1] in row and names[-2] not in row and names[0] in row


def test_heat_doubles_in_a_fortnight_and_never_overflows() -> None:
    assert steps.heat(NOON + timedelta(days=14)) == 2 * steps.heat(NOON)
    assert steps.heat(datetime(1997, 9, 1, tzinfo=UTC)) > 0
    assert steps.heat(datetime(2999, 1, 1, tzinfo=UTC)) < float("inf")
