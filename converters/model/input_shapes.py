"""Find the shape of each input of a file: the model's own, or the one given for sides that it leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from converters.base.arrays import shape_fits
from converters.base.errors import InputError, expect
from converters.base.shapes import Shapes

Shape = tuple[int, ...]
OpenShape = tuple[int | None, ...]


def file_shapes(given: Shapes | None, own: Mapping[str, OpenShape]) -> dict[str, Shape]:
    """Return the shapes, without the batch, of a file's inputs by name.

    `own`: the model's; None for a side that it leaves open. `given` need name only inputs with open sides.
    Raises InputError: a name that is no input's, a shape that is not the model's, or none where it is needed.
    """
    named = _by_name(given, list(own))
    found: dict[str, Shape] = {}
    for name, sides in own.items():
        where = "" if len(own) == 1 else f" for {name}"
        asked = tuple(named.get(name, sides))
        if None in asked:
            wanted = "a model whose input shape is known apart from the batch"
            raise InputError(f"expected {wanted}, or a shape{where or ' for it'}, got {asked}")
        found[name] = tuple(side for side in asked if side is not None)
        fits = shape_fits(found[name], sides) and all(side > 0 for side in found[name])
        expect(fits, f"a shape{where} that fits the model's, {sides}", found[name])
    return found


def _by_name(given: Shapes | None, names: Sequence[str]) -> dict[str, Sequence[int]]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        expect(not unknown, f"shapes named {' or '.join(names)}", ", ".join(unknown))
        return dict(given)
    expect(len(names) == 1, f"shapes by the names of the inputs, {', '.join(names)}", f"one, {tuple(given)}")
    return {names[0]: given}
