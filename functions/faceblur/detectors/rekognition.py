"""Amazon Rekognition's DetectFaces, called so that its limits miss no faces; `Search` also serves DetectText.

An answer holds the 100 largest faces. The smallest face it finds has 40 pixels in a picture of 1920×1080, and
proportionally more in a larger picture. So small faces are looked for in enlarged parts of the photo. There are two
ways to choose the parts:

- A survey knows nothing of the photo. If the limit exceeds faces worth hiding, it asks for tiles in which it does not.
  It asks for an area's quarters if the area's answer is full, or holds faces near the size limit.
- With hints of where faces may be, it asks for mosaics of the places at which the limit exceeds the possible face.

https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
"""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache, cached_property
from hashlib import sha256
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError  # noqa: A004
from PIL import Image, ImageOps

from faceblur.aws import code_of, service_errors
from faceblur.detectors.base import Answer, Detection, DetectionPass
from faceblur.detectors.mosaic import Part, grouped, packed
from faceblur.detectors.warnings import SAMPLE, WarningCode, warnings_for
from faceblur.errors import DetectorThrottled, DetectorUnavailable
from faceblur.geometry import Box, BoxIndex, Rectangle, merge_faces
from faceblur.photo import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_rekognition import RekognitionClient
    from mypy_boto3_rekognition.type_defs import ImageTypeDef

    from faceblur.detectors.base import PaidCalls, StoredPhoto

MAX_OBJECT_BYTES = 15_000_000
FULL_ANSWER = 100  # faces
SMALLEST_FACE = 40  # pixels, in a picture of at most LONG_SIDE × SHORT_SIDE
LONG_SIDE, SHORT_SIDE = 1920, 1080
SMALLEST_SIDE = 80  # pixels of a picture

ALWAYS_FOUND = 80  # pixels of the photo; an area whose size limit is above this is divided
TILE_LIMIT = 60  # pixels of the photo; the size limit of tiles, so that few of them have faces near it
COARSER = 4 / 3  # times; how much the size limit of tiles is raised until they are few enough
NEAR_LIMIT = 1.5  # times the size limit; where such faces are, there may be smaller ones
SMALL_ENOUGH = 12  # pixels of the photo; a size limit below this is not worth another call
MAX_ENLARGEMENT = 4  # times; more shows no further detail
CUT = 2  # pixels; a face nearer than this to the edge of an area is taken to be cropped
SAME_FACE = 0.8  # a cropped face with more than this share of its area in an uncropped one is the same face

HINTED_FACE = 72  # pixels of a mosaic for a possible face, well above the limit, because hints are rough
HINT_MARGIN = 0.5  # of a possible face, on each side
HINT_FOUND = 0.4  # intersection over union from which a hint is of a face that is found already

MAX_CALLS = 100  # for one round, so that it ends in time; they cost ten cents
AT_ONCE = 5  # calls, which is the least quota of calls a second
# The share of the calls left that a round may make. The first round leaves enough for a first check that is as close.
SHARE = {DetectionPass.FIRST: 3, DetectionPass.CHECK: 2}

REFUSED_IN_S3 = {"InvalidImageFormatException", "ImageTooLargeException"}

CHECK_ENLARGED = 1.25  # times; how much larger a check sees what it does not see mirrored

Found = tuple[Box, Rectangle, float]


