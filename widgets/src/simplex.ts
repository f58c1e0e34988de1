// The triangle of all shares that three classes can have, as numbers: from logits to shares to a place, and back.

import { clampTo, tidy, type Point } from "./layout.ts";
import { ticksOf, TURNED_BELOW, type Axis } from "./machine.ts";
import { softmax } from "./softmax.ts";

/** The least share that the dot can be dragged to. At temperature 1 no logit is then beyond 5 on either side. */
export const LEAST_SHARE = 0.001;

const ROW = 44; // a grip's hit area
const SAMPLES = 40;
const BESIDE = 17; // pixels from the path to the number of a mark
const APART = 16;

type Shares = readonly number[];

/** The logits less their maximum, over the temperature: softmax takes both away, and these differences no double is too small for. */
export function relative(logits: readonly number[], temperature: number): number[] {
  const maximum = Math.max(...logits);
  return logits.map((z) => (z - maximum) / temperature);
}

/** The logits of these shares at a temperature. Any others with the same differences would do; these add up to 0. */
export function logitsOf(shares: Shares, temperature: number): number[] {
  const logarithms = shares.map(Math.log);
  const mean = logarithms.reduce((sum, each) => sum + each, 0) / shares.length;
  return logarithms.map((each) => temperature * (each - mean));
}

/** The logits for a dot that is dropped here. The middle catches it, because no hand hits three equal logits. */
export function dropped(shares: Shares, temperature: number): number[] {
  const logits = logitsOf(shares, temperature);
  return logits.every((z) => Math.abs(z) < 0.05 * temperature) ? [0, 0, 0] : logits;
}

/** How many logits are the largest: where all but those freeze out, a corner, the middle of an edge, or that of the triangle. */
export const ties = (logits: readonly number[]): number => logits.filter((z) => z === Math.max(...logits)).length;

/** The shares at ever higher temperatures, from 0, where only the largest logits have one, to ∞, where all are equal. */
export function path(logits: readonly number[]): number[][] {
  const below = relative(logits, 1).map((z) => Math.max(z, -Number.MAX_VALUE));
  const gaps = [...new Set(below)].sort((a, b) => b - a).slice(1);
  // Each logit below the largest freezes out where its gap is about the temperature; they may be many decades apart.
  const inverses = gaps.flatMap((gap) => Array.from({ length: SAMPLES }, (_, k) => Math.min((0.02 * 800 ** (k / (SAMPLES - 1))) / -gap, Number.MAX_VALUE)));
  const coldest = logits.map((_, i) => Number(below[i] === 0) / ties(logits));
  const rest = inverses.sort((a, b) => b - a).map((inverse) => softmax(below.map((z) => z * inverse)));
  return [coldest, ...rest, softmax([0, 0, 0])];
}

/** The shares nearest to these, none of them less than `LEAST_SHARE`. The triangle has equal sides, so nearest means the same in it. */
function nearest(shares: Shares): number[] {
  const order = [...shares].sort((a, b) => b - a);
  // All that stay above the least lose the same amount; the others have the least.
  for (let free = 3; ; free--) {
    const sum = order.slice(0, free).reduce((total, share) => total + share, 0);
    const loss = (sum - 1 + (3 - free) * LEAST_SHARE) / free;
    if (free === 1 || order[free - 1]! - loss >= LEAST_SHARE) return shares.map((share) => Math.max(share - loss, LEAST_SHARE));
  }
}

/** Where the line from the dot that is as long as the share of class i meets the side that is opposite its corner. */
export const foot = (shares: Shares, i: number): number[] => shares.map((share, j) => (j === i ? 0 : share + shares[i]! / 2));

export interface Place {
  narrow: boolean;
  height: number;
  side: number;
  /** The corners of the first, second and third class. */
  corners: readonly [Point, Point, Point];
  pointOf: (shares: Shares) => Point;
  sharesAt: (point: Point) => number[];
  /** Beside the triangle, or on a phone under it: where shares, logits and temperature stand, from top to bottom. */
  left: number;
  across: number;
  strip: number;
  bars: number;
  axis: Axis;
  /** The middles of the bars' rows, from `bars`. */
  rows: number[];
  rail: number;
  at: (temperature: number) => number;
}

