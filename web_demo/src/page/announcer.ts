/** Tells screen readers what has changed, once it has stopped changing. */

/** Milliseconds without a change after which it is told: while somebody draws, it changes all the time. */
const QUIET = 400;

export class Announcer {
  private timer = 0;

  /** `place` is a live region. */
  constructor(private readonly place: HTMLElement) {}

  say(words: string): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      if (this.place.textContent !== words) this.place.textContent = words;
    }, QUIET);
  }
}
