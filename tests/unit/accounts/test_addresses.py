"""Email addresses: all spellings of an address identify one account; other texts are refused and not echoed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.accounts.addresses import LONGEST, address_of, tagged_inbox_of
from functions.platform.errors import Malformed


@pytest.mark.parametrize(
    "forms",
    [
        ("jo@example.org", "Jo@Example.ORG", " jo@example.org ", "JO@EXAMPLE.ORG\n", "ｊｏ@example.org"),
        ("josé@example.org", "jose\u0301@example.org", "JOSE\u0301@example.org"),
        (
            "jo@münchen.example.org",
            "jo@mu\u0308nchen.example.org",
            "jo@xn--mnchen-3ya.example.org",
            "JO@MÜNCHEN.EXAMPLE.ORG",
        ),
        ("strasse@example.org", "Straße@example.org", "STRASSE@example.org"),
        ("fine@example.org", "ﬁne@example.org"),
        ("σίσυφος@example.org", "ΣΊΣΥΦΟΣ@example.org", "σίσυφοσ@example.org"),
        ("jo@example.org", "jo＠example.org"),
    ],
)
def test_every_spelling_of_an_address_finds_one_account(forms: tuple[str, ...]) -> None:
    assert len({address_of(form).key for form in forms}) == 1


def test_different_addresses_have_different_keys() -> None:
    different = ("jo@example.org", "j.o@example.org", "jo+films@example.org", "jo@example.com", "josé@example.org")
    assert len({address_of(text).key for text in different}) == len(different)


def test_the_email_address_is_kept_as_typed() -> None:
    assert address_of("Jo.Öz@MÜNCHEN.example.org").email == "Jo.Öz@münchen.example.org"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jo",
        "@example.org",
        "jo@",
        "jo@example",
        "jo@localhost",
        "jo@[127.0.0.1]",
        '"jo"@example.org',
        "Jo <jo@example.org>",
        "jo@example.org, eve@example.org",
        "jo@example.org\x00",
        "jo\x00@example.org",
        "jo\r\nBcc: eve@example.org",
        "jo\u200b@example.org",
        "jo@exam\u00adple.org\u2028",
        "\ud800@example.org",
        "jo\u202e@example.org",
        "jo@example..org",
        "' OR 1=1 -- ",
        f"{'a' * 65}@example.org",
        f"jo@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.example.org",
        "a" * 10_000,
    ],
)
def test_an_invalid_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        address_of(text)
    assert len(text) < 15 or text not in refused.value.detail


@given(st.text(max_size=80) | st.emails())
def test_the_key_of_an_accepted_address_is_stable(text: str) -> None:
    try:
        address = address_of(text)
    except Malformed:
        return
    assert len(address.key) <= LONGEST and len(address.email) <= LONGEST
    assert address_of(address.email).key == address.key
    assert all(unicodedata.category(character) not in ("Cc", "Cs") for character in address.email + address.key)


@pytest.mark.parametrize(
    ("key", "inbox"),
    [
        ("jo+films@example.org", "jo@example.org"),
        ("jo+a+b@example.org", "jo@example.org"),
        ("jo@example.org", ""),
        ("+films@example.org", ""),
        ("jo@a+b.example", ""),
    ],
)
def test_the_inbox_of_an_address_with_a_tag_is_the_address_without_it(key: str, inbox: str) -> None:
    assert tagged_inbox_of(key) == inbox
