"""The password policy: one normalized form for all keyboards, a minimum length, no easily guessed passwords."""

from __future__ import annotations

import time

import pytest

from functions.accounts.addresses import address_of
from functions.accounts.password_policy import LONGEST, normalize_password, validate_new_password
from functions.platform.errors import Malformed, WeakPassword

ADDRESS = address_of("jo.kettle@lanterns.example.org")


@pytest.mark.parametrize(
    "password",
    [
        "seven quiet lanterns",
        "x7$kQ9!zVm",
        "пять тихих фонарей",
        "七つの静かな提灯です",
        "🦊🌧️🛶🧂🪁🥁🧵🪑",
        " spaces  at both ends ",
        "a" * 4 + "ß\U0001f9ff" + "kettle?!",
    ],
)
def test_a_good_password_is_accepted(password: str) -> None:
    assert validate_new_password(password, ADDRESS) == normalize_password(password)


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password1!",
        "12345678",
        "qwertyuiop",
        "letmein123",
        "aaaaaaaaaaaaaaaa",
        "abcdefgh",
        "trustno1!",
        "iloveyou2",
        "jo.kettle@lanterns.example.org",
        "JO.KETTLE@LANTERNS.EXAMPLE.ORG",
        "jo.kettle",
        "lanterns1",
        "notflix1",
        "a" * 100,
        "short",
        "1234567",
    ],
)
def test_a_guessable_password_is_refused_with_advice(password: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        validate_new_password(password, ADDRESS)
    assert refused.value.status == 422 and refused.value.detail.endswith(".")


def test_a_password_is_the_same_from_every_keyboard_but_case_matters() -> None:
    assert normalize_password("cafe\u0301 noir") == normalize_password("café\u00a0noir") == "café noir"
    assert normalize_password("Café noir") != normalize_password("café noir")


@pytest.mark.parametrize(
    "password", ["", "a\x00b" * 4, "tab\tinside it", "line\nbreak in it", "\ud800" * 10, "\x7f" * 9]
)
def test_a_password_that_cannot_be_typed_is_refused(password: str) -> None:
    with pytest.raises(Malformed):
        normalize_password(password)


def test_the_length_is_counted_in_characters_after_composition() -> None:
    assert len(normalize_password("e\u0301" * LONGEST)) == LONGEST
    with pytest.raises(Malformed, match="too long"):
        normalize_password("é" * (LONGEST + 1))


@pytest.mark.parametrize("length", [LONGEST + 1, 10_000, 5_000_000])
def test_an_oversized_password_is_refused_at_once(length: int) -> None:
    began = time.thread_time()
    for check in (normalize_password, lambda text: validate_new_password(text, ADDRESS)):
        with pytest.raises(Malformed, match="too long"):
            check("x" * length)
    assert time.thread_time() - began < 0.5


def test_the_strength_of_the_longest_password_is_estimated_within_two_seconds() -> None:
    began = time.thread_time()
    assert validate_new_password("seven quiet lanterns " * 6, ADDRESS)
    assert time.thread_time() - began < 2


def test_a_password_of_characters_with_several_accents_is_measured_after_composition() -> None:
    assert normalize_password("\u03b1\u0313\u0300\u0345" * LONGEST) == "\u1f82" * LONGEST


@pytest.mark.parametrize(("password", "is_long_enough"), [("x7$kQ9!", False), ("x7$kQ9!z", True)])
def test_a_password_has_eight_characters_at_least(password: str, is_long_enough: bool) -> None:
    if is_long_enough:
        assert validate_new_password(password, ADDRESS) == password
    else:
        with pytest.raises(WeakPassword, match="at least 8 characters"):
            validate_new_password(password, ADDRESS)


def test_advice_on_a_guessable_password_reads_as_sentences() -> None:
    for password in ("password", "lanterns1"):
        with pytest.raises(WeakPassword) as refused:
            validate_new_password(password, ADDRESS)
        detail = refused.value.detail
        assert detail.startswith("This password is too easy to guess. ")
        assert detail.endswith("Use a few unrelated words, or let your browser suggest one.") and "  " not in detail
