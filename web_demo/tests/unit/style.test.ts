import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const STYLE = readFileSync(join(import.meta.dirname, "..", "..", "src", "page", "style.css"), "utf8");
const [light, dark] = [...STYLE.matchAll(/:root \{([^}]*)\}/g)].map(([, body]) =>
  Object.fromEntries([...body.matchAll(/--([\w-]+): (#\w{6});/g)].map(([, name, colour]) => [name, colour])),
);

/** The contrast of two colours as WCAG 2 defines it, 1 to 21. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ["light", light],
  ["dark", { ...light, ...dark }],
])("%s", (_, colours) => {
  test.each([
    ...["ink", "quiet", "accent", "unsure"].flatMap((text) =>
      ["paper", "sheet"].map((ground) => [text, ground]),
    ),
    ["on-accent", "accent"],
    ["accent", "track"],
    ["quiet", "track"],
    ["ink", "track"],
  ])("%s on %s can be read", (text, ground) => {
    expect(contrast(colours[text], colours[ground])).toBeGreaterThanOrEqual(4.5);
  });
});

test("black on white has the most contrast there is", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
});
