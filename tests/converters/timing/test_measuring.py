"""Timing: what is interleaved and how, by clocks that the tests turn; the intervals by simulation."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from converters.base.errors import InputError
from converters.base.machine import speed_facts
from converters.timing.measuring import Ready, interleave, measure, measure_loads, noise
from converters.timing.statistics import FEWEST, median_interval, spread
from lenet_edge.packaged.files import content_of


class Clock:
    """A clock that stands still but for what is run: nanoseconds."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        return self.now

    def taking(self, microseconds):
        def run():
            self.now += round(1000 * (microseconds() if callable(microseconds) else microseconds))

        return run


def loaded(clock, microseconds, *, io=5):
    """Return what loads a model that takes `microseconds` to compute and `io` more to hand over."""

    def load():
        clock.now += 1_000_000
        return Ready(clock.taking(lambda: _of(microseconds) + io), clock.taking(microseconds), "report")

    return load


def _of(value):
    return value() if callable(value) else value


def measured(starters, clock, **options):
    settings = {"seconds": 0.05, "warm_up": 0.001, "loads": 6, "clock": clock, **options}
    return measure_loads(starters, **settings)


def test_times_and_ratios_are_those_of_the_clock():
    clock = Clock()
    timings = measured({"a": loaded(clock, 20), "b": loaded(clock, 30)}, clock)
    assert timings["a"].invoke.p50 == pytest.approx(20)
    assert timings["b"].run.p99 == pytest.approx(35)
    assert timings["b"].invoke_ratio == pytest.approx((1.5, 1.5, 1.5))
    assert timings["b"].run_ratio == pytest.approx((35 / 25,) * 3)
    assert timings["a"].loading == pytest.approx((1000, 1000, 1000, 1000, 1000, 6))


def test_what_hands_over_and_computes_in_one_has_no_ratio_of_computing():
    clock = Clock()
    starters = {"a": loaded(clock, 20), "b": lambda: Ready(clock.taking(50), None, "peer")}
    timing = measured(starters, clock)["b"]
    assert (timing.invoke, timing.invoke_ratio) == (None, None)
    assert timing.run_ratio.value == pytest.approx(2)


def test_a_drift_that_meets_all_alike_leaves_the_ratio_alone():
    clock = Clock()
    slower = lambda base: lambda: base * (1 + clock.now / 1e8)  # noqa: E731
    timings = measured({"a": loaded(clock, slower(20), io=0), "b": loaded(clock, slower(30), io=0)}, clock)
    assert timings["a"].invoke.p99 > 1.5 * timings["a"].invoke.smallest
    # one round's drift at most is left, and either order is as likely
    assert timings["b"].invoke_ratio.value == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_a_model_beside_itself_has_a_ratio_whose_interval_holds_1(seed):
    clock, rng = Clock(), np.random.default_rng(seed)

    def load():
        lies_in_memory = rng.normal(20, 0.2)  # for as long as it is loaded
        return Ready(clock.taking(lambda: lies_in_memory * rng.gamma(100, 0.01)), None, "")

    ratio = measured({"a": load, "again": load}, clock, loads=12)["again"].run_ratio
    assert ratio.low <= 1 <= ratio.high
    assert ratio.low < ratio.high


def test_an_interval_over_loads_is_as_wide_as_the_loads_differ_however_many_rounds():
    clock, rng = Clock(), np.random.default_rng(3)
    load = lambda: Ready(clock.taking(rng.normal(20, 0.4)), None, "")  # noqa: E731
    ratio = measured({"a": load, "again": load}, clock, seconds=0.5, loads=12)["again"].run_ratio
    assert ratio.high - ratio.low > 0.01


def test_a_sample_is_as_many_runs_as_take_200_microseconds_and_one_that_is_not_timed():
    clock, runs = Clock(), []
    call = clock.taking(20)
    interleave(
        {"a": lambda: (runs.append(clock.now), call())},
        seconds=0.001,
        warm_up=0.0001,
        rng=np.random.default_rng(0),
        clock=clock,
    )
    # 100 microseconds of warming up: 5 runs; 5 rounds at least, of 10 and 1 each
    assert len(runs) == 5 + 5 * 11


def test_each_round_has_every_call_once_in_an_order_of_its_own():
    clock, order = Clock(), []
    calls = {name: lambda name=name: (order.append(name), clock.taking(300)()) for name in "abc"}
    times = interleave(calls, seconds=0.05, warm_up=1e-6, rng=np.random.default_rng(0), clock=clock)
    assert len({len(found) for found in times.values()}) == 1
    rounds = ["".join(order[at : at + 6]) for at in range(3, len(order), 6)]  # two runs a sample
    assert {"".join(sorted(one)) for one in rounds} == {"aabbcc"}
    assert len(set(rounds)) == 6


