"""Runs of many tests are spread over several processes, and tests that share a product stay together."""

from __future__ import annotations

import pytest

from infra.local.home import REPOSITORY
from tests.support.distribution import LONG_UNITS, order_of, processes, unit_of


@pytest.mark.parametrize("arguments", [["tests"], ["tests/unit"], ["tests/e2e/"], [str(REPOSITORY)], ["."]])
def test_whole_kinds_are_spread(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert processes(arguments) >= 2


@pytest.mark.parametrize("argument", ["tests/unit/billing", "tests/e2e/test_x.py", "tests/e2e/test_x.py::test_y"])
def test_a_few_files_run_in_one_process(argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert processes([argument]) == 0


def test_long_units_exist_and_come_first() -> None:
    for unit in LONG_UNITS:
        assert list(REPOSITORY.glob(f"{unit}*")), f"there is no {unit}"
        assert unit_of(f"{unit}::test_x") == unit
        assert order_of(f"{unit}::test_x") < order_of("tests/faults/test_other.py::test_x")


def test_other_units_run_from_slow_kinds_to_quick_ones() -> None:
    found = [order_of(f"tests/{kind}/test_other.py::test_x") for kind in ("faults", "e2e", "unit")]
    assert len(LONG_UNITS) < found[0] < found[1] < found[2]
