"""Tables of a benchmark for the terminal, 100 columns wide: times, starts and profiles."""

from __future__ import annotations

from collections.abc import Sequence

from converters.base.installed import RUNTIMES
from converters.base.words import counted
from lenet_edge.benchmarking.json_types import Failure, NodeFacts, Profile, Report, Result

_NAME = 25


def machine_lines(report: Report) -> list[str]:
    """Return lines on the machine, and on what makes its times unreliable."""
    facts = report["machine"]
    memory = facts.get("memory_bytes")
    known = [
        facts.get("board") or facts.get("processor"),
        facts.get("architecture"),
        counted(facts.get("processors") or 0, "processor"),
        f"{memory / 2**30:.1f} GiB" if memory else None,
        f"{facts['celsius']:.0f} degrees C" if facts.get("celsius") else None,
    ]
    lines = [", ".join(filter(None, known))]
    governor = facts.get("governor")
    clock = f"frequency governor {governor}" if governor else "the frequency governor cannot be read here"
    lines.append(f"load {facts.get('load') or 0:.2f}; {clock}")
    if governor and governor != "performance":
        lines.append("the clock frequency changes with the load: docs/benchmark.md says how to fix it")
    if (facts.get("load") or 0) > 0.5 * max(facts.get("processors") or 1, 1):
        lines.append("other processes are using the processors: percentiles will be high")
    return lines


def timing_lines(results: Sequence[Result]) -> list[str]:
    """Return the table of `results`: a block with a heading for each runtime and number of threads."""
    lines: list[str] = []
    for runtime, threads in dict.fromkeys((one["beside"], one["threads"]) for one in results):
        block = [one for one in results if (one["beside"], one["threads"]) == (runtime, threads)]
        lines += ["", f"{_title(block[0])}, {counted(threads, 'thread')}; microseconds", _HEAD]
        lines += [_timing_line(one) for one in block]
        lines += [f"  {one['asked']} does not run: {one['reason']}" for one in block if one["reason"]]
        peers = dict.fromkeys(_title(one) for one in block if one["runtime"] not in RUNTIMES)
        lines += [f"  {', '.join(peers)}: timed with i/o only"] if peers else []
    return lines


_HEAD = (
    f"{'model':<{_NAME}}{'delegate':<14}{'p50':>7}{'p90':>8}{'p99':>8}"
    f"{'ratio':>7}  {'95 % interval':<13}{'with i/o':>9}{'ratio':>7}"
)


def _timing_line(result: Result) -> str:
    invoke, ratio, whole = result["invoke"], result["invoke_ratio"], result["run_ratio"]
    p50, p90, p99 = (_microseconds(invoke[key]) if invoke else "" for key in ("p50", "p90", "p99"))
    between = f"{_ratio(ratio['low'])}-{_ratio(ratio['high'])}" if ratio else ""
    value = _ratio(ratio["value"]) if ratio else ""
    return (
        f"{_fit(result['model'], _NAME)}{_fit(_delegate(result), 14)}{p50:>7}{p90:>8}{p99:>8}"
        f"{value:>7}  {between:<13}{_microseconds(result['run']['p50']):>9}{_ratio(whole['value']):>7}"
    )


def start_lines(results: Sequence[Result]) -> list[str]:
    """Return the table of cold starts in fresh processes."""
    started = [(one, cold) for one in results if (cold := one.get("cold"))]
    if not started:
        return []
    head = f"{'in a fresh process':<{_NAME}}{'delegate':<14}{'import ms':>11}{'load ms':>10}"
    lines = ["", f"{head}{'first run us':>14}{'memory MiB':>12}{'threads':>8}"]
    for one, cold in started:
        lines.append(
            f"{_fit(one['model'], _NAME)}{_fit(_delegate(one), 14)}{cold['import_us'] / 1000:>11.1f}"
            f"{cold['initialisation_us'] / 1000:>10.2f}{cold['first_run_us']:>14.0f}"
            f"{cold['peak_bytes'] / 2**20:>12.2f}{one['threads']:>8}"
        )
    return lines


def profile_lines(profile: Profile) -> list[str]:
    """Return the table of one model's nodes: microseconds, share, multiply-accumulates and speed."""
    asked = "" if profile["asked"] == "auto" else f", {profile['asked']}"
    where = f"{RUNTIMES[profile['runtime']].title}{asked}, {counted(profile['threads'], 'thread')}"
    lines = ["", f"{profile['model']} in {where}, node by node"]
    lines.append(
        f"{'node':<24}{'us':>8}  {'95 % interval':<18}{'share':>7}{'MACs':>10}{'bytes':>10}{'MAC/ns':>8}"
    )
    lines += [_node_line(node) for node in profile["nodes"]]
    peak = "NumPy's 512x512 matrix product, float32, one core"
    return [*lines, f"{peak:<77}{profile['peak_macs_per_ns']:>8.2f}"]


def _node_line(node: NodeFacts) -> str:
    took = node["us"]
    certain = node["macs"] and took["low"] > 0
    speed = f"{node['macs'] / took['value'] / 1000:.2f}" if certain else ""
    between = f"{took['low']:.2f} to {took['high']:.2f}"
    return (
        f"{node['index']:>2} {node['name']:<21}{took['value']:>8.2f}  {between:<18}{node['share']:>7.1%}"
        f"{node['macs']:>10,}{node['bytes']:>10,}{speed:>8}"
    )


def failure_lines(failures: Sequence[Failure]) -> list[str]:
    """Return a line, with the reason, for each failure."""
    names = [", ".join(filter(None, (one["model"], _runtime_title(one["runtime"])))) for one in failures]
    return [f"not timed: {name}: {one['reason']}" for name, one in zip(names, failures, strict=True)]


def _runtime_title(runtime: str) -> str:
    return RUNTIMES[runtime].title if runtime in RUNTIMES else runtime


def _title(result: Result) -> str:
    return f"{_runtime_title(result['runtime'])} {result['version']}"


def _delegate(result: Result) -> str:
    if result["runtime"] not in RUNTIMES:
        return str(result["runtime"])
    return f"{result['delegate']} {result['taken']}/{result['nodes']}" if result["delegate"] else "none"


def _microseconds(value: float) -> str:
    return f"{value:,.1f}" if value < 10_000 else f"{value:,.0f}"


def _ratio(ratio: float) -> str:
    """Return `ratio` as text of at most five columns."""
    return f"{ratio:.3f}" if ratio < 10 else f"{ratio:.2f}" if ratio < 100 else f"{ratio:.0f}"


def _fit(text: str, width: int) -> str:
    """Return `text` padded or shortened to `width` columns, the last one a space."""
    return text.ljust(width) if len(text) < width else f"{text[: width - 3]}.. "
