"""The MongoDB database in a backup: one file per collection, with its documents as BSON, as `mongodump` writes them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import bson
from pymongo import MongoClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from pymongo.database import Database

    from infra.local.backup.archive import Backup, NewBackup

FOLDER = "mongo"
DERIVED = frozenset({"graph"})
"""Collections that are not backed up: the record of the last rebuild of the graph, so that a restored product rebuilds
its graph."""
BATCH = 500


class Mongo:
    """The database `name` at `url`."""

    def __init__(self, url: str, name: str) -> None:
        self._client = MongoClient[dict[str, Any]](url, tz_aware=True, serverSelectionTimeoutMS=10_000)
        self._name = name

    @property
    def database(self) -> Database[dict[str, Any]]:
        """Return the database."""
        return self._client[self._name]

    def dump(self, backup: NewBackup) -> None:
        """Write every document."""
        for name in self._collections():
            with backup.file(f"{FOLDER}/{name}.bson") as file:
                for document in self.database[name].find({}):
                    file.write(bson.encode(document))

    def restore(self, backup: Backup) -> None:
        """Insert every document of the backup."""
        for name in backup.names(FOLDER):
            collection = self.database[name.removeprefix(f"{FOLDER}/").removesuffix(".bson")]
            with backup.open(name) as file:
                for batch in _batches(file):
                    collection.insert_many(batch)

    def has_documents(self) -> bool:
        """Return whether any collection contains a document."""
        return any(self.database[name].find_one({}, {"_id": 1}) is not None for name in self._collections())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _collections(self) -> list[str]:
        return sorted(name for name in self.database.list_collection_names() if name not in DERIVED)


def _batches(file: BinaryIO) -> Iterator[list[dict[str, Any]]]:
    options: bson.CodecOptions[dict[str, Any]] = bson.CodecOptions(tz_aware=True)
    for batch in itertools.batched(bson.decode_file_iter(file, options), BATCH, strict=False):
        yield list(batch)
