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

/** A score where there is little room: "−1.2", "12", ">999". */
export function cellText(score: number): string {
  const size = Math.abs(score);
  const text = size > 999 ? "999" : size.toFixed(size < 9.95 ? 1 : 0);
  return `${size > 999 ? (score < 0 ? "<" : ">") : ""}${score < 0 && Number(text) ? "−" : ""}${text}`;
}

export interface Place {
  narrow: boolean;
  height: number;
  /** The middle of each query's row. */
  queries: { y: number }[];
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

export function place(width: number, tokens: number, extent: number): Place {
  const narrow = width < TURNED_BELOW;
  const [head, row, names] = narrow ? [58, 56, 70] : [48, ROW, 92];
  const room = width - names;
  const cells = { start: names, length: narrow ? room : tidy(room * 0.45) };
  const start = narrow ? names : names + cells.length + 14;
  const below = head + row * tokens + (narrow ? 20 : 24);
  const [left, right, top] = narrow ? [70, width - 108, 26] : [112, width - 190, 52];
  const [zero, reach] = [(left + right) / 2, 1.04 * extent];
  const scale = (right - left) / 2 / reach;
  const keyRow = narrow ? ROW : 54; // a name over its number
  const bottom = top + keyRow * tokens;
  const { ticks, every } = ticksOf(extent);
  return {
    ...{ narrow, cells, below, column: cells.length / tokens },
    queries: Array.from({ length: tokens }, (_, i) => ({ y: head + row * (i + 0.5) })),
    cellY: narrow ? -13 : 0,
    strip: { start, length: width - start },
    stripY: narrow ? 1 : -15,
    thick: narrow ? 20 : 30,
    axis: { zero, scale, top, bottom, ticks, every: every * Math.ceil(32 / (every * scale)) },
    keys: Array.from({ length: tokens }, (_, j) => ({ y: top + keyRow * (j + 0.5) })),
    shares: narrow ? width - 50 : width - 96,
    height: below + bottom + (narrow ? 22 : 42),
    along: (score) => tidy(zero + clampTo(score, -reach, reach) * scale),
  };
}
