"""Markdown becomes a tree of a few elements; nothing in a text can become anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.pages.markup import PageElement, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALLOWED = {
    *("h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br"),
    *("strong", "em", "a", "table", "thead", "tbody", "tr", "th", "td"),
}


def elements(content: Iterable[PageElement | str]) -> Iterator[PageElement]:
    for node in content:
        if isinstance(node, PageElement):
            yield node
            yield from elements(node.children)


def text_of(content: Iterable[PageElement | str]) -> str:
    return "".join(node if isinstance(node, str) else text_of(node.children) for node in content)


def test_headings_lists_tables_and_emphasis_are_kept() -> None:
    content = render(
        "# Terms\n\nOne **bold** and *soft* `code`\nnext line\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |"
    )
    assert [node.tag for node in elements(content)] == [
        *("h2", "p", "strong", "em", "code", "br", "ul", "li", "li"),
        *("table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"),
    ]
    assert content[0] == PageElement("h2", ("Terms",))


def test_every_element_is_one_that_the_page_creates() -> None:
    everything = (
        "# 1\n\n###### 6\n\n1. a\n\n   b\n2. c\n\n> quote\n\n```js\ncode\n```\n\n    indented\n\n---\n\n"
        "a  \nb\\\nc [link](https://example.org) <https://example.org> ~~gone~~\n\nSetext\n===\n\n| a |\n|:-:|\n| b |\n"
    )
    assert {node.tag for node in elements(render(everything))} <= ALLOWED


@pytest.mark.parametrize(
    "address", ["https://a.example/b?c=d", "http://a.example", "mailto:a@b.example", "tel:+491", "/plans.html"]
)
def test_links_lead_to_pages_addresses_and_numbers(address: str) -> None:
    (link,) = [node for node in elements(render(f"[words]({address})")) if node.tag == "a"]
    assert (link.href, link.children) == (address, ("words",))


@pytest.mark.parametrize(
    "source",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](&#106;avascript:alert(1))",
        "<javascript:alert(1)>",
        "[x][1]\n\n[1]: javascript:alert(1)",
    ],
)
def test_other_links_stay_text(source: str) -> None:
    assert "a" not in {node.tag for node in elements(render(source))}


@pytest.mark.parametrize(
    "source", ["<script>alert(1)</script>", "a <img src=x onerror=alert(1)> b", "<style>*{}</style>", "<!-- x -->"]
)
def test_html_stays_visible_text(source: str) -> None:
    content = render(source)
    assert {node.tag for node in elements(content)} <= {"p"}
    assert text_of(content) == source


def test_a_picture_of_another_server_is_not_loaded() -> None:
    content = render("![alt](https://tracker.example/pixel.png)")
    assert {node.tag for node in elements(content)} <= {"p", "a"}


@pytest.mark.parametrize("depth", [50, 5000])
def test_deep_nesting_ends(depth: int) -> None:
    assert {node.tag for node in elements(render(">" * depth + " x"))} <= ALLOWED
    assert {node.tag for node in elements(render("[" * depth + "x" + "](/a)" * depth))} <= ALLOWED
