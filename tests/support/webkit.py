"""WebKit as Debian ships it, in the small browser that belongs to it, driven by WebDriver.

https://www.w3.org/TR/webdriver2/
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.support.other_browsers import KEEP_FAULTS, OtherPage, RefusedError
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LIBRARIES = Path("/usr/lib")
BROWSER = next(LIBRARIES.glob("*/webkit2gtk-*/MiniBrowser"), None)

NEEDED = {
    "webkit2gtk-driver": shutil.which("WebKitWebDriver") and BROWSER,
    "xvfb": shutil.which("Xvfb"),
    "gstreamer1.0-plugins-good": next(LIBRARIES.glob("*/gstreamer-1.0/libgstisomp4.so"), None),
    "gstreamer1.0-plugins-bad": next(LIBRARIES.glob("*/gstreamer-1.0/libgstvideoparsersbad.so"), None),
    "gstreamer1.0-libav": next(LIBRARIES.glob("*/gstreamer-1.0/libgstlibav.so"), None),
}
"""What WebKit needs to play films without a screen, by Debian's packages."""

_LACKS = [package for package, found in NEEDED.items() if not found]
MISSING = f"WebKit is not installed; Debian's packages are {', '.join(_LACKS)}." if _LACKS else ""

SCREEN = "1600x1200x24"

NARROW_TOOLBAR = "* { min-width: 0; padding: 0; margin: 0; font-size: 1px; }"
"""A style for the browser itself: otherwise, its toolbar makes the window wider than a phone."""


class WebKit:
    """A session of a WebKit that runs."""

    def __init__(self, driver: str, arguments: Sequence[str]) -> None:
        self._address = f"{driver}/session"
        options = {"binary": str(BROWSER), "args": ["--automation", *arguments]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self._address += f"/{self._ask('POST', '', wanted)['sessionId']}"

    def load(self, address: str) -> None:
        """See Engine."""
        self._ask("POST", "/url", {"url": address})

    def evaluate(self, expression: str) -> Any:
        """See Engine."""
        return self._ask("POST", "/execute/sync", {"script": f"return ({expression});", "args": []})

    def perform(self, source: Mapping[str, Any]) -> None:
        """See Engine."""
        self._ask("POST", "/actions", {"actions": [source]})

    def resize(self, width: int, height: int) -> None:
        """See Engine."""
        self._ask("POST", "/window/rect", {"width": width, "height": height})

    def close(self) -> None:
        """End the browser."""
        self._ask("DELETE", "")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(method, self._address + path, json=body, timeout=PATIENCE_S)
        value = answer.json()["value"]
        if not answer.ok:
            raise RefusedError(f"{path}: {value['error']}: {value['message']}")
        return value


@contextmanager
def webkit() -> Iterator[OtherPage]:
    """Start a WebKit with an empty profile on a screen of its own; end both afterwards."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="notflix-webkit-") as name, _screen() as display:
        folder = Path(name)
        style, script = folder / "gtk-3.0" / "gtk.css", folder / "start.js"
        style.parent.mkdir()
        style.write_text(NARROW_TOOLBAR)
        script.write_text(f"({KEEP_FAULTS})();")
        environment = {
            **os.environ,
            "DISPLAY": display,
            "GDK_BACKEND": "x11",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # the sandbox refuses root; only our own site is opened
            "XDG_CONFIG_HOME": name,
        }
        with _running(["WebKitWebDriver", f"--port={port}"], environment):
            eventually(lambda: _answers(address))
            engine = WebKit(address, [f"--user-script-at-start={script}"])
            try:
                yield OtherPage(engine)
            finally:
                engine.close()


@contextmanager
def _screen() -> Iterator[str]:
    """Start a virtual screen that has the first free number; yield its name."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    with _running(command, pass_fds=[writer]), os.fdopen(reader) as numbers:
        os.close(writer)
        yield f":{numbers.readline().strip()}"


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> Iterator[None]:
    process = subprocess.Popen(
        command, env=environment, pass_fds=pass_fds, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers(address: str) -> bool:
    """Return whether a driver answers at an address."""
    try:
        return requests.get(f"{address}/status", timeout=PATIENCE_S).ok
    except requests.ConnectionError:
        return False
