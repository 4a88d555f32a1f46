"""Assets of the site under names that contain the hash of the served content: `/css/site.<hash>.css`.

A stylesheet or module that refers to others is rewritten to use their hashed names, so its own hash changes whenever
one of them changes. Therefore every asset can be cached indefinitely, and releases can be stored side by side.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from web.fonts import reduced_font
from web.hashed_names import hashed_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# The path of each vendor file inside node_modules.
VENDOR = {
    "vendor/inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "vendor/minisearch.js": "minisearch/dist/es/index.js",
    "vendor/shaka-player.js": "shaka-player/dist/shaka-player.compiled-es2021.js",
    "vendor/uplot.css": "uplot/dist/uPlot.min.css",
    "vendor/uplot.js": "uplot/dist/uPlot.esm.js",
}
# Matches only at the start of a line, because JSDoc comments import types with the same words.
_IMPORT = re.compile(
    r"""(?P<before>^(?:import\s+|(?:import|export)\b[^"\n]*\bfrom\s+)")(?P<name>\.{1,2}/[^"]+)(?P<after>")""",
    re.MULTILINE,
)
_CSS_URL = re.compile(r"""(?P<before>url\(")(?P<name>\.{1,2}/[^"]+)(?P<after>"\))""")
_SOURCE_MAP = re.compile(r"^(?://# sourceMappingURL=.*|/\*# sourceMappingURL=.*\*/)\s*$", re.MULTILINE)
_REFERENCES = {".js": _IMPORT, ".css": _CSS_URL}


class Assets:
    """Copies each asset once from `source` or `packages` to `out`, and records its address."""

    def __init__(self, source: Path, packages: Path, out: Path) -> None:
        self._source = source
        self._packages = packages
        self._out = out
        self._urls: dict[str, str] = {}
        self._needs: dict[str, list[str]] = {}

    def url(self, name: str) -> str:
        """Return the address of the asset `name`, such as `css/site.css`; raise FileNotFoundError if there is none."""
        if name not in self._urls:
            self._urls[name] = ""  # in an import cycle, the second visit finds this empty address
            self.add(name, self._content(name))
        if not self._urls[name]:
            raise ValueError(f"{name} imports itself, directly or through another module")
        return self._urls[name]

    def add(self, name: str, content: bytes) -> str:
        """Store a file that was made by the build as the asset `name`, and return its address."""
        published = hashed_name(name, content)
        target = self._out / published
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self._urls[name] = f"/{published}"
        return self._urls[name]

    def stylesheet(self, base: bytes, names: Sequence[str]) -> str:
        """Return the address of one stylesheet with the rules of `base` and of all stylesheets `names`, in order.

        A page with one stylesheet is drawn after one request instead of after several.
        """
        joined = f"css/pages/{'-'.join(PurePosixPath(name).stem for name in names)}.css"
        if joined not in self._urls:
            self.add(joined, b"\n".join([base, *map(self._content, names)]))
        return self._urls[joined]

    def modules(self, name: str) -> list[str]:
        """Return the addresses of all modules that the module `name` imports, for `<link rel="modulepreload">`."""
        self.url(name)
        found: dict[str, None] = {}
        for needed in self._needs[name]:
            found |= dict.fromkeys([self.url(needed), *self.modules(needed)])
        return list(found)

    def icon(self, name: str) -> str:
        """Return the SVG of a Bootstrap icon, hidden from assistive technology: the button around it has the name."""
        svg = (self._packages / f"bootstrap-icons/icons/{name}.svg").read_text(encoding="utf-8")
        return " ".join(svg.split()).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)

    def _content(self, name: str) -> bytes:
        path = self._packages / VENDOR[name] if name in VENDOR else self._source / name
        references = _REFERENCES.get(path.suffix)
        if path.suffix == ".woff2":
            return reduced_font(path)
        if references is None:
            return path.read_bytes()
        text = _SOURCE_MAP.sub("", path.read_text(encoding="utf-8"))
        self._needs[name] = []
        if name in VENDOR:
            return text.encode()

        def hashed(match: re.Match[str]) -> str:
            needed = posixpath.normpath(posixpath.join(posixpath.dirname(name), match["name"]))
            self._needs[name].append(needed)
            return f"{match['before']}{self.url(needed)}{match['after']}"

        return references.sub(hashed, text).encode()
