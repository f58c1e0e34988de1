// Four formats on one number line, as numbers: an axis of logits, and for each format the window of logits whose
// exponential it can hold. Wide, the verdicts stand at the right of the lanes; on a phone above them.

import { showGiven } from "./format.ts";
import { clampTo, spread, tidy } from "./layout.ts";
import type { Stretch } from "./machine.ts";
import { formats, windowOf, type Format, type Run } from "./precision.ts";

/** The axis ends here, on either side of 0. */
export const FARTHEST = 1000;

const NARROW_BELOW = 600;
const TICKS = [-1000, -100, -10, 0, 10, 100, 1000];
const LABELS = 42; // a name, and under it a number that can be typed
const BEYOND = 40; // so far the bar goes beyond the outer dots, whose own hold ends at 22
const SAID_APART = 10; // pixels; nearer than this, one "∞" serves for two rings

/** Near 0 a unit is wide, far out narrow: ±1000 and the 11 at which float16 ends share one line. */
const compress = (x: number): number => Math.sign(x) * Math.log1p(Math.abs(x) / 3);
const expand = (y: number): number => Math.sign(y) * 3 * Math.expm1(Math.abs(y));

export interface LanesInput {
  /** Where the dots are. */
  values: readonly number[];
  labels: readonly string[];
  /** What each format makes of them, in the order of `formats`. */
  runs: readonly Run[];
  width: number;
}

/** What the format made of a class's exponential. */
export interface Mark {
  x: number;
  held: boolean;
  /** Under a hollow ring: what it became; empty where a neighbour says it. */
  text: string;
}

export interface Lane {
  format: Format;
  top: number;
  window: Stretch;
  /** Its end below the smallest normal number. */
  poor: Stretch;
  ends: [string, string];
  marks: Mark[];
}

export interface Lanes {
  narrow: boolean;
  height: number;
  /** What the lanes span. */
  left: number;
  right: number;
  laneHeight: number;
  rail: number;
  ticks: { x: number; text: string }[];
  dots: { x: number; labelX: number; labelTop: number }[];
  /** The bar that moves all of them. */
  bar: Stretch;
  lanes: Lane[];
  at: (value: number) => number;
  /** The value that is `dx` pixels from another. */
  pulled: (value: number, dx: number) => number;
  /** The value at a place. */
  valueAt: (x: number) => number;
}

function frame(width: number) {
  const narrow = width < NARROW_BELOW;
  return narrow
    ? { narrow, left: 4, right: width - 4, inset: 16, laneHeight: 34, pitch: 82, below: 66 }
    : { narrow, left: 92, right: width - 184, inset: 10, laneHeight: 36, pitch: 58, below: 46 };
}

/** Labels stand in as many rows as they need, whatever the logits are: nothing jumps when one moves. */
function labelRoom(labels: readonly string[], width: number) {
  const longest = Math.max(...labels.map((label) => Array.from(label).length));
  const gap = clampTo(longest * 10.5 + 6, 62, 90);
  const { narrow, left, right } = frame(width);
  const [from, to] = narrow ? [gap / 2, width - gap / 2] : [left, right];
  return { gap, from, to, rows: Math.ceil(labels.length / (Math.floor((to - from) / gap) + 1)) };
}

export function lanes({ values, labels, runs, width }: LanesInput): Lanes {
  const { narrow, left, right, inset, laneHeight, pitch, below } = frame(width);
  const { gap, from, to, rows } = labelRoom(labels, width);
  const middle = (left + right) / 2;
  const scale = ((right - left) / 2 - inset) / compress(FARTHEST);
  const at = (value: number) => tidy(middle + compress(clampTo(value, -FARTHEST, FARTHEST)) * scale);
  const valueAt = (x: number) => clampTo(expand((x - middle) / scale), -FARTHEST, FARTHEST);
  const rail = 46 + LABELS * rows;
  const places = values.map(at);

  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]! || i - j);
  const dots = places.map((x) => ({ x, labelX: x, labelTop: 0 }));
  for (let row = 0; row < rows; row++) {
    const there = order.filter((_, rank) => rank % rows === row);
    const spreadOut = spread(there.map((i) => places[i]!), gap, from, to);
    there.forEach((i, k) => {
      dots[i]!.labelX = tidy(spreadOut[k]!);
      dots[i]!.labelTop = 24 + LABELS * (rows - 1 - row);
    });
  }

  const lane = (format: Format, k: number): Lane => {
    const { least, normal, most } = windowOf(format);
    const start = at(least);
    const { exponentials } = runs[k]!;
    let last = { x: -Infinity, text: "" };
    const marks: Mark[] = places.map((x) => ({ x, held: true, text: "" }));
    for (const i of order) {
      const e = exponentials[i]!;
      const mark = marks[i]!;
      mark.held = e > 0 && e < Infinity;
      if (mark.held) continue;
      const text = e === 0 ? "0" : e === Infinity ? "∞" : "NaN";
      mark.text = text === last.text && mark.x - last.x < SAID_APART ? "" : text;
      if (mark.text) last = { x: mark.x, text };
    }
    return {
      format,
      top: rail + below + pitch * k,
      window: { start, length: tidy(at(most) - start) },
      poor: { start, length: tidy(at(normal) - start) },
      ends: [least, most].map((end) => showGiven(Number(end.toPrecision(3)))) as [string, string],
      marks,
    };
  };
  const [least, most] = [Math.min(...places), Math.max(...places)];
  const barStart = Math.max(least - BEYOND, 0);
  return {
    narrow,
    height: rail + below + pitch * (formats.length - 1) + laneHeight + 20,
    left,
    right,
    laneHeight,
    rail,
    ticks: TICKS.map((tick) => ({ x: at(tick), text: showGiven(tick) })),
    dots,
    bar: { start: barStart, length: tidy(Math.min(most + BEYOND, narrow ? width : right + 20) - barStart) },
    lanes: formats.map(lane),
    at,
    pulled: (value, dx) => valueAt(at(value) + dx),
    valueAt,
  };
}
