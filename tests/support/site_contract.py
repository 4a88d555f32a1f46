"""The behaviour that every store of the site's files has; run for the fake and for blob storage."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.catalogue.ports import FileVersion, SiteFiles


class SiteContract:
    """Tests of a store; a subclass provides `site`."""

    def write(self, site: SiteFiles, path: str, data: bytes, over: FileVersion | None) -> bool:
        return site.write(path, data, kind="application/json", cache="no-cache", over=over, notes={"origin": "x"})

    def path(self) -> str:
        """Return the path of a file that does not exist."""
        return f"test/{uuid.uuid4().hex}.json"

    def test_a_file_is_written_only_over_the_version_that_was_seen(self, site: SiteFiles) -> None:
        path = self.path()
        assert site.find_version(path) is None and site.read_file(path) is None
        assert self.write(site, path, b"1", None) and not self.write(site, path, b"2", None)
        first = site.find_version(path)
        assert first and first.notes == {"origin": "x"}
        assert self.write(site, path, b"3", first) and not self.write(site, path, b"4", first)
        assert site.read_file(path) == b"3"

    def test_a_version_changes_with_each_write_even_of_the_same_data(self, site: SiteFiles) -> None:
        path = self.path()
        assert self.write(site, path, b"1", None)
        first = site.find_version(path)
        assert self.write(site, path, b"1", first)
        second = site.find_version(path)
        assert first and second and first.etag != second.etag
        assert site.find_version(path) == second

    def test_notes_are_those_of_the_last_write(self, site: SiteFiles) -> None:
        path = self.path()
        assert self.write(site, path, b"1", None)
        assert site.write(path, b"2", kind="application/json", cache="no-cache", over=site.find_version(path))
        latest = site.find_version(path)
        assert latest and latest.notes == {}

    def test_a_removed_file_is_not_restored_over_its_last_version(self, site: SiteFiles) -> None:
        path = self.path()
        assert self.write(site, path, b"1", None)
        latest = site.find_version(path)
        assert site.remove(path)
        assert site.remove(path)
        assert not self.write(site, path, b"2", latest) and site.find_version(path) is None
        assert self.write(site, path, b"3", None) and site.read_file(path) == b"3"

    def test_a_file_that_has_changed_since_is_not_removed(self, site: SiteFiles) -> None:
        path = self.path()
        assert self.write(site, path, b"1", None)
        first = site.find_version(path)
        assert self.write(site, path, b"2", first)
        assert not site.remove(path, over=first) and site.read_file(path) == b"2"
        assert site.remove(path, over=site.find_version(path)) and site.find_version(path) is None
        assert site.remove(path, over=first), "it is gone"
