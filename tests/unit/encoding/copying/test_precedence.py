"""Copies pause while a step runs for which a first picture waits, but not for ever."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from functions.encoding.copying import precedence
from functions.encoding.copying.precedence import Precedence

if TYPE_CHECKING:
    import pytest


def test_copy_pauses_until_no_step_has_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST_PAUSE_S", 120)
    steps = Precedence()
    steps.give_way()
    copy = Thread(target=steps.give_way, daemon=True)
    with steps.taken():
        with steps.taken():
            copy.start()
        copy.join(0.2)
        assert copy.is_alive()
    copy.join(120)
    assert not copy.is_alive()
    steps.give_way()


def test_copy_continues_however_many_steps_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST_PAUSE_S", 0)
    steps = Precedence()
    with steps.taken():
        steps.give_way()


def test_step_that_fails_has_no_precedence_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST_PAUSE_S", 120)
    steps = Precedence()
    try:
        with steps.taken():
            raise ValueError("broken")
    except ValueError:
        steps.give_way()
