"""The timer for work on ready titles, in a test of one kind of this work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap_av1, bootstrap_captions, bootstrap_intros

if TYPE_CHECKING:
    import pytest


class NothingDue:
    """The service of a kind of work that has nothing to do."""

    def start_due(self) -> int:
        return 0

    def request_due(self) -> int:
        return 0


def nothing_else_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the timer find nothing to do; a test then puts the service in place that it is about."""
    for root, name in ((bootstrap_av1, "av1"), (bootstrap_captions, "captions"), (bootstrap_intros, "intros")):
        monkeypatch.setattr(root, name, NothingDue)
