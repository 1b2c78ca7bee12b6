/** Pictures that somebody drops, pastes or chooses: from a file to grey pixels. */

import { type Grey, LARGEST_RATIO, SEARCHED_SIDE, SMALLEST_SIDE } from "../core/photo.ts";
import type { Words } from "../words/words.ts";
import { penOf } from "./element.ts";

/** The largest picture: decoded, it takes four bytes a pixel. */
export const MOST_MEGAPIXELS = 40;

/** A file is no picture for this page, for the reason in `words`. */
export class NoPicture extends Error {
  constructor(readonly words: (words: Words) => string) {
    super("no picture");
  }
}

/** Returns the picture in `file` in grey, of twice the searched side at most; throws NoPicture. */
export async function greyOf(file: File): Promise<Grey> {
  const address = URL.createObjectURL(file);
  try {
    const image = await loaded(address, file);
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    check(width, height);
    const scale = Math.min(1, (2 * SEARCHED_SIDE) / Math.max(width, height));
    return greyPixels(image, Math.round(width * scale), Math.round(height * scale));
  } finally {
    URL.revokeObjectURL(address);
  }
}

function loaded(address: string, file: File): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    // The size is known now; the pixels are decoded only when they are drawn.
    image.onload = () => resolve(image);
    image.onerror = () => {
      const heic = /\.hei[cf]$/i.test(file.name) || /hei[cf]/.test(file.type);
      reject(new NoPicture((words) => (heic ? words.heic : words.notPicture(file.name))));
    };
    image.src = address;
  });
}

function check(width: number, height: number): void {
  const megapixels = (width * height) / 1e6;
  if (megapixels > MOST_MEGAPIXELS) {
    throw new NoPicture((words) => words.tooLarge(megapixels.toFixed(0), MOST_MEGAPIXELS));
  }
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  if (shorter < SMALLEST_SIDE || longer > LARGEST_RATIO * shorter) {
    throw new NoPicture((words) => words.badShape(width, height));
  }
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

/** Calls `take` with each picture that is dropped on `place`, pasted anywhere or chosen in `input`. */
export function watchPictures(place: HTMLElement, input: HTMLInputElement, take: (file: File) => void): void {
  const first = (files: FileList | undefined | null) => {
    const file = files?.[0];
    if (file) take(file);
  };
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    first(event.dataTransfer?.files);
  });
  document.addEventListener("paste", (event) => first(event.clipboardData?.files));
  input.addEventListener("change", () => {
    first(input.files);
    input.value = "";
  });
}
