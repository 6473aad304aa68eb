from __future__ import annotations

import base64
import json
import re
import time
from datetime import datetime
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from urllib3.exceptions import ReadTimeoutError

from faceblur.errors import JobNotFound, StorageUnavailable, UploadReplaced
from faceblur.jobs.storage import Photos, digest, job_id_of, photos, upload_key

JOB_ID = "0f8fad5bd9cb469fa16570867728950e"
BUCKET = "faceblur-photos-123456789012-eu-central-1"


@pytest.fixture
def stubbed(environment):
    """Photos whose S3 answers as it is told."""
    client = boto3.client("s3")
    with Stubber(client) as stub:
        yield Photos(client, BUCKET), stub


# Every way to S3, and the request it makes.
REQUESTS = {
    "read": ("get_object", lambda photos: photos.read("uploads/x")),
    "write_draft": ("put_object", lambda photos: photos.write_draft("x", "jpg", b"photo", "image/jpeg")),
    "digest_of_draft": ("head_object", lambda photos: photos.digest_of_draft("results/x.jpg")),
    "write_boxes": ("put_object", lambda photos: photos.write_boxes("x", {"boxes": []})),
    "read_json": ("get_object", lambda photos: photos.read_json("boxes/x.0123456789abcdef.json")),
    "write_receipt": ("put_object", lambda photos: photos.write_receipt("x", {})),
    "has_upload": ("list_objects_v2", lambda photos: photos.has_upload("x")),
    "withdraw": ("delete_object", lambda photos: photos.withdraw("results/x.jpg")),
    "delete": ("delete_object", lambda photos: photos.delete(["uploads/x"])),
    "write_preview": ("put_object", lambda photos: photos.write_preview("x", b"photo")),
    "jobs_with_photos": ("list_objects_v2", lambda photos: photos.jobs_with_photos()),
    "keys_of": ("list_objects_v2", lambda photos: photos.keys_of("x")),
}
every_request = pytest.mark.parametrize(("operation", "request_"), REQUESTS.values(), ids=REQUESTS)


# ---------------------------------------------------------------- forms and links


@pytest.fixture
def form(environment):
    return photos().upload_form(JOB_ID, 300)


@pytest.fixture
def policy(form):
    return json.loads(base64.b64decode(form["fields"]["policy"]))


def test_a_form_goes_to_the_bucket_alone(form):
    assert urlsplit(form["url"]).scheme == "https"
    assert urlsplit(form["url"]).hostname.startswith(f"{BUCKET}.s3.")


def test_a_form_has_every_field_that_its_policy_asks_for(form, policy):
    asked_for = {}
    for condition in policy["conditions"]:
        if isinstance(condition, dict):
            asked_for |= condition
    assert asked_for.pop("bucket") == BUCKET
    assert form["fields"].items() >= asked_for.items()
    assert form["fields"].keys() == asked_for.keys() | {"policy", "x-amz-signature"}


def test_a_form_is_good_for_one_key(policy):
    assert {"key": f"uploads/{JOB_ID}"} in policy["conditions"]
    assert not [condition for condition in policy["conditions"] if "starts-with" in condition]


def test_a_form_is_good_up_to_the_size_limit(policy):
    assert ["content-length-range", 0, 35_000_000] in policy["conditions"]


def test_a_form_expires(policy):
    seconds = datetime.fromisoformat(policy["expiration"]).timestamp() - time.time()
    assert 240 < seconds <= 301


