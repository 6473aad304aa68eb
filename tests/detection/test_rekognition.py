"""How Rekognition's detector searches complete photos, with a stand-in that knows the service's limits."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from faceblur.detectors import rekognition
from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.rekognition import RekognitionDetector
from faceblur.detectors.warnings import WarningCode
from faceblur.detectors.wrapped import WrappedDetector
from faceblur.errors import (
    DetectorThrottled,
    DetectorUnavailable,
    StorageUnavailable,
    UploadReplaced,
)
from faceblur.geometry import Box, BoxIndex
from faceblur.jobs.calls import reserved_calls
from tests.support.pictures.photos import ORIENTATIONS, encoded, jpeg
from tests.support.standins.paid import Paid
from tests.support.standins.rekognition import BROKEN, THROTTLED, Refusal, face
from tests.support.standins.squares import (
    CROWDED,
    Service,
    close,
    detect,
    found_squares,
    grey,
    laid,
    marked,
    noise,
    search,
)

pytestmark = pytest.mark.enable_socket

FIRST = DetectionPass.FIRST
LARGE = (4000, 4000)  # in one call, it shows no face below 148 pixels
# In one call, it shows no face below 121 pixels, and none of its markers. Three tiles, which are small, show all of it.
# Two of the markers are where two tiles meet.
STRIP = (5800, 500)
MARKERS = [(100, 100, 95), (1900, 240, 95), (3800, 300, 110), (5650, 200, 98)]


def test_a_large_photo_is_searched_in_tiles(service):
    size = (4000, 3000)
    markers = [(100, 100, 95), (1970, 1470, 95), (3800, 2000, 98), (500, 1900, 900)]
    found, asked = search(service, marked(size, markers))
    assert close(found_squares(found, size), markers, tolerance=6)
    assert found.calls == 5
    assert max(max(each) for each in asked.sizes[1:]) <= 1920


def test_a_photo_with_large_faces_alone_takes_one_call(service):
    found, _ = search(service, marked((1920, 1080), [(300, 300, 200), (900, 500, 120)]))
    assert (len(found.boxes), found.calls, found.warnings) == (2, 1, [])


def test_smaller_faces_are_searched_where_small_ones_are(service):
    size = (1920, 1080)
    markers = [(100, 100, 45), (200, 110, 28), (300, 120, 22), (1500, 800, 200)]
    found, _ = search(service, marked(size, markers))
    assert close(found_squares(found, size), markers, tolerance=4)
    assert 5 <= found.calls <= 17


def test_the_hundredth_face_is_not_the_last(service):
    size = (1600, 1000)
    markers = [(60 + 75 * column, 50 + 75 * row, 62) for row in range(12) for column in range(20)]
    found, _ = search(service, marked(size, markers))
    assert close(found_squares(found, size), markers, tolerance=4)
    assert found.warnings == []


def test_a_round_has_a_limit_of_calls_whatever_the_job_may_make(service, monkeypatch):
    monkeypatch.setattr(rekognition, "MAX_CALLS", 20)
    service.default = CROWDED
    photo = StoredPhoto(noise(3000, 2250), "photos", "uploads/1")
    searched = rekognition.Search(photo, DetectionPass.FIRST, Paid(), {}, rekognition.FACES)
    searched.survey()
    assert 16 < searched.calls <= 20
    assert WarningCode.ANSWER_CAPPED in searched.warnings


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    boxes=st.lists(st.tuples(*[st.floats(-0.2, 1.0)] * 2, *[st.floats(0.01, 0.6)] * 2), max_size=5),
    size=st.tuples(st.integers(20, 3000), st.integers(20, 2400)),  # no strip: of at most MAX_RATIO
    detection_pass=st.sampled_from(list(DetectionPass)),
    orientation=st.sampled_from(ORIENTATIONS),
)
def test_boxes_lie_within_the_upright_frame(service, boxes, size, detection_pass, orientation):
    service.reset()
    service.default = [face(*box) for box in boxes if box[0] + box[2] > 0.01 and box[1] + box[3] > 0.01]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for box in detect(encoded(Image.new("L", size), "PNG", exif=exif), detection_pass=detection_pass).boxes:
        assert 0 <= box.left <= box.right <= 1 + 1e-9
        assert 0 <= box.top <= box.bottom <= 1 + 1e-9


# ------------------------------------------------------------------------------ a job's share of calls


@pytest.mark.parametrize("reply", [CROWDED, [], [face(0.5, 0.5, 0.03, 0.04)]], ids=["crowd", "nobody", "small"])
def test_a_round_leaves_the_check_as_many_calls_as_it_makes_itself(service, reply):
    """The first round may make a third of a job's calls, and a check half of those that are left."""
    service.default, data, paid = reply, noise(4000, 600), Paid(24)
    rounds = [detect(data, detection_pass=each, paid=paid).calls for each in (*DetectionPass, DetectionPass.CHECK)]
    assert paid.made == sum(rounds) <= 24
    assert 1 <= rounds[0] <= rounds[1]
    assert min(rounds) >= 1


