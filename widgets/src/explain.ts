// What a reader should hear where doubles end.

import facts from "../../softmax_lib/widgets/facts.json" with { type: "json" };
import { show, showGiven, showProbability, showShort, slopeName } from "./format.ts";
import { largest, leastNormal, roundTo, smallest, spacing, ulps, type Format, type Run } from "./precision.ts";
import { linearRange } from "./softmax.ts";

/** One or two sentences on a LogitExplorer's numbers, whichever matters most. */
export function explain(
  labels: readonly string[],
  exponentials: readonly number[],
  probabilities: readonly number[],
  shift: number,
): string {
  const total = exponentials.reduce((a, b) => a + b, 0);
  if (probabilities.some(Number.isNaN))
    return "A logit divided by the temperature is past the largest double, 1.8e308: ∞ − ∞ has no value, and softmax answers NaN.";
  const held = "Softmax subtracts the maximum first, so the probabilities hold.";
  if (total === Infinity) return `The exponentials pass the largest double, 1.8e308: ∞/∞ would be NaN. ${held}`;
  if (total === 0) return `The exponentials are below the smallest double, 5e-324: 0/0 would be NaN. ${held}`;
  const sure = probabilities.indexOf(1);
  const never = probabilities.indexOf(0);
  if (labels.length === 1) return "A class alone always has probability 1.";
  if (sure >= 0 || never >= 0)
    return [
      sure >= 0 && `p(${labels[sure]}) is exactly 1: the others together vanish beside it, below 1.2e-16.`,
      never >= 0 && `p(${labels[never]}) is exactly 0: its share is below the smallest double, 5e-324.`,
    ]
      .filter(Boolean)
      .join(" ");
  if (shift !== 0) return "Every exponential grew or shrank by the same factor, so the shares stay as they were.";
  return "Only differences between logits count: shift all of them and watch the probabilities.";
}

export const MOST_NUDGE = 5;
const TOLERANCE = 0.1;

/** Whether a JacobianExplorer's prediction is any good, and from where on it is not. */
export function explainNudge(
  labels: readonly string[],
  before: readonly number[],
  predicted: readonly number[],
  actual: readonly number[],
  column: number,
  nudge: number,
): string {
  if ([...predicted, ...actual].some(Number.isNaN)) return "A logit is past the largest double: softmax answers NaN, and so do its slopes.";
  if (labels.length === 1) return "A class alone always has probability 1: no nudge moves it, and its slope is 0.";
  const [least, most] = linearRange(before, column, MOST_NUDGE, TOLERANCE);
  const end = (h: number) => (Math.abs(h) === MOST_NUDGE ? `beyond ${showGiven(h)}` : showGiven(h));
  const range = ` For the logit of ${labels[column]}, it stays within 10 % from ${end(least)} to ${end(most)}.`;
  const after = before.map((p, i) => p + predicted[i]!);
  const outside = after.findIndex((p) => p < 0 || p > 1);
  if (nudge === 0) return `No nudge, no change.${range}`;
  if (outside >= 0)
    return `The prediction has failed: it puts p(${labels[outside]}) at ${show(after[outside]!)}, which is no probability.${range}`;
  if (actual[column] === 0) return `Softmax is saturated here: not even the doubles see a change.${range}`;
  const off = predicted[column]! / actual[column]! - 1;
  const size = `${showGiven(Number((Math.abs(off) * 100).toPrecision(2)))} %`;
  const verdict = Math.abs(off) > TOLERANCE ? "The prediction has stopped being good" : "The prediction is good";
  return `${verdict}: ${size} too ${off > 0 ? "large" : "small"}, for every class alike.${range}`;
}

/** That columns add up to zero and that the matrix is symmetric, in this moment's numbers. */
export function explainMatrix(labels: readonly string[], matrix: readonly (readonly number[])[], row: number, column: number): string {
  const changes = matrix.map((slopes) => slopes[column]!);
  const terms = changes.map((x, i) => (i === 0 ? showShort(x) : `${x < 0 ? "−" : "+"} ${showShort(Math.abs(x))}`));
  const mirrored = `${slopeName(labels[column]!, labels[row]!)} = ${showShort(matrix[column]![row]!)}`;
  const symmetric = row === column ? "On the diagonal a cell is its own mirror image." : `Symmetric: ${mirrored} too.`;
  return `Each column adds up to 0, here ${terms.join(" ")} (rounded): what one class gains, others lose. ${symmetric}`;
}

