"""The built account pages: their forms work for people, password managers and screen readers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from functions.accounts.model import LoginOutcome
from functions.accounts.password_policy import LONGEST, SHORTEST
from tests.unit.web.test_build import API, BLOB, Page, node_modules
from web.build import WEB, build

if TYPE_CHECKING:
    from pathlib import Path

FORMS = {
    "login.html": ["username", "current-password", "one-time-code"],
    "register.html": ["username", "new-password"],
    "forgot.html": ["username"],
    "reset.html": ["new-password"],
    "account.html": [
        *("username", "current-password", "new-password"),  # the password
        *("current-password", "one-time-code", "one-time-code"),  # the second step
        "current-password",  # the deletion
    ],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    build(out, api_origin=API, blob_origin=BLOB, packages=node_modules())
    return out


def read(site: Path, name: str) -> Page:
    """Return a built page."""
    return Page((site / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FORMS)
def test_password_managers_are_told_what_each_field_is(site: Path, name: str) -> None:
    inputs = [attrs for tag, attrs in read(site, name).elements if tag == "input"]
    kinds = [attrs["autocomplete"] for attrs in inputs if attrs.get("autocomplete") not in (None, "off")]
    assert kinds == FORMS[name]


@pytest.mark.parametrize("name", FORMS)
def test_every_field_has_a_label_and_names_its_hint_and_its_fault(site: Path, name: str) -> None:
    elements = read(site, name).elements
    ids = [attrs["id"] for _, attrs in elements if "id" in attrs]
    labelled = {attrs.get("for") for tag, attrs in elements if tag == "label"}
    assert len(ids) == len(set(ids))
    for tag, attrs in elements:
        if tag == "input" and "id" in attrs and attrs.get("aria-describedby"):
            assert attrs["id"] in labelled
            assert set((attrs["aria-describedby"] or "").split()) <= set(ids)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_whose_script_failed_puts_no_password_into_an_address(site: Path, name: str) -> None:
    forms = [attrs for tag, attrs in read(site, name).elements if tag == "form" and attrs.get("role") != "search"]
    assert forms
    assert {attrs.get("method") for attrs in forms} == {"post"}
    assert {attrs.get("action") for attrs in forms} == {f"/{name}"}


def test_the_pages_and_the_api_measure_passwords_alike(site: Path) -> None:
    rules = (WEB / "js" / "account" / "rules.js").read_text(encoding="utf-8")
    assert re.search(r"LEAST_PASSWORD = (\d+);", rules) is not None
    limits = [int(number) for number in re.findall(r"(?:LEAST|MOST)_PASSWORD = (\d+);", rules)]
    assert limits == [SHORTEST, LONGEST]
    assert f"At least {SHORTEST} characters" in (site / "register.html").read_text(encoding="utf-8")


def test_every_end_of_a_login_has_its_words() -> None:
    words = (WEB / "js" / "account" / "words.js").read_text(encoding="utf-8")
    for outcome in LoginOutcome:
        assert f'["{outcome.value}", {{ text:' in words, outcome


def test_no_mailed_token_reaches_another_site_in_a_referrer(site: Path) -> None:
    for name in ("reset.html", "confirm.html"):
        metas = [attrs for tag, attrs in read(site, name).elements if tag == "meta" and attrs.get("name") == "referrer"]
        assert [attrs["content"] for attrs in metas] == ["strict-origin-when-cross-origin"]
