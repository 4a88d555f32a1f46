"""The command that rebuilds the graph follows the rebuild to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.local.cli import graph
from infra.local.home import CannotRun

BEGUN = {"phase": "titles", "titles": 0, "titles_in_all": 40, "viewers": 0, "views": 0, "steps": 0, "reason": None}


@dataclass
class Api:
    """A fake API that returns the given states one after another, then keeps returning the last one."""

    states: list[dict[str, Any]]
    posted: list[str] = field(default_factory=list)

    def post(self, path: str, body: object) -> Any:
        self.posted.append(path)
        return self.states.pop(0)

    def get(self, path: str) -> Any:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


def follow(*states: dict[str, Any]) -> tuple[dict[str, Any], list[float], Api]:
    api = Api([{**BEGUN, **state} for state in states])
    shown: list[float] = []
    waits: list[float] = []
    last = graph.follow(api, lambda seen: shown.append(graph._share(seen)), sleep=waits.append)  # type: ignore[arg-type]
    return last, shown, api


def test_it_is_watched_to_its_end() -> None:
    last, shown, api = follow({}, {"titles": 20}, {"phase": "viewers"}, {"phase": "steps"}, {"phase": "done"})
    assert api.posted == ["/api/graph/rebuild"]
    assert last["phase"] == "done"
    assert shown == [0, 16.5, 33, 67, 100]


def test_a_failure_is_told() -> None:
    assert follow({}, {"phase": "failed", "reason": "It could not go on."})[0]["reason"] == "It could not go on."


def test_a_rebuild_that_is_silent_is_not_waited_for_for_ever() -> None:
    with pytest.raises(CannotRun, match="continues automatically"):
        follow({}, {"titles": 20})
