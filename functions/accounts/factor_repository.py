"""The store of second factors in MySQL; the database receives only encrypted secrets and hashes of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.accounts.model import Factor, SecondFactor
from functions.platform.errors import Conflict, ProcedureRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from functions.platform.mysql import Database, Row

TOO_MANY, TAKEN, LAST_OF_ADMINISTRATOR = 30_002, 30_003, 30_004


class MySqlSecondFactorStore:
    """The store of second factors in the database `logins_db`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_factor(self, factor: SecondFactor, *, most: int, code_hashes: Sequence[str]) -> bool:
        try:
            rows = self._database.call(
                "store_second_factor",
                factor.factor_id,
                factor.user_id,
                factor.kind,
                factor.name,
                factor.secret,
                factor.credential_id,
                factor.sign_count,
                factor.created_at,
                most,
                "".join(code_hashes),
                idempotent=True,
            )
            return bool(rows[0]["codes_stored"])
        except ProcedureRefused as refusal:
            if refusal.number == TOO_MANY:
                raise Conflict(
                    f"Your account already has {most} passkeys and authenticator apps. Remove one to add another."
                ) from None
            if refusal.number == TAKEN:
                raise Conflict("This passkey already belongs to another account. Use another one.") from None
            raise

    def list_factors(self, user_id: str) -> list[SecondFactor]:
        return _factors(self._database.call("list_second_factors", user_id, idempotent=True))

    def record_use(self, factor: SecondFactor, *, sign_count: int, at: datetime) -> bool:
        rows = self._database.call(
            "record_factor_use", factor.factor_id, factor.user_id, sign_count, at, idempotent=True
        )
        return bool(rows[0]["recorded"])

    def remove_factor(self, user_id: str, factor_id: str) -> int:
        try:
            rows = self._database.call("delete_second_factor", factor_id, user_id, idempotent=True)
        except ProcedureRefused as refusal:
            if refusal.number != LAST_OF_ADMINISTRATOR:
                raise
            raise Conflict(
                "Administrators need a second step to log in. Add another one, then remove this one."
            ) from None
        remaining: int = rows[0]["remaining"]
        return remaining

    def page_factors(self, after: str, *, limit: int) -> list[SecondFactor]:
        return _factors(self._database.call("page_second_factors", after, limit, idempotent=True))

    def replace_secret(self, factor: SecondFactor, new: str) -> None:
        self._database.call("replace_factor_secret", factor.factor_id, factor.secret, new, idempotent=True)

    def remove_factors(self, user_id: str) -> None:
        self._database.call("remove_second_factors", user_id, idempotent=True)

    def replace_recovery_codes(self, user_id: str, code_hashes: Sequence[str]) -> None:
        self._database.call("replace_recovery_codes", user_id, "".join(code_hashes), idempotent=True)

    def count_recovery_codes(self, user_id: str) -> int:
        remaining: int = self._database.call("count_recovery_codes", user_id, idempotent=True)[0]["remaining"]
        return remaining

    def use_recovery_code(self, user_id: str, code_hash: str) -> bool:
        return bool(self._database.call("use_recovery_code", user_id, code_hash)[0]["used"])


def _factors(rows: Sequence[Row]) -> list[SecondFactor]:
    return [SecondFactor(**{**row, "kind": Factor(row["kind"])}) for row in rows]
