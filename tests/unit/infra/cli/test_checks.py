"""The arguments that `./notflix test` passes to pytest."""

from __future__ import annotations

from pathlib import Path

from infra.local.cli.checks import pytest_arguments

HOME = Path("/home")


def test_arguments_are_handed_on_and_the_cache_stays_out_of_the_repository() -> None:
    given = ["-q", "tests/unit", "-n", "0"]
    assert pytest_arguments(given, HOME) == ["-o", "cache_dir=/home/caches/pytest", "-n", "auto", *given]


def test_coverage_is_measured_only_where_it_is_asked_for() -> None:
    arguments = pytest_arguments(["-q", "--coverage"], HOME)
    assert "--cov" in arguments
    assert "--cov-report=html:/home/coverage" in arguments
    assert "--coverage" not in arguments
    assert not any(each.startswith("--cov-fail-under") for each in arguments)