/** What does not depend on logits or temperature, but for how far the axis of the logits goes. */
export function place(width: number, extent: number): Place {
  const narrow = width < TURNED_BELOW;
  const [longest, besides] = narrow ? [300, 32] : [430, 300];
  const side = Math.min(longest, width - besides);
  const start = narrow ? (width - side) / 2 : 16;
  // A shorter side takes no less room: the first frame, which may be drawn for another width, is as high as the live picture.
  const [room, high] = [longest, side].map((length) => (length * Math.sqrt(3)) / 2) as [number, number];
  const top = 32 + (room - high) / 2;
  const base = top + high;
  const corners = [
    [start, base],
    [start + side, base],
    [start + side / 2, top],
  ] as const;
  const pointOf = (shares: Shares): Point => {
    const sum = (axis: 0 | 1) => shares.reduce((total, share, i) => total + share * corners[i]![axis], 0);
    return [sum(0), sum(1)];
  };
  const left = narrow ? 16 : start + side + 40;
  const across = narrow ? width - 32 : Math.min(width - left - 6, 340);
  const strip = narrow ? room + 98 : 32;
  const bars = strip + (narrow ? 90 : 80);
  const [axisTop, names, box] = [narrow ? 26 : 46, 62, 48];
  const scale = (across - names - box - 32) / 2 / extent;
  const rail = bars + axisTop + 3 * ROW + (narrow ? 64 : 90);
  const [coldest, hottest] = [left + 12, left + across - box - 16];
  return {
    narrow,
    height: narrow ? rail + 54 : room + 68,
    side,
    corners,
    pointOf,
    sharesAt([x, y]) {
      const third = (base - y) / (base - top);
      const second = (x - start) / side - third / 2;
      return nearest([1 - second - third, second, third]);
    },
    left,
    across,
    strip,
    bars,
    axis: { zero: names + 16 + scale * extent, scale, top: axisTop, bottom: axisTop + 3 * ROW, ...ticksOf(extent) },
    rows: [0.5, 1.5, 2.5].map((row) => axisTop + row * ROW),
    rail,
    at: (temperature) => coldest + ((clampTo(Math.log(temperature) / Math.log(4), -1, 1) + 1) / 2) * (hottest - coldest),
  };
}

/** Where a logit is on the axis, or a little beyond its end. */
export const along = ({ zero, scale }: Axis, extent: number, z: number): number => tidy(zero + clampTo(z, -1.04 * extent, 1.04 * extent) * scale);

export interface Mark {
  text: string;
  point: Point;
  /** Where its number stands, unless that would be over another. */
  label: Point | null;
}

/** Marks on the path of temperature, from hot to cold. `temperatures` are theirs, from cold to hot. */
export function marks(logits: readonly number[], temperature: number, temperatures: readonly (readonly [value: number, text: string])[], { pointOf }: Pick<Place, "pointOf">): Mark[] {
  const below = relative(logits, 1);
  const [, second, third] = [0, 1, 2].sort((i, j) => below[j]! - below[i]!);
  // The path leaves its corner towards the second class and turns to the middle. So this way leads away from it everywhere.
  const [dx, dy] = pointOf([0, 1, 2].map((i) => Number(i === third) - Number(i === second)));
  const way = BESIDE / Math.hypot(dx, dy);
  const taken: Point[] = [pointOf(softmax(relative(logits, temperature)))];
  return [...temperatures, [Infinity, "∞"] as const].reverse().map(([mark, text]) => {
    const [x, y] = pointOf(softmax(relative(logits, mark)));
    const free = taken.every((other) => Math.hypot(x - other[0], y - other[1]) > APART);
    if (free) taken.push([x, y]);
    return { text, point: [x, y], label: free ? [x + dx * way, y + dy * way] : null };
  });
}
