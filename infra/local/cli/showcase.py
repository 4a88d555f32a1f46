"""Adds the demonstration films at the first start, in a separate process while the site is already usable.

`demonstration.json` records the progress: it is absent before the first film, then its state is "running", and "done"
at the end. So an interrupted run continues at the next start, and films that the owner deleted do not come back.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

from infra.local.home import REPOSITORY, Home, write_private
from infra.local.processes.process import DIE_WITH_PARENT
from infra.local.stores.packages import web_folder

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

FILE = "demonstration.json"
FIRST = "--first"
STOP_S = 10.0


def read_progress(home: Home) -> dict[str, Any] | None:
    """Return {"state", "films": {label: fraction}, "detail"} of the demonstration films, or None if there is none."""
    try:
        progress: dict[str, Any] = json.loads((home.path / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return progress


class Showcase:
    """The process that adds the films; another thread calls `report` with a label and a fraction from 0 to 1."""

    def __init__(self, home: Home, report: Callable[[str, float], None]) -> None:
        self._home = home
        self._report = report
        self._process: subprocess.Popen[str] | None = None
        self._reader = threading.Thread(target=self._read, name="showcase", daemon=True)
        self._stopping = False

    def begin(self) -> None:
        """Start or continue; do nothing if all films have been added."""
        progress = read_progress(self._home)
        if progress is not None and progress["state"] == "done":
            return
        first = [] if progress is not None else [FIRST]
        with self._home.log("demonstration").open("a") as errors:
            self._process = subprocess.Popen(
                [*DIE_WITH_PARENT, sys.executable, "-m", __name__, *first],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self._reader.start()

    def stop(self) -> None:
        """Stop the process; the next start continues."""
        if self._process is None:
            return
        self._stopping = True
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)  # the whole group, including its ffmpeg
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._reader.join()

    def _read(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        films: dict[str, float] = {}
        with process.stdout as lines:
            for line in lines:
                label, fraction = json.loads(line)
                films[label] = fraction
                self._write("running", films)
                self._report(label, fraction)
        if process.wait() == 0:
            self._write("done", films)
        elif not self._stopping:
            detail = f"Some demonstration films could not be added; see {self._home.log('demonstration')}."
            log.error("%s", detail)
            self._write("failed", films, detail)

    def _write(self, state: str, films: dict[str, float], detail: str = "") -> None:
        progress = {"state": state, "films": films, "detail": detail}
        write_private(self._home.path / FILE, json.dumps(progress, indent=2) + "\n")


def _has_titles(api: str) -> bool:
    with urllib.request.urlopen(f"{api}/api/titles?limit=1", timeout=30) as response:
        return bool(json.load(response)["titles"])


def main() -> None:
    """Add the films to the running product unless it has titles; write the progress as lines of JSON."""
    from infra.local.demo import bring_in

    home = Home.of()
    endpoints: dict[str, str] = json.loads(home.endpoints_file.read_text(encoding="utf-8"))

    def tell(label: str, fraction: float) -> None:
        sys.stdout.write(json.dumps([label, fraction]) + "\n")
        sys.stdout.flush()

    if FIRST in sys.argv and _has_titles(endpoints["api"]):
        return
    bring_in(endpoints, home.path, tell, packages=web_folder(home) / "node_modules")


if __name__ == "__main__":
    main()