/** A cell of the overview: the worst that happened to a probability. */
export function verdict(format: Format, { quotients }: Run, exact: readonly number[]): string {
  const worst = Math.max(...ulps(format, quotients, exact));
  const missed = vanished(quotients, exact);
  if (Number.isNaN(worst)) return "✗ NaN";
  if (missed >= 0) return `✗ 0 instead of ${show(exact[missed]!)}`;
  return `${worst > MOST_ULP ? "≈ lost digits" : "✓ fine"}: ${showUlps(format, worst)} ULP`;
}

// Beyond an error of MOST_ULP a decimal digit is lost. What stands for the exact answer is a double, good to EXACT_TO_ULP.
const { most_ulp: MOST_ULP, exact_to_ulp: EXACT_TO_ULP } = facts.limits;

/** An error in ULP, where it means anything: float64 is compared with a float64. */
export const showUlps = (format: Format, error: number): string =>
  format === "float64" && error <= EXACT_TO_ULP ? `within ${EXACT_TO_ULP}` : show(error);

export const YARDSTICK = `In float64 the answer to compare with is itself a double, good to within ${EXACT_TO_ULP} ULP.`;

/** The likeliest class whose quotient is 0 and should not be; -1 if there is none. */
function vanished(quotients: readonly number[], exact: readonly number[]): number {
  const missed = exact.map((p, i) => (quotients[i] === 0 ? p : 0));
  return Math.max(...missed) > 0 ? missed.indexOf(Math.max(...missed)) : -1;
}

/** What happened on the way from the logits to these quotients. */
export function explainRun(
  labels: readonly string[],
  format: Format,
  logits: readonly number[],
  { powers, exponentials, total, quotients }: Run,
  exact: readonly number[],
): string {
  const most = `${format}'s largest number, ${showGiven(largest(format))}`;
  const least = `half of ${format}'s smallest number, ${showGiven(smallest(format))}`;
  const power = (i: number) => `e^${showGiven(powers[i]!)}`;
  const stored = logits.map((z) => roundTo(format, z));
  const endless = stored.indexOf(Infinity);
  if (endless >= 0)
    return `The logit ${showGiven(logits[endless]!)} is itself beyond ${most}, so it is stored as ∞, and the answer is NaN: no subtraction helps any more.`;
  if (exact.some(Number.isNaN)) return "A logit is past the largest double, and softmax answers NaN.";
  const over = exponentials.indexOf(Infinity);
  if (over >= 0)
    return `${power(over)} is beyond ${most}, so it became ∞; ∞ / ∞ is NaN, and everything else over ∞ is 0.`;
  if (total === Infinity) return `Each exponential fits, but their sum passed ${most}, and became ∞: everything over ∞ is 0.`;
  if (total === 0) return `Every exponential is at most ${least}, so it became 0; 0 / 0 is NaN.`;
  const missed = vanished(quotients, exact);
  if (missed >= 0) {
    const what = exponentials[missed] === 0 ? power(missed) : `${show(exponentials[missed]!)} / ${show(total)}`;
    return `${what} is at most ${least}, so p(${labels[missed]}) became exactly 0 instead of ${show(exact[missed]!)}.`;
  }
  const errors = ulps(format, quotients, exact);
  const worst = errors.indexOf(Math.max(...errors));
  const error = errors[worst]!;
  const off = `p(${labels[worst]}) is ${show(error)} ULP off`;
  if (error <= MOST_ULP)
    return format === "float64" && error <= EXACT_TO_ULP
      ? `Fine: every probability is within ${EXACT_TO_ULP} ULP of the double it is compared with.`
      : `Fine: no probability is more than ${show(error)} ULP off.`;
  const lost = stored.map((z, i) => Math.abs(z - logits[i]!));
  const changed = lost.indexOf(Math.max(...lost));
  // An error of a logit becomes the relative error of its exponential.
  if (lost[changed]! / spacing(format, 1) > MOST_ULP / 4)
    return `${format} stores the logit ${showGiven(logits[changed]!)} as ${showGiven(stored[changed]!)}, and no subtraction brings that back: ${off}.`;
  const few = exponentials.findIndex((e) => e > 0 && e < leastNormal(format));
  if (few >= 0)
    return `${power(few)} is so close to 0 that ${format} keeps only some of its digits: ${off}.`;
  return `The exponential turned the rounding of ${showGiven(powers[worst]!)} into an error that shows: ${off}. Likeliest: ${showProbability(Math.max(...quotients))}.`;
}
