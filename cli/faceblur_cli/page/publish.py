"""Publishes the built web page to a stack in the cloud."""

import mimetypes
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from faceblur_cli.page.content import ASSETS, CONFIG, built_page, cache_control, config

# A page that is open in a browser still requests the files of its own build.
_KEEP_OLD_FILES = timedelta(days=1)


def publish(outputs: Mapping[str, str], s3: Any, cloudfront: Any) -> str:
    """Copy the built page into its bucket, and invalidate CloudFront's copies. Returns the page's address.

    Assets are stored before the pages that refer to them. Files that are not in the new build are deleted once they
    are a day old. Raises Failure if the page is not built.
    """
    folder, bucket = built_page(), outputs["PageBucketName"]
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for key in sorted(files, key=lambda key: (not key.startswith(ASSETS), key)):
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=config(outputs) if key == CONFIG else files[key].read_bytes(),
            ContentType=mimetypes.guess_type(key)[0] or "application/octet-stream",
            CacheControl=cache_control(key),
        )
    for listing in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for stored in listing.get("Contents", []):
            if stored["Key"] not in files and stored["LastModified"] < datetime.now(UTC) - _KEEP_OLD_FILES:
                s3.delete_object(Bucket=bucket, Key=stored["Key"])
    cloudfront.create_invalidation(
        DistributionId=outputs["PageDistributionId"],
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())},
    )
    return outputs["PageUrl"]
