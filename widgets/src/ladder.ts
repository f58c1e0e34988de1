// A ladder of programs that do the same work, each faster than the last, as numbers: bars as long as their times,
// and a race in which each goes at a speed proportional to its own. The geometry, and what is said of it.

import type { Stretch } from "./machine.ts";
import { exponential, whole } from "./numbers.ts";

/** Under this width, in CSS pixels, a name stands above its bar and not beside it. */
export const STACKED_BELOW = 600;

/** About how many seconds of the reader's time the slowest needs in the race. */
const LASTS = 8;

/** How long a runner is, in pixels. */
export const RUNNER = 22;

export interface LadderInput {
  /** What each rung takes, and the limit, in the unit of the axis. */
  times: readonly number[];
  limit: number;
  width: number;
}

export interface Ladder {
  stacked: boolean;
  height: number;
  rowHeight: number;
  thickness: number;
  /** For each rung: where its row begins, the middle of its bar, and the line on which its name is written. */
  rows: { top: number; bar: number; name: number }[];
  /** Where time 0 is and how long the axis is; it ends at `most`, a round number, and never changes. */
  axis: Stretch & { most: number; ticks: number[] };
  /** From a time to its place on the axis. */
  at: (time: number) => number;
  /** The heights between which the rows lie. */
  top: number;
  bottom: number;
}

/** The least of 1, 2, 5, 10, 20, … times a power of ten that goes into `longest` five times at most. */
function tickStep(longest: number): number {
  const power = 10 ** Math.floor(Math.log10(longest / 5));
  return [1, 2, 5, 10].map((k) => k * power).find((step) => longest / step <= 5 + 1e-9) ?? 10 * power;
}

export function ladder({ times, limit, width }: LadderInput): Ladder {
  const stacked = width < STACKED_BELOW;
  const rowHeight = stacked ? 34 : 26;
  const top = 52;
  const longest = Math.max(...times, limit);
  const step = tickStep(longest);
  const count = Math.ceil(longest / step - 1e-9);
  const most = Number((count * step).toPrecision(12));
  const start = stacked ? 2 : 210;
  const length = width - start - (stacked ? 2 : 64);
  const rows = times.map((_, i) => {
    const begin = top + i * rowHeight;
    return { top: begin, bar: begin + (stacked ? 25 : 13), name: begin + (stacked ? 15 : 18) };
  });
  const bottom = top + times.length * rowHeight;
  return {
    stacked,
    height: bottom + 30,
    rowHeight,
    thickness: stacked ? 10 : 14,
    rows,
    axis: { start, length, most, ticks: Array.from({ length: count + 1 }, (_, k) => Number((k * step).toPrecision(12))) },
    at: (time) => start + (time / most) * length,
    top,
    bottom,
  };
}

/** How many times slower than life the race is: two digits, so that what is said is exactly what is shown. */
export function slowdown(slowest: number): number {
  const factor = LASTS / slowest;
  return factor >= 1 ? Number(factor.toPrecision(2)) : 1 / Number((1 / factor).toPrecision(2));
}

/** "slowed down 42 times" */
export const pace = (factor: number): string =>
  factor === 1 ? "as fast as in life" : `${factor > 1 ? "slowed down" : "sped up"} ${two(Math.max(factor, 1 / factor))} times`;

/** The share of its work that a rung has done at this time. */
export const progress = (clock: number, time: number): number => Math.min(clock / time, 1);

const two = (x: number): string => exponential(x, 2);

/** A time as one says it: "87", "5.4". */
export const duration = two;

/** A place on the axis: "0", "50", "0.2". */
export const tick = (x: number): string => (x === 0 || (x >= 0.001 && x < 1e4) ? String(x) : x < 1 ? two(x) : whole(x));

/** "is 1.7 times as fast as", "takes 5.4 times as long as", "is about as fast as": how a time compares with another. */
export function comparison(time: number, other: number): string {
  const times = two(Math.max(other / time, time / other));
  if (times === "1.0") return "is about as fast as";
  return time < other ? `is ${times} times as fast as` : `takes ${times} times as long as`;
}

/** How a rung compares with the one before, with the first, and with the limit. */
export function standing(times: readonly number[], i: number, limit: number, limitName: string): string {
  const time = times[i]!;
  const toLimit = `It ${comparison(time, limit)} ${limitName}.`;
  if (i === 0) return `The ladder begins here. ${toLimit}`;
  const toFirst = `${comparison(time, times[0]!)} the first`;
  if (i === 1) return `It ${toFirst}. ${toLimit}`;
  const toBefore = `${comparison(time, times[i - 1]!)} the rung before`;
  const verb = toBefore.split(" ")[0]!; // said once, where both have the same
  return `It ${toBefore}, and ${toFirst.startsWith(verb) ? toFirst.slice(verb.length + 1) : toFirst}. ${toLimit}`;
}

/** Who arrived first, second and last. */
export function arrivals(names: readonly string[], times: readonly number[], limit: number, limitName: string): string {
  const runners = [{ name: limitName, time: limit }, ...names.map((name, i) => ({ name, time: times[i]! }))];
  const [first, second, ...others] = runners.sort((a, b) => a.time - b.time).map(({ name }) => name);
  return `First: ${first}. Second: ${second}.${others.length ? ` Last: ${others.at(-1)}.` : ""}`;
}
