import { expect, test } from "vitest";
import { answerOf } from "../../src/core/answer.ts";
import { isWithin, judge } from "../../src/core/golden.ts";
import { NoAnswer, Reader } from "../../src/core/reader.ts";
import type { Backend, Model, Runtime } from "../../src/core/runtime.ts";
import { real, stored, type Values } from "../../src/core/tensors.ts";
import { golden } from "./fixtures.ts";

const NAME = "lenet5_int8.tflite";
const FILE = golden.files[NAME];

/** A runtime that gives TensorFlow's scores; `spoilt` changes those of a backend, or throws. */
class FakeRuntime implements Runtime {
  opened = 0;
  closed = 0;

  constructor(
    private readonly spoilt: Partial<Record<Backend, (row: Values) => Values>> = {},
    private readonly falls: Backend | null = null,
  ) {}

  async open(_: Uint8Array, shape: readonly number[], backend: Backend): Promise<Model> {
    expect(shape).toEqual([1, 32, 32, 1]);
    this.opened++;
    return {
      ran: this.falls === backend ? "wasm" : backend,
      run: async (input) => {
        const place = golden.pictures.findIndex(({ pixels }) =>
          pixels.every((pixel, i) => pixel === input[i]),
        );
        const row = Uint8Array.from(FILE.scores[place]);
        return new Map([["scores", this.spoilt[backend]?.(row) ?? row]]);
      },
      close: () => {
        this.closed++;
      },
    };
  }
}

const open = (runtime: Runtime, backend: Backend) =>
  Reader.open(runtime, golden, NAME, new Uint8Array(), backend);
const off = (row: Values) => row.map((score) => 255 - score);
const fails = () => {
  throw new Error("out of memory\nat line 5");
};

test("a backend that keeps the limits runs the file", async () => {
  const reader = await open(new FakeRuntime(), "webgpu");
  expect([reader.ran, reader.refusal]).toEqual(["webgpu", null]);
  expect(reader.verdict).toEqual({ pictures: 23, outside: 0, same: 23 });
  const { answer } = await reader.read(Uint8Array.from(golden.pictures[6].pixels));
  expect(answer).toMatchObject({ digit: golden.pictures[6].label, sure: true });
});

test("a backend that deviates is refused with what it did, and WebAssembly runs the file", async () => {
  const runtime = new FakeRuntime({ webgpu: off });
  const reader = await open(runtime, "webgpu");
  expect(reader.ran).toBe("wasm");
  expect(reader.refusal).toMatchObject({ backend: "webgpu", refusal: { why: "deviates" } });
  expect([runtime.opened, runtime.closed]).toEqual([2, 1]);
});

test("a backend that fails is refused in the first line of its words", async () => {
  const reader = await open(new FakeRuntime({ webgpu: fails }), "webgpu");
  expect(reader.refusal?.refusal).toEqual({ why: "failed", words: "out of memory" });
});

test("a runtime that falls back by itself is found out", async () => {
  const reader = await open(new FakeRuntime({}, "webgpu"), "webgpu");
  expect(reader.refusal?.refusal).toEqual({ why: "fell back" });
});

test.each([
  ["wasm", { wasm: off }],
  ["webgpu", { wasm: fails, webgpu: off }],
] as const)("without a backend to trust there is no answer (%s)", async (backend, spoilt) => {
  const runtime = new FakeRuntime(spoilt);
  await expect(open(runtime, backend)).rejects.toThrow(NoAnswer);
  expect(runtime.closed).toBe(runtime.opened);
});

test("an answer is sure from the threshold on", () => {
  const scores = [0, 0.75, 0.25, 0, 0, 0, 0, 0, 0, 0];
  expect(answerOf(scores, 0.75)).toEqual({ scores, digit: 1, probability: 0.75, sure: true });
  expect(answerOf(scores, 0.7501).sure).toBe(false);
});

test("a missing row, a NaN and a value a step outside are outside, the limits themselves within", () => {
  const rows = FILE.scores.map((row) => [...row]);
  expect(judge(FILE, rows.slice(0, 22))).toEqual({ pictures: 23, outside: 1, same: 22 });
  rows[3][2] = FILE.high[3][2] + 1;
  rows[4][2] = Number.NaN;
  expect(judge(FILE, rows)).toEqual({ pictures: 23, outside: 2, same: 21 });
  expect([isWithin(2, 1, 2), isWithin(1, 1, 2), isWithin(2.00001, 1, 2)]).toEqual([true, true, false]);
});

test("pixels are stored by scale and zero point, halves to even, and scores are told back", () => {
  expect(Array.from(stored([0, 1, 3, 5, 255], { type: "uint8", scale: 2, zero_point: 3 }))).toEqual([
    3, 3, 5, 5, 131,
  ]);
  expect(Array.from(stored([0, 255], { type: "uint8", zero_point: 7 }))).toEqual([7, 255]);
  expect(Array.from(stored([0, 255], { type: "float32" }))).toEqual([0, 255]);
  expect(real([0, 128, 255], { type: "uint8", scale: 0.5, zero_point: 1 })).toEqual([-0.5, 63.5, 127]);
});
