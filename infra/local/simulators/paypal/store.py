"""What the simulator remembers: documents in one SQLite file, changed in transactions, one at a time.

A document has a kind and an id, may name a parent to be found by, and may be due at a time (seconds since 1970).
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

    from infra.local.simulators.paypal.shapes import Document

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


class Store:
    """Documents by kind and id, in the order in which they were made."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold everyone else off; what is put inside is kept whole or not at all. May be nested."""
        with self._lock:
            if self._depth == 0:
                self._base.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._base.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._base.execute("COMMIT")

    def get(self, kind: str, id_: str) -> Document | None:
        """Return a document, None if there is none."""
        found = self._ask("SELECT body FROM documents WHERE kind = ? AND id = ?", kind, id_)
        return found[0] if found else None

    def put(self, kind: str, id_: str, body: Document, *, parent: str | None = None, due: float | None = None) -> None:
        """Keep a document; one that exists is replaced, parent and time included."""
        text = json.dumps(body, ensure_ascii=False)
        with self.change():
            self._base.execute(
                "INSERT INTO documents (kind, id, parent, due, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, id)"
                " DO UPDATE SET parent = excluded.parent, due = excluded.due, body = excluded.body",
                (kind, id_, parent, due, text),
            )

    def remove(self, kind: str, id_: str) -> None:
        """Forget a document."""
        with self.change():
            self._base.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, id_))

    def all(self, kind: str, *, parent: str | None = None) -> list[Document]:
        """Return the documents of a kind, oldest first."""
        if parent is None:
            return self._ask("SELECT body FROM documents WHERE kind = ? ORDER BY number", kind)
        return self._ask("SELECT body FROM documents WHERE kind = ? AND parent = ? ORDER BY number", kind, parent)

    def latest(self, kind: str, limit: int) -> list[Document]:
        """Return the newest documents of a kind, newest first."""
        return self._ask("SELECT body FROM documents WHERE kind = ? ORDER BY number DESC LIMIT ?", kind, limit)

    def due(self, kind: str, until: float, limit: int) -> list[Document]:
        """Return what is due, in the order of time."""
        return self._ask(
            "SELECT body FROM documents WHERE kind = ? AND due <= ? ORDER BY due, number LIMIT ?", kind, until, limit
        )

    def next_due(self, kind: str) -> float | None:
        """Return when the next document of a kind is due, None if none is."""
        with self._lock:
            row = self._base.execute("SELECT MIN(due) FROM documents WHERE kind = ?", (kind,)).fetchone()
        found: float | None = row[0]
        return found

    def count_due(self, kind: str) -> int:
        """Return how many documents of a kind are due at any time."""
        with self._lock:
            row = self._base.execute(
                "SELECT COUNT(*) FROM documents WHERE kind = ? AND due IS NOT NULL", (kind,)
            ).fetchone()
        found: int = row[0]
        return found

    def _ask(self, query: str, *values: object) -> list[Document]:
        with self._lock:
            rows = self._base.execute(query, values).fetchall()
        return [json.loads(row[0]) for row in rows]
