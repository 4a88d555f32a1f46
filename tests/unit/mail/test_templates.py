"""The texts of emails: each explains what to do, and contains a link only if the link is its purpose."""

from __future__ import annotations

import re

import pytest

from functions.accounts.links import LIFETIME
from functions.mail import texts_de, texts_en
from functions.mail.model import EmailKind
from functions.mail.templates import TEXTS, email_for
from functions.platform.languages import LANGUAGES

LINK = "https://films.example/reset.html#token=abc-_123"


UNEXPECTED = {
    "en": r"Didn't (create|request) this|Weren't expecting this\?|If it wasn't, ",
    "de": r"Das warst nicht du\?|Damit hast du nicht gerechnet\?|Du hast (kein|nicht)[^.]*\?",
}
ONCE = {"en": "works once", "de": "nur einmal"}
MINUTES = {"en": "30 minutes", "de": "30 Minuten"}


def test_emails_are_written_in_every_language() -> None:
    assert tuple(TEXTS) == LANGUAGES
    for texts in TEXTS.values():
        assert set(texts.emails) == set(EmailKind)
    assert email_for(EmailKind.TEST, "", "fr") == email_for(EmailKind.TEST, "") == email_for(EmailKind.TEST, "", "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", EmailKind)
def test_each_email_names_the_product_and_says_what_to_do_if_it_was_unexpected(kind: EmailKind, language: str) -> None:
    email = email_for(kind, LINK if kind.has_link else "", language)
    assert "Notflix" in email.subject and "Notflix" in email.text
    assert re.search(UNEXPECTED[language], email.text)
    assert f'<html lang="{language}">' in email.html


@pytest.mark.parametrize("kind", EmailKind)
def test_an_email_has_the_same_form_in_every_language(kind: EmailKind) -> None:
    forms = {
        (len(text.before), bool(text.action), len(text.after)) for text in (one.emails[kind] for one in TEXTS.values())
    }
    assert len(forms) == 1
    assert len({one.emails[kind].subject for one in TEXTS.values()}) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kind in EmailKind if kind.has_link])
def test_a_link_is_on_a_line_of_its_own_with_its_lifetime(kind: EmailKind, language: str) -> None:
    email = email_for(kind, LINK, language)
    assert LINK in email.text.splitlines()
    assert ONCE[language] in email.text and MINUTES[language] in email.text
    assert f'href="{LINK}"' in email.html


def test_emails_and_links_agree_on_the_lifetime_of_a_link() -> None:
    minutes = f"{LIFETIME.total_seconds() / 60:.0f}"
    assert f" {minutes} minutes." in texts_en.LINK_EXPIRES and f" {minutes} Minuten " in texts_de.LINK_EXPIRES


@pytest.mark.parametrize("kind", [kind for kind in EmailKind if not kind.has_link])
def test_an_email_without_a_link_contains_none(kind: EmailKind) -> None:
    email = email_for(kind, "")
    assert "http" not in email.text and "href" not in email.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", EmailKind)
def test_the_html_says_the_same_and_loads_nothing(kind: EmailKind, language: str) -> None:
    email = email_for(kind, LINK if kind.has_link else "", language)
    shown = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", email.html.partition("<body")[2]))
    for sentence in re.split(r"\n\n", email.text.strip()):
        assert sentence.replace("\n", " ").replace("'", "&#x27;") in shown
    assert not re.search(r"<(img|script|link|iframe|object)|src=|url\(|@import", email.html, re.IGNORECASE)


def test_a_link_cannot_break_out_of_its_attribute() -> None:
    html = email_for(EmailKind.RESET, 'https://films.example/"><script>alert(1)</script>').html
    assert "<script>" not in html and '/">' not in html
