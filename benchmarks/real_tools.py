"""The tools that `make bench-real` compares: `real_tools.py TOOL FOLDER` works on the photos in FOLDER/photos.json.

That file is a list of [number, file]. The tool's answers are written to FOLDER/TOOL.json, with the peak memory of the
process in MB. `faceblur` and `plates` also write each result to FOLDER/<number>.
"""

from __future__ import annotations

import json
import re
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from faceblur.detectors.base import DetectionPass, StoredPhoto
from faceblur.detectors.check import Check
from faceblur.detectors.confidence import detect_at_confidence
from faceblur.geometry import Box
from faceblur.options import JobOptions
from faceblur.photo import decode
from faceblur.photo.hide import hide_regions
from faceblur.photo.styles import Region, style_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from faceblur.detectors.base import Detector

    Answer = dict[str, Any]
    Tool = Callable[[bytes, Path], Answer]

CHECKS = 5  # at most, as in the state machine
THRESHOLD = 0.2  # deface's own default


def faceblur() -> Tool:
    """The complete workflow with the embedded detector and the default options."""
    from faceblur.detectors.embedded.detector import EmbeddedDetector

    return workflow_with(EmbeddedDetector())


def plates() -> Tool:
    """The same, for number plates."""
    from faceblur.detectors.text.detector import EmbeddedTextDetector

    return workflow_with(EmbeddedTextDetector(["plate"]))


def workflow_with(detector: Detector) -> Tool:
    """The complete workflow with this detector."""
    from faceblur.errors import FaceblurError

    def hide(photo: bytes, result: Path) -> Answer:
        try:
            answer, data = hidden(photo, detector)
        except FaceblurError as error:
            return {"boxes": [], "seconds": [0.0], "settled": False, "error": type(error).__name__}
        result.write_bytes(data)
        return answer

    return hide


def hidden(photo: bytes, detector: Detector) -> tuple[Answer, bytes]:
    """Hide what is found as the state machine does, by the functions that the handlers call.

    The seconds are those of the detection and of each check, from the file to the boxes. Those of a check include
    finding out which of its boxes are covered.
    """
    options = JobOptions().model_dump()
    style = style_of(options)

    def boxes_in(file: bytes, detector: Detector, stage: DetectionPass) -> list[Box]:
        found = detect_at_confidence(detector, StoredPhoto(file, "", ""), options["min_confidence"], stage)
        return [Box.from_dict(box.to_dict()) for box in found.boxes]  # rounded, as they are once they were stored

    started = time.process_time()
    boxes = boxes_in(photo, detector, DetectionPass.FIRST)
    seconds = [time.process_time() - started]
    settled = False
    while not settled and len(seconds) <= CHECKS:
        regions = [Region(box, style) for box in boxes]
        draft = hide_regions(photo, regions).data
        started = time.process_time()
        missed = boxes_in(draft, Check(detector, regions), DetectionPass.CHECK)
        seconds.append(time.process_time() - started)
        settled = not missed
        boxes += missed
    if not settled:  # what the last check found is hidden without another check
        draft = hide_regions(photo, [Region(box, style) for box in boxes]).data
    told = [box.to_dict() for box in boxes]
    return {"boxes": told, "seconds": seconds, "settled": settled, "error": ""}, draft


def deface() -> Tool:
    """The installed deface with its defaults, under onnxruntime.

    The seconds are those of its detector's call, which also resizes the picture; they do not include reading the file.
    """
    import numpy as np
    from deface.centerface import CenterFace

    centerface = CenterFace()

    def find(photo: bytes, _: Path) -> Answer:
        picture = np.asarray(decode.load_for_detection(photo, None))
        started = time.process_time()
        found, _ = centerface(picture, threshold=THRESHOLD)
        seconds = time.process_time() - started
        return {"boxes": [[float(edge) for edge in box[:4]] for box in found], "seconds": [seconds]}

    return find


TOOLS: dict[str, Callable[[], Tool]] = {tool.__name__: tool for tool in (faceblur, plates, deface)}


def main(name: str, folder: Path) -> None:
    """Work on all photos, after an empty one, so that no network is loaded in the measured time."""
    tool = TOOLS[name]()
    nothing = BytesIO()
    Image.new("RGB", (256, 256)).save(nothing, "PNG")
    tool(nothing.getvalue(), folder / "nothing")
    photos = json.loads((folder / "photos.json").read_text())
    answers = [tool(Path(file).read_bytes(), folder / str(number)) for number, file in photos]
    # The peak that getrusage gives includes the parent process from before this one was started.
    megabytes = int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1000
    (folder / f"{name}.json").write_text(json.dumps({"answers": answers, "megabytes": megabytes}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
