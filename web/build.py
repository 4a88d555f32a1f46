"""Renders the site: static pages from Jinja2 templates, in each language, with their assets.

The pages work at the root of any origin. The attributes `data-api` and `data-blob` of `<html>` contain the addresses of
the API and of the films' blobs; the Content-Security-Policy in the page allows requests only to these two.

The home page and the title page are also stored in `templates/`: the publisher of the catalogue fills them in
(functions/catalogue/page_template.py). Text files are also stored compressed, as `<name>.br` and `<name>.gz`.

    python -m web.build --out build/site --api http://127.0.0.1:7071 --blob http://127.0.0.1:7080
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from web.accessibility import read_statement
from web.assets import Assets
from web.languages import LANGUAGES, Language, language, script_keys
from web.offline import SHELL, add_manifest, write_service_worker

WEB = Path(__file__).parent
PAGES = (
    *("index.html", "title.html", "search.html", "genre.html", "person.html", "watch.html", "404.html"),
    *("register.html", "login.html", "account.html", "forgot.html", "reset.html", "confirm.html"),
    *("plans.html", "subscribed.html", "accessibility.html"),
    *("list.html", "history.html", "profiles.html", SHELL),
    (STUDIO := "studio.html"),
)
TEMPLATES = {"index.html": "templates/{folder}home.html", "title.html": "templates/{folder}title.html"}
"""The pages that the publisher fills in, and the templates that it reads; it replaces `index.html`."""

BOOTSTRAP = "bootstrap/dist/css/bootstrap.min.css"
TOOL_S = 120


OWNERS_PAGES = {
    "help": "common.help",
    "contact": "common.contact",
    "terms": "pages.terms_use",
    "privacy": "common.privacy",
    "imprint": "common.imprint",
}
"""The pages whose texts the owner writes, and the keys of their headings; each is rendered from `page.html`."""
PAGE_INDEX = "pages/index.json"
"""The list of pages that have a text; the functions replace the built one, which is empty."""


INSIDE = {
    "first_script": "js/language.js",
    "guests_script": "js/account/guests.js",
    "start_script": "js/start.js",
}
"""The scripts that pages contain, because pages are drawn after they have run; each by its name in the templates."""


@cache
def inside(name: str) -> str:
    """Return the text of a script that pages contain, without the comment at its top."""
    return (WEB / INSIDE[name]).read_text(encoding="utf-8").partition("*/")[2].strip()


def content_security_policy(api_origin: str, blob_origin: str, upload_origin: str = "") -> str:
    """Return the policy of every page: own scripts and styles only, data from the API and the blobs only.

    The scripts inside pages are those of INSIDE, which the policy names by their digests.
    Shaka plays media from `blob:` addresses; a browser that plays HLS natively loads it from the API's and the blobs'
    addresses. The `data:` images are the icons inside Bootstrap's stylesheet. `upload_origin` is where the Studio sends
    films, if that is not where they are read from.
    """
    api, blob = origin_of(api_origin), origin_of(blob_origin)
    digests = [
        f"'sha256-{base64.b64encode(hashlib.sha256(inside(name).encode()).digest()).decode()}'" for name in INSIDE
    ]
    connected = dict.fromkeys((api, blob, origin_of(upload_origin or blob_origin)))
    return "; ".join(
        (
            "default-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"script-src 'self' {' '.join(digests)}",
            "style-src 'self'",
            "font-src 'self'",
            "manifest-src 'self'",
            f"img-src 'self' data: {blob}",
            f"media-src 'self' blob: {api} {blob}",
            f"connect-src 'self' {' '.join(connected)}",
            "worker-src 'self' blob:",
        )
    )


def origin_of(address: str) -> str:
    """Return the scheme and authority of an address, which a policy compares; raise ValueError if there are none."""
    parts = urlsplit(address)
    if not parts.scheme or not parts.netloc:
        raise ValueError(f"{address!r} is not an address such as https://example.org")
    return f"{parts.scheme}://{parts.netloc}"


def build(out: Path, *, api_origin: str, blob_origin: str, packages: Path, upload_origin: str = "") -> None:
    """Write the whole site to the folder `out` after emptying it; `packages` is a node_modules folder."""
    if not (packages / "shaka-player").is_dir():
        raise FileNotFoundError(f"{packages} lacks the site's packages; run `npm ci` in {WEB} first")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    assets = Assets(WEB, packages, out)
    bootstrap = _run_tool("purge.mjs", str(packages), str(packages / BOOTSTRAP), str(WEB))
    site = {
        "asset": assets.url,
        "stylesheet": lambda names: assets.stylesheet(bootstrap, ["css/site.css", *names.split()]),
        "modules": assets.modules,
        **{name: Markup(inside(name)) for name in INSIDE},
        "icon": lambda name: Markup(assets.icon(name)),
        "api_origin": api_origin.rstrip("/"),
        "blob_origin": origin_of(blob_origin),
        "policy": content_security_policy(api_origin, blob_origin, upload_origin),
        "languages": [language(code) for code in LANGUAGES],
        "statement": read_statement(),
    }
    for code in LANGUAGES:
        _write_pages(out, language(code), assets, site)
    write_service_worker(out, (WEB / "js/offline/worker.js").read_text(encoding="utf-8"))
    index = out / PAGE_INDEX
    index.parent.mkdir()
    index.write_text('{"pages":[]}', encoding="utf-8")
    _run_tool("compress.mjs", str(out))


def _write_pages(out: Path, texts: Language, assets: Assets, site: dict[str, Any]) -> None:
    """Write all pages in one language, and the templates that the publisher fills in."""
    environment = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(site, t=texts.text, language=texts, manifest=add_manifest(assets, texts))
    scripts = {
        studio: assets.add(f"texts/{name}.{texts.code}.js", texts.script(script_keys(studio=studio), studio=studio))
        for studio, name in ((False, "site"), (True, "studio"))
    }

    def render(template: str, page: str, **values: str) -> str:
        html = environment.get_template(template).render(page=page, texts_script=scripts[page == STUDIO], **values)
        return texts.with_links(html)

    def write(path: str, html: str) -> None:
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(html, encoding="utf-8")

    for page in PAGES:
        html = render(page, page)
        write(texts.folder + page, html)
        if page in TEMPLATES:
            write(TEMPLATES[page].format(folder=texts.folder), html + texts.comment())
    for name, heading in OWNERS_PAGES.items():
        html = render("page.html", f"{name}.html", name=name, heading=texts.text(heading))
        write(f"{texts.folder}{name}.html", html)


def _run_tool(name: str, *arguments: str) -> bytes:
    """Run a script of `web/tools` with Node.js and return its output; raise RuntimeError if it fails."""
    done = subprocess.run(
        ["node", str(WEB / "tools" / name), *arguments], capture_output=True, timeout=TOOL_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"web/tools/{name} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def main() -> None:
    """Build the site as the command line requests."""
    parser = argparse.ArgumentParser(prog="python -m web.build", description="Build the static site.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, emptied first")
    parser.add_argument("--api", required=True, help="address of the API app")
    parser.add_argument("--blob", required=True, help="address of the storage account's blobs")
    parser.add_argument("--packages", type=Path, default=WEB / "node_modules", help="node_modules of web/package.json")
    given = parser.parse_args()
    build(given.out, api_origin=given.api, blob_origin=given.blob, packages=given.packages)


if __name__ == "__main__":
    main()
