"""Usage in Cosmos DB for NoSQL: one container, partitioned by `/user_id`, so all items of a viewer are together.

An item's id is `<kind>~<title_id>`. A view is patched only if its etag has not changed since it was read; its `ttl`
(seconds since its last change) determines when it is deleted. The container is created together with the account, with
a default TTL of -1, because an identity that only reads and writes items is not allowed to create containers.
"""

from __future__ import annotations

import functools
from itertools import islice
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosClientTimeoutError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from functions.platform.bulkhead import Bulkhead
from functions.platform.errors import StoreUnavailable
from functions.usage.documents import (
    CHANGING,
    document_of,
    document_of_mark,
    mark_of,
    title_state_of,
    view_of,
    viewers_of,
)
from functions.usage.model import Mark, StoredView, UsageKind, View, ViewerTitleState, ViewerUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azure.cosmos import ContainerProxy

_bulkhead = Bulkhead("The store of usage")

TOO_MANY_REQUESTS = 429
OWNER_NOT_FOUND = 1003
"""The sub-status of a 404 if the container or its database is missing, rather than the item."""

_PASSING = (408, 410, TOO_MANY_REQUESTS, 449)
"""HTTP statuses below 500 after which a retry may help; a retry may also help after any status from 500 on."""


def _store_errors[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Make a method raise StoreUnavailable if the service is unreachable, overloaded or throttling."""

    @functools.wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with _bulkhead.place():
                return method(*args, **kwargs)
        except CosmosHttpResponseError as error:
            status = error.status_code or 0
            if status not in _PASSING and status < 500:
                raise
            what = "is busy" if status == TOO_MANY_REQUESTS else "does not answer"
            raise StoreUnavailable(f"The store of usage {what} (HTTP {status}); try again soon.") from error
        except (ServiceRequestError, ServiceResponseError, CosmosClientTimeoutError) as error:
            raise StoreUnavailable(f"The store of usage does not answer ({type(error).__name__}).") from error

    return guarded


class CosmosUsage:
    """The items of one container."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    @_store_errors
    def view(self, user_id: str, title_id: str) -> StoredView | None:
        try:
            item = self._container.read_item(_id(UsageKind.VIEW, title_id), user_id)
        except CosmosResourceNotFoundError as error:
            _raise_unless_item(error)
            return None
        return StoredView(view_of(item), item["_etag"])

    @_store_errors
    def add(self, view: View) -> bool:
        item = {"id": _id(UsageKind.VIEW, view.title_id), **document_of(view), "ttl": _ttl(view)}
        try:
            self._container.create_item(item, no_response=True)
        except CosmosResourceExistsError:
            return False
        return True

    @_store_errors
    def change(self, view: View, *, over: str) -> bool:
        document = {**document_of(view), "ttl": _ttl(view)}
        operations = [{"op": "set", "path": f"/{name}", "value": document[name]} for name in (*CHANGING, "ttl")]
        try:
            self._container.patch_item(
                _id(UsageKind.VIEW, view.title_id),
                view.user_id,
                operations,
                etag=over,
                match_condition=MatchConditions.IfNotModified,
                no_response=True,
            )
        except CosmosAccessConditionFailedError:
            return False
        except CosmosResourceNotFoundError as error:
            _raise_unless_item(error)
            return False
        return True

    @_store_errors
    def views(self, user_id: str, *, unfinished: bool, below: str | None, limit: int) -> list[View]:
        # a view that was never watched has no position, so no page contains it
        condition = " AND c.unfinished = true" if unfinished else ""
        items = self._query(
            f"SELECT TOP @limit * FROM c WHERE c.user_id = @user AND c.kind = @kind AND c.place < @below{condition}"
            " ORDER BY c.place DESC",
            user_id,
            kind=UsageKind.VIEW.value,
            below=below or "A",
            limit=limit,
        )
        return [view_of(item) for item in islice(items, limit)]

    @_store_errors
    def put(self, mark: Mark) -> None:
        self._container.upsert_item({"id": _id(mark.kind, mark.title_id), **document_of_mark(mark)}, no_response=True)

    @_store_errors
    def marks(self, user_id: str, kind: UsageKind) -> list[Mark]:
        items = self._query("SELECT * FROM c WHERE c.user_id = @user AND c.kind = @kind", user_id, kind=kind.value)
        return sorted(map(mark_of, items), key=lambda mark: (mark.at, mark.title_id), reverse=True)

    @_store_errors
    def title_state(self, user_id: str, title_id: str) -> ViewerTitleState:
        question = "SELECT * FROM c WHERE c.user_id = @user AND c.title_id = @title"
        return title_state_of(self._query(question, user_id, title=title_id))

    def everyone(self, *, after: str) -> Iterator[ViewerUsage]:
        given: list[dict[str, object]] = [{"name": "@after", "value": after}]
        question = "SELECT * FROM c WHERE c.user_id > @after ORDER BY c.user_id"
        items = self._container.query_items(question, parameters=given, enable_cross_partition_query=True)
        page = _store_errors(lambda: next(items, None))
        yield from viewers_of(iter(page, None))

    @_store_errors
    def viewer(self, user_id: str) -> ViewerUsage | None:
        return next(viewers_of(self._query("SELECT * FROM c WHERE c.user_id = @user", user_id)), None)

    @_store_errors
    def remove(self, user_id: str, kind: UsageKind, title_id: str) -> None:
        self._delete(user_id, _id(kind, title_id))

    @_store_errors
    def remove_all(self, user_id: str, *kinds: UsageKind) -> None:
        # one by one, because a batch would fail as a whole if one item no longer exists
        for kind in kinds:
            question = "SELECT c.id FROM c WHERE c.user_id = @user AND c.kind = @kind"
            for item in self._query(question, user_id, kind=kind.value):
                self._delete(user_id, item["id"])

    def _query(self, question: str, user_id: str, **parameters: object) -> list[dict[str, Any]]:
        """Return the result of a query in a viewer's partition."""
        given = [{"name": f"@{name}", "value": value} for name, value in {"user": user_id, **parameters}.items()]
        return list(self._container.query_items(question, parameters=given, partition_key=user_id))

    def _delete(self, user_id: str, item_id: str) -> None:
        try:
            self._container.delete_item(item_id, user_id)
        except CosmosResourceNotFoundError as error:
            _raise_unless_item(error)


def _id(kind: UsageKind, title_id: str) -> str:
    return f"{kind.value}~{title_id}"


def _ttl(view: View) -> int:
    return int(view.kept_for.total_seconds())


def _raise_unless_item(error: CosmosResourceNotFoundError) -> None:
    """Re-raise the error if the container, not only the item, is missing, because that is a configuration error."""
    if error.sub_status == OWNER_NOT_FOUND:
        raise error
