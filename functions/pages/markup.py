"""Markdown as a tree of the few elements that a page may have.

The tree contains no HTML. The page creates each element by its name and inserts text only as text. Nothing in an
owner's text can therefore become a script, a style or a request to another server. HTML and pictures in the Markdown
stay visible text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

LINK_STARTS = ("https://", "http://", "mailto:", "tel:", "/")
"""How the address of a link may begin; other links stay text."""

BREAK, RULE = "br", "hr"
_DEEPEST_HEADING = 6


class PageElement(Struct, frozen=True, omit_defaults=True):
    """An element of a page: the name of an HTML element, its content, and the address of a link."""

    tag: str
    children: tuple[PageElement | str, ...] = ()
    href: str = ""


def render(markdown: str) -> tuple[PageElement | str, ...]:
    """Return the content of a page; headings are one level lower than written, because the page has a heading."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block", "html_inline"])
    parser.validateLink = _is_linkable  # type: ignore[method-assign]
    return tuple(_children(SyntaxTreeNode(parser.parse(markdown))))


def _is_linkable(url: str) -> bool:  # named as in the library
    return url.lower().startswith(LINK_STARTS)


def _children(node: SyntaxTreeNode) -> Iterator[PageElement | str]:
    for child in node.children:
        yield from _content(child)


def _content(node: SyntaxTreeNode) -> Iterator[PageElement | str]:
    match node.type:
        case "text":
            yield node.content
        case "softbreak" | "hardbreak":  # keeps the lines of a postal address, for example
            yield PageElement(BREAK)
        case "hr":
            yield PageElement(RULE)
        case "code_inline":
            yield PageElement("code", (node.content,))
        case "code_block" | "fence":
            yield PageElement("pre", (PageElement("code", (node.content,)),))
        case "heading":
            level = min(int(node.tag[1:]) + 1, _DEEPEST_HEADING)
            yield PageElement(f"h{level}", tuple(_children(node)))
        case "link":
            yield PageElement("a", tuple(_children(node)), str(node.attrs["href"]))
        case "inline":
            yield from _children(node)
        case "paragraph" if node.hidden:  # hidden in a list without empty lines between its entries
            yield from _children(node)
        case _:
            yield PageElement(node.tag, tuple(_children(node)))
