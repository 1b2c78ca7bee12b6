/** Pictures that somebody drops, pastes or chooses: from a file to grey pixels. */

import type { Grey } from "../core/grey.ts";
import { isSearchable } from "../core/photo.ts";
import type { Words } from "../words/words.ts";
import { penOf } from "./element.ts";
import type { Problem } from "./problem.ts";

/** The largest picture: decoded, it takes four bytes a pixel. */
const MOST_MEGAPIXELS = 40;

/** A part of the page that reads pictures: dropped or pasted there, or chosen in its `input`. */
export interface PicturePlace {
  readonly section: HTMLElement;
  readonly input: HTMLInputElement;
  /** Where it is said why a file is not read. */
  readonly problem: Problem;
  /** Reads a file; what it throws is told. */
  take(file: File): Promise<void>;
}

/** A file is no picture for this page, for the reason in `words`. */
class NoPicture extends Error {
  constructor(readonly words: (words: Words) => string) {
    super("no picture");
  }
}

/** Returns why a file was not read, in words. */
function refusalOf(error: unknown, file: File): (words: Words) => string {
  return error instanceof NoPicture ? error.words : (words) => words.notPicture(file.name);
}

/** Returns the picture in `file` in grey, its longer side `longest` pixels at most; throws NoPicture. */
export async function greyOf(file: File, longest: number): Promise<Grey> {
  const address = URL.createObjectURL(file);
  try {
    const image = await loaded(address, file);
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    check(width, height);
    const scale = Math.min(1, longest / Math.max(width, height));
    return greyPixels(image, Math.round(width * scale), Math.round(height * scale));
  } finally {
    URL.revokeObjectURL(address);
  }
}

async function loaded(address: string, file: File): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = address;
  try {
    // The size is known now; the pixels are decoded only when they are drawn.
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = reject;
    });
    return image;
  } catch {
    const heic = await isHeic(file);
    throw new NoPicture((words) => (heic ? words.heic : words.notPicture(file.name)));
  }
}

/** Returns whether a file is HEIC by its first bytes, whatever its name. */
async function isHeic(file: File): Promise<boolean> {
  const brand = await file.slice(4, 12).text();
  return /^ftyp(hei|hev|mif1|msf1)/.test(brand);
}

function check(width: number, height: number): void {
  const megapixels = (width * height) / 1e6;
  if (megapixels > MOST_MEGAPIXELS) {
    throw new NoPicture((words) => words.tooLarge(megapixels.toFixed(0), MOST_MEGAPIXELS));
  }
  if (!isSearchable(width, height)) throw new NoPicture((words) => words.badShape(width, height));
}

function greyPixels(image: HTMLImageElement, width: number, height: number): Grey {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = penOf(canvas);
  // What is transparent is paper.
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, width, height);
  const { data } = pen.getImageData(0, 0, width, height);
  const values = Uint8Array.from({ length: width * height }, (_, at) =>
    Math.round(0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2]),
  );
  return { width, height, values };
}

/** Gives each picture to the place it is dropped on, pasted in or chosen in; to the first from anywhere else. */
export function watchPictures(places: readonly [PicturePlace, ...PicturePlace[]]): void {
  const placeOf = (target: EventTarget | null) =>
    places.find(({ section }) => target instanceof Node && section.contains(target)) ?? places[0];
  const mark = (over: PicturePlace | null) => {
    for (const place of places) place.section.classList.toggle("over", place === over);
  };
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(placeOf(event.target));
  });
  document.addEventListener("dragleave", () => mark(null));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(null);
    give(placeOf(event.target), event.dataTransfer);
  });
  document.addEventListener("paste", (event) => give(placeOf(document.activeElement), event.clipboardData));
  for (const place of places) {
    const { input } = place;
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file) void read(place, file);
      // The same file can be chosen again.
      input.value = "";
    });
  }
}

function give(place: PicturePlace, data: DataTransfer | null): void {
  const [file] = data?.files ?? [];
  if (file) void read(place, file);
  else place.problem.tell((words) => words.noFile);
}

async function read(place: PicturePlace, file: File): Promise<void> {
  try {
    await place.take(file);
  } catch (error) {
    place.problem.tell(refusalOf(error, file));
  }
}