def test_the_garbage_collector_is_off_while_it_measures_and_on_again_after():
    clock, states = Clock(), []
    run = lambda: (states.append(gc.isenabled()), clock.taking(300)())  # noqa: E731
    measured({"a": lambda: Ready(run, None, "")}, clock)
    assert not any(states)
    assert gc.isenabled()


def test_each_load_is_told():
    clock, told = Clock(), []
    measured({"a": loaded(clock, 20)}, clock, loads=7, progress=lambda: told.append(1))
    assert len(told) == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0.0}, "expected seconds and warm_up above 0, got 0 and 0.001"),
        ({"warm_up": -1.0}, "expected seconds and warm_up above 0, got 0.05 and -1"),
        ({"loads": FEWEST - 1}, "expected 6 loads or more, got 5"),
    ],
)
def test_settings_that_cannot_be_measured_with_are_answered(options, message):
    clock = Clock()
    with pytest.raises(InputError, match=message):
        measured({"a": loaded(clock, 20)}, clock, **options)


def test_nothing_to_measure_is_answered():
    with pytest.raises(InputError, match="expected one model or more to measure, got none"):
        measured({}, Clock())


@pytest.mark.parametrize("count", [FEWEST, 9, 12, 20])
def test_95_of_100_intervals_hold_the_median(count):
    rng, median = np.random.default_rng(1998), np.log(2)
    intervals = [median_interval(rng.exponential(size=count)) for _ in range(2000)]
    held = np.mean([one.low <= median <= one.high for one in intervals])
    # 95 % or more by its definition; three standard deviations of 2,000 draws below that
    assert held > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 2000)
    # not by being as wide as can be: cutting one more off each end would be too narrow
    narrower = [np.sort(rng.exponential(size=count)) for _ in range(2000)]
    cut = int(np.flatnonzero(narrower[0] == median_interval(narrower[0]).low)[0]) + 1
    assert np.mean([one[cut] <= median <= one[-1 - cut] for one in narrower]) < 0.95


def test_a_spread_is_percentiles_mean_smallest_and_count():
    assert spread(np.arange(101.0)) == (50, 90, 99, 50, 0, 101)


@pytest.mark.parametrize(("dtype", "least", "most"), [(np.uint8, 0, 255), (np.int8, -128, 127)])
def test_noise_fills_an_integer_type_and_0_to_1_of_a_float(dtype, least, most):
    found = noise({"shape": np.array([1, 64, 64, 1]), "dtype": dtype})
    assert (found.min(), found.max(), found.dtype) == (least, most, dtype)
    real = noise({"shape": [1, 64], "dtype": np.float32})
    assert real.dtype == np.float32
    assert 0 <= real.min() < real.max() <= 1


def test_two_real_files_have_a_ratio():
    contents = {name: content_of(name) for name in ("float32", "int8")}
    timings = measure(contents, seconds=0.1, warm_up=0.01, loads=6)
    ratio = timings["int8"].invoke_ratio
    assert 0 < ratio.low <= ratio.value <= ratio.high < np.inf
    assert timings["float32"].invoke_ratio == (1, 1, 1)
    assert timings["float32"].report.nodes >= 14
    assert len(timings["int8"].loads) == 6


def test_what_the_system_tells_of_its_speed_is_read(tmp_path):
    files = {
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "proc/meminfo": "MemTotal:        8062980 kB\nMemFree: 1 kB\n",
        "proc/loadavg": "0.52 0.58 0.59 1/467 12345\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
        "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq": "1500000\n",
        "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "2400000\n",
        "sys/devices/system/cpu/intel_pstate/no_turbo": "1\n",
        "sys/class/thermal/thermal_zone0/temp": "48312\n",
        "sys/class/thermal/thermal_zone1/temp": "garbled\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert speed_facts(root=tmp_path) == {
        "board": "Raspberry Pi 5 Model B Rev 1.0",
        "memory_bytes": 8062980 * 1024,
        "governor": "ondemand, performance",
        "frequency_khz": {"least": 1500000, "greatest": 2400000},
        "turbo": False,
        "celsius": pytest.approx(48.312),
        "load": 0.52,
    }


def test_what_the_system_does_not_tell_is_none(tmp_path):
    assert set(speed_facts(root=tmp_path).values()) == {None}
