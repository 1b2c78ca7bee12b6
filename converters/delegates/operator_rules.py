"""Define rules as data: which operators a delegate takes, up to which version, on which conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from converters.file.graph import Graph, Node, Tensor

Answer = Literal["taken", "not taken", "unknown"]
"""Unknown: the delegate has the operator, and lenet-edge no rule for it: it may be taken or not."""


@dataclass(frozen=True)
class Verdict:
    """What a delegate does with one operator; `reason` is empty when it is taken."""

    index: int
    name: str
    version: int
    answer: Answer
    reason: str

    @property
    def taken(self) -> bool:
        """Whether it is known to be taken."""
        return self.answer == "taken"


@dataclass(frozen=True)
class Check:
    """A condition on an operator: `words` for the documentation, `problem(node, level)` "" when it is met."""

    words: str
    problem: Callable[[Node, int], str]


@dataclass(frozen=True)
class Rule:
    """What a delegate asks of one operator: versions `oldest` to `newest`, an API level, conditions.

    `newest` None: the delegate does not look at the version.
    """

    newest: int | None
    checks: tuple[Check, ...] = ()
    since: int = 0
    oldest: int = 1


@dataclass(frozen=True)
class Rules:
    """A delegate's rules: by operator, and those that every operator has to meet.

    `unwritten`: operators that the source has and this table has not.
    """

    operators: Mapping[str, Rule]
    every: tuple[Check, ...] = ()
    unwritten: frozenset[str] = field(default_factory=frozenset)


def verdict(node: Node, reason: str) -> Verdict:
    """Return the verdict on `node`: taken without a reason against it, unknown without a rule."""
    unknown = reason == _without_rule(node)
    answer: Answer = "unknown" if unknown else "not taken" if reason else "taken"
    return Verdict(node.index, node.name, node.version, answer, reason)


def verdicts(graph: Graph, rules: Rules, *, level: int = 0) -> list[Verdict]:
    """Return a verdict on each node of `graph`."""
    return [verdict(node, problem(node, rules, level=level)) for node in graph.nodes]


def problem(node: Node, rules: Rules, *, level: int = 0) -> str:
    """Return why the delegate does not take `node`, the first reason found; "" when it does."""
    rule = rules.operators.get(node.name)
    if rule is None and node.name in rules.unwritten:
        return _without_rule(node)
    if rule is None:
        return f"the delegate has no {node.name}"
    if not node.inputs or node.inputs[0] is None or not node.outputs:
        return f"{node.name} without its first input or without an output"
    return _version_problem(node, rule) or _level_problem(node, rule, level) or _met(node, rules, rule, level)


def _without_rule(node: Node) -> str:
    return f"lenet-edge has no rule for {node.name}, which the delegate has"


def _version_problem(node: Node, rule: Rule) -> str:
    if rule.newest is None or rule.oldest <= node.version <= rule.newest:
        return ""
    known = f"{rule.oldest} to {rule.newest}" if rule.oldest < rule.newest else f"{rule.newest}"
    return f"{node.name} version {node.version}: the delegate knows {known}"


def _level_problem(node: Node, rule: Rule, level: int) -> str:
    return f"{node.name} needs API level {rule.since}, got {level}" if level < rule.since else ""


def _met(node: Node, rules: Rules, rule: Rule, level: int) -> str:
    found = (check.problem(node, level) for check in (*rule.checks, *rules.every))
    return next((reason for reason in found if reason), "")


def first_input(node: Node) -> Tensor:
    """Return the tensor that the operator works on."""
    tensor = node.inputs[0]
    assert tensor is not None  # `problem` has looked
    return tensor


def input_at(node: Node, place: int) -> Tensor | None:
    """Return an input, None when it is left out or the list is shorter."""
    return node.inputs[place] if place < len(node.inputs) else None


def run_time_inputs(node: Node) -> list[Tensor]:
    """Return the inputs that are neither constant nor left out."""
    return [tensor for tensor in node.inputs if tensor is not None and tensor.constant is None]


def constant_inputs(node: Node) -> list[Tensor]:
    """Return the inputs that are constant."""
    return [tensor for tensor in node.inputs if tensor is not None and tensor.constant is not None]


def expects(words: str, met: Callable[[Node], object], got: Callable[[Node], object]) -> Check:
    """Return the check that refuses an operator at any API level: "NAME: expected WORDS, got ..."."""
    return Check(
        words, lambda node, _: "" if met(node) else f"{node.name}: expected {words}, got {got(node)}"
    )


def needs(since: int, words: str, found: Callable[[Node], object]) -> Check:
    """Return the check that wants API level `since` of operators in which `found` is true."""
    return Check(
        f"{words}: from API level {since}",
        lambda node, level: (
            f"{words} of {node.name} need API level {since}, got {level}"
            if level < since and found(node)
            else ""
        ),
    )


def input_type(by_level: Mapping[int, Sequence[str]]) -> Check:
    """Return the check on the first input's type; `by_level`: the types that each API level has.

    A level that is not named has those of the nearest below; no types at all stands for any.
    """
    return _type_check("input", first_input, by_level)


def output_type(by_level: Mapping[int, Sequence[str]]) -> Check:
    """Return the check on the first output's type, as `input_type` does."""
    return _type_check("output", lambda node: node.outputs[0], by_level)


def _type_check(role: str, pick: Callable[[Node], Tensor], by_level: Mapping[int, Sequence[str]]) -> Check:
    def problem(node: Node, level: int) -> str:
        tensor, allowed = pick(node), _at(by_level, level)
        if not allowed or tensor.type in allowed:
            return ""
        later = [
            one for one, types in by_level.items() if one > level and tensor.type in (types or [tensor.type])
        ]
        end = f"needs API level {min(later)}, got {level}" if later else f"is none of {listed(allowed)}"
        return f"{tensor.type} {role} '{tensor.name}' of {node.name} {end}"

    return Check(f"{role} {_type_words(by_level)}", problem)


def _at(by_level: Mapping[int, Sequence[str]], level: int) -> Sequence[str]:
    return by_level[max((one for one in by_level if one <= level), default=min(by_level))]


def _type_words(by_level: Mapping[int, Sequence[str]]) -> str:
    steps = [(level, listed(types) if types else "any") for level, types in sorted(by_level.items())]
    return "; ".join(
        words if not i else f"from API level {level} {words}" for i, (level, words) in enumerate(steps)
    )


def listed(types: Sequence[str]) -> str:
    """Return "float32, int8 or uint8"."""
    return " or ".join([part for part in (", ".join(types[:-1]), types[-1]) if part])
