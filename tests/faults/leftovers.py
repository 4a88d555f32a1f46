"""What the stores of a product still contain about an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from functions.platform.mysql_connections import Address, connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.recommendations.bolt import Bolt

COLUMNS = ("user_id", "subject", "actor")
"""The columns of all tables that contain ids of accounts."""

TOMBSTONES = "subscriptions_db.subscribers"
"""This table keeps the ids of deleted accounts, so that an event of PayPal that arrives late gives them nothing."""


def find_leftovers(endpoints: Mapping[str, str], graph: Bolt, user_id: str) -> Iterator[str]:
    """Yield the name of each table, collection or kind of node that contains the id of an account."""
    with connect(Address.of(endpoints["mysql"])) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema AS d, table_name AS t, column_name AS c FROM information_schema.columns"
            " WHERE column_name IN %s AND table_schema IN"
            " (SELECT table_schema FROM information_schema.tables WHERE table_name = 'schema_migrations')",
            (COLUMNS,),
        )
        for row in list(cursor.fetchall()):
            table = f"{row['d']}.{row['t']}"
            cursor.execute(f"SELECT count(*) AS rows_found FROM {table} WHERE {row['c']} = %s", (user_id,))
            (found,) = cursor.fetchall()
            if found["rows_found"] and table != TOMBSTONES:
                yield table
    with MongoClient[dict[str, Any]](endpoints["mongo"]) as client:
        database = client["notflix"]
        for name in database.list_collection_names():
            if database[name].find_one({"user_id": user_id}):
                yield name
    if graph.read(lambda ask: ask("MATCH (u:User {id: $user}) RETURN u.id AS id", user=user_id)):
        yield "the graph"
