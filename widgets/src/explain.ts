// What a reader should hear where doubles end.

import { showGiven, slopeName } from "./format.ts";
import { MOST_NUDGE } from "./curve.ts";
import { exponential, logit, percent, shortSlope } from "./numbers.ts";
import { linearRange } from "./softmax.ts";

const TOLERANCE = 0.1;

/** A share that is none. Rounded to 0 or 100 % it would be one: then it says on which side it lies. */
const promised = (x: number): string =>
  [0, 1].includes(Math.abs(Math.round(x * 100) / 100)) ? (x < 0 ? `just under ${percent(0)}` : `just over ${percent(1)}`) : percent(x);

/** Whether a JacobianExplorer's tangent can be trusted with this nudge, and from where on it cannot. */
export function explainNudge(
  labels: readonly string[],
  before: readonly number[],
  predicted: readonly number[],
  actual: readonly number[],
  row: number,
  column: number,
  nudge: number,
): string {
  if ([...predicted, ...actual].some(Number.isNaN)) return "A logit is past the largest double: softmax answers NaN, and so do its slopes.";
  if (labels.length === 1) return "A class alone always has the whole share: no nudge moves it, and its slope is 0.";
  const [least, most] = linearRange(before, column, MOST_NUDGE, TOLERANCE);
  const end = (h: number) => (Math.abs(h) === MOST_NUDGE ? `beyond ${logit(h)}` : logit(h));
  const range = ` The gap is under ${percent(TOLERANCE)} of the change for h from ${end(least)} to ${end(most)}.`;
  if (nudge === 0) return `No nudge, no change: the line leaves the curve slowly.${range}`;
  const after = before.map((p, i) => p + predicted[i]!);
  const isImpossible = (i: number) => after[i]! < 0 || after[i]! > 1;
  const impossible = isImpossible(row) ? row : after.findIndex((_, i) => isImpossible(i));
  if (impossible >= 0) return `The line promises the impossible: a share of ${promised(after[impossible]!)} for ${labels[impossible]}.${range}`;
  if (actual[column] === 0) return `Softmax is saturated here: not even the doubles see a change.${range}`;
  const off = predicted[column]! / actual[column]! - 1;
  const size = `${showGiven(Number((Math.abs(off) * 100).toPrecision(2)))}\u2009% too ${off > 0 ? "large" : "small"}, for every class alike.`;
  return `The line ${Math.abs(off) > TOLERANCE ? "has stopped being good" : "is good"}: ${size}${range}`;
}

/** What a step did to the loss, or that its curve begins. */
export function explainStep(losses: readonly number[], least: number, learnt: boolean, fresh: boolean): string {
  const [before, after] = [losses.at(-2), losses.at(-1)!];
  const [from, to] = [before, after].map((loss = 0) => exponential(loss));
  if (before !== undefined && after > before + DUST) return `The step is too large: the loss has grown from ${from} to ${to}.`;
  const what =
    before === undefined && !fresh
      ? "Something has changed: a new curve begins."
      : learnt
        ? "Learnt: the arrows have become short."
        : before === undefined
          ? "A step adds each arrow to its logit."
          : `The loss has fallen from ${from} to ${to}.`;
  return least > 0 ? `${what} With smoothing it cannot fall below ${exponential(least)}.` : what;
}

const DUST = 1e-9; // where nothing is left to lose, rounding moves the loss up and down

const TERMS = 5; // more would not be read

/** That columns add up to zero and that the matrix is symmetric, in this moment's numbers. */
export function explainMatrix(labels: readonly string[], matrix: readonly (readonly number[])[], row: number, column: number): string {
  const changes = matrix.map((slopes) => shortSlope(slopes[column]!));
  const terms = changes.map((x, i) => (i === 0 ? x.replace("+", "") : x.replace(/^[+−]/, "$& "))).join(" ");
  const mirrored = `${slopeName(labels[column]!, labels[row]!)} = ${shortSlope(matrix[column]![row]!)}`;
  const symmetric = row === column ? "On the diagonal a cell is its own mirror image." : `Symmetric: ${mirrored} too.`;
  const sum = labels.length > TERMS ? "" : `, here ${terms}`;
  return `Each column adds up to 0${sum}: what one class gains, others lose. ${symmetric}`;
}
