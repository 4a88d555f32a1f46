"""Long lines of prose are found; tables, code and lines that cannot be broken are not reported."""

from __future__ import annotations

from infra.checks.prose import LONGEST, long_lines

LONG = "word " * 30
ADDRESS = "https://example.org/" + "a" * LONGEST


def test_a_long_line_is_found_by_its_number() -> None:
    assert long_lines(f"short\n{LONG}\n- {LONG}\n> {LONG}\n") == [2, 3, 4]


def test_a_line_of_exactly_the_limit_is_not_found() -> None:
    assert long_lines("a " * (LONGEST // 2)) == []


def test_tables_code_and_long_addresses_are_not_found() -> None:
    assert long_lines(f"| {LONG} |\n```sh\n{LONG}\n```\n{ADDRESS}\n- {ADDRESS}\n") == []


def test_a_shorter_fence_inside_code_does_not_end_it() -> None:
    assert long_lines(f"````\n```\n{LONG}\n````\n{LONG}\n") == [5]
