"""The budget of a day: what all clients together, and each of them, may cost in a day (UTC).

Its ledger is a row of the jobs table for the day, and one for each client of the day. They hold whole microdollars
(millionths of a US dollar) at list prices. Money is taken before it is spent, by conditional writes, so simultaneous
requests cannot exceed a limit together. If a function dies, nothing is given back.
"""

from __future__ import annotations

import hmac
import secrets
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache, cached_property
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from faceblur import config, prices
from faceblur.aws import storage_errors
from faceblur.errors import BudgetSpent, StorageUnavailable
from faceblur.jobs.rows import change_row
from faceblur.jobs.table import jobs_table
from faceblur.observability import budget_refused, logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_dynamodb.service_resource import Table

# The number of hexadecimal digits in a pseudonym, as in an owner.
_DIGITS = 32
# The row that holds the key of the pseudonyms. It never expires.
_KEY_ROW = "key of pseudonyms"


class Budget:
    """The ledger of what is spent."""

    def __init__(self, table: Table, a_day: int, a_day_per_client: int) -> None:
        """Allow this many microdollars a day to all clients together, and to each client.

        0 means no limit, and then no ledger is written.
        """
        self._table, self._a_day, self._per_client = table, a_day, a_day_per_client
        self._has_started = False

    @property
    def is_limited(self) -> bool:
        """Whether anything is limited, so that there is a ledger."""
        return bool(self._a_day or self._per_client)

    def take(self, client: str, microdollars: float, leaving: int = 0) -> str:
        """Take money before it is spent. Returns the day from whose budget it was taken.

        Raises BudgetSpent if less than `leaving` microdollars would be left. After any error, nothing is taken. If the
        client is unknown (empty), only the limit of all clients together applies.
        """
        day, amount, taken = _today(), ceil(microdollars), []
        try:
            for row, limit in self._rows(client, day):
                if not self._add(row, amount, limit - leaving):
                    budget_refused("client" if row != day_row(day) else "day")
                    raise BudgetSpent
                taken.append(row)
        except Exception:
            for row in taken:
                with suppress(StorageUnavailable):
                    self._give_back(row, amount)
            raise
        return day

    def refund(self, client: str, microdollars: float, day: str) -> None:
        """Give back money that was taken and not spent. `day` is what `take` returned."""
        amount = floor(microdollars)
        for row, _ in self._rows(client, day) if amount else []:
            self._give_back(row, amount)

    @contextmanager
    def paid(self, client: str, context: LambdaContext) -> Iterator[None]:
        """Take the highest price that this call of a function can have, and give back the unused part at its end.

        The highest price is that of the time until the timeout and, in a new process, of the longest start. Raises
        BudgetSpent.
        """
        if not self._rows(client, _today()):
            yield
            return
        memory, most = int(context.memory_limit_in_mb), context.get_remaining_time_in_millis()
        start = 0 if self._has_started else prices.START_MILLISECONDS
        day = self.take(client, prices.TASK + prices.function_time(memory, start + most))
        self._has_started = True
        try:
            yield
        finally:
            unused = prices.function_time(memory, context.get_remaining_time_in_millis())
            try:
                self.refund(client, unused, day)
            except StorageUnavailable:
                # The work is done. What was taken stays taken.
                logger.warning("nothing was given back to the budget")

    def require(self, client: str, microdollars: int) -> None:
        """Raise BudgetSpent if this much could not be taken now. Takes nothing."""
        day = _today()
        for row, limit in self._rows(client, day):
            if self._spent(row) + microdollars > limit:
                budget_refused("client" if row != day_row(day) else "day")
                raise BudgetSpent

    def pseudonym(self, address: str) -> str:
        """The client at this address: a digest with a random key. Empty where no client has a limit of its own.

        The key never changes, so a job that lasts past midnight has the same client on both days. The key lies in the
        table. Whoever can read the table can therefore find an address by trying all addresses, until the rows with its
        pseudonym expire after two days.
        """
        if not self._per_client:
            return ""
        return hmac.digest(self._key, address.encode(), "sha256").hex()[:_DIGITS]

    def _rows(self, client: str, day: str) -> list[tuple[str, int]]:
        """The rows that have a limit, and the limits. The client's row is first, so its own limit is checked first."""
        own = [(f"{day_row(day)} by {client}", self._per_client)] if client and self._per_client else []
        return [*own, (day_row(day), self._a_day)] if self._a_day else own

    def _spent(self, row: str) -> int:
        with storage_errors():
            found: dict[str, Any] = self._table.get_item(Key={"job_id": row}).get("Item", {})
        return int(found.get("spent", 0))

    def _add(self, row: str, amount: int, limit: int) -> bool:
        """Add the amount to the row, unless the sum would exceed the limit. Returns whether it was added."""
        if amount > limit:
            return False
        below = Attr("spent").not_exists() | Attr("spent").lte(limit - amount)
        values = {":amount": amount, ":end": _end()}
        return change_row(self._table, row, "SET expires_at = :end ADD spent :amount", values, below) is not None

    def _give_back(self, row: str, amount: int) -> None:
        """Subtract the amount from the row, unless the row has less than that."""
        change_row(self._table, row, "ADD spent :amount", {":amount": -amount}, Attr("spent").gte(amount))

    @cached_property
    def _key(self) -> bytes:
        """The random key of the pseudonyms. The first call creates it."""
        with storage_errors():
            answer = self._table.update_item(
                Key={"job_id": _KEY_ROW},
                UpdateExpression="SET random_key = if_not_exists(random_key, :random_key)",
                ExpressionAttributeValues={":random_key": secrets.token_hex(32)},
                ReturnValues="ALL_NEW",
            )
        return bytes.fromhex(str(answer["Attributes"]["random_key"]))


@cache
def budget() -> Budget:
    """The budget of this deployment."""
    return Budget(jobs_table(), config.microdollars_a_day(), config.microdollars_a_day_per_client())


def day_row(day: str) -> str:
    """The key of a day's row. No job has this id, since ids are hexadecimal."""
    return f"spent on {day}"


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def _end() -> int:
    return int(time.time()) + 2 * config.JOB_LIFETIME_SECONDS
