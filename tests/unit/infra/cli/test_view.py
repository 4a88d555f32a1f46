"""What `up` prints about the demonstration films."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from infra.local.cli.view import View


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_film_is_announced_once(is_terminal: bool) -> None:
    output = StringIO()
    view = View(Console(file=output, width=80, force_terminal=is_terminal, color_system=None))
    for label in ("Low Tide", "Nine Waves"):
        for fraction in (0.0, 0.5, 0.75, 1.0, 1.0):  # 1.0 is reported after the upload and at the end
            view.film(label, fraction)
    assert output.getvalue().splitlines() == ["Low Tide: added", "Nine Waves: added"]


def test_a_film_that_was_left_out_is_not_announced_as_added() -> None:
    output = StringIO()
    view = View(Console(file=output, width=80))
    view.film("Nine Waves", 0.0)
    view.film("Nine Waves was left out, because it cannot be fetched.", 1.0)
    view.film("Nine Waves", 1.0)
    assert output.getvalue().splitlines() == ["Nine Waves was left out, because it cannot be fetched."]
