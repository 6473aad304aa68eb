import time

import pytest
from boto3.dynamodb.conditions import Attr

from faceblur.errors import JobNotFound
from faceblur.jobs.rows import change_row, read_row, remove_row

EXISTS = Attr("job_id").exists()


@pytest.fixture
def row(table):
    row = {"job_id": "a", "expires_at": int(time.time()) + 60, "status": "FAILED", "owner": "alice"}
    table.put_item(Item=row)
    return row


def test_a_row_is_read_until_it_expires(table, row):
    assert read_row(table, "a") == row
    assert read_row(table, "b") is None
    table.put_item(Item=row | {"expires_at": int(time.time())})
    assert read_row(table, "a") is None


def test_a_read_sees_every_write_before_it(table, row, listen):
    """Otherwise a function would store boxes of a job that was just deleted. moto has only one copy of a row."""
    asked = []
    listen(table.meta.client, "provide-client-params.dynamodb.GetItem", lambda params, **_: asked.append(params))
    read_row(table, "a")
    assert [params["ConsistentRead"] for params in asked] == [True]


def test_who_changes_a_row_gets_it_as_it_was(table, row):
    assert change_row(table, "a", "SET #status = :new REMOVE #error", {":new": "COMPLETED"}, EXISTS) == row
    assert read_row(table, "a") == row | {"status": "COMPLETED"}


def test_a_row_that_was_not_there_was_empty(table):
    assert change_row(table, "a", "ADD spent :one", {":one": 1}, Attr("spent").not_exists()) == {}


def test_a_row_is_not_changed_if_the_condition_does_not_hold(table, row):
    assert change_row(table, "a", "SET #status = :new", {":new": "COMPLETED"}, ~EXISTS) is None
    assert read_row(table, "a") == row


def test_only_its_owner_removes_a_row(table, row):
    for other in ("bob", ""):
        with pytest.raises(JobNotFound):
            remove_row(table, "a", other, JobNotFound)
    assert remove_row(table, "a", "alice", JobNotFound) == row
    assert remove_row(table, "a", "alice", JobNotFound) is None
