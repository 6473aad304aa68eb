"""The embedded detector: real faces in composed photos, and how it looks at a photo."""

from __future__ import annotations

from dataclasses import astuple
from itertools import pairwise

import numpy as np
import pytest
from centerface_model import python_path
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photos import astronaut, astronaut_pixels, encoded, flower, grace_hopper, jpeg
from PIL import Image, ImageFilter, ImageOps
from scenes import Scene, crowd, matches, people, place, scattered, shared

from faceblur.detectors import Look, StoredPhoto, embedded
from faceblur.detectors import centerface as network
from faceblur.detectors.doubts import Doubt
from faceblur.detectors.embedded import VIEWS, EmbeddedDetector, Glimpse, search, tiles
from faceblur.errors import CorruptImage, UnsupportedFormat

# Where the faces are when a file with this EXIF orientation is shown as its pixels lie.
LAID = {
    1: lambda picture: picture,
    2: ImageOps.mirror,
    3: lambda picture: picture.rotate(180),
    4: ImageOps.flip,
    5: lambda picture: picture.transpose(Image.Transpose.TRANSPOSE),
    6: lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    7: lambda picture: picture.transpose(Image.Transpose.TRANSVERSE),
    8: lambda picture: picture.transpose(Image.Transpose.ROTATE_270),
}


@pytest.fixture(autouse=True)
def model(monkeypatch):
    monkeypatch.syspath_prepend(python_path())


def detect(data: bytes, min_confidence: float = 50, look: Look = Look.FIRST):
    return EmbeddedDetector().detect(StoredPhoto(data, "bucket", "key"), min_confidence, look)


def pixels(detection, size):
    return [
        (box.left * size[0], box.top * size[1], box.right * size[0], box.bottom * size[1]) for box in detection.boxes
    ]


