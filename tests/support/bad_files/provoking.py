"""A photo that does something when it is looked at: with it, the tests try what is to find that out."""

from __future__ import annotations


class Provoking(bytes):
    """The bytes are what is done, in Python."""

    def startswith(self, *_: object) -> bool:
        exec(f"import os\n{self.decode()}")
        return False
