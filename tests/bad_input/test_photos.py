"""Bad files through the image code, within the functions' limits: each ends in a hidden face or in a clear error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.bad_files.catalogue import HAND_MADE, HEAVY, kind_of, made, mutated
from tests.support.bad_files.good import FORMATS, GOOD
from tests.support.bad_files.mutations import MUTATIONS
from tests.support.bad_files.provoking import Provoking
from tests.support.bad_files.trial import HIDDEN, MEMORY_MB, Trial, trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Attempt = Callable[[str, bytes], Trial]

# Every good file by about half of the mutations; `make fuzz` tries many more, and the heavy files.
MUTATED = list(mutated(len(GOOD) * len(MUTATIONS) // 2))
LIGHT = [name for name in HAND_MADE if name not in HEAVY]


@pytest.fixture(scope="module")
def attempt() -> Iterator[Attempt]:
    with trials() as attempt:
        yield attempt


def endings(attempt: Attempt, names: Iterable[str]) -> Counter[str]:
    """How these files end. Fails if one of them ends in a way that is not allowed."""
    tried = [attempt(name, made(name)) for name in names]
    assert [each for each in tried if each.defect] == []
    return Counter(each.ended for each in tried)


@pytest.mark.parametrize("format_", ["any", *FORMATS])
def test_files_made_by_hand(attempt: Attempt, format_: str) -> None:
    ended = endings(attempt, (name for name in LIGHT if kind_of(name) == format_))
    assert ended["CorruptImage"]
    assert ended["UnsupportedFormat"]


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_mutations(attempt: Attempt, mutation: str) -> None:
    assert endings(attempt, (name for name in MUTATED if kind_of(name) == mutation))


@pytest.mark.parametrize("name", GOOD)
def test_the_files_that_are_mutated_are_good(attempt: Attempt, name: str) -> None:
    assert endings(attempt, [name]) == {HIDDEN: 1}


def test_a_name_is_all_it_takes_to_make_a_file_again() -> None:
    for name in MUTATED[::40]:
        assert made(name) == made(name)
    assert len(set(MUTATED)) == len(MUTATED)


class TestTheTrialItself:
    """The trial finds each kind of defect, and no file ends the trial itself."""

    @pytest.mark.parametrize(
        ("does", "ended", "defect"),
        [
            ("os._exit(3)", "nothing", "ended the process: 3"),
            ("os.abort()", "nothing", "ended the process: -6"),
            (f"bytes({2 * max(MEMORY_MB.values()) << 20})", "MemoryError", "MemoryError"),
            ("[1][2]", "IndexError", "IndexError"),
        ],
    )
    def test_what_goes_wrong(self, attempt: Attempt, does: str, ended: str, defect: str) -> None:
        tried = attempt("a test", Provoking(does.encode()))
        assert tried.ended == ended
        assert defect in tried.defect
        assert endings(attempt, ["JPEG"]) == {HIDDEN: 1}
