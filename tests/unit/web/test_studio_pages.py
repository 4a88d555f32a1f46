"""The built Studio page, and the rules that the page and the service must share."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from function_app import SLICES
from functions.billing.model import State
from functions.billing.wording import STATE_NAMES
from functions.encoding.model import JobStatus
from functions.platform.identifiers import read_name
from tests.unit.web.test_build import API, BLOB, Page, node_modules
from web.build import WEB, build

NAMES_OF_FILES = (
    *("film.mkv", "Film.MP4", "film", "a.film.without.much", ".mkv", "film.", "My film (2024).mov"),
    *("film.json", "film.JSON", ".json", "film.jpg", "film.poster.png", "film.backdrop.webp", "FILM.Backdrop.JPEG"),
    *(
        "film.srt",
        "film.en.srt",
        "film.pt-BR.vtt",
        "film.english-long-name.srt",
        "film.1.srt",
        "film.txt",
        "film.en.ass",
        "film.SSA",
    ),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    out = tmp_path_factory.mktemp("site")
    build(out, api_origin=API, blob_origin=BLOB, packages=node_modules())
    return Page((out / "studio.html").read_text(encoding="utf-8"))


def words(expression: str, *, module: str = "words") -> object:
    """Return the value of a JavaScript expression in which `words` is a module of the Studio."""
    node = shutil.which("node")
    assert node, "Node 20 or newer must be installed"
    address = (WEB / "js" / "studio" / f"{module}.js").as_uri()
    script = f"const words = await import({json.dumps(address)}); console.log(JSON.stringify({expression}));"
    texts = Path(__file__).with_name("texts.mjs")
    command = [node, "--import", str(texts), "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_the_page_and_the_service_read_the_name_of_a_file_alike() -> None:
    kinds = words(f"{json.dumps(NAMES_OF_FILES)}.map((name) => words.kindOf(name).kind)", module="kinds")
    assert kinds == [read_name(name).kind.value for name in NAMES_OF_FILES]


def test_every_state_of_an_encode_and_of_a_subscription_has_its_words() -> None:
    states = [status.value for status in JobStatus]
    said = words(f"{json.dumps(states)}.map((status) => words.jobText({{status, percent: 1, eta_s: null}}))")
    assert isinstance(said, list)
    assert not set(states) & set(said)
    assert words("Object.keys(words.SUBSCRIPTION_STATES)") == list(dict.fromkeys(STATE_NAMES[state] for state in State))


def test_everything_that_the_log_records_has_its_words() -> None:
    recorded = [route.name for each in SLICES for route in each.routes if route.recorded]
    assert words("Object.keys(words.ACTIONS)", module="log") == sorted(recorded)


def test_every_tab_names_its_panel_and_every_field_its_fault(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    tabs = [attrs for _, attrs in page.elements if attrs.get("role") == "tab"]
    panels = {attrs["id"]: attrs for _, attrs in page.elements if attrs.get("role") == "tabpanel"}
    assert [attrs["aria-controls"] for attrs in tabs] == list(panels)
    assert all(panels[str(tab["aria-controls"])]["aria-labelledby"] == tab["id"] for tab in tabs)
    labelled = {attrs.get("for") for tag, attrs in page.elements if tag == "label"}
    for tag, attrs in page.elements:
        if tag in ("input", "textarea", "select") and "id" in attrs and attrs["id"] != "files":
            assert attrs["id"] in labelled, attrs["id"]
            assert set((attrs.get("aria-describedby") or "").split()) <= set(ids)


def test_the_menu_offers_the_studio_to_nobody_before_it_knows_an_administrator(page: Page) -> None:
    hidden = [attrs for _, attrs in page.elements if attrs.get("data-hook") == "studio"]
    assert len(hidden) == 1
    assert "hidden" in hidden[0]
    menu = (WEB / "js" / "account" / "menu.js").read_text(encoding="utf-8")
    assert re.search(r"at\.studio\.hidden = !known\?\.admin;", menu)
