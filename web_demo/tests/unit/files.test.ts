import { expect, test } from "vitest";
import { ALPHABET, checkSha256, decoded, encoded } from "../../src/files.ts";

test.each([0, 1, 2, 3, 4, 5, 1000, 1003])("%i bytes come back from their text", (count) => {
  const bytes = Uint8Array.from({ length: count }, (_, i) => (i * 97 + 255) % 256);
  const text = encoded(bytes);
  expect(text).toHaveLength(5 * Math.ceil(count / 4));
  expect(Array.from(decoded(text, count))).toEqual(Array.from(bytes));
});

test("the text needs no care within a <script> of HTML", () => {
  expect(new Set(ALPHABET).size).toBe(85);
  expect(ALPHABET).not.toMatch(/[<>&"'\\\s]/);
});

test("another file than the tested one is refused by its name", async () => {
  const abc = new TextEncoder().encode("abc");
  const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  await checkSha256("abc.tflite", abc, sha256);
  await expect(checkSha256("abc.tflite", abc.slice(1), sha256)).rejects.toThrow(
    "expected abc.tflite as it was",
  );
});
