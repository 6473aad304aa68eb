"""`make invoke` finds the code of every function in the build. Running a function needs Docker, so it is not tested."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from tests.support import invoke
from tests.support.sources import CloudFormationLoader


def test_the_code_of_every_function_is_where_the_built_template_says(built: Path):
    resources = yaml.load((built / "template.yaml").read_text(), CloudFormationLoader)["Resources"]
    # The folder is beside the build, because the files are hard links to those of the build.
    with tempfile.TemporaryDirectory(dir=built.parent, prefix="build-") as copy:
        invoke.link_build(built, Path(copy))
        for verb in invoke.FUNCTIONS:
            code = resources[invoke.logical_id(verb)]["Properties"]["CodeUri"]
            assert (Path(copy) / code / verb / "app.py").exists(), verb
