"""The walk through folders, with names and links as disks have them."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from faceblur_cli.folder.file_types import other_kind
from faceblur_cli.folder.report import shown
from faceblur_cli.folder.walk import Found, walk

DEPTH = 1100
NO_UTF8 = os.fsdecode(b"\xff\xfe.jpg")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"photo")


def found(*sources: Path, out: Path | None = None) -> dict[str, Found]:
    return {file.name: file for file in walk(sources, out)}


def test_all_depths_in_the_same_order(photos: Path) -> None:
    put(photos, "b.jpg", "a/z.jpg", "a/b/c.jpg", "a.jpg", "C.jpg")
    assert list(found(photos)) == ["C.jpg", "a/b/c.jpg", "a/z.jpg", "a.jpg", "b.jpg"]
    assert found(photos)["a/b/c.jpg"] == Found(photos / "a/b/c.jpg", "a/b/c.jpg")


def test_a_tree_that_is_deeper_than_the_calls_of_python(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    for _ in range(DEPTH):
        Path("d").mkdir()
        os.chdir("d")
    put(Path(), "a.jpg")
    assert list(found(photos)) == ["d/" * DEPTH + "a.jpg"]
    # So deep, pytest's own cleaning would fail.
    Path("a.jpg").unlink()
    for _ in range(DEPTH):
        os.chdir("..")
        Path("d").rmdir()


def test_a_path_that_is_longer_than_the_system_takes_is_a_line(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(photos, "z.jpg")
    monkeypatch.chdir(photos)
    for _ in range(30):
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
    files = list(found(photos).values())
    assert [bool(file.problem) for file in files] == [True, False]
    assert files[0].problem == "File name too long"


@pytest.mark.parametrize("name", [NO_UTF8, "a" * 246 + ".jpg", "two\nlines.jpg", "-", " ", "ä \u202e.jpg"])
def test_odd_names(photos: Path, name: str) -> None:
    put(photos, name)
    assert found(photos) == {name: Found(photos / name, name)}


def test_bytes_and_controls_in_names_are_shown_as_text() -> None:
    assert shown(Path(NO_UTF8)) == r"\xff\xfe.jpg"
    assert shown(Path("two\nlines.jpg")) == r"two\nlines.jpg"
    assert shown(Path("näher.jpg")) == "näher.jpg"


def test_links(photos: Path, tmp_path: Path) -> None:
    put(photos, "a/real.jpg")
    put(tmp_path, "outside.jpg")
    links = {
        "dangling.jpg": "nowhere",
        "circle.jpg": "circle.jpg",
        "inside.jpg": "a/real.jpg",
        "outside.jpg": "../outside.jpg",
        "folder": "a",
        "above": "..",
    }
    for name, target in links.items():
        (photos / name).symlink_to(target)
    files = found(photos)
    assert files["dangling.jpg"].problem == "No such file or directory"
    assert "symbolic links" in files["circle.jpg"].problem
    assert files["inside.jpg"] == Found(photos / "inside.jpg", "inside.jpg")
    assert files["outside.jpg"].other == "a link that leads out of the folder"
    assert files["folder"].other == files["above"].other == "a link to a folder"
    assert len(files) == 7


def test_a_pipe_is_not_opened(photos: Path) -> None:
    os.mkfifo(photos / "pipe.jpg")
    assert found(photos)["pipe.jpg"].other == "no file"


def test_a_folder_that_may_not_be_read_is_a_line(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(photos, "a/x.jpg", "b/y.jpg")
    iterdir = Path.iterdir

    def refused(folder: Path) -> object:
        if folder.name == "a":
            raise PermissionError(13, "Permission denied")
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    files = found(photos)
    assert files["a"].problem == "Permission denied"
    assert not files["b/y.jpg"].problem


def test_the_folder_for_the_results_and_our_own_files_are_left_out(photos: Path) -> None:
    put(photos, "a.jpg", "out/a.jpg", ".faceblur-0a.part")
    assert list(found(photos, out=photos / "out")) == ["a.jpg"]


def test_several_folders_keep_their_names(photos: Path, tmp_path: Path) -> None:
    put(photos, "a.jpg")
    put(tmp_path / "more", "a.jpg")
    put(tmp_path, "b.jpg")
    named = tmp_path / "b.jpg"
    assert list(found(photos, tmp_path / "more", named, photos)) == ["photos/a.jpg", "more/a.jpg", str(named)]


def test_more_files_than_a_process_may_have_open(photos: Path) -> None:
    expected = [f"{number:05}.jpg" for number in range(300)]
    for name in expected:
        (photos / name).touch()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[0]), before[1]))
    try:
        names = [file.name for file in walk([photos], None)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert names == expected


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe1", ""),
        (b"\x89PNG\r\n\x1a\n", ""),
        (b"RIFF\0\0\0\0WEBPVP8 ", ""),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ""),
        (b"\0\0\0\x18ftypXXXX\0\0\0\0isomavif", ""),
        (b"II*\0", ""),
        (b"II\x1a\0\0\0HEAPCCDR", ""),
        (b"BM", ""),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41", "a video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  heic", "a video"),
        (b"\x1a\x45\xdf\xa3", "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "no photo"),
        (b"GIF89a", "a GIF file"),
        (b"%PDF-1.7", "a PDF document"),
        (b"", "an empty file"),
        (b"text", "no photo"),
    ],
)
def test_what_a_file_is(head: bytes, kind: str) -> None:
    assert other_kind(head) == kind