@pytest.mark.parametrize("reply", [CROWDED, [], [face(0.5, 0.5, 0.03, 0.04)]], ids=["crowd", "nobody", "small"])
def test_each_round_leaves_a_call_to_each_picture_that_may_still_be_searched(service, reply):
    """The least share suffices for a panorama, two pictures, with five checks, a review and five more checks."""
    service.default, photo, paid = reply, StoredPhoto(noise(1600, 400), "", ""), Paid(22)
    detector, made = WrappedDetector(RekognitionDetector(paid)), []
    for number in [*range(6), *range(1, 6)]:
        paid.reserved = reserved_calls(number, 2, "when_unsure")
        made.append(detector.detect(photo, 50, DetectionPass.CHECK if number else FIRST).calls)
        detector.detector.answers.clear()
    assert sum(made) == paid.made <= 22
    assert min(made) >= 2


def test_a_large_photo_is_searched_for_faces_as_small_as_promised(service):
    markers = [(100, 100, 125), (1950, 1950, 125), (3870, 3870, 125)]
    found, _ = search(service, marked(LARGE, markers), paid=Paid(60))
    assert close(found_squares(found, LARGE), markers, tolerance=8)
    assert found.calls <= 7
    assert found.warnings == []


def test_what_the_share_does_not_suffice_for_is_a_warning(service):
    paid = Paid(6)
    found, asked = search(service, marked(LARGE, [(100, 100, 900)]), paid=paid)
    assert found.calls == paid.made == len(asked.sizes) <= 2
    assert found.warnings == [WarningCode.NEAR_SIZE_LIMIT]
    assert len(found.boxes) == 1


# ------------------------------------------------------------------------------ several calls at once


def test_calls_of_one_round_are_made_at_the_same_time(service):
    """The service answers the tiles only when it has five of them."""
    together = threading.Barrier(rekognition.AT_ONCE)

    def reply(image):
        if "Bytes" in image:
            together.wait(timeout=30)
        return []

    service.default = reply
    found = detect(noise(6000, 2000), paid=Paid(60))
    assert found.calls == 1 + rekognition.AT_ONCE


def test_the_order_of_the_answers_changes_no_box(service):
    size, markers = (3000, 3000), [(100, 100, 95), (1480, 1470, 95), (1420, 300, 110), (2850, 2000, 98)]
    picture = marked(size, markers)
    expected, _ = search(service, picture)
    assert close(found_squares(expected, size), markers, tolerance=6)
    held, others = threading.Event(), []
    seen = Service(jpeg(picture, quality=95, subsampling=0))

    def last_first(image):
        others.append(image)
        if len(others) == 2:
            held.wait(timeout=30)
        elif len(others) == 3:
            held.set()
        return seen(image)

    service.default = last_first
    assert detect(seen.stored).boxes == expected.boxes


# ------------------------------------------------------------------------------ a fault in the middle of a round


