"""Recovery codes: how they look, how they may be typed, and under which hash they are stored."""

from __future__ import annotations

import hashlib
import re

import pytest

from functions.accounts.recovery_codes import code_hash, make_codes, normalized_code


def test_ten_codes_of_eighty_random_bits_are_easy_to_copy() -> None:
    codes = make_codes()
    assert len(set(codes)) == 10 and not set(codes) & set(make_codes())
    assert all(re.fullmatch(r"(?:[a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in codes)


@pytest.mark.parametrize(
    "typed", ["k3vq-7xpa-mn2r-w5ds", "K3VQ 7XPA MN2R W5DS", " k3vq7xpamn2rw5ds\n", "k3vq–7xpa–mn2r–w5ds"]
)
def test_a_code_may_be_typed_with_any_separators_and_in_capitals(typed: str) -> None:
    assert normalized_code(typed) == "k3vq7xpamn2rw5ds"
    assert code_hash(typed) == hashlib.sha256(b"k3vq7xpamn2rw5ds").hexdigest()


@pytest.mark.parametrize(
    "typed", ["", "123456", "k3vq-7xpa-mn2r-w5d", "k3vq-7xpa-mn2r-w5dsx", "к3vq-7xpa-mn2r-w5ds", "-" * 16]
)
def test_nothing_else_can_be_a_recovery_code(typed: str) -> None:
    assert normalized_code(typed) is None
    assert code_hash(typed) == hashlib.sha256(b"").hexdigest()
