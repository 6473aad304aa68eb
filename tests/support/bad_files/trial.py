"""Tries a file in the image code: the same calls that the functions make, in a process with their limits.

A file must end in a result that holds nothing but the picture and whose face is hidden, or in an error of `errors.py`
that tells the sender what is wrong. Anything else is a defect.
"""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import time
import traceback
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
from PIL import ImageFilter

from faceblur.detectors import rekognition
from faceblur.detectors.base import Answer, DetectionPass, StoredPhoto
from faceblur.detectors.embedded import detector as embedded
from faceblur.detectors.warnings import warnings_for
from faceblur.errors import PhotoError
from faceblur.geometry import Box
from faceblur.limits import OutputFormat, Shape, StyleKind
from faceblur.photo import decode
from faceblur.photo.hide import HiddenPhoto, hide_regions
from faceblur.photo.preview import draw_preview
from faceblur.photo.styles import Region, Style
from tests.support.pictures.samplings import DQT, segments
from tests.support.privacy import MARK
from tests.support.sources import template
from tests.support.standins.paid import Paid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from PIL import Image

    Levels = np.ndarray[Any, np.dtype[np.float64]]

HIDDEN = "hidden"  # how a file with a result ends
FACE = Box(0.25, 0.25, 0.5, 0.5, 99.0)
RESOURCES = template()["Resources"]
HIDE = RESOURCES["HideFunction"]["Properties"]
_, WITH_NETWORKS, WITH_REKOGNITION = RESOURCES["DetectFunction"]["Properties"]["MemorySize"]["Fn::If"]
# The memory of each function in MB; detect has another one with each detector.
MEMORY_MB = {
    "detect, embedded": WITH_NETWORKS,
    "detect, Rekognition": WITH_REKOGNITION,
    "draw_preview": RESOURCES["DrawPreviewFunction"]["Properties"]["MemorySize"],
    "hide": HIDE["MemorySize"],
}
# The time limit of one call of a function. Here it must be enough for all calls together, and for examining the result.
SECONDS = HIDE["Timeout"]
# The limit in elapsed time, for code that waits instead of working. Other processes may slow this one down.
WAITING_SECONDS = 3 * SECONDS
# Characters that fit into a workflow's state and a job's row, beside everything else.
MAX_OUTCOME = 20_000

SAMPLE = 256  # pixels of the middle of a face are enough to tell whether it shows
ALIKE = 0.25  # correlation


class Trial(NamedTuple):
    """One file: how it ended, its defect (empty if there is none), and the time and memory it took.

    `megabytes` is the most that any function took, and `share` the most of its own memory that any of them took.
    """

    name: str
    ended: str
    defect: str = ""
    seconds: float = 0.0  # of processor time
    megabytes: float = 0.0
    share: float = 0.0


@contextmanager
def trials() -> Iterator[Callable[[str, bytes], Trial]]:
    """A worker process that tries files. If a file ends it, a new one replaces it."""
    worker = Worker()
    try:
        yield worker.attempt
    finally:
        worker.stop()


class Worker:
    """The process in which files are tried."""

    def __init__(self) -> None:
        """Start it."""
        context = get_context("spawn")
        theirs, self.requests = context.Pipe(duplex=False)
        self.answers, answers = context.Pipe(duplex=False)
        self.process = context.Process(target=serve, args=(theirs, answers), daemon=True)
        self.process.start()
        theirs.close()
        answers.close()

    def attempt(self, name: str, photo: bytes) -> Trial:
        """Try one file. Its name determines the style."""
        try:
            self.requests.send((name, photo))
            if self.answers.poll(WAITING_SECONDS):
                return self.answers.recv()
            ended = f"waited for {WAITING_SECONDS} seconds"
        except (EOFError, BrokenPipeError):
            self.process.join()
            code = self.process.exitcode or 0
            ended = f"took {SECONDS} seconds" if code == -signal.SIGXCPU else f"ended the process: {code}"
        self.stop()
        self.__init__()  # type: ignore[misc]
        return Trial(name, "nothing", ended)

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.join()
        self.requests.close()
        self.answers.close()


def serve(requests: Connection, answers: Connection) -> None:
    """Try the requested files until the connection is closed."""
    for stream in (1, 2):  # the decoders complain there
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The limits for memory in use are MEMORY_MB. Encoders reserve more than they use, so this limit is twice as high.
    reserved = 2 * max(MEMORY_MB.values()) << 20
    resource.setrlimit(resource.RLIMIT_AS, (reserved, reserved))
    rekognition.detect_faces = lambda _: Answer([], is_full=False)
    rekognition.client = lambda: SimpleNamespace(meta=SimpleNamespace(service_model=SimpleNamespace(api_version="")))
    while True:
        try:
            name, photo = requests.recv()
        except EOFError:
            return
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + SECONDS, resource.RLIM_INFINITY))
        start = time.process_time()
        peaks: dict[str, float] = {}
        ended, defect = tried(name, photo, peaks)
        seconds = time.process_time() - start
        for function, megabytes in peaks.items():
            if megabytes > MEMORY_MB[function]:
                defect = defect or f"{function} took {megabytes:.0f} MB"
        share = max(megabytes / MEMORY_MB[function] for function, megabytes in peaks.items())
        answers.send(Trial(name, ended, defect, seconds, max(peaks.values()), share))