def laid(picture: Image.Image, orientation: int, format_: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(LAID[orientation](picture), format_, exif=exif)


class Seen:
    """A network that finds nothing, and remembers the pictures it was shown."""

    version = "none"

    def __init__(self, finds=None):
        self.pictures = []
        self.finds = finds or (lambda _: np.zeros((0, 5), np.float32))

    def find(self, picture, threshold):
        self.pictures.append(picture)
        found = self.finds(picture)
        return found[found[:, 4] > threshold]

    def find_in_each(self, pictures, threshold):
        return [self.find(picture, threshold) for picture in pictures]


@pytest.mark.parametrize("photo", [astronaut, grace_hopper])
@pytest.mark.parametrize("look", Look)
def test_the_face_of_a_sample_photo(photo, look):
    found = detect(photo(), look=look)
    (box,) = found.boxes
    assert box.confidence > 80
    assert (found.detector, found.calls, found.warnings) == ("embedded", 0, [])


@pytest.mark.parametrize("look", Look)
def test_a_picture_of_nobody(look):
    assert detect(flower(), look=look).boxes == []


@pytest.mark.parametrize("orientation", LAID)
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_boxes_are_those_of_the_upright_photo(orientation, format_):
    upright = scattered(40, (480, 360), 2, seed=3)
    (first, second) = pixels(detect(laid(upright.picture, orientation, format_)), (480, 360))
    assert matches([first, second], upright, overlap=0.5) == (2, 0)


@pytest.mark.parametrize("width", [24, 64, 200])
def test_clear_faces_are_all_found(width):
    for seed in range(4):
        scene = scattered(width, (1600, 1200), 4, seed)
        found = pixels(detect(jpeg(scene.picture)), scene.picture.size)
        assert matches(found, scene) == (4, 0)


@pytest.mark.parametrize("angle", [60, 90, 135, 180, 270])
def test_turned_faces_are_found(angle):
    for seed in range(100, 103):
        scene = scattered(48, (1280, 960), 4, seed, angle=angle)
        found = pixels(detect(jpeg(scene.picture)), scene.picture.size)
        assert matches(found, scene)[0] == 4


def test_blurred_faces_are_found():
    for seed in range(110, 113):
        scene = scattered(64, (1280, 960), 4, seed)
        blurred = scene.picture.filter(ImageFilter.GaussianBlur(6))
        assert matches(pixels(detect(jpeg(blurred)), blurred.size), scene)[0] == 4


def test_a_part_of_a_face_is_no_face_of_its_own():
    scene = scattered(640, (2400, 1800), 1, seed=0)
    (found,) = pixels(detect(jpeg(scene.picture)), scene.picture.size)
    assert shared(found, scene.faces[0]) > 0.5


@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("size", [(960, 720), (800, 800), (3024, 4032), (4000, 3000)])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_large_face_is_whole_in_some_view(size, share, look):
    height = share * min(size[1], 1.2 * size[0])
    for head in people()[::2]:
        face_width, face_height = head.face[2] - head.face[0], head.face[3] - head.face[1]
        width = height * face_width / face_height
        scene = Scene(place(5, size))
        scene.put(head, (size[0] - width) / 2, (size[1] - height) / 2, width)
        found = pixels(detect(jpeg(scene.picture), look=look), size)
        assert max(shared(box, scene.faces[0]) for box in found) > 0.7


def test_a_face_as_wide_as_the_photo():
    picture = astronaut_pixels().crop((170, 50, 280, 190)).resize((2200, 2800))
    (box,) = detect(jpeg(picture)).boxes
    assert shared((box.left, box.top, box.right, box.bottom), (0.08, 0.06, 0.93, 0.94)) > 0.7


def test_a_crowd_down_to_the_smallest_faces():
    scene = crowd(300, 10, 50, seed=1)
    found = detect(jpeg(scene.picture, quality=95))
    hits, extra = matches(pixels(found, scene.picture.size), scene)
    assert hits > 0.8 * len(scene.faces)
    assert extra <= 0.02 * len(scene.faces)
    assert found.warnings == [Doubt.FACES_NEAR_SIZE_LIMIT]


def test_the_second_look_finds_as_much():
    scene = crowd(100, 12, 60, seed=2)
    found = detect(jpeg(scene.picture, quality=95), look=Look.SECOND)
    hits, _ = matches(pixels(found, scene.picture.size), scene)
    assert hits > 0.85 * len(scene.faces)


@pytest.mark.parametrize("size", [(1600, 1200), (512, 512), (96, 128)])
def test_the_second_look_sees_other_pixels(monkeypatch, size):
    shown = {}
    for look in Look:
        seen = Seen()
        monkeypatch.setattr(embedded, "centerface", lambda seen=seen: seen)
        detect(jpeg(place(0, size)), look=look)
        shown[look] = {picture.size for picture in seen.pictures}
    assert not shown[Look.FIRST] & shown[Look.SECOND]


def test_the_second_look_gives_boxes_of_the_photo_not_of_its_mirror_image():
    scene = scattered(64, (800, 600), 4, seed=0)
    found = pixels(detect(jpeg(scene.picture), look=Look.SECOND), scene.picture.size)
    assert matches(found, scene, overlap=0.5) == (4, 0)


def test_a_higher_confidence_leaves_those_boxes_that_have_it():
    photo = jpeg(scattered(20, (1200, 900), 6, seed=0).picture)
    every = detect(photo, 50).boxes
    middle = sorted(box.confidence for box in every)[len(every) // 2]
    sure = detect(photo, middle).boxes
    assert 0 < len(sure) < len(every)
    assert {astuple(box) for box in sure} >= {astuple(box) for box in every if box.confidence > middle + 0.1}


def test_confidence_is_the_score_stretched_so_that_the_default_is_the_middle():
    assert embedded.score(50) == 0.35
    assert embedded.score(100) == 1
    scores = [embedded.score(confidence) for confidence in range(101)]
    assert scores == sorted(scores)
    assert scores[0] == embedded.LOWEST_SCORE


@pytest.mark.parametrize(
    ("data", "error"), [(astronaut()[:5000], CorruptImage), (b"GIF89a and so on", UnsupportedFormat)]
)
def test_what_cannot_be_read_is_an_error_and_never_a_photo_without_faces(data, error):
    with pytest.raises(error):
        detect(data)


def test_no_picture_shown_to_the_network_is_larger_than_the_memory_allows():
    seen = Seen()
    search(seen, Image.new("RGB", (6000, 4000)), 0.35, VIEWS[Look.FIRST])
    # Each side is made a multiple of the network's.
    assert max(picture.width * picture.height for picture in seen.pictures) <= 1.05 * embedded.TILE
    # All of it is seen, at about three quarters of its size, and once more as a whole.
    assert sum(picture.width * picture.height for picture in seen.pictures[:-1]) > 0.75**2 * 6000 * 4000


def test_cost_grows_with_what_is_found():
    costs = []
    for count in (0, 1, 20, 150):
        scene = crowd(count, 10, 40, seed=1, size=(1280, 720))
        seen = []

        class Counting:
            version = ""

            def find(self, picture, threshold):
                return self.find_in_each([picture], threshold)[0]

            def find_in_each(self, pictures, threshold, seen=seen):
                seen += [picture.width * picture.height for picture in pictures]
                return network.centerface().find_in_each(pictures, threshold)

        search(Counting(), scene.picture, 0.35, VIEWS[Look.FIRST])
        costs.append(sum(seen))
    assert costs == sorted(costs)
    assert costs[0] < 1.3 * (0.8**2 * 1280 * 720 + 320 * 180)
    assert costs[-1] < 2.5 * costs[0]


SEEN_WHOLE = (512, 384)  # how the first look sees a photo of 640×480
FIRST = VIEWS[Look.FIRST]
NONE = np.zeros((0, 5), np.float32)


UPRIGHT = embedded.UPRIGHT
SQUARE = (UPRIGHT.side, UPRIGHT.side)


def hint(score, found=NONE, side=10):
    """A network that gives a weak response in the whole photo, and this in any glimpse."""
    weak = [[80, 80, 80 + side, 82 + side, score]]
    return lambda picture: np.array(weak if picture.size == SEEN_WHOLE else found, np.float32)


def test_a_weak_response_is_looked_at_closer():
    seen = Seen(hint(0.03, [[20, 10, 50, 50, 0.9]]))
    (found,) = search(seen, Image.new("RGB", (640, 480)), 0.35, FIRST)
    assert [picture.size for picture in seen.pictures[1:]] == [SQUARE]
    left, top, right, bottom, score = found
    assert 98 < left < right < 118
    assert 94 < top < bottom < 118
    assert score == pytest.approx(0.9)


@pytest.mark.parametrize("cut", [(0, 10, 30, 50), (10, 0, 50, 30), (34, 20, 64, 40), (20, 34, 40, 64)])
def test_what_the_edge_of_a_glimpse_cuts_is_not_taken_for_a_face(cut):
    seen = Seen(hint(0.03, [[*cut, 0.9]]))
    assert len(search(seen, Image.new("RGB", (640, 480)), 0.35, FIRST)) == 0


def test_what_the_edge_of_the_photo_cuts_is_a_face():
    seen = Seen(lambda _: np.array([[0, 8, 40, 60, 0.9]], np.float32))
    candidate = np.array([[0, 100, 10, 120, 0.1]], np.float32)
    ((found,),), ((highest,),) = embedded.glimpse(
        seen, Image.new("RGB", (640, 480)), candidate, 0.35, [UPRIGHT], np.ones((1, 1), bool)
    )
    assert found[0] == 0 < found[2]
    assert highest == pytest.approx(0.9)


def test_what_stays_in_doubt_is_seen_from_all_sides():
    seen = Seen(hint(0.2, side=20))
    assert len(search(seen, place(0, (640, 480)), 0.35, FIRST)) == 0
    _, upright, *glimpses = seen.pictures
    assert upright.size == SQUARE
    for first, size in ((0, 32), (4, 64)):
        sides = glimpses[first : first + 4]
        assert {picture.size for picture in sides} == {(size, size)}
        upright = np.asarray(sides[0])
        assert [(np.rot90(upright, turns) == sides[turns]).all() for turns in range(4)] == [True] * 4
    # And once more, as it looked most like a face: smaller, larger and turned a little to both sides.
    assert len(glimpses) == 12


def test_what_looks_less_and_less_like_a_face_is_not_seen_from_all_sides():
    for score, glimpses in ((0.016, 1), (0.03, 5), (0.08, 9)):
        seen = Seen(hint(score, side=20))
        search(seen, place(0, (640, 480)), 0.35, FIRST)
        assert len(seen.pictures) == 1 + glimpses


def test_a_face_seen_from_all_sides_is_one_if_two_views_agree():
    face, there, elsewhere = [[10, 10, 30, 34, 0.9]], [[11, 10, 31, 33, 0.7]], [[60, 10, 80, 34, 0.8]]
    alone = embedded.agreed([np.array(each, np.float32) for each in (face + there, elsewhere)], 0.35)
    assert alone[:, 4] == pytest.approx([0.45 * embedded.AGREED, 0.4 * embedded.AGREED])
    # What one view alone takes for a face does not hide what two agree on.
    around, within = [[10, 10, 50, 60, 0.6]], [[18, 18, 40, 46, 0.55]]
    (found,) = embedded.agreed([np.array(each, np.float32) for each in (around, within, within)], 0.35)
    assert found == pytest.approx([18, 18, 40, 46, 0.55 * embedded.AGREED])
    (both,) = embedded.agreed([np.array(each, np.float32) for each in (face, there)], 0.35)
    assert both == pytest.approx([10, 10, 30, 34, 0.8 * embedded.AGREED])


@given(st.integers(0, 3), st.tuples(st.integers(20, 26), st.integers(20, 26)), st.sampled_from([(0, 0), (580, 440)]))
def test_a_face_lies_where_it_was_before_it_was_turned(turns, corner, at):
    drawn = Image.new("RGB", (640, 480))
    left, top, right, bottom = at[0] + corner[0], at[1] + corner[1], at[0] + corner[0] + 10, at[1] + corner[1] + 14
    drawn.paste("white", (left, top, right, bottom))

    def finds(picture):
        """Whatever is white."""
        rows, columns = np.nonzero(np.asarray(picture)[:, :, 0] > 128)
        return np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1, 0.8]], np.float32)

    candidates = np.array([[left - 2, top, right + 2, bottom, 0.1]], np.float32)
    views = [Glimpse(64, 32, turns), Glimpse(64, 32, turns + 0.5)]
    ((found,), (aslant,)), _ = embedded.glimpse(Seen(finds), drawn, candidates, 0.35, views, np.ones((2, 1), bool))
    assert found == pytest.approx([left, top, right, bottom, 0.8], abs=0.6)
    # Of what is turned by half a quarter more, the middle stays where it was.
    assert (aslant[:2] + aslant[2:4]) / 2 == pytest.approx([left + 5, top + 7], abs=1)


