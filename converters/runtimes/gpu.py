"""Run a whole .tflite file on LiteRT's GPU accelerator (WebGPU on Vulkan), or give the reason why not."""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import os
import re
from pathlib import Path

import numpy as np

from converters.base.arrays import Numbers
from converters.base.errors import InputError, expect
from converters.base.installed import RUNTIMES
from converters.base.native_log import Log, captured
from converters.base.untyped import CompiledModel
from converters.runtimes import vulkan
from converters.runtimes.execution_plan import node_count
from converters.runtimes.interpreters import Loaded, refusal


def absence() -> str:
    """Return why there is no GPU accelerator here and what would help, in a line; "" when there is one.

    Nothing is imported and no driver is started.
    """
    spec = importlib.util.find_spec(RUNTIMES["litert"].package)
    if spec is None:
        return (
            f"ai-edge-litert, which has the GPU accelerator, is not installed: {RUNTIMES['litert'].install}"
        )
    folders = [Path(folder) for folder in spec.submodule_search_locations or []]
    if not [library for folder in folders for library in folder.glob("libLiteRt*GpuAccelerator.so")]:
        return "this ai-edge-litert holds no GPU accelerator: its wheels for Linux do"
    return vulkan.absence()


class OnGpu:
    """A .tflite file on the GPU; LiteRT refuses a file with a node that the accelerator does not take.

    `log` captures this process's output: LiteRT names its adapter and its reasons only there.
    Raises InputError when the file is refused; a broken driver may kill the process.
    """

    def __init__(self, content: bytes, log: Log) -> None:
        vulkan.use_driver()
        # A compiled model does not give its scales; the same file in an interpreter does.
        loaded = Loaded(content, RUNTIMES["litert"].package)
        self.version, self.source, self.sink = loaded.version, loaded.source, loaded.sink
        self.nodes = node_count(loaded.interpreter)
        try:
            self._model = _for_gpu_alone(content)
            self._inputs = self._model.create_input_buffers(0)
            self._outputs = self._model.create_output_buffers(0)
        except (ValueError, RuntimeError) as error:
            reason = _reason(log.of_job()) or _last_line(str(error))
            raise InputError(refusal("the GPU accelerator", reason)) from error
        self.adapter = _adapter(log.of_all())
        whole = self.adapter and self._model.is_fully_accelerated()
        expect(whole, "LiteRT to run it on the GPU", "the CPU in its place")
        # LiteRT sets up a second environment at the first input and removes it at exit; it logs both.
        self.run(np.zeros(self.source["shape"], self.source["dtype"]))
        atexit.register(_silence)

    def run(self, stored: Numbers) -> Numbers:
        """Return the output (...) for one input (1, ...), both as the file stores them."""
        self._inputs[0].write(np.ascontiguousarray(stored))
        self._model.run_by_index(0, self._inputs, self._outputs)
        count = int(np.prod(self.sink["shape"]))
        return self._outputs[0].read(count, self.sink["dtype"]).reshape(self.sink["shape"])[0]

    def close(self) -> None:
        """Free the model; LiteRT would log it on standard output."""
        with captured():
            del self._inputs, self._outputs, self._model

    def taken(self) -> tuple[int, int]:
        """Return how many nodes the accelerator took, and how many the file has: all."""
        return self.nodes, self.nodes


def _silence() -> None:
    """Discard what native code still writes to standard error; Python has written everything by now."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _for_gpu_alone(content: bytes) -> CompiledModel:
    """Return LiteRT's compiled model, in float32 arithmetic; it raises rather than use the CPU as well."""
    options = importlib.import_module("ai_edge_litert.options")
    wanted = options.Options(
        options.HardwareAccelerator.GPU, gpu_options=options.GpuOptions(enforce_f32=True)
    )
    module = importlib.import_module("ai_edge_litert.compiled_model")
    return module.CompiledModel.from_buffer(content, options=wanted)


def _adapter(log: str) -> str:
    """Return the graphics adapter that LiteRT logged as selected, "" when it selected none."""
    found = re.findall(r"Selected adapter: ([^,\n]+)", log)
    return found[-1] if found else ""


def _reason(log: str) -> str:
    """Return why LiteRT did not compile a file for the GPU: what it logged before it raised."""
    heading, closing = "not supported by GPU delegate:", "operations will run on the GPU, and the remaining"
    refused = re.search(rf"{heading}\n(.*?)\n(\d+) {closing} (\d+)", log, re.DOTALL)
    if refused:
        left, count = int(refused[3]), int(refused[2]) + int(refused[3])
        return f"{left} of {count} nodes would be left to the CPU: {'; '.join(refused[1].splitlines())}"
    errors = re.findall(r"^ERROR: (?:\[[^]]*\] )?(.+)$", log, re.MULTILINE)
    return errors[0].strip() if errors else ""


def _last_line(text: str) -> str:
    return text.splitlines()[-1].strip("└ ") if text else "no reason given"