@contextmanager
def measured(function: str, peaks: dict[str, float]) -> Iterator[None]:
    """Note the peak memory of the process during a function's work, in MB."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    try:
        yield
    finally:
        peaks[function] = peak_megabytes()


def tried(name: str, photo: bytes, peaks: dict[str, float]) -> tuple[str, str]:
    """How a file ends, and its defect. Records the peak memory of each function."""
    try:
        before, result, style = worked_on(name, photo, peaks)
    except PhotoError as error:
        return error.code, ""
    except Exception as error:  # noqa: BLE001 (which is what is looked for)
        return type(error).__name__, "".join(traceback.format_exception(error)[-6:])
    return HIDDEN, wrong_with(photo, before, result, style)


def worked_on(name: str, photo: bytes, peaks: dict[str, float]) -> tuple[Image.Image, HiddenPhoto, Style]:
    """The photo as the detectors see it, its result, and its style. The file's name decides the style."""
    random = Random(name)
    style = Style(random.choice(get_args(StyleKind)), random.choice(get_args(Shape)))
    output = random.choice(("same", "same", *get_args(OutputFormat)))
    with measured("detect, embedded", peaks):
        before = looked_at(photo)
    # The service is not called, but everything that a check would send to it is made.
    with measured("detect, Rekognition", peaks):
        rekognition.RekognitionDetector(Paid()).detect(StoredPhoto(photo, "", ""), 50, DetectionPass.CHECK)
    with measured("draw_preview", peaks):
        draw_preview(photo)
    with measured("hide", peaks):
        result = hide_regions(photo, [Region(FACE, style)], output)
    return before, result, style


def looked_at(photo: bytes) -> Image.Image:
    """The photo as the embedded detector sees it."""
    picture = embedded.load(photo)
    warnings_for(picture)
    return picture


def wrong_with(photo: bytes, before: Image.Image, result: HiddenPhoto, style: Style) -> str:
    """The defect of a result; empty if it has none."""
    try:
        after = looked_at(result.data)
    except PhotoError as error:
        return f"the result cannot be read: {error.code}"
    headers = [decode.inspect(each) for each in (photo, result.data)]
    said, is_ = {(header.width, header.height) for header in headers}, (result.width, result.height)
    if said != {is_} or before.size != after.size:
        return f"the result has another size: {said}, {is_}, {before.size}, {after.size}"
    if traces(result.data):
        return "the result holds something of the metadata"
    if len(json.dumps(result.stripped)) > MAX_OUTCOME:
        return "the list of removed metadata is too long"
    # The pixelated style has lines of its own, and a damaged photo may have one in the same place.
    return "the face shows" if style.kind != "pixelate" and shows(before, after) else ""


def traces(file: bytes) -> bool:
    """Whether any six bytes of the marker are in a file, or in the texts that are compressed in it.

    The colour profile, a JPEG's tables and a BMP's pixels are ignored, because a mutation may have put the marker into
    them, and they belong to the picture.
    """
    with decode.open_image(file) as image:
        image.load()
        texts = repr((image.info | {"icc_profile": b""}, getattr(image, "text", {}))).encode()
        rest = file.replace(image.info.get("icc_profile") or b"nothing", b"")
    if image.format == "BMP":
        rest = file[: int.from_bytes(file[10:14], "little")]
    if image.format == "JPEG":
        parts = list(segments(file))
        stays = {DQT, 0xE2}  # the profile is in APP2
        rest = b"".join(content for marker, content, _ in parts if marker not in stays) + file[parts[-1][2] :]
    return any(MARK[start : start + 6] in each for each in (texts, rest) for start in range(len(MARK) - 5))


def shows(before: Image.Image, after: Image.Image) -> bool:
    """Whether detail of the face is still there."""
    one, other = (quarters(detail(image)) for image in (before, after))
    # In all quarters that have any: one line may lie by chance where the paint has an edge.
    pairs = [(each, its) for each, its in zip(one, other, strict=True) if each.std() >= 2]
    return bool(pairs) and all(
        its.std() >= 2 and abs(np.corrcoef(each, its)[0, 1]) > ALIKE + 4 / math.sqrt(each.size) for each, its in pairs
    )


def quarters(levels: Levels) -> list[Levels]:
    """The four parts of an array, each in one row."""
    return [part.ravel() for half in np.array_split(levels, 2) for part in np.array_split(half, 2, axis=1)]


def detail(image: Image.Image) -> Levels:
    """The difference between the middle of the face and a softened copy of it, in levels."""
    across, down = (min(SAMPLE, max(2, side // 3)) for side in image.size)
    left, top = (image.width - across) // 2, (image.height - down) // 2
    face = image.crop((left, top, left + across, top + down)).convert("L")
    return np.asarray(face, float) - np.asarray(face.filter(ImageFilter.BoxBlur(1)), float)


def peak_megabytes() -> float:
    """The peak memory of this process since the last reset, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
