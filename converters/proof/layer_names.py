"""Tell which layer of a model an operator of its file comes from: tensors are named after the layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from converters.base.untyped import KerasModel
from converters.file.graph import WITH_KERNEL, Node
from converters.model.graph import graph_of
from converters.model.saved_model import SavedModel
from converters.model.tracing import plain_name
from converters.model.unrounded import PREFIX

_PRODUCTS = ("conv2d", "depthwise", "matmul", "tensordot", "convolution", "einsum")


def layer_names(model: KerasModel | SavedModel) -> dict[str, str]:
    """Return the names of the layers of `model` by what they are called in a file; none of a SavedModel.

    In a fine-tuned file there is a prefix before each.
    """
    if isinstance(model, SavedModel):
        return {}
    names = {plain_name(call.name): call.name for call in graph_of(model).calls if not call.is_input}
    return {**{f"{PREFIX}{plain}": name for plain, name in names.items()}, **names}


def layer_of(node: Node, names: Mapping[str, str]) -> str:
    """Return the layer that `node` comes from, "" if no tensor says so.

    `names`: those of `layer_names`; a model without names has those that its tensors give. Of layers that the
    converter merged into one operator, the one with the kernel is meant, else the last one.
    """
    found = list(_named(node, names))
    if node.name in WITH_KERNEL:
        found.sort(key=lambda one: not one[1].lower().startswith(_PRODUCTS))
    return found[0][0] if found else ""


def _named(node: Node, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each layer that a tensor of `node` names, and what the tensor is in it."""
    constants = [tensor for tensor in node.inputs if tensor is not None and tensor.constant is not None]
    for tensor in (*node.outputs, *constants):
        for path in tensor.name.split(";"):
            parts = path.split("/")
            known = [place for place, part in enumerate(parts[:-1]) if part in names]
            if known:
                yield names[parts[known[-1]]], parts[-1]
            elif not names and len(parts) > 1:
                yield parts[-2], parts[-1]