class FailsAfter:
    """Answers as `Service` does, but some requests get this refusal in place of an answer."""

    def __init__(self, stored: bytes, answers: int, refusal: Refusal) -> None:
        self.service, self.answers, self.refusal = Service(stored), answers, refusal
        self.answered, self.lock = [], threading.Lock()

    def __call__(self, image):
        with self.lock:
            if len(self.answered) >= self.answers:
                return self.refusal
            self.answered.append(image.get("Bytes"))
        return self.service(image)


@pytest.mark.parametrize("detection_pass", DetectionPass)
def test_the_next_attempt_repeats_no_paid_call(service, detection_pass):
    data = jpeg(marked(STRIP, MARKERS), quality=95, subsampling=0)
    service.default = whole = FailsAfter(data, 100, THROTTLED)
    expected = detect(data, detection_pass=detection_pass)
    assert close(found_squares(expected, STRIP), MARKERS, tolerance=6)
    for refusal in (THROTTLED, BROKEN):
        paid, answered = Paid(60), []
        for answers in (2, 1, 100):
            service.default = FailsAfter(data, answers, refusal)
            if answers < 100:
                with pytest.raises((DetectorThrottled, DetectorUnavailable)):
                    detect(data, detection_pass=detection_pass, paid=paid)
            else:
                found = detect(data, detection_pass=detection_pass, paid=paid)
            answered += service.default.answered
            assert paid.made == len(answered)
        assert sorted(map(hash, answered)) == sorted(map(hash, whole.answered))
        assert found == expected


@pytest.mark.parametrize("refused", [StorageUnavailable, UploadReplaced])
def test_paid_answers_are_kept_before_anything_is_given_back_and_it_is_given_back_in_any_case(
    service, monkeypatch, refused
):
    paid, done = Paid(60), []
    service.default = FailsAfter(data := noise(4000, 3000), 3, THROTTLED)

    def keep(answers):
        done.append(("kept", len(answers)))
        raise refused

    monkeypatch.setattr(paid, "keep", keep)
    monkeypatch.setattr(paid, "give_back", lambda number: done.append(("given back", number)))
    with pytest.raises(refused):
        detect(data, paid=paid)
    assert done == [("kept", 3), ("given back", paid.made - 3)]


def test_the_answers_about_a_photo_are_kept_if_the_search_of_its_seam_fails(service):
    service.default = FailsAfter(data := noise(1000, 500), 1, THROTTLED)
    paid = Paid(60)
    with pytest.raises(DetectorThrottled):
        WrappedDetector(RekognitionDetector(paid)).detect(StoredPhoto(data, "photos", "uploads/1"), 50, FIRST)
    assert (len(paid.answers), paid.made) == (1, 1)


def test_the_answers_for_another_photo_are_not_used(service):
    paid = Paid(60)
    service.default = FailsAfter(data := noise(3000, 2250), 2, THROTTLED)
    with pytest.raises(DetectorThrottled):
        detect(data, paid=paid)
    service.default = Service(other := jpeg(marked((640, 480), [(100, 100, 90)])))
    assert len(detect(other, paid=paid).boxes) == 1


# ------------------------------------------------------------------------------ with hints


def hint(marker, size, confidence=60.0, slack=0.0):
    """A box about a marker; `slack` is the share by which it is too large."""
    left, top, side = marker
    extra = slack * side
    return Box(
        (left - extra / 2) / size[0],
        (top - extra / 2) / size[1],
        (side + extra) / size[0],
        (side + extra) / size[1],
        confidence,
    )


def each_once(detection, markers, size):
    """Whether there is one box about each marker, and no other box."""
    boxes, found = [hint(marker, size) for marker in markers], BoxIndex(detection.boxes)
    return (
        len(detection.boxes)
        == len(boxes)
        == sum(any(one.overlap(box) > 0.7 for one in found.near(box)) for box in boxes)
    )


def guided(service, picture, hints, **options):
    stored = jpeg(picture, quality=95, subsampling=0)
    service.default = Service(stored)
    return detect(stored, hints=hints, **options), service.default


