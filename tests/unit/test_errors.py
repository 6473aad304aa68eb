from __future__ import annotations

import re

import pytest

from faceblur import errors
from faceblur.errors import (
    BatchEnded,
    BudgetSpent,
    FaceblurError,
    InternalError,
    InvalidOptions,
    JobEnded,
    JobNotFound,
    PhotoError,
    PhotoTooDemanding,
    RequestError,
    TimedOut,
    TransientError,
)
from tests.support.sources import api_description, state_machine


def public(family: type[FaceblurError] = FaceblurError) -> set[type[FaceblurError]]:
    """The errors of a family that are raised: those without subclasses."""
    below = family.__subclasses__()
    return set().union(*(public(each) for each in below)) if below else {family}


def names(errors: set[type[FaceblurError]]) -> set[str]:
    return {error.__name__ for error in errors}


def rules() -> list[tuple[set[str], dict[str, str]]]:
    """The rules of "What went wrong?": the errors that each one is for, and the code and sentence that it gives."""
    choices = state_machine()["States"]["What went wrong?"]["Choices"]
    return [(set(re.findall(r"'([\w.]+)'", choice["Condition"])), choice["Assign"]["error"]) for choice in choices]


def passed_on() -> set[str]:
    """The errors whose code and sentence people see as the task raised them."""
    (raised,) = [caught for caught, error in rules() if error["code"] == "{% $states.input.Error %}"]
    return raised


def test_the_names_are_the_contract():
    assert names(public()) == {
        "UnsupportedFormat",
        "CorruptImage",
        "ImageTooLarge",
        "ImageTooSmall",
        "TooMuchToHide",
        "NothingFound",
        "PhotoTooExpensive",
        "UploadReplaced",
        "DetectorThrottled",
        "DetectorUnavailable",
        "StorageUnavailable",
        "UploadExpired",
        "ReviewExpired",
        "TimedOut",
        "PhotoTooDemanding",
        "Aborted",
        "BudgetSpent",
        "InternalError",
        "InvalidOptions",
        "InvalidDecision",
        "NotSignedIn",
        "RouteNotFound",
        "JobNotFound",
        "JobNotFinished",
        "ReviewClosed",
        "OriginalDeleted",
        "TooManyFailed",
        "SourceUnreadable",
        "BatchNotFound",
        "BatchNotReady",
        "SourceNotAllowed",
    }


def test_the_module_opens_with_its_hierarchy():
    tree = re.findall(r"── (\w+)", errors.__doc__)
    families = {PhotoError, TransientError, JobEnded, BatchEnded, RequestError}
    assert set(tree) == names(public()) | names(families)
    assert {family.__base__ for family in families} == {FaceblurError}


@pytest.mark.parametrize("error", sorted(public(), key=lambda error: error.__name__))
def test_every_error_has_its_code_and_a_sentence(error):
    assert error().code == error.__name__
    assert error().message == error.sentence
    assert re.fullmatch(r"[A-Z].{20,}\.", error.sentence)


def test_only_the_unforeseen_has_the_general_sentence():
    assert {error for error in public() if error.sentence == FaceblurError.sentence} == {InternalError}


def test_an_error_can_carry_a_sentence_of_its_own():
    assert InvalidOptions("padding: too much").message == "padding: too much"


def test_the_state_machine_passes_on_what_its_tasks_raise():
    assert passed_on() == names(public(PhotoError) | public(TransientError) | {JobNotFound, BudgetSpent})


def test_the_state_machine_has_the_same_names_and_sentences_for_what_it_finds_itself():
    found = {error["code"]: error["message"] for _, error in rules() if not error["code"].startswith("{%")}
    assert found == {error.__name__: error.sentence for error in (TimedOut, PhotoTooDemanding, InternalError)}


def test_every_error_has_one_origin():
    elsewhere = names(public(JobEnded) | public(BatchEnded) | public(RequestError)) - {
        JobNotFound.__name__,
        BudgetSpent.__name__,
    }
    assert passed_on() | elsewhere == names(public())
    assert not passed_on() & elsewhere


def test_the_api_describes_every_code():
    schemas = api_description()["components"]["schemas"]
    described = schemas["JobError"]["properties"]["code"]
    failures = names(public(PhotoError) | public(TransientError) | public(JobEnded))
    assert set(described["enum"]) == failures
    assert set(re.findall(r"`(\w+)`", described["description"])) == failures


def test_the_api_describes_every_refusal():
    responses = api_description()["components"]["responses"]
    refusals = {
        name: response["content"]["application/json"]["schema"]["properties"]["code"]
        for name, response in responses.items()
        if name != "Refused"
    }
    described = {code for allowed in refusals.values() for code in allowed.get("enum", [allowed.get("const")])}
    # API Gateway has a word of its own for too many requests at once.
    assert described == names(public(RequestError) | {BudgetSpent, InternalError}) | {"THROTTLED"}
