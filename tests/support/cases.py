"""Lists of similar cases: each kind is tried in every run of the tests, all of them with `./notflix test --all`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable


def always(quick: Iterable[str], cases: Iterable[str]) -> list[Any]:
    """Return the names of cases as parameters; those that are not among `quick` are marked as extended."""
    quick, cases = set(quick), list(cases)
    assert quick.issubset(cases), f"there is no case {', '.join(sorted(quick.difference(cases)))}"
    return [case if case in quick else pytest.param(case, marks=pytest.mark.extended) for case in cases]


def extended(*values: object) -> Any:
    """Return the values of a case that only `./notflix test --all` tries."""
    return pytest.param(*values, marks=pytest.mark.extended)