def test_a_link_is_good_for_one_key_and_five_minutes(environment):
    link = urlsplit(photos().link("results/x.jpg"))
    query = parse_qs(link.query)
    assert link.hostname.startswith(f"{BUCKET}.s3.")
    assert link.path == "/results/x.jpg"
    assert query["X-Amz-Expires"] == ["300"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["response-cache-control"] == ["no-store"]


# ---------------------------------------------------------------- reading


def test_reading_a_photo(s3):
    s3.put_object(Bucket=BUCKET, Key="uploads/x", Body=b"photo")
    assert photos().read("uploads/x") == b"photo"


def test_reading_what_is_gone(s3):
    with pytest.raises(UploadReplaced):
        photos().read("uploads/x")


# ---------------------------------------------------------------- writing and erasing


def test_what_tells_a_file_from_others():
    sha256 = "55c64d0fcd6f9d5f7c828093857e3fdfda68478bb4e9bd24d481ef391c7804e8"
    assert digest(b"photo") == {"sha256": sha256, "bytes": 5}


def test_a_result_can_be_read_by_the_key_it_got(s3):
    key = photos().write_draft(JOB_ID, "png", b"photo", "image/png")
    assert re.fullmatch(rf"results/{JOB_ID}\.[0-9a-f]{{16}}\.png", key)
    assert photos().read(key) == b"photo"
    assert photos().digest_of_draft(key) == digest(b"photo")
    assert s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "image/png"


def test_every_draft_has_a_key_of_its_own_which_says_nothing_of_it(s3, keys):
    written = {photos().write_draft(JOB_ID, "png", data, "image/png") for data in (b"one", b"two", b"one")}
    assert len(written) == 3
    assert keys() == written


def test_the_digest_of_a_result_that_is_gone(s3):
    with pytest.raises(JobNotFound):
        photos().digest_of_draft(f"results/{JOB_ID}.0123456789abcdef.png")


def test_boxes_can_be_read_by_the_key_they_got(s3, keys):
    content = {"photo": digest(b"photo"), "boxes": [{"left": 0.1, "round": 0}, {"left": 0.2, "round": 1}]}
    key = photos().write_boxes(JOB_ID, content)
    assert re.fullmatch(rf"boxes/{JOB_ID}\.[0-9a-f]{{16}}\.json", key)
    assert keys() == {key}
    assert photos().read_json(key) == content
    assert s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "application/json"


def test_every_file_of_boxes_has_a_key_of_its_own(s3, keys):
    written = {photos().write_boxes(JOB_ID, {"boxes": boxes}) for boxes in ([], [{"left": 0.1}], [])}
    assert len(written) == 3
    assert keys() == written


def test_boxes_that_are_gone(s3):
    with pytest.raises(JobNotFound):
        photos().read_json(f"boxes/{JOB_ID}.0123456789abcdef.json")


def test_a_receipt_is_json_for_people_too(s3, keys):
    said = {"job_id": JOB_ID, "boxes": [{"left": 0.1}]}
    assert photos().write_receipt(JOB_ID, said) == f"receipts/{JOB_ID}.json"
    assert keys() == {f"receipts/{JOB_ID}.json"}
    stored = s3.get_object(Bucket=BUCKET, Key=f"receipts/{JOB_ID}.json")
    assert stored["ContentType"] == "application/json"
    text = stored["Body"].read().decode()
    assert json.loads(text) == said
    assert len(text.splitlines()) > 3


def test_the_same_receipt_has_the_same_bytes(s3):
    said = {"b": 1, "a": {"d": 2, "c": 3}}
    written = []
    for _ in range(2):
        key = photos().write_receipt(JOB_ID, said)
        written.append(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert written[0] == written[1]


def test_whether_a_photo_was_uploaded(s3):
    assert not photos().has_upload(JOB_ID)
    s3.put_object(Bucket=BUCKET, Key=upload_key(JOB_ID + "0"), Body=b"of a longer name")
    assert not photos().has_upload(JOB_ID)
    s3.put_object(Bucket=BUCKET, Key=upload_key(JOB_ID), Body=b"")
    assert photos().has_upload(JOB_ID)


DRAFTS = ("results/a.1111111111111111.jpg", "results/a.2222222222222222.png")
BOXES = ("boxes/a.3333333333333333.json", "boxes/a.4444444444444444.json")
RECEIPTS = ("receipts/a.json", "receipts/a-1.json")
OF_THE_JOB = {"uploads/a", *BOXES, "previews/a.5555555555555555.jpg", *DRAFTS, *RECEIPTS}


@pytest.fixture
def full_bucket(s3):
    """Everything of two jobs, the id of one being how that of the other starts."""
    for job_id in ("a", "ab"):
        for key in [key.replace("/a", f"/{job_id}") for key in OF_THE_JOB]:
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"photo")


def test_erasing_an_upload(full_bucket, keys):
    before = keys()
    photos().delete(["uploads/a"])
    assert keys() == before - {"uploads/a"}


def test_erasing_everything(full_bucket, keys):
    before = keys()
    photos().erase("a")
    assert keys() == before - OF_THE_JOB


def test_everything_of_a_job(full_bucket):
    assert set(photos().keys_of("a")) == OF_THE_JOB


def test_every_job_that_has_an_upload_or_boxes(full_bucket, s3):
    s3.put_object(Bucket=BUCKET, Key="boxes/c.0a.decision.json", Body=b"decision")
    assert photos().jobs_with_photos() == {"a", "ab", "c"}


@pytest.mark.parametrize("key", [DRAFTS[0], BOXES[1], "receipts/a.json"])
def test_withdrawing_what_was_stored(full_bucket, keys, key):
    before = keys()
    photos().withdraw(key)
    assert keys() == before - {key}


def test_erasing_what_is_not_there(s3, keys):
    photos().erase("a")
    assert keys() == set()


def test_keys():
    assert job_id_of(upload_key(JOB_ID)) == JOB_ID


# ---------------------------------------------------------------- errors


@every_request
@pytest.mark.parametrize(
    ("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("TooManyRequests", 429), ("Mystery", 502)]
)
def test_an_unavailable_storage(stubbed, operation, request_, code, status):
    photos, stub = stubbed
    stub.add_client_error(operation, code, http_status_code=status)
    with pytest.raises(StorageUnavailable):
        request_(photos)


@every_request
@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("NoSuchBucket", 404), ("InvalidRequest", 400)])
def test_any_other_refusal_is_raised_as_it_is(stubbed, operation, request_, code, status):
    photos, stub = stubbed
    stub.add_client_error(operation, code, http_status_code=status)
    with pytest.raises(ClientError) as caught:
        request_(photos)
    assert caught.value.response["Error"]["Code"] == code


@every_request
@pytest.mark.parametrize("error", [EndpointConnectionError, ConnectTimeoutError])
def test_an_unreachable_storage(listen, operation, request_, error):
    client = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))

    def unreachable(**_):
        raise error(endpoint_url="https://s3.example.org")

    listen(client, "before-send.s3", unreachable)
    with pytest.raises(StorageUnavailable):
        request_(Photos(client, BUCKET))


def test_a_download_that_breaks_off(stubbed):
    class Stalled(BytesIO):
        def read(self, *_):
            raise ReadTimeoutError(None, None, "stalled")

    photos, stub = stubbed
    stub.add_response("get_object", {"Body": StreamingBody(Stalled(), 5)})
    with pytest.raises(StorageUnavailable):
        photos.read("uploads/x")


def test_a_download_that_ends_early(stubbed):
    photos, stub = stubbed
    stub.add_response("get_object", {"Body": StreamingBody(BytesIO(b"pho"), 5)})
    with pytest.raises(StorageUnavailable):
        photos.read("uploads/x")
