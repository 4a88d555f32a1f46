"""ffmpeg and ffprobe run without a shell and with limits, and their messages never contain a key."""

from __future__ import annotations

import logging
import os
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from functions.encoding import work_folders
from functions.encoding.ffmpeg import FORMATS, YIELDING, FFmpeg, Finished, RunTooLong, input_options, without_addresses
from functions.platform.errors import DiskUnavailable, EncodeFault, SourceRefused, StoreUnavailable
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAS = "https://a.blob.core.windows.net/uploads/f%20x.mkv?se=2026&sp=r&sig=KEY%3D"


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], FFmpeg]:
    """Return a function that writes a shell script and returns an FFmpeg that runs the script as ffmpeg and ffprobe."""

    def make(lines: str, *, memory_mb: int = 512) -> FFmpeg:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return FFmpeg(str(path), str(path), memory_mb)

    return make


def finished(errors: str, status: int = 0) -> Finished:
    return Finished(status, "", errors, 1.0, 10)


@pytest.mark.parametrize(
    "text",
    [
        f"{SAS}: Server returned 403 Forbidden",
        f"Error opening input file {SAS}.",
        f"[in#0 @ 0x1] '{SAS}'",
        f'"{SAS}" and {SAS}',
    ],
)
def test_no_message_shows_the_key_of_an_address(text: str) -> None:
    shown = without_addresses(text)
    assert "KEY" not in shown
    assert "sig" not in shown
    assert "https://a.blob.core.windows.net/uploads/f%20x.mkv" in shown
    assert "KEY" not in finished(text).last_words


def test_no_log_shows_the_key_of_a_film() -> None:
    shown = without_addresses("ffmpeg -decryption_key 00112233445566778899aabbccddeeff -i 'joined.mp4'")
    assert shown == "ffmpeg -decryption_key -i 'joined.mp4'"


def test_text_without_an_address_stays_as_it_is() -> None:
    assert without_addresses("What is this? 1 + 1 = 2") == "What is this? 1 + 1 = 2"


def test_last_words_are_the_last_line_that_says_something() -> None:
    assert finished("one\ntwo  \n\n").last_words == "two"
    assert finished("\n").last_words == "no message"