@pytest.mark.parametrize(("turns", "open_"), [(0, "left"), (1, "bottom"), (2, "right"), (3, "top")])
def test_the_edge_of_the_photo_is_where_it_was_turned_to(turns, open_):
    """Only what touches the side of a turned glimpse that lies at the photo's left edge is all there."""
    candidate = np.array([[0, 100, 10, 120, 0.1]], np.float32)
    at = {"left": (0, 10, 40, 50), "top": (10, 0, 50, 40), "right": (24, 10, 64, 50), "bottom": (10, 24, 50, 64)}
    for side, box in at.items():
        (found,), _ = embedded.glimpse(
            Seen(lambda _, box=box: np.array([[*box, 0.9]], np.float32)),
            Image.new("RGB", (640, 480)),
            candidate,
            0.35,
            [Glimpse(64, 28, turns)],
            np.ones((1, 1), bool),
        )
        assert len(found) == (side == open_)


def test_between_two_sides_the_photo_goes_on_if_it_does_beyond_either():
    corner = np.array([[True, True, False, False]])
    assert embedded.turned(corner, np.array([0.5])).tolist() == [[True, False, False, False]]
    assert embedded.turned(corner, np.array([3.5])).tolist() == [[False, True, False, False]]


def test_each_view_shows_its_own_places_and_each_square_is_cut_out_once(monkeypatch):
    drawn = Image.new("RGB", (640, 480))
    levels = [60, 120, 240]
    for number, level in enumerate(levels):
        drawn.paste((level, 0, 0), (100 + 150 * number, 100, 120 + 150 * number, 120))
    cuts = []

    def counted(picture, side, area, turns, cut_out=embedded.cut_out):
        cuts.append((area, turns))
        return cut_out(picture, side, area, turns)

    monkeypatch.setattr(embedded, "cut_out", counted)

    def finds(picture):
        """A face in the middle, with the score that its level stands for."""
        return np.array([[20, 20, 44, 44, np.asarray(picture)[32, 32, 0] / 255]], np.float32)

    candidates = np.array([[100 + 150 * number, 100, 120 + 150 * number, 120, 0.1] for number in range(3)], np.float32)
    views = [Glimpse(64, 32, 0), Glimpse(64, 32, 1), Glimpse(64, 32, 3)]
    shown = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 0]], bool)
    found, highest = embedded.glimpse(Seen(finds), drawn, candidates, 0.3, views, shown)
    scores = np.array(levels) / 255
    assert highest == pytest.approx(shown * scores, abs=0.02)
    centres = [((boxes[:, 0] + boxes[:, 2]) / 2).tolist() for boxes in found]
    # The first is below the threshold.
    assert centres == [pytest.approx([410], abs=1), pytest.approx([260, 410], abs=1), []]
    assert len(cuts) == len(set(cuts)) == 3


