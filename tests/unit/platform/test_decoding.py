"""Types are read by several threads at once, beginning with their first use."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import msgspec
import pytest

from functions.platform.decoding import convert, decode_json

FIRST_USES = """
import dataclasses, sys, threading
import msgspec
from functions.platform.decoding import convert, decode_json

sys.setswitchinterval(1e-6)
names = [f"a{number}" for number in range(30)]
text = msgspec.json.encode({"parts": [dict.fromkeys(names, 1)], "name": "x"})
for number in range(150):
    part = dataclasses.make_dataclass(f"Part{number}", [(name, int) for name in names])
    whole = dataclasses.make_dataclass(f"Whole{number}", [("parts", list[part]), ("name", str)])
    form = msgspec.defstruct(f"Form{number}", [("parts", list[part]), ("name", str)])
    begins = threading.Barrier(8)

    def use(kind):
        begins.wait()
        decode_json(text, kind)
        convert(msgspec.json.decode(text), kind)

    threads = [threading.Thread(target=use, args=(kind,)) for kind in (whole, form) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""
"""With `msgspec.convert` and `msgspec.json.decode` themselves, the process crashes within the first few types."""


@dataclass(frozen=True)
class Part:
    """A part of something."""

    number: int


def test_the_first_uses_of_types_in_several_threads_do_not_crash() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", FIRST_USES],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_values_and_json_are_read_as_types_or_refused() -> None:
    assert convert({"number": 1}, Part) == decode_json(b'{"number": 1}', Part) == Part(1)
    assert convert({"number": "1"}, Part, strict=False) == Part(1)
    with pytest.raises(msgspec.ValidationError, match="Expected `int`"):
        convert({"number": "1"}, Part)
    with pytest.raises(msgspec.ValidationError, match="Expected `int`"):
        decode_json(b'{"number": "1"}', Part)
    with pytest.raises(msgspec.DecodeError):
        decode_json(b"{", Part)
