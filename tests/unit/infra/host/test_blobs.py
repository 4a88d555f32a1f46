"""The patterns of blob triggers."""

from __future__ import annotations

import pytest

from infra.local.host.blobs import path_pattern


@pytest.mark.parametrize(
    ("template", "name", "values"),
    [
        ("{name}", "a/b/c.mkv", {"name": "a/b/c.mkv"}),
        ("{name}.mkv", "film.mkv", {"name": "film"}),
        ("{folder}/{name}.{ending}", "in/film.en.srt", {"folder": "in", "name": "film.en", "ending": "srt"}),
        ("fixed.txt", "fixed.txt", {}),
    ],
)
def test_a_name_gives_its_values(template: str, name: str, values: dict[str, str]) -> None:
    match = path_pattern(template).fullmatch(name)
    assert match is not None
    assert match.groupdict() == values


@pytest.mark.parametrize(
    ("template", "name"), [("{name}.mkv", "film.mp4"), ("{name}.mkv", "filmxmkv"), ("in/{name}", "out/a")]
)
def test_another_name_does_not_match(template: str, name: str) -> None:
    assert path_pattern(template).fullmatch(name) is None
