"""The fastest layout is chosen by what was measured, and only when it is certain and proven."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from converters.file.layouts import describe, layout_of
from converters.file.lowering import lower
from converters.timing import tuning
from converters.timing.statistics import FEWEST, Estimate
from converters.timing.tuning import tune
from lenet_edge.packaged.files import content_of

NET = "stock_lenet5_float32.tflite"
PLAIN = "- - - -"
FOUR = "1x4>1x4 - - -"
TWO = "1x2>1x2 - - -"


@pytest.fixture
def clock(monkeypatch):
    """Return a function that sets what each layout takes; the others take 1, give or take `width`."""

    def set_times(times, width=0.01):
        def measure(contents, **options):
            names = list(contents)
            first = times.get(names[0], 1.0)
            ratios = {name: times.get(name, 1.0) / first for name in names}
            return {
                name: SimpleNamespace(run_ratio=Estimate(ratio, ratio - width, ratio + width))
                for name, ratio in ratios.items()
            }

        monkeypatch.setattr(tuning, "measure", measure)

    return set_times


def test_the_fastest_is_found_operator_by_operator(clock):
    wanted = "1x4>1x4 - 1x2>1x2 1x2>1x1"
    clock({FOUR: 0.8, TWO: 0.9, wanted: 0.6, "1x4>1x4 - 1x2>1x2 -": 0.7})
    told = []
    found = tune(content_of(NET), progress=told.append)
    assert describe(found.layout) == wanted
    assert found.content == lower(content_of(NET), layout=layout_of(wanted))
    assert found.ratio.value == pytest.approx(0.6)
    assert found.tried > 30
    assert told[0] == f"operator 1: {FOUR}, 0.800 of the time"
    assert told[-1].startswith("operator 4: stays (")


def test_what_may_be_no_faster_is_left(clock):
    clock({FOUR: 0.995})  # an interval of 0.985 to 1.005
    found = tune(content_of(NET))
    assert (describe(found.layout), found.ratio) == (PLAIN, None)
    assert found.content == content_of(NET)


def test_what_is_too_large_is_left(clock):
    clock({FOUR: 0.5, TWO: 0.6})
    sizes = {text: len(lower(content_of(NET), layout=layout_of(text))) for text in (FOUR, TWO)}
    assert sizes[TWO] < sizes[FOUR]
    assert describe(tune(content_of(NET), most_bytes=sizes[FOUR]).layout) == FOUR
    assert describe(tune(content_of(NET), most_bytes=sizes[FOUR] - 1).layout) == TWO


def test_what_is_not_proven_is_left(clock):
    clock({FOUR: 0.5, TWO: 0.6})
    refused = lower(content_of(NET), layout=layout_of(FOUR))
    found = tune(content_of(NET), prove=lambda content: "it differs" if content == refused else "")
    assert describe(found.layout) == PLAIN


def test_it_is_measured_in_the_runtime_and_threads_that_are_asked_for(monkeypatch):
    asked = []

    def measure(contents, **options):
        asked.append((options["runtime"], options["threads"]))
        return dict.fromkeys(contents, SimpleNamespace(run_ratio=Estimate(1.0, 0.9, 1.1)))

    monkeypatch.setattr(tuning, "measure", measure)
    tune(content_of(NET), runtime="litert", threads=2)
    assert set(asked) == {("litert", 2)}


def test_a_real_measurement_ends_in_a_file_that_runs(monkeypatch):
    monkeypatch.setattr(tuning, "_HEAT_SECONDS", 0.002)
    monkeypatch.setattr(tuning, "_FINAL_SECONDS", 0.01)
    monkeypatch.setattr(tuning, "_HEAT_LOADS", FEWEST)
    monkeypatch.setattr(tuning, "_FINAL_LOADS", FEWEST)
    # FOUR lays out the first operator: at the others there is nothing to try.
    monkeypatch.setattr(tuning, "variations", lambda graph, layout, position: [layout_of(FOUR)][position:])
    found = tune(content_of(NET), runtime="litert")
    assert describe(found.layout) in (PLAIN, FOUR)
    assert found.ratio is None or 0 < found.ratio.value < 1
