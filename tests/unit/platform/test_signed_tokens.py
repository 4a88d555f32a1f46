"""A token is accepted only unchanged, only for its purpose, and only until it expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.platform.errors import Unauthenticated
from functions.platform.signed_tokens import SignedTokens, WeakKey

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def tickets(key: str = "k" * 32, now: datetime = NOW) -> SignedTokens:
    return SignedTokens(key, lambda: now)


def test_what_was_signed_is_verified() -> None:
    assert tickets().verify("usage", tickets().sign("usage", {"title_id": "ö", "n": 1}, until=LATER)) == {
        "title_id": "ö",
        "n": 1,
    }


@pytest.mark.parametrize(
    ("opener", "purpose"),
    [(tickets(), "hls"), (tickets(key="x" * 32), "usage"), (tickets(now=LATER), "usage")],
    ids=["another purpose", "another key", "dead"],
)
def test_what_is_not_valid_is_refused(opener: SignedTokens, purpose: str) -> None:
    with pytest.raises(Unauthenticated):
        opener.verify(purpose, tickets().sign("usage", {}, until=LATER))


@given(st.text(max_size=60))
def test_any_text_is_refused_cleanly(text: str) -> None:
    with pytest.raises(Unauthenticated):
        tickets().verify("usage", text)


@given(st.integers(min_value=0), st.characters())
def test_a_changed_character_is_noticed(position: int, character: str) -> None:
    ticket = tickets().sign("usage", {"title_id": "a"}, until=LATER)
    position %= len(ticket)
    changed = ticket[:position] + character + ticket[position + 1 :]
    if changed == ticket:
        return
    with pytest.raises(Unauthenticated):
        tickets().verify("usage", changed)


def test_the_unused_bits_of_the_last_character_are_checked_too() -> None:
    token = tickets().sign("usage", {"title_id": "a"}, until=LATER)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]
    with pytest.raises(Unauthenticated):
        tickets().verify("usage", twin)


def test_a_pseudonym_is_steady_and_tells_keys_apart() -> None:
    assert (
        tickets().pseudonym("a@b.example") == tickets().pseudonym("a@b.example") != tickets().pseudonym("b@b.example")
    )
    assert tickets().pseudonym("a") != tickets(key="x" * 32).pseudonym("a")


def test_a_weak_key_is_refused() -> None:
    with pytest.raises(WeakKey, match="32 bytes"):
        tickets(key="short")
