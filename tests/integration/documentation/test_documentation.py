"""The documentation site is built, and a broken link fails the build."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from infra.checks.documentation import DocumentationBroken, build
from infra.checks.files import REPOSITORY
from infra.local.home import Home
from infra.local.stores.packages import checks_folder

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = checks_folder(Home.of())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a folder with the repository's documents."""
    shutil.copytree(REPOSITORY / "docs", tmp_path / "repository" / "docs")
    shutil.copyfile(REPOSITORY / "mkdocs.yml", tmp_path / "repository" / "mkdocs.yml")
    return tmp_path / "repository"


def append(repository: Path, text: str) -> None:
    document = repository / "docs" / "index.md"
    document.write_text(f"{document.read_text()}\n{text}\n")


def test_the_documents_become_pages(repository: Path, tmp_path: Path) -> None:
    first = build(repository, PACKAGES, tmp_path / "built")
    assert first.name == "index.html"
    pages = {str(page.relative_to(first.parent)) for page in first.parent.rglob("*.html")}
    documents = (repository / "docs").rglob("*.md")
    assert pages >= {str(each.relative_to(repository / "docs").with_suffix(".html")) for each in documents}


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("[page](missing.md)", "page does not exist"),
        ("[heading](operations.md#missing)", "anchor does not exist"),
        ("![picture](pictures/missing.png)", "index.html: pictures/missing.png does not exist"),
        ("[file](api/missing.json)", "index.html: api/missing.json does not exist"),
        ('<script src="https://cdn.example/a.js"></script>', "index.html: loads https://cdn.example/a.js"),
    ],
)
def test_what_leads_nowhere_or_elsewhere_fails_the_build(
    repository: Path, tmp_path: Path, text: str, reported: str
) -> None:
    append(repository, text)
    with pytest.raises(DocumentationBroken, match=reported):
        build(repository, PACKAGES, tmp_path / "built")


def test_links_to_the_web_are_allowed(repository: Path, tmp_path: Path) -> None:
    append(repository, "[Python](https://docs.python.org/3/)")
    assert build(repository, PACKAGES, tmp_path / "built").exists()
