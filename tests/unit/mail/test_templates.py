from __future__ import annotations

import re

import pytest

from functions.accounts.links import LIFETIME
from functions.mail.model import EmailKind
from functions.mail.templates import LINK_EXPIRES, email_for

LINK = "https://films.example/reset.html#token=abc-_123"


@pytest.mark.parametrize("kind", EmailKind)
def test_each_letter_names_the_product_and_says_what_to_do_if_it_was_not_you(kind: EmailKind) -> None:
    letter = email_for(kind, LINK if kind.has_link else "")
    assert "Notflix" in letter.subject and "Notflix" in letter.text
    assert re.search("if (it was not you|you did not expect)", letter.text, re.IGNORECASE)


@pytest.mark.parametrize("kind", [kind for kind in EmailKind if kind.has_link])
def test_a_link_stands_on_a_line_of_its_own_and_its_end_is_told(kind: EmailKind) -> None:
    letter = email_for(kind, LINK)
    assert LINK in letter.text.splitlines()
    assert "works once" in letter.text and "30 minutes" in letter.text
    assert f'href="{LINK}"' in letter.html


def test_letters_and_links_agree_on_when_a_link_ends() -> None:
    assert f" {LIFETIME.total_seconds() / 60:.0f} minutes " in LINK_EXPIRES


@pytest.mark.parametrize("kind", [kind for kind in EmailKind if not kind.has_link])
def test_a_letter_without_a_link_has_none(kind: EmailKind) -> None:
    letter = email_for(kind, "")
    assert "http" not in letter.text and "href" not in letter.html


@pytest.mark.parametrize("kind", EmailKind)
def test_the_html_says_the_same_and_loads_nothing(kind: EmailKind) -> None:
    letter = email_for(kind, LINK if kind.has_link else "")
    shown = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", letter.html.partition("<body")[2]))
    for sentence in re.split(r"\n\n", letter.text.strip()):
        assert sentence.replace("\n", " ").replace("'", "&#x27;") in shown
    assert not re.search(r"<(img|script|link|iframe|object)|src=|url\(|@import", letter.html, re.IGNORECASE)


def test_a_link_cannot_leave_its_place_in_the_html() -> None:
    html = email_for(EmailKind.RESET, 'https://films.example/"><script>alert(1)</script>').html
    assert "<script>" not in html and '/">' not in html