def test_fault_of_an_unreachable_source_says_so_without_the_key(script: Callable[[str], FFmpeg]) -> None:
    with pytest.raises(EncodeFault, match="could not be read from storage") as caught:
        script("").raise_if_unreachable(finished(f"[https @ 0x1] HTTP error 403 Forbidden\n{SAS}: failed"))
    assert "KEY" not in caught.value.detail


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("[https @ 0x55] HTTP error 403 Forbidden", EncodeFault),
        ("in.mkv: Input/output error", EncodeFault),
        ("https://a/b: Server returned 404 Not Found", SourceRefused),
        ("[https @ 0x55] HTTP error 404 The specified blob does not exist.", SourceRefused),
        ("[http @ 0x55] HTTP error 503 Server Busy", StoreUnavailable),
        ("https://a/b: Server returned 5XX Server Error reply", StoreUnavailable),
        ("[tcp @ 0x55] Connection to tcp://127.0.0.1:1 failed: Connection refused", StoreUnavailable),
        ("[tls @ 0x55] Error in the pull function.", StoreUnavailable),
        ("[http @ 0x55] Stream ends prematurely at 10, should be 20", StoreUnavailable),
        ("[http @ 0x55] Will reconnect at 100 in 0 second(s), error=Connection reset by peer.", StoreUnavailable),
    ],
)
def test_lost_source_is_gone_for_good_or_a_store_that_may_answer_again(
    script: Callable[[str], FFmpeg], line: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        script("").raise_if_unreachable(finished(line))
    assert type(caught.value) is error


def test_common_warnings_are_no_lost_source(script: Callable[[str], FFmpeg]) -> None:
    script("").raise_if_unreachable(finished("[mp4 @ 0x1] Non-monotonic DTS\n[h264 @ 0x1] co located POCs unavailable"))


@pytest.mark.parametrize(
    "complaint",
    [
        "[vist#0:0/h264 @ 0x1] corrupt decoded frame",
        "[h264 @ 0x1] Invalid NAL unit size (5 > 3).",
        "[vist#0:0/h264 @ 0x1] Error submitting packet to decoder: Invalid data found when processing input",
        "[hevc @ 0x1] Could not find ref with POC 12",
    ],
)
def test_complaint_of_a_decoder_is_recognised(complaint: str) -> None:
    assert finished(f"[mp4 @ 0x1] Non-monotonic DTS\n{complaint}\n").is_damaged
    assert not finished("[h264 @ 0x1] co located POCs unavailable").is_damaged


def test_file_that_lacks_a_part_is_recognised() -> None:
    lost = finished("[matroska,webm @ 0x1] 0x00 at pos 9 (0x9) invalid as first byte of an EBML number")
    assert (lost.has_losses, lost.is_damaged) == (True, False)
    assert not finished("[matroska,webm @ 0x1] Non-monotonic DTS").has_losses


@pytest.mark.parametrize(("address", "protocols"), [(SAS, "https,tls,tcp"), ("http://a/b.mkv", "http,tcp")])
def test_addresses_are_opened_by_their_own_protocol_alone(address: str, protocols: str) -> None:
    options = input_options(address)
    assert options["protocol_whitelist"] == protocols
    assert options["format_whitelist"] == FORMATS
    assert int(options["rw_timeout"]) > 0


def test_anything_else_is_a_file() -> None:
    assert input_options("concat:a|b") == {"protocol_whitelist": "file", "format_whitelist": FORMATS}


def test_what_a_program_says_uses_and_answers_comes_back(script: Callable[[str], FFmpeg], tmp_path: Path) -> None:
    busy = 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo out; echo "$@" >&2; exit 3'
    result = script(busy).run(["-i", "a b; $(touch x)"], folder=tmp_path, limit_s=60)
    assert (result.status, result.output) == (3, "out\n")
    assert result.errors.endswith("-i a b; $(touch x)\n")
    assert "-nostdin" in result.errors
    assert result.cpu_s > 0
    assert result.peak_mb >= 0
    assert not (tmp_path / "x").exists()


def test_talkative_program_does_not_stop(script: Callable[[str], FFmpeg], tmp_path: Path) -> None:
    result = script("head -c 300000 /dev/zero | tr '\\0' x >&2").run([], folder=tmp_path, limit_s=60)
    assert (result.status, len(result.errors)) == (0, 300_000)


def test_what_a_program_says_is_not_kept_on_a_disk_that_may_be_full(
    script: Callable[[str], FFmpeg], tmp_path: Path
) -> None:
    result = script("readlink /proc/self/fd/2; readlink /proc/$$/fd/1 >&2").run([], folder=tmp_path, limit_s=60)
    assert "memfd:" in result.output
    assert "memfd:" in result.errors


def test_program_is_stopped_when_the_disk_of_its_folder_is_full(
    script: Callable[[str], FFmpeg], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_folders, "ROOM_BYTES", 1 << 62)
    began = time.monotonic()
    with pytest.raises(DiskUnavailable, match="The disk of the encoder is full"):
        script("exec sleep 60").run([], folder=tmp_path, limit_s=60)
    assert time.monotonic() - began < 30


def test_program_that_prints_without_end_is_stopped(
    script: Callable[[str], FFmpeg], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.encoding.ffmpeg.MOST_PRINTED", 1 << 20)
    for stream in ("", " >&2"):
        with pytest.raises(EncodeFault, match="printed too much"):
            script(f"exec cat /dev/zero{stream}").run([], folder=tmp_path, limit_s=60)


def test_program_that_takes_too_long_is_killed(script: Callable[[str], FFmpeg], tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(RunTooLong, match="did not finish within 5 s"):
        script(f"echo $$ > {tmp_path}/pid; exec sleep 600").run([], folder=tmp_path, limit_s=5)
    assert time.monotonic() - began < PATIENCE_S
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_program_that_uses_up_its_cpu_seconds_is_stopped_and_the_result_says_so(
    script: Callable[[str], FFmpeg], tmp_path: Path
) -> None:
    busy = script("while :; do :; done").run([], folder=tmp_path, limit_s=120, cpu_s=1)
    assert busy.ran_out
    assert busy.status < 0
    assert not script("exit 0").run([], folder=tmp_path, limit_s=120, cpu_s=60).ran_out


def test_what_the_watch_raises_ends_the_program(script: Callable[[str], FFmpeg], tmp_path: Path) -> None:
    def watch() -> None:
        raise EncodeFault("Storage did not take s00000.m4s.")

    began = time.monotonic()
    with pytest.raises(EncodeFault, match="did not take"):
        script("exec sleep 60").run([], folder=tmp_path, limit_s=50, watch=watch)
    assert time.monotonic() - began < 30


def test_watch_is_called_once_more_when_the_program_has_ended(script: Callable[[str], FFmpeg], tmp_path: Path) -> None:
    seen: list[bool] = []
    script("sleep 2; touch done").run([], folder=tmp_path, limit_s=60, watch=lambda: seen.append(_done(tmp_path)))
    assert seen[-1] is True
    assert seen[0] is False


def test_program_is_limited_in_memory_time_and_size_and_knows_no_setting(
    script: Callable[..., FFmpeg], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", "AccountKey=KEY")
    lines = "sleep 1.5; cat /proc/self/limits; env"
    output = script(lines, memory_mb=300).run([], folder=tmp_path, limit_s=10).output
    limits = {line[:26].strip(): line[26:].split() for line in output.splitlines() if line.startswith("Max ")}
    assert limits["Max address space"][:2] == [str(300 << 20)] * 2
    assert limits["Max cpu time"][0] == "640"
    assert limits["Max file size"][0] == str(64 << 30)
    assert limits["Max core file size"][:2] == ["0", "0"]
    assert "KEY" not in output


def test_log_shows_the_command_without_the_key(
    script: Callable[[str], FFmpeg], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script("exit 0").run(["-i", SAS], folder=tmp_path, limit_s=60)
    script("exit 0").probe(SAS, "-show_format")
    assert "uploads/f%20x.mkv" in caplog.text
    assert "KEY" not in caplog.text


def test_probe_reads_as_carefully_as_an_encode(script: Callable[[str], FFmpeg]) -> None:
    said = script('echo "$@"').probe(SAS, "-show_format").output
    assert f"-format_whitelist {FORMATS}" in said
    assert said.endswith(f"-show_format {SAS}\n")


def test_program_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/new && mv {tmp_path}/new {tmp_path}/pid\nexec sleep 60\n")
    program.chmod(0o755)
    code = (
        "from pathlib import Path\nfrom functions.encoding.ffmpeg import FFmpeg\n"
        f"FFmpeg({str(program)!r}, '', 300).run([], folder=Path({str(tmp_path)!r}), limit_s=60)"
    )
    host = subprocess.Popen([sys.executable, "-c", code])
    try:
        eventually((tmp_path / "pid").exists)
        pid = int((tmp_path / "pid").read_text())
        descriptor = os.pidfd_open(pid)
    finally:
        host.kill()
        host.wait()
    try:
        assert select.select([descriptor], [], [], 10)[0], "the program outlived its host"
    finally:
        os.close(descriptor)


def _done(folder: Path) -> bool:
    return (folder / "done").exists()


def test_what_yields_is_nicer_than_we_are_however_nice_that_is(script: Callable[[str], FFmpeg], tmp_path: Path) -> None:
    """An ordinary user cannot lower the niceness, so the increase is relative to the niceness of this process."""
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    nicer = min(19, ours + YIELDING)
    waits = f"i=0; while [ $i -lt 500 ] && [ $(nice) != {nicer} ]; do i=$((i+1)); done; nice"
    said = script(waits).run([], folder=tmp_path, limit_s=10, yields=True).output
    assert int(said) == nicer