class Request(NamedTuple):
    """The picture of a call, and its size in pixels or in any unit: that of the area that it shows."""

    image: ImageTypeDef
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the service: its name, and the call that turns a request into an answer.

    A check mirrors the picture if `mirrors` is true, and enlarges it otherwise. If the operation has a `size_limit`,
    areas with boxes near this size are searched again for smaller ones.
    """

    name: str
    call: Callable[[Request], Answer]
    mirrors: bool
    size_limit: bool


class RekognitionDetector:
    """Amazon Rekognition's faces, through boto3."""

    def __init__(self, paid: PaidCalls, answers: dict[str, Answer] | None = None) -> None:
        """Make these calls. Detectors that share a round's `answers` keep them together if one of them fails."""
        self.paid = paid
        # A panorama is searched as two pictures in one round. If the second one fails, the answers of both are kept.
        self.answers = {} if answers is None else answers

    def detect(self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass) -> Detection:
        """The faces of at least this confidence (0…100), which a survey finds.

        Raises the errors of `decode.inspect`, PhotoTooExpensive, DetectorThrottled and DetectorUnavailable; other
        errors of the service are raised unchanged.
        """
        search = Search(photo, detection_pass, self.paid, self.answers, FACES)
        return search.detection(merge_faces(search.survey()), min_confidence)

    def detect_at(
        self, photo: StoredPhoto, min_confidence: float, detection_pass: DetectionPass, hints: Sequence[Box]
    ) -> Detection:
        """The same, with a closer search at these hints in place of a survey."""
        search = Search(photo, detection_pass, self.paid, self.answers, FACES)
        return search.detection(merge_faces(search.search_hints(hints)), min_confidence)


