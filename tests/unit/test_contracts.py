"""What functions make of the events of executions that began with another release."""

from __future__ import annotations

import pytest

import complete_job.app
import detect.app
import draw_preview.app
import hide.app
from faceblur.contracts import PreviewRequest, parse

EVENT = {"job_id": "0f8fad5bd9cb469fa16570867728950e", "key": "uploads/0f8fad5bd9cb469fa16570867728950e"}


def test_a_field_that_is_unknown_is_left_out() -> None:
    assert parse(PreviewRequest, EVENT | {"colour": "blue"}) == PreviewRequest(**EVENT)


@pytest.mark.parametrize("missing", EVENT)
def test_a_field_that_is_missing_is_an_error(missing: str) -> None:
    event = {name: value for name, value in EVENT.items() if name != missing}
    with pytest.raises(TypeError, match=missing):
        parse(PreviewRequest, event)


class Parsed(Exception):
    """The function has parsed its request."""


@pytest.mark.parametrize("function", [complete_job, detect, draw_preview, hide])
def test_a_function_takes_an_event_with_a_field_of_another_release(function, event, context, monkeypatch) -> None:
    def stop(_: str) -> None:
        raise Parsed

    monkeypatch.setattr(function.app, "tag_with_job", stop)  # the first that it does with the request
    with pytest.raises(Parsed):
        function.app.handler(event(function.__name__) | {"colour": "blue"}, context)
