"""An encoder renews its claims as long as it lives, in a thread that ends with the last claim."""

from __future__ import annotations

import threading
from threading import Event
from typing import TYPE_CHECKING

import pytest

from functions.encoding.claims import FRESH_S, LEASE_S, ClaimLost, Claims
from functions.encoding.steps import Taken
from tests.support.clock import Clock
from tests.support.encoding_claims import MemoryClaims

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_S = 30


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread running which renews claims."""
    yield
    for thread in [each for each in threading.enumerate() if each.name == "claims"]:
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_claims_are_renewed_after_an_unexpected_error_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    store, clock, renewed = MemoryClaims(), Clock(), Event()
    errors: list[Exception] = [RuntimeError("code 1: internal error")]

    def renew(*_: object, **__: object) -> int:
        if errors:
            raise errors.pop()
        renewed.set()
        return 1

    monkeypatch.setattr(store, "renew_claims", renew)
    claims = Claims(store, clock, beat_s=0.01)
    claims.take("film", "chunk 0")
    assert renewed.wait(WAIT_S)
    claims.release("film", "chunk 0")


def test_claim_that_was_taken_over_while_the_store_was_away_is_lost() -> None:
    store, clock = MemoryClaims(), Clock()
    late, other = (Claims(store, clock, beat_s=None) for _ in range(2))
    late.take("film", "chunk 1")
    clock.forward(seconds=LEASE_S + 1)
    assert other.take("film", "chunk 1") is Taken.EXPIRED
    with pytest.raises(ClaimLost, match="chunk 1 of job film"):
        late.confirm("film", "chunk 1")
    late.release("film", "chunk 1")
    other.confirm("film", "chunk 1")
    assert store.held_claims(since=clock()) == {("film", "chunk 1")}


def test_expired_claim_that_nobody_took_over_is_renewed_when_it_is_confirmed() -> None:
    store, clock = MemoryClaims(), Clock()
    late, other = (Claims(store, clock, beat_s=None) for _ in range(2))
    late.take("film", "chunk 1")
    clock.forward(seconds=LEASE_S + 1)
    late.confirm("film", "chunk 1")
    assert other.take("film", "chunk 1") is Taken.BUSY


def test_claim_that_was_just_renewed_is_confirmed_without_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    store, clock = MemoryClaims(), Clock()
    claims = Claims(store, clock, beat_s=None)
    claims.take("film", "chunk 1")
    monkeypatch.setattr(store, "renew_claims", pytest.fail)
    clock.forward(seconds=FRESH_S)
    claims.confirm("film", "chunk 1")
    claims.confirm("film", "chunk 2")  # not claimed
