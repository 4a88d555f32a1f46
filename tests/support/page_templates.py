"""The templates of the published pages, rendered from the site's own templates without its npm packages."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader

from functions.catalogue.page_template import PageTemplate
from functions.catalogue.site_pages import HOME_TEMPLATE, TITLE_TEMPLATE, PageTemplates
from web.build import WEB
from web.languages import LANGUAGES, folder_of, language

SITE = "https://films.example.org"


@cache
def built_templates() -> dict[str, str]:
    """Return the templates in all languages by path, with short addresses of assets and without icons."""
    return {
        path.format(folder=folder_of(code)): _rendered(code, page)
        for code in LANGUAGES
        for path, page in ((HOME_TEMPLATE, "index.html"), (TITLE_TEMPLATE, "title.html"))
    }


def page_templates(*codes: str) -> list[PageTemplates]:
    """Return the templates in some languages."""
    built = built_templates()
    return [
        PageTemplates(
            folder, *(PageTemplate(built[path.format(folder=folder)]) for path in (HOME_TEMPLATE, TITLE_TEMPLATE))
        )
        for folder in map(folder_of, codes)
    ]


def _rendered(code: str, page: str) -> str:
    texts = language(code)
    environment = Environment(
        loader=FileSystemLoader(WEB / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        asset=lambda name: f"/{name}",
        stylesheet=lambda names: "/css/page.css",
        modules=lambda name: [],
        icon=lambda name: "",
        api_origin="https://api.example.org",
        blob_origin="https://blob.example.org",
        policy="default-src 'none'",
        t=texts.text,
        language=texts,
        languages=[language(each) for each in LANGUAGES],
    )
    return texts.with_links(environment.get_template(page).render(page=page)) + texts.comment()
