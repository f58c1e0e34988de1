// Whether a classifier can be believed: what it said of its answers against how many were right, at any temperature.

import { argmax } from "./softmax.ts";
import { BINS } from "./state.ts";

/** The temperatures that the reader can drag to. */
export const COLDEST = 1 / 4;
export const HOTTEST = 8;
const SAMPLES = 49; // 48 steps of log T, so that all marks of the rail are among them

/** Classified examples, with all that does not depend on the temperature. */
export interface Examples {
  /** How far each other class's logit is from the largest. */
  others: number[][];
  /** How far the true class's is: 0 where the answer is right. */
  owed: number[];
  right: boolean[];
  /** The share of right answers. A temperature divides all logits alike, so the largest stays the largest. */
  accuracy: number;
}

export interface Bin {
  count: number;
  /** The mean confidence of its examples, and the share of them that was answered right; NaN where it is empty. */
  said: number;
  true: number;
}

export interface Calibration {
  bins: Bin[];
  /** The expected calibration error: how far `said` is from `true` on average over all examples. */
  error: number;
  /** The mean cross-entropy, in nats. */
  loss: number;
}

export function examplesOf(logits: readonly (readonly number[])[], truth: readonly number[]): Examples {
  const answers = logits.map(argmax);
  const gaps = logits.map((row, i) => row.map((z) => z - row[answers[i]!]!));
  const right = answers.map((answer, i) => answer === truth[i]);
  return {
    others: gaps.map((row, i) => row.toSpliced(answers[i]!, 1)),
    owed: gaps.map((row, i) => row[truth[i]!]!),
    right,
    accuracy: right.filter(Boolean).length / right.length,
  };
}

/**
 * −log of each example's largest share, which is 1 / (1 + the others' exponentials). It is what softmax.ts's logsumexp
 * gives, without its three arrays for each example: the curve of 600 examples took 60 ms with them, and takes 6.
 */
const doubts = ({ others }: Examples, temperature: number): number[] =>
  others.map((gaps) => {
    let rest = 0;
    for (const gap of gaps) rest += Math.exp(gap / temperature);
    return Math.log1p(rest);
  });

const meanLoss = ({ owed }: Examples, doubt: readonly number[], temperature: number): number =>
  doubt.reduce((sum, each, i) => sum + each - owed[i]! / temperature, 0) / doubt.length;

export const lossAt = (examples: Examples, temperature: number): number =>
  meanLoss(examples, doubts(examples, temperature), temperature);

export function calibrationAt(examples: Examples, temperature: number): Calibration {
  const doubt = doubts(examples, temperature);
  const sums = Array.from({ length: BINS }, () => ({ count: 0, said: 0, true: 0 }));
  doubt.forEach((each, i) => {
    const said = Math.exp(-each);
    const bin = sums[Math.min(Math.floor(said * BINS), BINS - 1)]!;
    bin.count++;
    bin.said += said;
    bin.true += Number(examples.right[i]);
  });
  return {
    bins: sums.map((sum) => ({ count: sum.count, said: sum.said / sum.count, true: sum.true / sum.count })),
    error: sums.reduce((error, sum) => error + Math.abs(sum.true - sum.said), 0) / doubt.length,
    loss: meanLoss(examples, doubt, temperature),
  };
}

/** Temperature and loss, evenly in log T. */
export const lossCurve = (examples: Examples): [temperature: number, loss: number][] =>
  Array.from({ length: SAMPLES }, (_, k) => {
    const temperature = COLDEST * (HOTTEST / COLDEST) ** (k / (SAMPLES - 1));
    return [temperature, lossAt(examples, temperature)];
  });

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The temperature of the lowest loss between the rail's ends. The loss is convex in 1/T: it has one valley, which a golden-section search in log T finds. */
export function bestTemperature(examples: Examples): number {
  const at = (x: number) => lossAt(examples, Math.exp(x));
  let [from, to] = [Math.log(COLDEST), Math.log(HOTTEST)];
  const inner = () => [to - GOLDEN * (to - from), from + GOLDEN * (to - from)] as const;
  let [left, right] = inner();
  let [low, high] = [at(left), at(right)];
  while (to - from > 1e-7) {
    if (low <= high) {
      to = right;
      [right, high] = [left, low];
      left = inner()[0];
      low = at(left);
    } else {
      from = left;
      [left, low] = [right, high];
      right = inner()[1];
      high = at(right);
    }
  }
  return Math.exp((from + to) / 2);
}
