"""Renders the site: static pages from Jinja2 templates, with their assets.

The pages work at the root of any origin. The attributes `data-api` and `data-blob` of `<html>` contain the addresses of
the API and of the films' blobs; the Content-Security-Policy in the page allows requests only to these two.

    python -m web.build --out build/site --api http://127.0.0.1:7071 --blob http://127.0.0.1:7080
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from web.assets import Assets

WEB = Path(__file__).parent
PAGES = (
    *("index.html", "title.html", "search.html", "watch.html", "404.html"),
    *("register.html", "login.html", "account.html", "forgot.html", "reset.html", "confirm.html"),
    *("plans.html", "subscribed.html"),
    *("list.html", "history.html"),
    "studio.html",
)


def content_security_policy(api_origin: str, blob_origin: str) -> str:
    """Return the policy of every page: own scripts and styles only, data from the API and the blobs only.

    Shaka plays media from `blob:` addresses; a browser that plays HLS natively loads it from the API's and the blobs'
    addresses. The `data:` images are the icons inside Bootstrap's stylesheet.
    """
    api, blob = origin_of(api_origin), origin_of(blob_origin)
    return "; ".join(
        (
            "default-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "manifest-src 'self'",
            f"img-src 'self' data: {blob}",
            f"media-src 'self' blob: {api} {blob}",
            f"connect-src 'self' {api} {blob}",
            "worker-src 'self' blob:",
        )
    )


def origin_of(address: str) -> str:
    """Return the scheme and authority of an address, which a policy compares; raise ValueError if there are none."""
    parts = urlsplit(address)
    if not parts.scheme or not parts.netloc:
        raise ValueError(f"{address!r} is not an address such as https://example.org")
    return f"{parts.scheme}://{parts.netloc}"


def build(out: Path, *, api_origin: str, blob_origin: str, packages: Path) -> None:
    """Write the whole site to the folder `out` after emptying it; `packages` is a node_modules folder."""
    if not (packages / "shaka-player").is_dir():
        raise FileNotFoundError(f"{packages} lacks the site's packages; run `npm ci` in {WEB} first")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    assets = Assets(WEB, packages, out)
    environment = Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        asset=assets.url,
        modules=assets.modules,
        icon=lambda name: Markup(assets.icon(name)),
        api_origin=api_origin.rstrip("/"),
        blob_origin=origin_of(blob_origin),
        policy=content_security_policy(api_origin, blob_origin),
    )
    for page in PAGES:
        html = environment.get_template(page).render(page=page)
        (out / page).write_text(html, encoding="utf-8")


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
