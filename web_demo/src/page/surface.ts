/** A canvas to draw on with mouse, finger, pen or keyboard. */

import type { Point, Strokes } from "../core/strokes.ts";
import { penOf } from "./element.ts";

/** The line's width, as a share of the canvas's shorter side. */
const LINE = 0.075;
/** How far an arrow key moves the pen, as a share of the shorter side; with Shift a quarter of it. */
const STEP = 0.04;
/** Where the pen is before a key has moved it. */
const START: Point = { x: 0.3, y: 0.2 };
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export class Surface {
  private strokes: Point[][] = [];
  /** The stroke of each finger that is down. */
  private readonly down = new Map<number, Point[]>();
  private cursor: Point | null = null;
  private typed: Point[] | null = null;
  private picture: HTMLCanvasElement | null = null;

  /** `changed` is called after each change, `pen` when a key lifts or lowers the pen. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly changed: () => void,
    private readonly pen: (down: boolean) => void,
  ) {
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const name of ["pointerup", "pointercancel"] as const) {
      canvas.addEventListener(name, (event) => this.down.delete(event.pointerId));
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.lift());
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** What is drawn. */
  get drawing(): Strokes {
    return this.strokes;
  }

  /** Takes the last stroke away. */
  undo(): void {
    this.set(this.strokes.slice(0, -1));
  }

  /** Replaces what is drawn. */
  set(strokes: Strokes): void {
    this.strokes = strokes.map((stroke) => [...stroke]);
    this.down.clear();
    this.typed = null;
    this.picture = null;
    this.redrawn();
  }

  /** Shows a picture in place of a drawing, until somebody draws. */
  show(picture: HTMLCanvasElement): void {
    this.picture = picture;
    this.draw();
  }

  /** Draws everything anew, in the page's colours. */
  draw(): void {
    const { canvas } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const fine = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * fine);
    canvas.height = Math.round(height * fine);
    const pen = penOf(canvas);
    const side = this.side * fine;
    const style = getComputedStyle(canvas);
    pen.lineWidth = LINE * side;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = style.getPropertyValue("--ink");
    if (this.picture) drawInside(pen, this.picture);
    for (const stroke of this.strokes) {
      pen.beginPath();
      for (const [i, { x, y }] of stroke.entries())
        i ? pen.lineTo(x * side, y * side) : pen.moveTo(x * side, y * side);
      if (stroke.length === 1) pen.lineTo(stroke[0].x * side, stroke[0].y * side);
      pen.stroke();
    }
    if (this.cursor && document.activeElement === canvas)
      this.drawCursor(pen, side, style.getPropertyValue("--accent"));
  }

  private drawCursor(pen: CanvasRenderingContext2D, side: number, colour: string): void {
    if (!this.cursor) return;
    pen.beginPath();
    pen.lineWidth = 0.008 * side;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.arc(this.cursor.x * side, this.cursor.y * side, 0.03 * side, 0, 2 * Math.PI);
    this.typed ? pen.fill() : pen.stroke();
  }

  private get side(): number {
    return Math.min(this.canvas.clientWidth, this.canvas.clientHeight);
  }

  private place(event: PointerEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / this.side, y: (event.clientY - box.top) / this.side };
  }

  private begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.cursor = null;
    this.picture = null;
    const stroke = [this.place(event)];
    this.strokes.push(stroke);
    this.down.set(event.pointerId, stroke);
    this.canvas.setPointerCapture(event.pointerId);
    this.redrawn();
  }

  private go(event: PointerEvent): void {
    const stroke = this.down.get(event.pointerId);
    if (!stroke) return;
    const events = event.getCoalescedEvents?.() ?? [];
    stroke.push(...(events.length ? events : [event]).map((one) => this.place(one)));
    this.redrawn();
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.move(arrow, event.shiftKey ? STEP / 4 : STEP);
    else if (event.key === " " || event.key === "Enter") this.typed ? this.lift() : this.lower();
    else if (event.key === "Delete" || event.key === "Escape") this.set([]);
    else if (event.key === "Backspace") this.undo();
    else return;
    event.preventDefault();
  }

  private move(arrow: Point, step: number): void {
    const { clientWidth, clientHeight } = this.canvas;
    const { x, y } = this.cursor ?? START;
    this.cursor = {
      x: Math.min(Math.max(x + arrow.x * step, 0), clientWidth / this.side),
      y: Math.min(Math.max(y + arrow.y * step, 0), clientHeight / this.side),
    };
    this.typed?.push(this.cursor);
    this.typed ? this.redrawn() : this.draw();
  }

  private lower(): void {
    this.cursor ??= START;
    this.picture = null;
    this.typed = [this.cursor];
    this.strokes.push(this.typed);
    this.pen(true);
    this.redrawn();
  }

  private lift(): void {
    if (this.typed) {
      this.typed = null;
      this.pen(false);
      this.changed();
    }
    this.draw();
  }

  private redrawn(): void {
    this.draw();
    this.changed();
  }
}

/** Draws `picture` as large as the pen's canvas allows, in its middle. */
function drawInside(pen: CanvasRenderingContext2D, picture: HTMLCanvasElement): void {
  const { width, height } = pen.canvas;
  const scale = Math.min(width / picture.width, height / picture.height);
  const [wide, high] = [picture.width * scale, picture.height * scale];
  pen.imageSmoothingEnabled = false;
  pen.drawImage(picture, (width - wide) / 2, (height - high) / 2, wide, high);
}
