"""The page of figures is what the bench wrote, of rows that it has."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import bench  # noqa: E402
import report  # noqa: E402


def test_the_page_is_made_of_the_figures_and_the_prose():
    assert report.PAGE.read_text(encoding="utf-8") == report.page(report.results())


def test_the_figures_are_of_rows_that_there_are():
    rows = {(name, row[0]) for name, module in bench.modules().items() for row in module.ROWS}
    assert {(one["bench"], one["name"]) for one in report.results()} <= rows


def test_each_module_has_its_place_on_the_page():
    assert set(report.PLACE.findall(report.PROSE.read_text(encoding="utf-8"))) == set(bench.NAMES)