def test_the_glimpses_of_a_step_are_of_one_side():
    assert [len({view.side for view in step.glimpses}) for step in embedded.STEPS] == [1] * len(embedded.STEPS)


def test_a_possible_face_in_a_face_is_none_of_its_own():
    faces = np.array([[100, 100, 200, 200, 0.9]], np.float32)
    inside, outside = [120, 120, 140, 140, 0.3], [190, 190, 230, 230, 0.2]
    candidates = np.array([inside, outside], np.float32)
    assert embedded.apart_from(faces, candidates).tolist() == [pytest.approx(outside)]
    assert len(embedded.apart_from(NONE, candidates)) == 2


def test_many_possible_faces_in_one_place_are_looked_at_together():
    crowd_of = [[x, y, x + 12, y + 14, 0.1] for x in range(2, 100, 14) for y in range(2, 100, 16)]
    seen = Seen(lambda _: np.array([[30, 30, 50, 52, 0.9], [0, 30, 20, 52, 0.9]], np.float32))
    found = embedded.look_closer(seen, Image.new("RGB", (640, 480)), np.array(crowd_of, np.float32), 0.8, 0.35)
    (picture,) = seen.pictures
    assert picture.width * picture.height < len(crowd_of) * UPRIGHT.side**2
    # Each face in it is 12 pixels wide, and shown larger; the photo's own edge cuts none.
    assert len(found) == 2
    few = np.array(crowd_of[: embedded.MANY - 1], np.float32)
    seen.pictures.clear()
    embedded.look_closer(seen, Image.new("RGB", (640, 480)), few, 0.8, 0.35)
    assert [picture.size for picture in seen.pictures] == [SQUARE] * len(few)


