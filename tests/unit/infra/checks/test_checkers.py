"""Checks can be run by name; all run even if one of them fails. Shell scripts are also found by their first line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infra.checks.checkers import Checker, Tools, all_checkers, run, select, shell_scripts

PASSES = Checker("passes", "a check", (sys.executable, "-c", ""))
FAILS = Checker("fails", "a check", (sys.executable, "-c", "raise SystemExit(3)"))


def test_all_checks_run_and_those_that_fail_are_returned() -> None:
    assert run([FAILS, PASSES, FAILS]) == ["fails", "fails"]


def test_a_check_adds_to_the_environment() -> None:
    program = "import os, sys; sys.exit(os.environ['RULES'] != 'strict' or 'PATH' not in os.environ)"
    assert run([Checker("strict", "a check", (sys.executable, "-c", program), {"RULES": "strict"})]) == []


def test_checks_are_selected_by_name_and_all_without_one() -> None:
    assert select(["fails"], [PASSES, FAILS]) == [FAILS]
    assert select([], [PASSES, FAILS]) == [PASSES, FAILS]
    with pytest.raises(KeyError, match="unknown"):
        select(["unknown"], [PASSES, FAILS])


def test_names_of_checks_are_unique() -> None:
    names = [checker.name for checker in all_checkers(Tools(npm=Path("npm"), home=Path("home")))]
    assert len(set(names)) == len(names)


def test_scripts_without_extension_are_checked() -> None:
    assert {"notflix", ".ci/run"} <= set(shell_scripts())
