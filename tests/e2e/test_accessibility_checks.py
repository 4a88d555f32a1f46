"""The checks of accessibility find what is wrong with a page, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.accessibility import faults_beyond_axe, template_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGE = "<!doctype html><html lang=en><title>A page</title><p>Hello</p><a href='/elsewhere'>Onwards</a>"


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (PAGE, None),
        (f"{PAGE}<p style='width: 400px'>wide</p>", "px wider than a window of 320 px"),
        (
            f"{PAGE}<p style='height: 40px; width: 90px; overflow: hidden; line-height: 1.1; margin: 0'>"
            "two lines here</p>",
            "a text is cut off",
        ),
        (f"{PAGE}<a href='/first' tabindex=2>First</a>", "the order of the focus"),
        (f"{PAGE}<a href='/x' style='outline: 0'>Unseen</a>", "the focus cannot be seen"),
        (
            f"{PAGE}<div style='position: fixed; inset: 0; background: #fff'></div>",
            "other content covers what has the focus",
        ),
        (
            f"{PAGE}<style>@keyframes turn {{ to {{ rotate: 1turn }} }}</style>"
            "<p style='animation: turn 1s infinite'>round</p>",
            "it moves although less motion is wanted",
        ),
    ],
    ids=["sound", "wide", "clipped", "order", "unseen", "covered", "motion"],
)
def test_what_axe_cannot_see_is_found(browser: Browser, page: str, fault: str | None) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = context.new_page()
    tab.route("**/*", lambda route: route.fulfill(body=page, content_type="text/html"))
    tab.goto("http://site.test/here.html")
    faults = faults_beyond_axe(tab)
    assert tab.viewport_size == {"width": 1440, "height": 900}
    context.close()
    assert len(faults) == (fault is not None), faults
    assert fault is None or fault in faults[0]


@pytest.mark.parametrize(
    ("address", "template"),
    [
        ("http://site.test/", "index.html"),
        ("http://site.test/de/", "index.html"),
        ("http://site.test/de/title/harbour-1", "title.html"),
        ("http://site.test/plans.html?next=/a", "plans.html"),
        ("http://site.test/de/studio.html#person=1", "studio.html#person"),
        ("http://site.test/no/such/page", "404.html"),
    ],
)
def test_an_address_belongs_to_a_template(address: str, template: str) -> None:
    assert template_of(address) == template
