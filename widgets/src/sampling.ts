// The next word of a sentence: its shares, what top-k and top-p leave of them, the words that random numbers draw, and the places of all that.

import { clampTo, closedPath, tidy, type Point } from "./layout.ts";
import { softmax } from "./softmax.ts";

export const COLDEST = 0.25;
export const HOTTEST = 4;

/** Words beyond so many share the last column. */
const MOST_COLUMNS = 8;
/** Under this width, in CSS pixels, the picture has a phone's proportions. */
const NARROW_BELOW = 600;
/** What the outlines expect: so many draws. One column has room for as many dots. */
export const EXPECTED = 100;

export interface Sampled {
  shares: number[];
  /** How many words, of the likeliest, have passed both cuts. */
  kept: number;
  /** The share of all that is kept. */
  whole: number;
  /** What is kept, as shares of one whole again. */
  renormalised: number[];
}

/** softmax(z / T), and what is kept of it: the `topK` likeliest, as far as those before have together less than `topP`. */
export function sampled(logits: readonly number[], temperature: number, topK: number | null, topP: number): Sampled {
  // Only differences matter, and those from the maximum pass no double when they are divided.
  const shares = softmax(logits.map((z) => (z - logits[0]!) / temperature));
  let [kept, whole] = [0, 0];
  // A sum of shares may round to 1 before the last word; a top-p of 1 cuts nothing all the same.
  while (kept < (topK ?? shares.length) && (topP === 1 || whole < topP)) whole += shares[kept++]!;
  return { shares, kept, whole, renormalised: shares.map((share, i) => (i < kept ? share / whole : 0)) };
}

/** The word that each number draws: the first whose cumulative share exceeds it, and the last that is kept where rounding leaves none. */
export const draw = ({ renormalised, kept }: Sampled, numbers: readonly number[]): number[] =>
  numbers.map((number) => {
    let [word, total] = [0, renormalised[0]!];
    while (total <= number && word < kept - 1) total += renormalised[++word]!;
    return word;
  });

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** A number for each column: the last has all that the words beyond have together. */
export const inColumns = (numbers: readonly number[]): number[] =>
  numbers.length > MOST_COLUMNS ? [...numbers.slice(0, MOST_COLUMNS - 1), sum(numbers.slice(MOST_COLUMNS - 1))] : [...numbers];

export interface Place {
  narrow: boolean;
  width: number;
  height: number;
  /** The upper edges of the strips of all shares and of those that are kept, and their thickness. */
  first: number;
  second: number;
  thick: number;
  /** Where the columns begin, where their dots stand, and how wide each is. */
  top: number;
  base: number;
  column: number;
  /** Dots in a row, from the middle of one to the next, and their radius. */
  row: number;
  pitch: number;
  radius: number;
  rail: number;
  railStart: number;
  railEnd: number;
  /** Where a temperature is on the rail. */
  at: (temperature: number) => number;
}

export function place(width: number, columns: number): Place {
  const narrow = width < NARROW_BELOW;
  const thick = narrow ? 34 : 38;
  const first = 48;
  const second = first + thick + 42;
  const top = second + thick + (narrow ? 52 : 58);
  const base = top + (narrow ? 208 : 188);
  const column = width / columns;
  const row = narrow ? 5 : 8;
  const pitch = Math.min(narrow ? 8.2 : 10.6, (column - 3) / row);
  const rail = base + (narrow ? 118 : 98);
  const railStart = narrow ? 16 : 126;
  const railEnd = narrow ? width - 72 : Math.min(446, width - 284);
  return {
    ...{ narrow, width, first, second, thick, top, base, column, row, pitch, rail, railStart, railEnd },
    height: rail + 48,
    radius: (pitch - 1.4) / 2,
    at: (temperature) => tidy(railStart + clampTo(Math.log(temperature / COLDEST) / Math.log(HOTTEST / COLDEST), 0, 1) * (railEnd - railStart)),
  };
}

