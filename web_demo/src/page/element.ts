/** Finds and makes the page's elements. */

/** Returns the element `id` of the page, which is of `kind`; throws Error if index.html has none such. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`expected an element ${id} of ${kind.name}, got ${found?.tagName ?? "none"}`);
}

/** Returns a new element of `tag` with a class and text. */
export function made<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  className = "",
  text = "",
): HTMLElementTagNameMap[T] {
  const found = document.createElement(tag);
  found.className = className;
  found.textContent = text;
  return found;
}

/** Returns the pen of a canvas. */
export function penOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("expected a canvas to draw on, got none");
  return pen;
}

/** Shows `words` in `place`, which is hidden without any. */
export function tell(place: HTMLElement, words: string): void {
  place.textContent = words;
  place.hidden = !words;
}
