"""What a benchmark writes: tables, figures and documents."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from benchmarks import report
from benchmarks.figure import HEADER, PANEL, Panel, drawn, linear_ticks, log_ticks
from benchmarks.report import Figure, at_least, at_most

ROWS = [{"photo": "small", "seconds": 1.23456}, {"photo": "large", "seconds": 1234.5}]
FIGURE = Figure(drawn(["small"], [Panel("seconds", {"ours": [1.0]})]), "Seconds of each photo")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A project of one document."""
    for name in ("docs", "results"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(report, name.upper(), tmp_path / name)
    (tmp_path / "docs/speed.md").write_text("before\n<!-- speed -->\nold\n<!-- speed -->\nafter\n")
    return tmp_path


def published(folders, *arguments, **options):
    """The exit code, the document and the results of a benchmark named speed."""
    code = report.publish("speed", [{"raw": 1}], *arguments, **options)
    return code, (folders / "docs/speed.md").read_text(), (folders / "results/speed.md").read_text()


def test_a_document_gets_the_figure_the_table_and_the_goals(folders):
    code, document, results = published(folders, [at_most("seconds", 1, 2)], ROWS, figure=FIGURE)
    assert code == 0
    assert document == (
        "before\n<!-- speed -->\n"
        "![Seconds of each photo](figures/speed.svg)\n\n"
        "| photo | seconds |\n| --- | --- |\n| small | 1.23 |\n| large | 1234 |\n\n"
        "| goal | value | bound |  |\n| --- | --- | --- | --- |\n| seconds | 1 | ≤ 2 | holds |\n"
        "<!-- speed -->\nafter\n"
    )
    assert "| large | 1234 |" in results
    assert "Measured on" in results
    assert (folders / "docs/figures/speed.svg").read_text() == FIGURE.svg


def test_a_long_table_stays_out_of_the_document(folders):
    long = [{"row": str(number)} for number in range(report.LONGEST + 1)]
    _, document, results = published(folders, [], long, ROWS)
    assert "| row |" not in document
    assert "All numbers: [speed.md](../benchmarks/results/speed.md)." in document
    assert "| small | 1.23 |" in document
    assert f"| {report.LONGEST} |" in results


def test_of_many_goals_a_document_shows_those_that_are_missed(folders):
    held = [at_most(f"goal {number}", 1, 2) for number in range(report.LONGEST)]
    code, document, results = published(folders, [*held, at_least("recall", 0.5, 0.9)])
    assert code == 1
    assert "12 of 13 goals hold. Missed:\n\n| goal | value" in document
    assert "| recall | 0.5 | ≥ 0.9 | **missed** |" in document
    assert "goal 3" not in document
    assert "| goal 3 | 1 | ≤ 2 | holds |" in results


def test_of_many_goals_that_hold_a_document_shows_their_number(folders):
    _, document, _ = published(folders, [at_most(f"goal {number}", 1, 2) for number in range(report.LONGEST + 1)])
    assert "All 13 goals hold." in document


def test_a_model_names_no_machine_and_leaves_no_measurements(folders):
    report.publish("speed", [], [], ROWS)
    assert "Measured on" not in (folders / "results/speed.md").read_text()
    assert not (folders / "results/speed.json").exists()


def circles(svg: str) -> list[tuple[float, float]]:
    """The places of the markers of the first series."""
    return [(float(each.get("cx")), float(each.get("cy"))) for each in ElementTree.fromstring(svg).iter(f"{SVG}circle")]


def test_markers_stand_in_the_line_of_their_row_and_at_their_value():
    svg = drawn(["a < b", "c"], [Panel("share", {"ours": [0.0, 1.0]})])
    (left, first), (right, second) = circles(svg)
    assert right - left == pytest.approx(PANEL)
    assert HEADER < first < second
    assert "a &lt; b" in svg


def test_a_logarithmic_axis_gives_equal_ratios_equal_distances():
    places = [x for x, _ in circles(drawn(["a", "b", "c"], [Panel("count", {"ours": [1, 10, 100]}, logarithmic=True)]))]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.2)


def test_a_row_without_a_value_has_no_marker():
    assert len(circles(drawn(["a", "b"], [Panel("share", {"ours": [None, 1.0]})]))) == 1


def test_each_series_has_a_marker_and_a_name():
    svg = drawn(["a"], [Panel("share", {name: [1.0] for name in ("ours", "second", "third", "fourth", "fifth")})])
    for number, name in enumerate(("ours", "second", "third", "fourth", "fifth")):
        assert len(re.findall(f'class="s{number}"', svg)) == 2  # in the legend and in the panel
        assert f">{name}</text>" in svg


def test_a_figure_is_readable_in_light_and_dark():
    assert "prefers-color-scheme:dark" in FIGURE.svg
    assert 'class="page"' in FIGURE.svg


@pytest.mark.parametrize(
    ("most", "ticks"), [(0, [0, 1]), (1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (34, [0, 10, 20, 30, 40]), (14, [0, 5, 10, 15])]
)
def test_a_linear_axis_starts_at_nought_and_ends_above_the_most(most, ticks):
    assert linear_ticks(most) == ticks


@pytest.mark.parametrize(
    ("values", "ticks"), [([0.76, 9.8], [0.5, 1, 2, 5, 10]), ([1, 2628], [1, 10, 100, 1000, 10000])]
)
def test_a_logarithmic_axis_encloses_its_values(values, ticks):
    assert log_ticks(values) == ticks
