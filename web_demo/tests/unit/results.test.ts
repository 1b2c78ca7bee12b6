import { expect, test } from "vitest";
import { reportOf } from "../../src/core/results.ts";
import { golden } from "./fixtures.ts";

const VERSIONS = { "lenet-edge": "0.1.0", "LiteRT.js": "2.5.3" };
const MACHINE = { system: "Chrome/156.0.0.0", processors: 2 };

test("a report says which file gave which scores where, in nine digits or as they are stored", () => {
  const [float, whole] = ["lenet5_float32.tflite", "lenet5_int8.tflite"];
  const report = reportOf("2026-11-28T12:00:00Z", VERSIONS, MACHINE, [
    {
      name: float,
      file: golden.files[float],
      ran: "webgpu",
      pictures: "golden",
      stored: [Float32Array.from([0.1, Number.NaN])],
      seconds: 2,
    },
    {
      name: whole,
      file: golden.files[whole],
      ran: "wasm",
      pictures: "test digits",
      stored: [Uint8Array.from([3, 255])],
      seconds: 1,
    },
  ]);
  expect(report).toMatchObject({
    format: "lenet-edge benchmark",
    machine: MACHINE,
    models: { [float]: { sha256: golden.files[float].sha256, bytes: golden.files[float].bytes } },
    answers: [
      {
        model: float,
        runtime: "LiteRT.js, WebGPU",
        type: "float32",
        scale: 0,
        scores: [[0.100000001, null]],
      },
      {
        model: whole,
        runtime: "LiteRT.js, WebAssembly",
        version: "2.5.3",
        pictures: "test digits",
        type: "uint8",
        scale: 1 / 256,
        zero_point: 0,
        scores: [[3, 255]],
      },
    ],
  });
});
