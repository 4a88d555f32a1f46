"""The log of the Studio in Chromium: each change by an owner appears with who made it and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.pages import SIZES, overflow
from tests.support.studio import Studio
from tests.support.viewers import as_owner, make_administrator, make_viewer, soon

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.product import Product


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of the product, opened by an administrator."""
    return Studio(product, make_administrator(product), browser)


def recorded(studio: Studio, *, subject: str) -> dict[str, dict[str, Any]]:
    """Return the newest entry with an outcome for each action on an account, by the action's name."""
    entries = studio.administrator.ask("GET", "audit?limit=100").json()["entries"]
    return {one["action"]: one for one in reversed(entries) if one["subject"] == subject and one["outcome"]}


@SIZES
def test_changes_are_listed_with_who_made_them_and_how_they_ended(studio: Studio, size: tuple[int, int]) -> None:
    guest = make_viewer(studio.product.endpoints)
    given = studio.administrator.ask("POST", "grants", {"email": guest.email, "days": 3})
    assert given.status_code == 201
    own_id = studio.administrator.user_id
    assert studio.administrator.ask("DELETE", f"people/{own_id}").status_code == 409
    assert as_owner(studio.product.endpoints, "DELETE", f"people/{guest.user_id}/sessions").status_code == 204
    soon(lambda: len(recorded(studio, subject=guest.user_id)) == 2)
    by_guest = recorded(studio, subject=guest.user_id)
    assert by_guest["grant_access"]["actor_email"] == studio.administrator.email
    assert (by_guest["end_sessions"]["actor"], by_guest["end_sessions"]["actor_email"]) == ("operator", None)
    soon(lambda: recorded(studio, subject=own_id).get("erase_person"))
    axe = web_folder(studio.product.home) / "node_modules" / "axe-core" / "axe.min.js"
    with studio.at("log", size) as (page, wrong):
        entries = page.get_by_role("list", name="Log").get_by_role("listitem")
        for words in (
            ("Give free access", guest.email, "by you", "Done"),
            ("Log a person out", guest.email, "by a script", "Done"),
            ("Delete an account", studio.administrator.email, "by you", "Not possible"),
        ):
            found = entries
            for word in words:
                found = found.filter(has_text=word)
            found.first.wait_for()
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        assert wrong == []


def test_a_deleted_account_is_no_longer_in_the_log(studio: Studio) -> None:
    guest = make_viewer(studio.product.endpoints)
    assert as_owner(studio.product.endpoints, "DELETE", f"people/{guest.user_id}/sessions").status_code == 204
    soon(lambda: recorded(studio, subject=guest.user_id))
    assert as_owner(studio.product.endpoints, "DELETE", f"people/{guest.user_id}").status_code == 204
    soon(lambda: not recorded(studio, subject=guest.user_id))
