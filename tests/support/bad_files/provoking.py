"""A photo that runs code when it is read. With it, the tests show that their safeguards notice such code."""

from __future__ import annotations


class Provoking(bytes):
    """The bytes are the Python code that is run."""

    def startswith(self, *_: object) -> bool:
        exec(f"import os\n{self.decode()}")
        return False