def test_only_so_many_glimpses_are_taken_the_likeliest_first(monkeypatch):
    monkeypatch.setattr(embedded, "MANY", 1000)
    many = [[x, y, x + 16, y + 16, 0.12 + (x + y) / 5000] for x in range(0, 500, 40) for y in range(0, 370, 40)]
    seen = Seen(lambda picture: np.array(many if picture.size == SEEN_WHOLE else NONE, np.float32))
    photo = Image.new("RGB", (640, 480))
    # The likeliest; its neighbours' glimpses do not show it.
    photo.paste("white", (608, 458, 612, 462))
    search(seen, photo, 0.35, FIRST)
    shown = [np.asarray(picture).any() for picture in seen.pictures[1:]]
    # Small photos count as one megapixel; in the last step, each place is seen in a third of the ways.
    *steps, last = (step.places * len(step.glimpses) for step in embedded.STEPS)
    assert len(shown) == embedded.GLIMPSES + sum(steps) + last / 3
    assert sum(shown) == 1 + 1 + 3 + 4 + 4


def test_a_place_that_is_followed_up_by_nothing_does_not_stand_for_one_that_is():
    too_small_to_be_turned, large_enough = [100, 100, 112, 125, 0.022], [100, 100, 116, 125, 0.02]
    both = [too_small_to_be_turned, large_enough]
    seen = Seen(lambda picture: np.array(both if picture.size == SEEN_WHOLE else NONE, np.float32))
    search(seen, Image.new("RGB", (640, 480)), 0.35, FIRST)
    whole, *glimpses = seen.pictures
    assert whole.size == SEEN_WHOLE
    assert len(glimpses) == 1


