"""The simulator's documents in one SQLite file, changed in transactions that run one at a time.

A document has a kind and an id. It may also have a parent, by which it can be found, and a time at which it is due
(seconds since 1970).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.local.simulators.paypal.formats import Document

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    due REAL,
    body TEXT NOT NULL,
    CONSTRAINT documents_once UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS documents_by_parent ON documents (kind, parent);
CREATE INDEX IF NOT EXISTS documents_by_due ON documents (kind, due) WHERE due IS NOT NULL;
"""


class DocumentStore:
    """Documents by kind and id, in the order of their creation."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Lock the store; all writes inside the context are committed together or not at all. Can be nested."""
        with self._lock:
            if self._depth == 0:
                self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._database.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._database.execute("COMMIT")

    def get(self, kind: str, id_: str) -> Document | None:
        """Return a document, or None if there is none."""
        found = self._select("SELECT body FROM documents WHERE kind = ? AND id = ?", kind, id_)
        return found[0] if found else None

    def put(self, kind: str, id_: str, body: Document, *, parent: str | None = None, due: float | None = None) -> None:
        """Store a document; an existing one is replaced, including its parent and due time."""
        text = json.dumps(body, ensure_ascii=False)
        with self.transaction():
            self._database.execute(
                "INSERT INTO documents (kind, id, parent, due, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, id)"
                " DO UPDATE SET parent = excluded.parent, due = excluded.due, body = excluded.body",
                (kind, id_, parent, due, text),
            )

    def remove_all(self, kind: str) -> None:
        """Delete all documents of a kind."""
        with self.transaction():
            self._database.execute("DELETE FROM documents WHERE kind = ?", (kind,))

    def all(self, kind: str, *, parent: str | None = None) -> list[Document]:
        """Return the documents of a kind, oldest first."""
        if parent is None:
            return self._select("SELECT body FROM documents WHERE kind = ? ORDER BY number", kind)
        return self._select("SELECT body FROM documents WHERE kind = ? AND parent = ? ORDER BY number", kind, parent)

    def latest(self, kind: str, limit: int) -> list[Document]:
        """Return the newest documents of a kind, newest first."""
        return self._select("SELECT body FROM documents WHERE kind = ? ORDER BY number DESC LIMIT ?", kind, limit)

    def due(self, kind: str, until: float, limit: int) -> list[Document]:
        """Return the documents of a kind that are due by `until`, earliest first; a limit of -1 means no limit."""
        return self._select(
            "SELECT body FROM documents WHERE kind = ? AND due <= ? ORDER BY due, number LIMIT ?", kind, until, limit
        )

    def next_due(self, kind: str) -> float | None:
        """Return when the next document of a kind is due, or None if none is."""
        with self._lock:
            row = self._database.execute("SELECT MIN(due) FROM documents WHERE kind = ?", (kind,)).fetchone()
        found: float | None = row[0]
        return found

    def _select(self, query: str, *values: object) -> list[Document]:
        with self._lock:
            rows = self._database.execute(query, values).fetchall()
        return [json.loads(row[0]) for row in rows]
