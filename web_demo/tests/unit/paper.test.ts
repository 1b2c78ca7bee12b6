import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LAYERS, LayersReader, type Sample } from "../../src/core/layers.ts";
import { CODES, TABLE_I } from "../../src/core/paper.ts";
import type { Values } from "../../src/core/tensors.ts";
import { de } from "../../src/words/de.ts";
import { en } from "../../src/words/en.ts";

const CONVERTED = join(import.meta.dirname, "..", "..", "..", "build", "web");

interface Written extends Sample {
  readonly outputs: Sample["outputs"] &
    Record<(typeof LAYERS)[number], { readonly values: readonly number[] }>;
}

const sample: Written = JSON.parse(readFileSync(join(CONVERTED, "lenet5_layers_float32.json"), "utf8"));

test("the codes give the sample's distances from its F6", () => {
  const distances = CODES.map((code) =>
    code.reduce((sum, one, i) => sum + (sample.outputs.F6.values[i] - one) ** 2, 0),
  );
  distances.forEach((distance, digit) => {
    // 84 squares in float32, of some units each.
    expect(distance).toBeCloseTo(sample.outputs.OUTPUT.values[digit], 3);
  });
});

test("Table I is the paper's: a row for each map of S2, a column for each of C3", () => {
  const printed = `
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X`;
  const rows = [0, 1, 2, 3, 4, 5].map((source) =>
    TABLE_I.map((sources) => (sources.includes(source) ? "X" : ".")).join(" "),
  );
  expect(rows.join("\n")).toBe(printed.trim());
  expect(TABLE_I.flat()).toHaveLength(60);
});

const runtime = (spoil: (layer: string, values: Values) => Values) => ({
  open: async () => ({
    ran: "wasm" as const,
    run: async () =>
      new Map(
        LAYERS.map((layer): [string, Values] => [
          layer,
          spoil(layer, Float32Array.from(sample.outputs[layer].values)),
        ]),
      ),
    close: () => undefined,
  }),
});

test("a net that gives the sample is opened, and gives each layer", async () => {
  const reader = await LayersReader.open(
    runtime((_, values) => values),
    sample,
    new Uint8Array(),
  );
  const activity = await reader.read(new Uint8Array(1024));
  expect(LAYERS.map((layer) => activity[layer].length)).toEqual([4704, 1176, 1600, 400, 120, 84, 10, 10]);
});

test("a layer outside its limits is refused by its name", async () => {
  const spoilt = runtime((layer, values) => (layer === "S4" ? values.map((one) => one + 0.01) : values));
  await expect(LayersReader.open(spoilt, sample, new Uint8Array())).rejects.toThrow(
    "expected each layer within its limits, got others in S4",
  );
});

/** Returns the texts of a language by path, functions called with as many arguments as they take. */
function texts(words: object, path = ""): [string, string][] {
  return Object.entries(words).flatMap(([name, value]): [string, string][] => {
    const here = `${path}.${name}`;
    if (typeof value === "function") return [[here, String(value(...new Array(value.length).fill("7")))]];
    return typeof value === "string" ? [[here, value]] : texts(value, here);
  });
}

test("every text is there in both languages, and is another", () => {
  const [english, german] = [new Map(texts(en)), new Map(texts(de))];
  expect([...german.keys()]).toEqual([...english.keys()]);
  const same = [...english].filter(([path, text]) => german.get(path) === text).map(([path]) => path);
  // Names, and numbers alone.
  expect(same.sort()).toEqual(
    [".backends.wasm", ".backends.webgpu"].concat(same.filter((p) => p.endsWith(".model"))).sort(),
  );
  for (const [path, text] of [...english, ...german]) expect(text.trim(), path).not.toBe("");
});
