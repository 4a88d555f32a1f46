"""A release never takes away or changes what a page, a browser or an earlier release still uses."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.clock import NOON
from web.assets import Assets
from web.offline import SERVICE_WORKER
from web.publish import ASSET_CACHING, GRACE, publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from azure.storage.blob import ContainerClient, ContentSettings

_ADDRESS = re.compile(r'"/(?P<path>[^"?]+)(?:\?v=)?(?P<rest>[^"]*)"')
_HASH = re.compile(r"[0-9a-f]{12}")
PAGES = {"index.html", "plans.html", SERVICE_WORKER}


@dataclass
class Blob:
    """A stored file."""

    name: str
    content: bytes
    content_settings: ContentSettings
    metadata: dict[str, str] | None = None


@dataclass
class MemoryContainer:
    """The part of a `ContainerClient` that `publish` uses; `states` has the content after each change."""

    blobs: dict[str, Blob] = field(default_factory=dict)
    states: list[Mapping[str, bytes]] = field(default_factory=list)

    def list_blobs(self, *, include: list[str]) -> list[Blob]:
        """Return all blobs with their metadata."""
        assert include == ["metadata"]
        return list(self.blobs.values())

    def upload_blob(
        self,
        name: str,
        content: bytes,
        *,
        overwrite: bool,
        content_settings: ContentSettings,
        metadata: dict[str, str] | None,
    ) -> None:
        """Store a blob."""
        assert overwrite
        self.blobs[name] = Blob(name, content, content_settings, metadata)
        self._note()

    def delete_blob(self, name: str) -> None:
        """Delete a blob."""
        del self.blobs[name]
        self._note()

    def get_blob_client(self, name: str) -> Any:
        """Return an object with the method `set_blob_metadata`."""
        blob = self.blobs[name]

        class Client:
            def set_blob_metadata(self, metadata: dict[str, str]) -> None:
                blob.metadata = dict(metadata)

        return Client()

    def _note(self) -> None:
        self.states.append({name: blob.content for name, blob in self.blobs.items()})


@pytest.fixture
def container() -> MemoryContainer:
    return MemoryContainer()


def release(container: MemoryContainer, folder: Path, *, number: int, now: datetime = NOON) -> int:
    """Build and publish a small site whose script, and the one that it imports, both contain `number`."""
    source, out = folder / f"source{number}", folder / f"site{number}"
    (source / "js").mkdir(parents=True, exist_ok=True)
    (source / "js" / "home.js").write_text(f'import {{ ask{number} }} from "./net.js";\nask{number}();\n')
    (source / "js" / "net.js").write_text(f"export const ask{number} = () => {{}};\n")
    (source / "js" / "stable.js").write_text("export {};\n")
    assets = Assets(source, folder, out)
    addresses = [assets.url("js/home.js"), assets.url("js/stable.js")]
    (out / "index.html").write_text("".join(f'<script src="{address}"></script>' for address in addresses))
    (out / "plans.html").write_text((out / "index.html").read_text())
    (out / SERVICE_WORKER).write_text(f"self.files = {addresses};".replace("'", '"'))
    return publish(out, cast("ContainerClient", container), now=now)


def named(state: Mapping[str, bytes], file: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the hash of each address in a stored file, and in the files that it names."""
    for found in _ADDRESS.finditer(state[file].decode()):
        (digest,) = _HASH.findall(f"{found['path']}?{found['rest']}")
        yield found["path"], digest
        if found["path"] in state:
            yield from named(state, found["path"])


def test_at_every_moment_each_address_has_the_bytes_that_its_hash_says(
    container: MemoryContainer, tmp_path: Path
) -> None:
    for number in (1, 2, 1):
        assert release(container, tmp_path, number=number)
    assert len(container.states) > 8
    for state in container.states:
        for page in (*PAGES & state.keys(),):
            for path, digest in named(state, page):
                assert path in state, f"{page} needs {path}, which is not there yet"
                assert hashlib.sha256(state[path]).hexdigest()[:12] == digest, f"{page} needs {path} with other bytes"


def test_files_that_no_release_names_are_deleted_after_their_grace_period(
    container: MemoryContainer, tmp_path: Path
) -> None:
    release(container, tmp_path, number=1)
    first = {name for name in container.blobs if name.startswith("js/")}
    release(container, tmp_path, number=2, now=NOON + timedelta(days=90))
    assert first <= container.blobs.keys(), "pages that were opened before the release need them"
    almost = NOON + timedelta(days=90) + GRACE - timedelta(seconds=1)
    assert release(container, tmp_path, number=2, now=almost) == 0
    assert first <= container.blobs.keys()
    release(container, tmp_path, number=2, now=almost + timedelta(seconds=1))
    assert {name.split(".")[0] for name in first & container.blobs.keys()} == {"js/stable"}
    assert len([name for name in container.blobs if name.startswith("js/")]) == 3


def test_a_release_that_comes_back_keeps_its_files(container: MemoryContainer, tmp_path: Path) -> None:
    release(container, tmp_path, number=1)
    release(container, tmp_path, number=2)
    release(container, tmp_path, number=1, now=NOON + timedelta(days=1))
    release(container, tmp_path, number=1, now=NOON + timedelta(days=1) + GRACE)
    assert all(path in container.blobs for path, _ in named(container.states[-1], "plans.html"))
    release(container, tmp_path, number=2, now=NOON + timedelta(days=100))
    release(container, tmp_path, number=2, now=NOON + timedelta(days=101))
    assert len([name for name in container.blobs if name.startswith("js/home.")]) == 2, "its grace period starts again"


def test_only_files_of_releases_are_ever_deleted(container: MemoryContainer, tmp_path: Path) -> None:
    from azure.storage.blob import ContentSettings

    forever, by_hand = ContentSettings(cache_control=ASSET_CACHING), ContentSettings()
    former = ("js/home.js", "css/pages/site-browse.css", "css/pages/site-browse.css.br", "de/manifest.webmanifest")
    others = ("art/film/card.jpg", "catalogue/home.json", "title/film", "de/title/film", "pages/help.json", "feed.xml")
    for name in (*former, *others):
        container.upload_blob(name, b"", overwrite=True, content_settings=forever, metadata=None)
    container.upload_blob("img/mine.png", b"", overwrite=True, content_settings=by_hand, metadata=None)
    release(container, tmp_path, number=1)
    assert container.blobs.keys() >= {*former, *others}, "pages of a release without hashes in names are still open"
    release(container, tmp_path, number=1, now=NOON + GRACE)
    assert container.blobs.keys() >= {*others, "img/mine.png"}
    assert not container.blobs.keys() & {*former}
