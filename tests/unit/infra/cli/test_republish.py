"""The command that republishes the catalogue waits until all titles are published."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.local.cli import republish
from infra.local.home import CannotRun


@dataclass
class Api:
    """A fake API that returns the given numbers of waiting titles in turn, then keeps returning the last one."""

    waiting: list[int]
    posted: list[str] = field(default_factory=list)

    def post(self, path: str, body: object) -> Any:
        self.posted.append(path)
        return {"waiting": self.waiting.pop(0)}

    def get(self, path: str) -> Any:
        return {"waiting": self.waiting.pop(0) if len(self.waiting) > 1 else self.waiting[0]}


def follow(*waiting: int) -> tuple[int, list[tuple[int, int]], Api]:
    api = Api(list(waiting))
    shown: list[tuple[int, int]] = []
    total = republish.follow(api, lambda *state: shown.append(state), sleep=lambda s: None)  # type: ignore[arg-type]
    return total, shown, api


def test_it_waits_until_no_title_is_left() -> None:
    total, shown, api = follow(40, 30, 0)
    assert api.posted == ["/api/catalogue/republish"]
    assert (total, shown) == (40, [(0, 40), (10, 40), (40, 40)])


def test_an_empty_catalogue_is_done_at_once() -> None:
    assert follow(0)[0] == 0


def test_without_progress_it_gives_up() -> None:
    with pytest.raises(CannotRun, match="No file was written"):
        follow(40, 40)
