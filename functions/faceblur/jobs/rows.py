"""Rows of the jobs table.

Jobs and batches read, change and remove theirs by these functions; the budget changes its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr

from faceblur.aws import storage_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto3.dynamodb.conditions import ConditionBase
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb.service_resource import Table

    from faceblur.errors import FaceblurError

# The short names in updates for attributes whose own names DynamoDB reserves.
_NAMES = {"#status": "status", "#error": "error"}


def read_row(table: Table, key: str) -> dict[str, Any] | None:
    """The row with this key; None if it does not exist or has expired."""
    with storage_errors():
        row: dict[str, Any] | None = table.get_item(Key={"job_id": key}, ConsistentRead=True).get("Item")
    return row if row and row["expires_at"] > time.time() else None


def change_row(
    table: Table,
    key: str,
    update: str,
    values: dict[str, Any],
    condition: ConditionBase,
    names: Mapping[str, str] = _NAMES,
) -> dict[str, Any] | None:
    """Change a row under a condition. Returns the row as it was, which may be empty; None if it was not changed.

    `names` has the attributes that the update calls by short names.
    """
    try:
        with storage_errors():
            answer = table.update_item(
                Key={"job_id": key},
                UpdateExpression=update,
                ExpressionAttributeNames={short: name for short, name in names.items() if short in update},
                ExpressionAttributeValues=values,
                ConditionExpression=condition,
                ReturnValues="ALL_OLD",
            )
    except _condition_failed(table):
        return None
    return answer.get("Attributes", {})


def remove_row(table: Table, key: str, owner: str, not_found: type[FaceblurError]) -> dict[str, Any] | None:
    """Remove a row. Returns the row as it was, if there was one; raises `not_found` if it has another owner."""
    owned = Attr("owner").eq(owner) if owner else Attr("owner").not_exists()
    try:
        with storage_errors():
            answer = table.delete_item(
                Key={"job_id": key},
                ConditionExpression=Attr("job_id").not_exists() | owned,
                ReturnValues="ALL_OLD",
            )
    except _condition_failed(table) as error:
        raise not_found from error
    return answer.get("Attributes")


def _condition_failed(table: Table) -> type[ClientError]:
    return table.meta.client.exceptions.ConditionalCheckFailedException
