"""`verify --repair` waits until a title is repaired, or until it is known that it cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from infra.local.cli.verify import prove, prove_or_say, sentence_of
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from infra.local.cli.api import Api

TITLE = {"id": "film-1a2b3c", "name": "Film", "playback": {"job_id": "0123456789ab"}}
DAMAGED = {"files": 20, "size": 2000, "damaged": 1, "examples": ["v360/s00001.m4s"]}
SOUND = {"files": 20, "size": 2000, "damaged": 0, "examples": []}


class ScriptedApi:
    """An API that returns the given states of a job, one for each request."""

    def __init__(self, *states: tuple[str, bool, dict[str, Any] | None]) -> None:
        self._states = list(states)

    def get(self, path: str) -> dict[str, Any]:
        del path
        status, verifying, verification = self._states.pop(0)
        job = {"name": "Film", "status": status, "reason": "Upload the film again."}
        return {**job, "verifying": verifying, "verification": verification}

    def post(self, path: str, body: dict[str, Any]) -> None:
        """Accept any request."""


REPAIRED = [("ready", True, DAMAGED), ("encoding", False, None), ("ready", True, None), ("ready", False, SOUND)]
REFUSED = [("ready", True, DAMAGED), ("ready", False, DAMAGED), ("ready", True, DAMAGED), ("ready", False, DAMAGED)]


@pytest.mark.parametrize(("states", "repaired"), [(REPAIRED, True), (REFUSED, False)])
def test_repair_ends_with_a_title_that_is_repaired_or_cannot_be(
    states: list[tuple[str, bool, dict[str, Any] | None]], repaired: bool
) -> None:
    api = ScriptedApi(("ready", False, DAMAGED), *states)
    proof = prove(cast("Api", api), TITLE, repair=True, sleep=lambda _: None)
    assert (proof.damaged, proof.repaired, proof.is_sound) == (1, repaired, repaired)


def test_a_title_that_cannot_be_verified_is_named_and_leaves_the_others_to_be_verified() -> None:
    class WithoutJob(ScriptedApi):
        def post(self, path: str, body: dict[str, Any]) -> None:
            raise CannotRun("There is no encode job 0123456789ab.")

    proof = prove_or_say(cast("Api", WithoutJob()), TITLE, repair=True, sleep=lambda _: None)
    assert (proof.title_id, proof.is_sound) == ("film-1a2b3c", False)
    assert sentence_of(proof) == "Film cannot be played or verified: There is no encode job 0123456789ab."


@pytest.mark.parametrize("repair", [False, True])
def test_a_title_of_which_nothing_is_left_is_reported_with_its_reason(repair: bool) -> None:
    api = ScriptedApi(("ready", True, None), ("failed", False, DAMAGED))
    proof = prove_or_say(cast("Api", api), TITLE, repair=repair, sleep=lambda _: None)
    assert not proof.is_sound
    assert sentence_of(proof) == "Film cannot be played or verified: Upload the film again."
