"""The texts of emails: each explains what to do, and contains a link only if the link is its purpose."""

from __future__ import annotations

import re

import pytest

from functions.accounts.links import LIFETIME
from functions.mail.model import EmailKind
from functions.mail.templates import LINK_EXPIRES, email_for

LINK = "https://films.example/reset.html#token=abc-_123"


@pytest.mark.parametrize("kind", EmailKind)
def test_each_email_names_the_product_and_says_what_to_do_if_it_was_unexpected(kind: EmailKind) -> None:
    email = email_for(kind, LINK if kind.has_link else "")
    assert "Notflix" in email.subject and "Notflix" in email.text
    assert re.search(r"Didn't (create|request) this|Weren't expecting this|If it wasn't, ", email.text)


@pytest.mark.parametrize("kind", [kind for kind in EmailKind if kind.has_link])
def test_a_link_is_on_a_line_of_its_own_with_its_lifetime(kind: EmailKind) -> None:
    email = email_for(kind, LINK)
    assert LINK in email.text.splitlines()
    assert "works once" in email.text and "30 minutes" in email.text
    assert f'href="{LINK}"' in email.html


def test_emails_and_links_agree_on_the_lifetime_of_a_link() -> None:
    assert f" {LIFETIME.total_seconds() / 60:.0f} minutes." in LINK_EXPIRES


@pytest.mark.parametrize("kind", [kind for kind in EmailKind if not kind.has_link])
def test_an_email_without_a_link_contains_none(kind: EmailKind) -> None:
    email = email_for(kind, "")
    assert "http" not in email.text and "href" not in email.html


@pytest.mark.parametrize("kind", EmailKind)
def test_the_html_says_the_same_and_loads_nothing(kind: EmailKind) -> None:
    email = email_for(kind, LINK if kind.has_link else "")
    shown = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", email.html.partition("<body")[2]))
    for sentence in re.split(r"\n\n", email.text.strip()):
        assert sentence.replace("\n", " ").replace("'", "&#x27;") in shown
    assert not re.search(r"<(img|script|link|iframe|object)|src=|url\(|@import", email.html, re.IGNORECASE)


def test_a_link_cannot_break_out_of_its_attribute() -> None:
    html = email_for(EmailKind.RESET, 'https://films.example/"><script>alert(1)</script>').html
    assert "<script>" not in html and '/">' not in html
