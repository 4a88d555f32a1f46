"""Build the documentation site from `mkdocs.yml` and `docs`, and check it.

Zensical builds in strict mode, which rejects links to pages and headings that do not exist. The built pages are then
searched for links to files that do not exist and for anything that a browser would load from another host.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from infra.checks.files import REPOSITORY

MERMAID = Path("node_modules") / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
"""The renderer of diagrams, relative to the folder of the npm packages of the checks."""

_LOADING = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}


class DocumentationBroken(Exception):
    """The documentation could not be built or has dead links; the message says which."""


def build(repository: Path, packages: Path, into: Path) -> Path:
    """Build the site of a repository in the folder `into`, with the npm packages in `packages`; return its first page.

    Raise DocumentationBroken if a link has no target or if a page would load something from another host.
    """
    into = into.resolve()
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(repository / "docs", into / "docs")
    shutil.copyfile(repository / "mkdocs.yml", into / "mkdocs.yml")
    (into / "docs" / "assets").mkdir(exist_ok=True)
    shutil.copyfile(packages / MERMAID, into / "docs" / "assets" / "mermaid.js")
    built = subprocess.run(
        [sys.executable, "-P", "-m", "zensical", "build", "--strict", "--config-file", str(into / "mkdocs.yml")],
        cwd=into, capture_output=True, text=True, check=False, env={"NO_COLOR": "1", "PATH": ""},
    )  # fmt: skip
    if built.returncode:
        raise DocumentationBroken(built.stderr.partition("Traceback")[0].strip())
    if found := dead_links(into / "site"):
        raise DocumentationBroken("\n".join(found))
    return into / "site" / "index.html"


def dead_links(site: Path) -> list[str]:
    """Return one line for each link of the built pages to a missing file, and for each file on another host."""
    found = []
    for page in sorted(site.rglob("*.html")):
        if page.name == "404.html":  # its links are relative to the root of the host, not to a folder
            continue
        reader = _Links()
        reader.feed(page.read_text(encoding="utf-8"))
        for tag, attribute, value in reader.links:
            address = urlsplit(value)
            if address.scheme or address.netloc:
                if (tag, attribute) in _LOADING and address.scheme in ("", "http", "https"):
                    found.append(f"{page.relative_to(site)}: loads {value}")
            elif address.path and not (page.parent / unquote(address.path)).exists():
                found.append(f"{page.relative_to(site)}: {value} does not exist")
    return found


class _Links(HTMLParser):
    """Collects every `href` and `src` of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the links of a tag, except the page's own URL and hints to search engines."""
        if tag == "link" and ("rel", "canonical") in attrs:
            return
        self.links += [(tag, name, value) for name, value in attrs if name in ("href", "src") and value]


def main() -> int:
    """Build the site and print the path of its first page; if it is broken, print why and return 1."""
    parser = argparse.ArgumentParser(prog="python -m infra.checks.documentation")
    parser.add_argument("--packages", type=Path, required=True, help="the folder of the npm packages of the checks")
    parser.add_argument("--into", type=Path, required=True, help="the folder to build in; it is emptied first")
    given = parser.parse_args()
    try:
        sys.stdout.write(f"{build(REPOSITORY, given.packages, given.into)}\n")
    except DocumentationBroken as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
