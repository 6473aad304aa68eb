"""Makes moto faster: it keeps what it would compute for each request, and tests add tables and buckets directly.

Half of the time of the tests with a table or a bucket went there.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from moto import backends
from moto.core import DEFAULT_ACCOUNT_ID, responses
from moto.core.base_backend import BaseBackend
from moto.core.serialize import XFormedAttributePicker
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from moto.core.serialize import AttributePickerContext


def make_quick(patch: pytest.MonkeyPatch) -> None:
    """Have moto remember the addresses and methods of its services, and the names of attributes in answers."""
    patch.setattr(backends, "get_backend", functools.cache(backends.get_backend))
    patch.setattr(responses, "method_names_from_class", functools.cache(responses.method_names_from_class))
    patch.setattr(BaseBackend, "urls", property(_once_a_class(BaseBackend.urls.fget)))
    names = _once_a_shape(XFormedAttributePicker.get_possible_keys)
    patch.setattr(XFormedAttributePicker, "get_possible_keys", names)


def _once_a_class(urls: Callable[[BaseBackend], Any]) -> Callable[[BaseBackend], Any]:
    """Compute a service's addresses once. In case they have changed, moto would load S3's again for each request."""
    known: dict[type, Any] = {}

    def known_urls(backend: BaseBackend) -> Any:
        if type(backend) not in known:
            known[type(backend)] = urls(backend)
        return known[type(backend)]

    return known_urls


def _once_a_shape(names: Callable[..., Any]) -> Callable[..., list[str]]:
    """Compute an attribute's names once for each attribute of an answer and class of the object that has its value."""
    known: dict[tuple[Any, ...], list[str]] = {}

    def known_names(picker: XFormedAttributePicker, context: AttributePickerContext) -> list[str]:
        key = type(context.obj), context.shape, context.key
        if key not in known:
            known[key] = list(names(picker, context))
        return known[key]

    return known_names


def add_bucket(name: str, region: str) -> None:
    """Add a bucket, as a call of CreateBucket does."""
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(name, region)


def add_table(name: str, key: str, region: str) -> None:
    """Add a table, as a call of CreateTable does. Its rows have a key of text, and it is paid by request."""
    dynamodb_backends[DEFAULT_ACCOUNT_ID][region].create_table(
        name,
        schema=[{"AttributeName": key, "KeyType": "HASH"}],
        attr=[{"AttributeName": key, "AttributeType": "S"}],
        billing_mode="PAY_PER_REQUEST",
        throughput=None,
        global_indexes=None,
        indexes=None,
        streams=None,
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=None,
        warm_throughput=None,
    )
