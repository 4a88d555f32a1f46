"""The host's log: plain lines `time level function message` on standard output, without secrets."""

from __future__ import annotations

import logging
import re
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.local.host.worker import current_invocation

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = re.compile(r"(?<=\?)[\w$.%~-]+=[^\s\"'<>)\]]*|(?<=Key=)[^;\s\"']+|(?<=\bsig=)[^&\s\"']+")
QUIET = ("azure", "urllib3", "uvicorn")  # the worker library logs under azure.functions

_running: dict[str, str] = {}  # invocation id -> function name


@contextmanager
def invocation(invocation_id: str, function: str) -> Iterator[None]:
    """Add the name of the function to lines that are logged inside the invocation, in any thread."""
    _running[invocation_id] = function
    try:
        yield
    finally:
        del _running[invocation_id]


def set_up_logging() -> None:
    """Log to standard output: INFO and above for the app, warnings and above for libraries."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Line())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # a closed idle connection is normal


class _Line(logging.Formatter):
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(function)s %(message)s")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        record.function = _running.get(current_invocation() or "", "host")
        return SECRETS.sub("…", super().format(record))