/** [start, end] of each, side by side. */
const sideBySide = (shares: readonly number[], width: number): (readonly [number, number])[] => {
  let end = 0;
  return shares.map((share) => [tidy(end * width), tidy((end += share) * width)] as const);
};

export interface Column {
  /** Where its share begins in the first strip, where its kept part ends, and where all of it ends. */
  share: readonly [start: number, kept: number, end: number];
  /** Its kept part in the second strip, of one whole again. */
  again: readonly [start: number, end: number];
  ribbon: string;
  funnel: string;
  middle: number;
  /** How high as many dots stand as are expected. */
  expected: number;
}

/** Where each column has its shares, and what leads to it. */
export function columns({ shares, whole, renormalised }: Sampled, place: Place): Column[] {
  const { width, first, second, thick, top, column, row: inRow, pitch } = place;
  const all = inColumns(shares);
  const parts = inColumns(renormalised);
  const again = sideBySide(parts, width);
  return sideBySide(all, width).map(([start, end], i) => {
    const kept = Math.min(tidy(start + parts[i]! * whole * width), end);
    const [from, to] = again[i]!;
    const corners: Point[] = [[start, first + thick], [kept, first + thick], [to, second], [from, second]];
    const [left, right] = [tidy(i * column + 4), tidy((i + 1) * column - 4)];
    const [foot, bend] = [second + thick, (top - second - thick) * 0.6];
    return {
      ...{ share: [start, kept, end] as const, again: again[i]!, ribbon: closedPath(corners) },
      funnel: `M${from} ${foot}C${from} ${foot + bend} ${left} ${top - bend} ${left} ${top}H${right}C${right} ${top - bend} ${to} ${foot + bend} ${to} ${foot}Z`,
      middle: tidy((i + 0.5) * column),
      expected: tidy(Math.max(((parts[i]! * EXPECTED) / inRow) * pitch, 2)),
    };
  });
}

export interface Dot {
  column: number;
  x: number;
  y: number;
}

/** A place for each drawn word, in rows from the foot of its column. */
export function dots(words: readonly number[], count: number, { column, base, row, pitch }: Place): Dot[] {
  const lying = Array<number>(count).fill(0);
  return words.map((word) => {
    const i = Math.min(word, count - 1);
    const rank = lying[i]!++;
    return {
      column: i,
      x: tidy((i + 0.5) * column + ((rank % row) - (row - 1) / 2) * pitch),
      y: tidy(base - (Math.floor(rank / row) + 0.5) * pitch),
    };
  });
}

/** Where a dot is on its way from the needle, after a part `t` of its time: first it goes sideways, then ever faster down. */
export const falling = ({ x, y }: Dot, number: number, t: number, { width, second, thick }: Place): Point => {
  const [fromX, fromY] = [number * width, second + thick];
  return [tidy(fromX + (x - fromX) * Math.min(1, t * 1.6)), tidy(fromY + (y - fromY) * t * t)];
};

/** Where the blade of top-k stands, counted in columns; within the last, as far as it cuts into the words there. */
export function blade(topK: number | null, words: number): number {
  const beyond = MOST_COLUMNS - 1;
  if (topK === null || topK >= words) return Math.min(words, MOST_COLUMNS);
  return words <= MOST_COLUMNS || topK <= beyond ? topK : beyond + (topK - beyond) / (words - beyond);
}

/** What top-k is with the blade there: at the right end it is off. */
export const bladeAt = (place: number, columns: number): number | null => (place < columns ? Math.max(place, 1) : null);

const LETTER = 0.65; // the mean width of a bold letter, of its size

/** The size of type in which a word fits a column, as far as it stays legible. */
export const wordSize = (word: string, { column, narrow }: Pick<Place, "column" | "narrow">): number =>
  tidy(clampTo((column - 4) / (Array.from(word).length * LETTER), 12, narrow ? 14 : 17));
