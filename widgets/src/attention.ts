// Attention as numbers: what each query sees of the scores, its weights, and the places of both in the picture.

import { clampTo, tidy } from "./layout.ts";
import { ticksOf, TURNED_BELOW, type Axis, type Stretch } from "./machine.ts";
import { softmax } from "./softmax.ts";

/** How many keys the query sees: under a causal mask its own and those before it. */
export const seenBy = (query: number, tokens: number, causal: boolean): number => (causal ? query + 1 : tokens);

/** softmax(scores / divisor) along each row; exactly 0 where a causal mask hides the key. */
export const weightsOf = (scores: readonly (readonly number[])[], divisor: number, causal: boolean): number[][] =>
  scores.map((row, i) => {
    const seen = softmax(row.slice(0, seenBy(i, row.length, causal)).map((score) => score / divisor));
    return row.map((_, j) => seen[j] ?? 0);
  });

/** A score where there is little room: "−1.2", "237", ">999". */
export function cellText(score: number): string {
  const size = Math.abs(score);
  const text = size > 999 ? "999" : size.toFixed(size < 99.95 ? 1 : 0);
  return `${size > 999 ? (score < 0 ? "<" : ">") : ""}${score < 0 && Number(text) ? "−" : ""}${text}`;
}

export interface Place {
  narrow: boolean;
  height: number;
  /** The middle of each query's row. */
  queries: { y: number }[];
  /** How wide a name may be. */
  names: number;
  /** Where the keys are named over their columns: in two lines by turns, if one is too long for its column. */
  heads: number[];
  /** How many letters such a name may have. */
  letters: number;
  /** Where the scores of a query stand, each in a column of this width, and how far from the row's middle. */
  cells: Stretch;
  column: number;
  cellY: number;
  /** Where the weights of a query lie, and their upper edge, from the row's middle. */
  strip: Stretch;
  stripY: number;
  thick: number;
  /** How far down the scores of the selected query begin; axis and keys are counted from there. */
  below: number;
  axis: Axis;
  keys: { y: number }[];
  /** Where the weights of the selected query end. */
  shares: number;
  /** From a score to its place on the axis. */
  along: (score: number) => number;
}

const ROW = 44; // a grip's hit area
const HEAD = 60; // over the rows, in pixels
const LETTER = 7.6; // the width of a letter there

/** `longest` is the number of letters in the longest name. */
export function place(width: number, tokens: number, extent: number, longest: number): Place {
  const narrow = width < TURNED_BELOW;
  const [row, start] = narrow ? [56, 78] : [ROW, 98];
  const room = width - start;
  const cells = { start, length: narrow ? room : tidy(room * 0.45) };
  const column = cells.length / tokens;
  const inLine = longest * LETTER <= column;
  const stripStart = narrow ? start : start + cells.length + 14;
  const below = HEAD + row * tokens + (narrow ? 20 : 24);
  const [left, right, top] = narrow ? [78, width - 108, 26] : [112, width - 190, 52];
  const [zero, reach] = [(left + right) / 2, 1.04 * extent];
  const scale = (right - left) / 2 / reach;
  const keyRow = narrow ? ROW : 54; // a name over its number
  const bottom = top + keyRow * tokens;
  const { ticks, every } = ticksOf(extent);
  return {
    ...{ narrow, cells, below, column, names: start - (narrow ? 4 : 8) },
    heads: Array.from({ length: tokens }, (_, j) => HEAD - 18 + (inLine ? 0 : j % 2 ? 8 : -8)),
    letters: Math.floor(((inLine ? 1 : 2) * column) / LETTER),
    queries: Array.from({ length: tokens }, (_, i) => ({ y: HEAD + row * (i + 0.5) })),
    cellY: narrow ? -13 : 0,
    strip: { start: stripStart, length: width - stripStart },
    stripY: narrow ? 1 : -15,
    thick: narrow ? 20 : 30,
    axis: { zero, scale, top, bottom, ticks, every: every * Math.ceil(32 / (every * scale)) },
    keys: Array.from({ length: tokens }, (_, j) => ({ y: top + keyRow * (j + 0.5) })),
    shares: narrow ? width - 50 : width - 96,
    height: below + bottom + (narrow ? 22 : 42),
    along: (score) => tidy(zero + clampTo(score, -reach, reach) * scale),
  };
}
