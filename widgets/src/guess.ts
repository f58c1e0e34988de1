// A guess, as numbers: how a strip is divided, where a point lies on an axis, and how far both are from the truth.
//
// Dividers are counted in points from the strip's foot, where the last class lies: [67, 33] leaves a third to each
// of three. So a divider goes up, or to the right on a phone, when its number grows.

import { spread, stack, tidy } from "./layout.ts";
import type { Machine, Stretch } from "./machine.ts";
import { amount, share } from "./numbers.ts";
import { clamp } from "./state.ts";

/** Up to this many misplaced points, or hundredths of the axis, a guess is very close. */
export const CLOSE = 3;

// --- shares

export const equalDividers = (classes: number): number[] =>
  Array.from({ length: classes - 1 }, (_, i) => (100 * (classes - 1 - i)) / classes);

/** Divider `k` goes to this point, and takes along those that are in its way. */
export const pulled = (dividers: readonly number[], k: number, to: number): number[] => {
  const point = clamp(to, 0, 100);
  return dividers.map((at, i) => (i === k ? point : i < k ? Math.max(at, point) : Math.min(at, point)));
};

/** The share of each class, the first one at the far end. */
export const sharesOf = (dividers: readonly number[]): number[] =>
  [...dividers, 0].map((at, i) => ((dividers[i - 1] ?? 100) - at) / 100);

/** Half of all differences: what was given to one class was taken from another. */
export const misplaced = (shares: readonly number[], guessed: readonly number[]): number =>
  50 * shares.reduce((sum, p, i) => sum + Math.abs(p - guessed[i]!), 0);

/** How good the guess was, in a few words, and where it went wrong most. */
export function verdictOnShares(labels: readonly string[], shares: readonly number[], guessed: readonly number[]): [string, string] {
  const points = Math.round(misplaced(shares, guessed));
  if (!(points > CLOSE)) return ["Very close.", ""];
  const errors = shares.map((p, i) => Math.abs(p - guessed[i]!));
  const worst = errors.indexOf(Math.max(...errors));
  return [
    `You put ${points} points in the wrong place.`,
    `You gave ${share(guessed[worst]!)} to ${labels[worst]}; it gets ${share(shares[worst]!)}.`,
  ];
}

/** The dividers that a browser kept for so many classes; null where it kept anything else. */
export function readDividers(raw: unknown, classes: number): number[] | null {
  if (!Array.isArray(raw) || raw.length !== classes - 1) return null;
  const falling = raw.every((at, i) => typeof at === "number" && at >= 0 && at <= (raw[i - 1] ?? 100));
  return falling ? raw : null;
}

export interface DividedStrip {
  /** Along the flow, from where the strip is drawn while one guesses to where it stays beside the true one. */
  flow: Stretch;
  /** Across the flow: what each class was given, and where its number is written. */
  parts: Stretch[];
  labels: number[];
  /** Across the flow: each divider, and the border in the true strip that it is joined to. */
  dividers: { at: number; truth: number }[];
}

/** The strip that the reader divides. `revealed` goes from 0, where it stands for the true one, to 1. */
export function dividedStrip({ turned, strip, aside, foot, whole, parts }: Machine, dividers: readonly number[], revealed: number): DividedStrip {
  const raised = (h: number) => (turned ? foot + h : foot - h);
  const ends = stack(sharesOf(dividers).map((p) => p * whole));
  const towards = (from: number, to: number) => tidy(from + (to - from) * revealed);
  const classes = ends.length;
  const gap = turned ? Math.min(62, (whole - 28) / (classes - 1)) : 38;
  const middles = ends.map(([from, to]) => raised((from + to) / 2));
  return {
    flow: { start: towards(strip.start, aside!.start), length: towards(strip.length, aside!.length) },
    parts: ends.map(([from, to]) => ({ start: tidy(turned ? raised(from) : raised(to)), length: tidy(to - from) })),
    labels: (turned ? spread(middles, gap, foot + 14, foot + whole - 14) : spread(middles, gap, foot - whole + 8, foot - 20)).map(tidy),
    dividers: dividers.map((at, i) => ({
      at: tidy(raised((at / 100) * whole)),
      truth: tidy(turned ? parts[i]!.share.start : parts[i]!.share.start + parts[i]!.share.length),
    })),
  };
}

// --- a number

export interface Axis {
  low: number;
  high: number;
  logarithmic: boolean;
}

/** From a number to its place on the axis, 0 at one end and 1 at the other. */
export const placeOf = ({ low, high, logarithmic }: Axis, x: number): number =>
  logarithmic ? Math.log(x / low) / Math.log(high / low) : (x - low) / (high - low);

const numberAt = ({ low, high, logarithmic }: Axis, place: number): number =>
  logarithmic ? low * (high / low) ** place : low + (high - low) * place;

/** 1, 2 or 5 times a power of ten: the least of them that is not below `x`. */
function roundStep(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  return power * [1, 2, 5, 10].find((times) => times * power >= x * (1 - 1e-9))!;
}

/** The number that is said for a place on the axis: two digits, or a hundredth of a linear axis. */
export function saidAt(axis: Axis, place: number): number {
  const x = numberAt(axis, clamp(place, 0, 1));
  const step = roundStep((axis.high - axis.low) / 100);
  const said = axis.logarithmic ? Number(x.toPrecision(2)) : Number((Math.round(x / step) * step).toPrecision(12));
  return clamp(said, axis.low, axis.high);
}

const APART = 0.05; // the least distance of a round number from an end, as a part of the axis

/** Where the axis has numbers: at its ends, and at five or six round ones between them, or at powers of ten. */
export function ticksOf(axis: Axis): number[] {
  const isBetween = (x: number) => Math.abs(placeOf(axis, x) - 0.5) < 0.5 - APART;
  return [axis.low, ...roundNumbers(axis).filter(isBetween), axis.high];
}

function roundNumbers({ low, high, logarithmic }: Axis): number[] {
  if (!logarithmic) {
    const step = roundStep((high - low) / 6);
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(12)));
  }
  const decades = Math.log10(high / low);
  const digits = decades <= 2 ? [1, 2, 5] : [1];
  const every = Math.ceil(decades / 6);
  const first = Math.floor(Math.log10(low));
  return Array.from({ length: Math.ceil(decades / every) + 2 }, (_, k) => digits.map((digit) => Number((digit * 10 ** (first + k * every)).toPrecision(12)))).flat();
}

/** "2.7 times" */
export const withUnit = (x: number, unit: string, digits = 3): string => `${amount(x, digits)}${unit && (unit === "%" ? "\u2009%" : ` ${unit}`)}`;

export function verdictOnNumber(axis: Axis, number: number, guessed: number, unit: string): [string, string] {
  const truth = `it is ${withUnit(number, unit)}.`;
  const near = Math.abs(placeOf(axis, number) - placeOf(axis, guessed)) * 100 <= CLOSE;
  return near ? ["Very close:", truth] : [`You said ${withUnit(guessed, unit)};`, truth];
}