@pytest.mark.parametrize("detection_pass", DetectionPass)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_small_faces_at_hints_are_found_with_one_more_call(service, detection_pass, orientation):
    size = (2000, 1340)
    # In the corners, at the edges, beside each other, and far from everything.
    markers = [
        (0, 0, 30),
        (1960, 1300, 40),
        (1000, 0, 25),
        (0, 670, 46),
        (540, 540, 20),
        (580, 545, 24),
        (1340, 600, 45),
    ]
    large = (800, 800, 200)
    data = laid(orientation, (*markers, large), size, subsampling=0)
    service.default = Service(data)
    hints = [hint(marker, size, slack=0.3) for marker in markers]
    found = detect(data, hints=hints, detection_pass=detection_pass)
    assert close(found_squares(found, size), [*markers, large], tolerance=4)
    assert (found.calls, found.warnings) == (2, [])


def test_without_hints_one_call_suffices(service):
    found, _ = guided(service, marked((4000, 3000), [(300, 300, 900)]), [])
    assert (len(found.boxes), found.calls, found.warnings) == (1, 1, [])


def test_hints_that_the_photo_shows_well_take_no_call(service):
    size = (1920, 1080)
    found, _ = guided(
        service, marked(size, [(300, 300, 200)]), [hint((300, 300, 200), size), hint((900, 500, 70), size)]
    )
    assert (len(found.boxes), found.calls) == (1, 1)


def test_a_hint_at_a_face_that_is_found_already_takes_no_call(service):
    size = (1920, 1080)
    found, _ = guided(service, marked(size, [(300, 300, 50)]), [hint((300, 300, 50), size)])
    assert (len(found.boxes), found.calls) == (1, 1)


def test_a_hint_that_no_enlargement_makes_large_enough_takes_no_call(service):
    size = (1920, 1080)
    found, _ = guided(service, marked(size, [(300, 300, 9)]), [hint((300, 300, 9), size)])
    assert (found.boxes, found.calls) == ([], 1)


def test_a_crowd_of_which_one_answer_names_a_hundred_is_found_completely(service):
    size = (4000, 3000)
    markers = [(40 + 130 * column, 40 + 120 * row, 50) for row in range(20) for column in range(30)]
    found, asked = guided(service, marked(size, markers), [hint(marker, size, slack=0.2) for marker in markers])
    assert each_once(found, markers, size)
    assert found.calls == len(asked.sizes) <= 20
    assert found.warnings == []


def test_large_faces_beyond_the_hundredth_are_asked_for_too(service):
    size = (1900, 1080)
    markers = [(20 + 90 * column, 20 + 90 * row, 70) for row in range(11) for column in range(20)]
    found, _ = guided(service, marked(size, markers), [hint(marker, size) for marker in markers])
    assert each_once(found, markers, size)
    assert found.calls <= 5


def test_hints_for_which_the_share_does_not_suffice_are_a_warning_and_the_likeliest_come_first(service):
    size = (4000, 3000)
    markers = [(75 + 195 * column, 50 + 195 * row, 25) for row in range(15) for column in range(20)]
    hints = [hint(marker, size, 90 if number < 60 else 30) for number, marker in enumerate(markers)]
    found, _ = guided(service, marked(size, markers), hints, paid=Paid(6))
    assert found.calls == 2
    assert WarningCode.NEAR_SIZE_LIMIT in found.warnings
    assert set(markers[:40]) <= {
        marker for marker in markers for box in found.boxes if box.overlap(hint(marker, size)) > 0.5
    }


def test_a_mosaic_cell_that_is_always_full_is_a_warning(service):
    service.default = CROWDED
    searched = rekognition.Search(
        StoredPhoto(grey(3000, 2000), "", ""), DetectionPass.FIRST, Paid(60), {}, rekognition.FACES
    )
    searched.search_hints([hint((1000, 1000, 30), (3000, 2000)), hint((2000, 500, 30), (3000, 2000))])
    assert searched.calls <= 4
    assert WarningCode.ANSWER_CAPPED in searched.warnings
