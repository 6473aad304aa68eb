"""What several folders of tests use: the networks, and the embedded AWS with the deployed template in it."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from faceblur_cli import project
from faceblur_cli.stack import sam
from faceblur_cli.stack.aws import Stack
from faceblur_cli.stack.emulator import emulator
from tests.support.networks import keep_answers, python_path
from tests.support.stack.deployed import NEVER_RESTARTED, Deployed, with_faults
from tests.support.standins.issuer import AUDIENCE, MACHINE, SCOPE, Issuer
from tests.support.standins.loopback import reserved_port
from tests.support.standins.receiver import Receiver
from tests.support.standins.rekognition import Rekognition

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

WEBHOOK_SECRET_NAME, WEBHOOK_SECRET = "/faceblur/webhook", "whsec-of-the-test"

# Some tests import onnxruntime without our code, which turns its telemetry off.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# No timed assertions, and the same examples in every run.
settings.register_profile("faceblur", deadline=None, derandomize=True)
settings.load_profile("faceblur")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--in-full` runs the long tests completely. Without it they run a part."""
    parser.addoption("--in-full", action="store_true", help="run the long tests completely, not a part of them")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None]:
    """Spare the garbage collector the thousands of collected tests, which stay until the end.

    By default, it takes a tenth of the time of the tests that use moto. So it also runs less often.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000)
        gc.enable()


class ByStack(LoadScopeScheduling):
    """Keeps the tests of one stack in one process, so that it is deployed once, and the other tests of one file.

    `test_blur_image.py` is not grouped with the other tests of the embedded detector, because one process would take
    too long for all of them.
    """

    # These take longest, so they start first. `make test-stack` has three processes, so the page, the command and the
    # embedded detector start at once. The page has only two tests, so its process also gets the next unit at once, and
    # this unit waits for the page. Therefore a short one follows.
    first: ClassVar = (
        "tests/detection/test_faces.py",
        "tests/detection/test_text.py",
        "tests/detection/test_rekognition.py",
        "tests/e2e/test_page.py",
        "command",
        "embedded detector",
        "tests/workflow/test_verify_branches.py",
        "tests/workflow/test_storm.py",
        "tests/workflow/test_blur_image.py",
    )
    # By the beginning of a test's id. The first that fits counts.
    stacks: ClassVar = {
        "tests/bad_input/test_api.py": "embedded detector",
        "tests/bad_input/test_stack.py": "embedded detector",
        "tests/e2e/test_access.py": "sign-in",
        "tests/e2e/test_api_examples.py": "embedded detector",
        "tests/e2e/test_command.py": "command",
        "tests/e2e/test_command_stack.py": "command",
        "tests/e2e/test_page.py::test_sign_in_in_a_browser": "sign-in",
        "tests/e2e/test_python_examples.py::test_one_photo": "embedded detector",
        "tests/e2e/test_python_examples.py::test_many_photos": "embedded detector",
        "tests/e2e/test_python_examples.py": "sign-in",
        "tests/workflow/test_blur_image.py::TestDelivery::test_no_photo_before_the_form_expires": "Rekognition",
        "tests/workflow/test_blur_image.py::TestRekognition": "Rekognition",
        "tests/workflow/test_blur_image.py::TestReviewExpired": "Rekognition",
        "tests/workflow/test_least_privilege.py": "sign-in",
        "tests/workflow/test_logs.py": "embedded detector",
        "tests/workflow/test_review.py": "embedded detector",
        "tests/workflow/test_two_detectors.py": "Rekognition",
    }

    def _split_scope(self, nodeid: str) -> str:
        fitting = (stack for beginning, stack in self.stacks.items() if nodeid.startswith(beginning))
        return next(fitting, nodeid.partition("::")[0])

    def _assign_work_unit(self, node: WorkerController) -> None:
        for scope in reversed(self.first):
            if scope in self.workqueue:
                self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByStack:
    """Divide the tests among processes by their stacks."""
    return ByStack(config, log)


@pytest.fixture(scope="session")
def networks() -> Iterator[None]:
    """Let the embedded detector import its networks, as the layer does, and keep what they answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(python_path())
        keep_answers(patch)
        yield


@pytest.fixture(scope="session")
def built() -> Path:
    """The template, built by `sam build` for this interpreter; by one process, while the others wait for it."""
    sam.build(print)
    return project.BUILD


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded AWS of the tests' own."""
    with reserved_port() as port, emulator(port, tmp_path_factory.mktemp("aws"), **NEVER_RESTARTED) as address:
        yield address


@pytest.fixture(scope="session")
def deployed(built: Path, endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The deployed template with the embedded detector."""
    plans = tmp_path_factory.mktemp("plans")
    with with_faults(plans) as copy:
        yield Deployed(sam.deploy(endpoint, copy), plans)


@pytest.fixture(scope="session")
def rekognition() -> Iterator[Rekognition]:
    """A server that speaks Rekognition's protocol."""
    with Rekognition() as server:
        yield server


@pytest.fixture(scope="session")
def deployed_with_rekognition(
    built: Path, endpoint: str, rekognition: Rekognition, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """The deployed template with Rekognition as its detector, and upload forms and reviews that expire soon."""
    plans = tmp_path_factory.mktemp("plans")
    parameters = ("FaceDetector=rekognition", "UploadSeconds=10", "ReviewHours=0.002")
    with with_faults(plans, AWS_ENDPOINT_URL_REKOGNITION=rekognition.url) as copy:
        name = "faceblur-rekognition"
        yield Deployed(sam.deploy(endpoint, copy, name, parameters), plans, name)


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """An issuer of tokens."""
    with Issuer() as served:
        yield served


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """Where the page of the stack with sign-in is served."""
    with reserved_port() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """A webhook."""
    with Receiver() as served:
        yield served


@pytest.fixture(scope="session")
def deployed_with_sign_in(
    built: Path,
    endpoint: str,
    issuer: Issuer,
    origin: str,
    receiver: Receiver,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployed]:
    """The deployed template with that issuer, its budget, one origin that may ask, and that webhook."""
    plans = tmp_path_factory.mktemp("plans")
    parameters = (
        f"OidcIssuer={issuer.url}",
        f"OidcAudience={AUDIENCE}",
        f"OidcScope={SCOPE}",
        f"OidcClients={MACHINE}",
        "DollarsADay=25",
        f"OidcOrigins={issuer.url}",
        f"AllowedOrigin={origin}",
        "EventBusName=default",
        f"WebhookUrl={receiver.url}/ends",
        f"WebhookSecretName={WEBHOOK_SECRET_NAME}",
    )
    Stack(endpoint, {}).client("ssm").put_parameter(
        Name=WEBHOOK_SECRET_NAME, Value=WEBHOOK_SECRET, Type="SecureString", Overwrite=True
    )
    with with_faults(plans) as copy:
        name = "faceblur-sign-in"
        yield Deployed(sam.deploy(endpoint, copy, name, parameters), plans, name)