def test_in_a_crowd_fewer_doubtful_places_are_followed_up():
    doubtful = np.array([[x, 10, x + 30, 50, 0.016] for x in range(0, 4000, 50)], np.float32)
    counts = []
    for others in (0, 10 * embedded.OTHERS, 10_000):
        seen = Seen()
        embedded.look_from_all_sides(seen, Image.new("RGB", (4000, 250)), doubtful, others, 0.35)
        counts.append(len(seen.pictures))
    first = embedded.STEPS[0].places
    assert counts == [first, first - 10, first // 4]


@given(st.integers(16, 12_000), st.integers(16, 12_000), st.floats(0.1, 1.0))
def test_a_grid_bounds_its_tiles_and_wastes_little(width, height, scale):
    across, down = embedded.grid(width, height, scale)
    sides = [
        (length * scale - 2 * embedded.MARGIN) / count + 2 * embedded.MARGIN
        for length, count in ((width, across), (height, down))
    ]
    assert sides[0] * sides[1] <= embedded.TILE * 1.001
    assert sides[0] * sides[1] * across * down < 1.3 * width * height * scale**2 + embedded.TILE


@given(st.integers(200, 12_000), st.floats(0.4, 1.0), st.integers(1, 16))
def test_tiles_share_out_a_side_and_see_beyond_their_part(length, scale, count):
    parts = list(tiles(length, count, scale))
    assert len(parts) == count
    owned = [(start, end) for _, _, start, end in parts]
    assert owned[0][0] == -np.inf
    assert owned[-1][1] == np.inf
    assert all(end == start for (_, end), (start, _) in pairwise(owned))
    for first, last, start, end in parts:
        assert 0 <= first < last <= length
        assert (last - first) * scale <= (length * scale - 2 * embedded.MARGIN) / count + 2 * (embedded.MARGIN + scale)
        assert first == 0 or first <= start - embedded.MARGIN / scale
        assert last == length or last >= end + embedded.MARGIN / scale


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orientation=st.sampled_from(list(LAID)),
    size=st.tuples(st.integers(16, 900), st.integers(16, 900)),
    look=st.sampled_from(list(Look)),
    seed=st.integers(0, 2**32 - 1),
)
def test_boxes_lie_within_the_upright_frame(monkeypatch, orientation, size, look, seed):
    rng = np.random.default_rng(seed)

    def finds(picture):
        """Anything, with edges that the picture's cut off as the network's own are."""
        corners = rng.uniform(-50, max(picture.size), (20, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(1, 300, (20, 2))], axis=1)
        boxes = boxes.clip(0, [*picture.size, *picture.size])
        solid = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return np.column_stack([boxes, rng.random(20)]).astype(np.float32)[solid]

    monkeypatch.setattr(embedded, "centerface", lambda: Seen(finds))
    photo = laid(Image.new("RGB", size, "grey"), orientation, "PNG")
    for box in detect(photo, look=look).boxes:
        assert 0 <= box.left < box.right <= 1 + 1e-6
        assert 0 <= box.top < box.bottom <= 1 + 1e-6
        assert 50 <= box.confidence <= 100


def test_very_large_photos_are_looked_at_at_half_their_size(monkeypatch):
    monkeypatch.setattr(embedded, "HALVED_ABOVE", 512 * 512 - 1)
    for photo in (astronaut(), encoded(astronaut_pixels(), "PNG")):
        assert embedded.load(photo).size == (256, 256)
        (box,) = detect(photo).boxes
        assert box.left == pytest.approx(0.354, abs=0.02)


@pytest.mark.parametrize("turns", [0, 0.5])
def test_of_a_face_larger_than_the_photo_no_more_is_taken_than_there_is(turns):
    # As a square of its own it would be more than Pillow cuts out.
    picture = Image.new("L", (6320, 6320), 255)
    shown = embedded.cut_out(picture, 64, (-4040, -4040, 10360, 10360), turns)
    assert shown.size == (64, 64)
    levels = np.asarray(shown.convert("L"))
    assert levels[32, 32] == 255
    assert levels[2, 2] == 0
    # 6320 of 14,400 pixels, in 64.
    assert (levels > 128).sum() == pytest.approx(28**2, rel=0.1)


def test_turned_faces_are_found_beside_upright_ones():
    for seed in (3, 4):
        scene = scattered(32, (640, 480), 8, seed)
        upside_down = scattered(32, (640, 480), 6, seed + 50, angle=180)
        both = Scene(Image.new("RGB", (640, 960)))
        both.picture.paste(scene.picture, (0, 0))
        both.picture.paste(upside_down.picture, (0, 480))
        both.faces += scene.faces
        both.faces += [(left, top + 480, right, bottom + 480) for left, top, right, bottom in upside_down.faces]
        found = search(network.centerface(), both.picture, 0.35, FIRST)
        hits, _ = matches([tuple(box[:4]) for box in found.tolist()], both)
        assert hits >= len(both.faces) - 1
