"""No file contains a form that Azure is known to refuse; refusals.toml lists these forms, with sources."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
LIST = ROOT / "infra" / "checks" / "refusals.toml"
REFUSALS: list[dict[str, Any]] = tomllib.loads(LIST.read_text(encoding="utf-8"))["refusal"]
CERTAINTIES = {"sure", "likely", "possible"}


def files_of(refusal: dict[str, Any]) -> list[Path]:
    """Return the files to which a refusal applies."""
    found = [path for pattern in refusal["files"] for path in sorted(ROOT.glob(pattern))]
    where = refusal.get("where", "")
    return [path for path in found if re.search(where, path.read_text(encoding="utf-8"))]


def without_comments(path: Path) -> str:
    """Return the text of a file without comments, which may mention refused forms."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".bicep":
        return re.sub(r"(?m)(^\s*|\s)//.*$", "", text)
    return re.sub(r"(?m)^\s*#.*$", "", text) if path.suffix in {".Dockerfile", ".yaml"} else text


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: str(each["id"]))
def test_no_file_returns_to_what_is_refused(refusal: dict[str, Any]) -> None:
    files = files_of(refusal)
    assert files, "the refusal is about no file"
    for path in files:
        text = without_comments(path)
        if never := refusal.get("never"):
            found = re.search(never, text, re.MULTILINE)
            assert not found, f"{path.relative_to(ROOT)}: {found and found[0].strip()!r}: {refusal['refused']}"
        for form in refusal.get("always", []):
            assert re.search(form, text, re.MULTILINE), f"{path.relative_to(ROOT)} lacks {form}: {refusal['instead']}"


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: str(each["id"]))
def test_each_refusal_has_a_source_and_a_date_and_finds_its_example(refusal: dict[str, Any]) -> None:
    assert refusal["certainty"] in CERTAINTIES
    assert len(refusal["source"]) > 10 and len(refusal["instead"]) > 5
    assert isinstance(refusal["read"], date)
    assert refusal.get("never") or refusal.get("always"), "a refusal that nothing checks"
    if never := refusal.get("never"):
        assert re.search(never, refusal["example"], re.MULTILINE), "the form does not find its own example"


def test_refusals_have_names_of_their_own() -> None:
    names = [each["id"] for each in REFUSALS]
    assert len(set(names)) == len(names)