class Search:
    """A search of one photo with as many calls as needed and allowed. A check sends another picture of the photo."""

    def __init__(
        self,
        photo: StoredPhoto,
        detection_pass: DetectionPass,
        paid: PaidCalls,
        answers: dict[str, Answer],
        operation: Operation,
    ) -> None:
        """Prepare the search; makes no call yet. It adds its answers to these, by their requests' digests."""
        self.photo = photo
        self.header = decode.inspect(photo.data)
        self.photo_area = Rectangle(0, 0, self.header.width, self.header.height)
        self.operation = operation
        self.is_check = detection_pass is DetectionPass.CHECK
        self.mirrored = self.is_check and self.operation.mirrors
        self.paid = paid
        left = paid.left
        self.most = min(MAX_CALLS, max(1, min(left // SHARE[detection_pass], left - paid.reserved)))
        self.answers = answers
        self.calls = 0
        self.warnings: set[WarningCode] = set()

    def detection(self, found: Sequence[Box], min_confidence: float) -> Detection:
        """The detection of those of these boxes that have at least this confidence, most confident first."""
        warnings = self.warnings | set(warnings_for(self.sample()))
        return Detection(
            boxes=[box for box in found if box.confidence >= min_confidence],
            detector="rekognition",
            version=f"{self.operation.name}-{client().meta.service_model.api_version}",
            calls=self.calls,
            warnings=sorted(warnings),
        )

    # ------------------------------------------------------------------ a survey

    def survey(self) -> list[Box]:
        """The boxes of all answers, area by area."""
        found: list[Found] = []
        level = [self.photo_area]
        while level:
            answers = self.ask_for(level)
            for area, answer in zip(level, answers, strict=True):
                found += [(box, area, self.scale(area)) for box in answer.boxes]
            level = self.next_level(level, answers)
        return self.in_photo(found)

    def next_level(self, level: Sequence[Rectangle], answers: Sequence[Answer]) -> list[Rectangle]:
        """The parts of the areas that are worth further calls. Where the calls do not suffice, there is a warning.

        Full answers come first, because something is known to be missing there.
        """
        parts: list[Rectangle] = []
        by_need = sorted(zip(level, answers, strict=True), key=lambda each: not each[1].is_full)
        for area, answer in by_need:
            allowed = self.most - self.calls - len(parts)
            divided, warning = self.division(area, answer, allowed)
            parts += divided
            if warning:
                self.warnings.add(warning)
        return parts

    def division(self, area: Rectangle, answer: Answer, allowed: int) -> tuple[list[Rectangle], WarningCode | None]:
        """The parts of an area to ask for, at most `allowed`, and the warning if they do not show what they should."""
        # A cropped face seems narrower than it is. Another area shows it uncropped.
        widths = [box.width * area.size[0] for box in answer.boxes if not self.crops(area, box, self.scale(area))]
        limit = SMALLEST_FACE / self.scale(area)
        full = answer.is_full
        near_limit = self.operation.size_limit and any(width < limit * NEAR_LIMIT for width in widths)
        # Faces that only the parts can show are no larger than the overlap, so a part shows them uncropped.
        overlap = min(ceil(max(limit * NEAR_LIMIT, min(widths, default=0) if full else 0)), *area.size)
        if limit > ALWAYS_FOUND:
            tiles, reached = tiling(area, limit, overlap, allowed)
            if reached <= ALWAYS_FOUND:
                return tiles, None
            return tiles, WarningCode.ANSWER_CAPPED if full else WarningCode.NEAR_SIZE_LIMIT
        if not full and not (near_limit and limit > SMALL_ENOUGH):
            return [], WarningCode.NEAR_SIZE_LIMIT if near_limit else None
        if min(area.size) >= max(2 * overlap, SMALLEST_SIDE) and allowed >= 4:
            return area.quarters(overlap), None
        return [], WarningCode.ANSWER_CAPPED if full else WarningCode.NEAR_SIZE_LIMIT

    # ------------------------------------------------------------------ a search at hints

    def search_hints(self, hints: Sequence[Box]) -> list[Box]:
        """The boxes of the whole photo, and of the hints that it shows too small."""
        scale = self.scale(self.photo_area)
        (answer,) = self.ask_for([self.photo_area])
        found: list[Found] = [(box, self.photo_area, scale) for box in answer.boxes]
        index = BoxIndex(answer.boxes)
        small = [
            hint
            for hint in sorted(hints, key=lambda hint: -hint.confidence)
            if (answer.is_full or self.width(hint) * scale < SMALLEST_FACE * NEAR_LIMIT)
            and self.width(hint) * MAX_ENLARGEMENT >= SMALLEST_FACE
            and not any(hint.overlap(box) > HINT_FOUND for box in index.near(hint))
        ]
        # The calls that are left can show at most `useful` hints.
        if len(small) > (useful := FULL_ANSWER * (self.most - self.calls)):
            self.warnings.add(WarningCode.NEAR_SIZE_LIMIT)
        parts = grouped(map(self.enlarged, small[:useful]), (LONG_SIDE // 2, SHORT_SIDE // 2))
        waiting = packed(parts, (LONG_SIDE, SHORT_SIDE))
        while waiting:
            asked = waiting[: self.most - self.calls]
            if len(asked) < len(waiting):
                self.warnings.add(WarningCode.NEAR_SIZE_LIMIT)
            shown = self.ask([self.request(mosaic.drawn(self.picture), mosaic.size) for mosaic in asked])
            waiting = []
            for mosaic, answer in zip(asked, shown, strict=True):
                found += [(box, cell.area, cell.scale) for box, cell in mosaic.in_cells(answer.boxes)]
                if answer.is_full and len(mosaic.cells) > 1:
                    waiting += mosaic.halves()
                elif answer.is_full:
                    self.warnings.add(WarningCode.ANSWER_CAPPED)
        return self.in_photo(found)

    def width(self, box: Box) -> float:
        """The shorter side of a box in pixels of the photo, which is the width of an upright face."""
        return min(box.width * self.photo_area.right, box.height * self.photo_area.bottom)

    def enlarged(self, hint: Box) -> Part:
        """The area around a hint, at the scale at which it shows what is to be seen."""
        width, height = self.photo_area.size
        margin = HINT_MARGIN * self.width(hint)
        area = Rectangle(
            int(hint.left * width - margin),
            int(hint.top * height - margin),
            ceil(hint.right * width + margin),
            ceil(hint.bottom * height + margin),
        ).clip(self.photo_area.size)
        return Part(area, min(MAX_ENLARGEMENT, HINTED_FACE / self.width(hint)))

    # ------------------------------------------------------------------ pictures

    def scale(self, area: Rectangle) -> float:
        """The scale at which an area is sent: the largest that is useful."""
        largest = min(LONG_SIDE / max(area.size), SHORT_SIDE / min(area.size))
        if self.is_check and not self.mirrored:
            largest *= CHECK_ENLARGED
        return min(largest, 1 if self.is_readable_in_s3(area) else MAX_ENLARGEMENT)

    def ask_for(self, areas: Sequence[Rectangle]) -> list[Answer]:
        """The answers about these areas, as fractions of the areas."""
        if len(areas) == 1 and self.is_readable_in_s3(areas[0]):
            image: ImageTypeDef = {"S3Object": {"Bucket": self.photo.bucket, "Name": self.photo.key}}
            try:
                return self.ask([Request(image, areas[0].size)])
            except ClientError as error:
                if code_of(error) not in REFUSED_IN_S3:
                    raise
        return self.ask([self.request(self.rendered(area), area.size) for area in areas])

    def is_readable_in_s3(self, area: Rectangle) -> bool:
        """Whether the service can read this area from S3 itself, and sees the same picture as we do."""
        return (
            area == self.photo_area
            and bool(self.photo.key)
            and not self.is_check
            and len(self.photo.data) <= MAX_OBJECT_BYTES
            and min(self.photo_area.size) >= SMALLEST_SIDE
            and self.header.is_plain
            # It turns only JPEGs upright.
            and (self.header.format == "JPEG" or (self.header.format == "PNG" and self.header.orientation == 1))
        )

    def rendered(self, area: Rectangle) -> Image.Image:
        """The area at its scale, and at least at the size that the service takes."""
        scale = max(self.scale(area), SMALLEST_SIDE / min(area.size))
        size = round(area.size[0] * scale), round(area.size[1] * scale)
        return self.picture.resize(size, Image.Resampling.BICUBIC, area)

    def request(self, picture: Image.Image, size: tuple[int, int]) -> Request:
        """The request for a picture of this size, as a JPEG; at the scales used, it is far below the limit of 5 MB."""
        file = BytesIO()
        (ImageOps.mirror(picture) if self.mirrored else picture).save(file, "JPEG", quality=90)
        return Request({"Bytes": file.getvalue()}, size)

    @cached_property
    def picture(self) -> Image.Image:
        """The upright photo, decoded on first use."""
        return decode.load_for_detection(self.photo.data, None)

    def sample(self) -> Image.Image:
        """The upright photo, at least as large as the warnings need it, and not decoded a second time."""
        is_decoded = "picture" in vars(self)
        return self.picture if is_decoded else decode.load_for_detection(self.photo.data, SAMPLE)

    # ------------------------------------------------------------------ requests

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """The answer to each of these requests, as fractions of its picture; mirrored boxes are mirrored back.

        After an error, the answers that are paid are kept for the next attempt, and calls that cost nothing are
        given back.
        """
        keys = [self.key(request) for request in requests]
        known = {key: answer for key in keys if (answer := self.paid.remembered(key)) is not None}
        new = {key: request for key, request in zip(keys, requests, strict=True) if key not in known}
        self.paid.take(len(new))
        answers, errors = ask_at_once(self.operation.call, new)
        self.calls += len(known) + len(answers)
        self.answers |= known | answers
        if errors:
            try:
                self.paid.keep(self.answers)
            finally:
                self.paid.give_back(len(new) - len(answers) - sum(map(may_be_billed, errors)))
            raise errors[0]
        return [mirrored(self.answers[key]) if self.mirrored else self.answers[key] for key in keys]

    def key(self, request: Request) -> str:
        """What tells a request from all others: the digest of what is asked and of its picture."""
        sent = request.image.get("Bytes")
        picture = sent if isinstance(sent, bytes) else self.photo.data
        return sha256(self.operation.name.encode() + picture).hexdigest()

    # ------------------------------------------------------------------ boxes

    def in_photo(self, found: Sequence[Found]) -> list[Box]:
        """Boxes with their areas and scales, as boxes of the photo.

        A box of a cropped face is left out if an uncropped box of the same face was found.
        """
        whole = [self.placed(box, area) for box, area, scale in found if not self.crops(area, box, scale)]
        cropped = [self.placed(box, area) for box, area, scale in found if self.crops(area, box, scale)]
        index = BoxIndex(whole)
        return whole + [part for part in cropped if not any(_is_same_face(part, box) for box in index.near(part))]

    def crops(self, area: Rectangle, box: Box, scale: float) -> bool:
        """Whether an edge of the area crops this face; the edges of the photo do not count."""
        edge, box = CUT / scale / min(area.size), box.bounds
        return (
            (box.left < edge and area.left > 0)
            or (box.top < edge and area.top > 0)
            or (box.right > 1 - edge and area.right < self.photo_area.right)
            or (box.bottom > 1 - edge and area.bottom < self.photo_area.bottom)
        )

    def placed(self, box: Box, area: Rectangle) -> Box:
        """Convert a box from fractions of the area to fractions of the photo."""
        (left, top, _, _), (width, height), (across, down) = area, area.size, self.photo_area.size
        placed = replace(
            box,
            left=(left + box.left * width) / across,
            top=(top + box.top * height) / down,
            width=box.width * width / across,
            height=box.height * height / down,
            ratio=across / down,
        )
        # A turned box that were cut at the photo's edge would lie elsewhere.
        return placed if box.turned else placed.clamp()


def tiling(area: Rectangle, limit: float, overlap: int, allowed: int) -> tuple[list[Rectangle], float]:
    """The tiles of an area in which TILE_LIMIT is the size limit, and that limit.

    If this takes more tiles than allowed, the limit is raised until they are few enough. If it would reach that of the
    area itself, there are no tiles.
    """
    reached: float = TILE_LIMIT
    while reached < limit:
        long, short = LONG_SIDE * reached / SMALLEST_FACE, SHORT_SIDE * reached / SMALLEST_FACE
        grids = [
            tuple(max(1, ceil((side - overlap) / (most - overlap))) for side, most in zip(area.size, tile, strict=True))
            for tile in ((long, short), (short, long))
            if min(tile) > overlap
        ]
        columns, rows = min(grids, key=lambda grid: grid[0] * grid[1], default=(allowed, 2))
        if columns * rows <= allowed:
            return area.tiles(columns, rows, overlap), reached
        reached *= COARSER
    return [], limit


def mirrored(answer: Answer) -> Answer:
    """The answer about a mirrored picture as that about the picture."""
    return Answer([replace(box, left=1 - box.right) for box in answer.boxes], answer.is_full)


def _is_same_face(cropped: Box, face: Box) -> bool:
    return cropped.intersection(face) > SAME_FACE * cropped.area


def ask_at_once(
    call: Callable[[Request], Answer], requests: Mapping[str, Request]
) -> tuple[dict[str, Answer], list[BaseException]]:
    """The answers of this call to these requests, AT_ONCE at a time, and the errors of those that failed.

    After an error no further request is made; those under way are still answered.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {key: pool.submit(call, request) for key, request in requests.items()}
        wait(asked.values(), return_when=FIRST_EXCEPTION)
        pool.shutdown(cancel_futures=True)
    ended = {key: future for key, future in asked.items() if not future.cancelled()}
    errors = [error for future in ended.values() if (error := future.exception())]
    return {key: each.result() for key, each in ended.items() if not each.exception()}, errors


def may_be_billed(error: BaseException) -> bool:
    """Whether the service may have charged for a call that ended so, since it was reached and did not refuse."""
    return not isinstance(error.__cause__ or error, (ClientError, ConnectionError))


def detect_faces(request: Request) -> Answer:
    """The faces of one answer, as fractions of the image. Boxes may reach outside the image."""
    with service_errors(throttled=DetectorThrottled, unavailable=DetectorUnavailable):
        answer = client().detect_faces(Image=request.image)
    faces = [
        Box(box["Left"], box["Top"], box["Width"], box["Height"], face["Confidence"])
        for face in answer["FaceDetails"]
        for box in [face["BoundingBox"]]
    ]
    return Answer(faces, len(faces) >= FULL_ANSWER)


FACES = Operation("DetectFaces", lambda request: detect_faces(request), mirrors=True, size_limit=True)


@cache
def client() -> RekognitionClient:
    """The client, created on first use. It tries thrice within seconds; the state machine does the other retries."""
    config = Config(connect_timeout=3, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("rekognition", config=config)
