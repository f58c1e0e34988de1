// What became of softmax in a format with few digits: in two words, and in a sentence.

import facts from "../../softmax_lib/widgets/facts.json" with { type: "json" };
import { show, showGiven, showProbability } from "./format.ts";
import { shortened } from "./layout.ts";
import { shortShare } from "./numbers.ts";
import { largest, leastNormal, roundTo, smallest, spacing, ulps, type Format, type Run } from "./precision.ts";

// Beyond an error of MOST_ULP a decimal digit is lost. What stands for the exact answer is a double, good to EXACT_TO_ULP.
const { most_ulp: MOST_ULP, exact_to_ulp: EXACT_TO_ULP } = facts.limits;

/** An error in ULP, where it means anything: float64 is compared with a float64. */
export const showUlps = (format: Format, error: number): string =>
  format === "float64" && error <= EXACT_TO_ULP ? `within ${EXACT_TO_ULP}` : show(error);

export const YARDSTICK = `In float64 the answer to compare with is itself a double, good to within ${EXACT_TO_ULP} ULP.`;

/** The likeliest class whose quotient is 0 though another number of the format is nearer; -1 if there is none. */
function vanished(format: Format, quotients: readonly number[], exact: readonly number[]): number {
  const errors = ulps(format, quotients, exact);
  const missed = exact.map((p, i) => (quotients[i] === 0 && errors[i]! > MOST_ULP ? p : 0));
  return Math.max(...missed) > 0 ? missed.indexOf(Math.max(...missed)) : -1;
}

export interface Verdict {
  mark: "✕" | "≈" | "✓";
  word: string;
  detail: string;
}

export const verdictText = ({ mark, word, detail }: Verdict): string => `${mark} ${word}: ${detail}`;

const LONGEST_NAME = 12;

/** Names of classes in few letters: "dog", "dog and tiger", "3 classes". */
function few(names: readonly string[]): string {
  if (names.length === 1) return shortened(names[0]!, LONGEST_NAME);
  const together = names.join(" and ");
  return names.length === 2 && Array.from(together).length <= LONGEST_NAME + 5 ? together : `${names.length} classes`;
}

/** How many decimal digits an error of so many ULP leaves; half a ULP is the least that rounding promises. */
function digitsLeft(format: Format, error: number): number {
  const all = (facts.formats[format].bits - 1) * Math.log10(2);
  return Math.max(Math.floor(all - Math.log10(Math.max(error, 0.5))), 0);
}

/** What became of softmax in a format, in two or three words and the reason. */
export function verdict(labels: readonly string[], format: Format, { powers, total, quotients }: Run, exact: readonly number[]): Verdict {
  if (quotients.some(Number.isNaN)) {
    const reason = powers.some(Number.isNaN) ? "∞ − ∞" : total === 0 ? "0 ÷ 0" : "∞ ÷ ∞";
    return { mark: "✕", word: "NaN", detail: reason };
  }
  if (total === Infinity) return { mark: "✕", word: "all 0", detail: "the sum is ∞" };
  const missed = vanished(format, quotients, exact);
  if (missed >= 0) return { mark: "✕", word: "wrong", detail: `${few([labels[missed]!])}: 0, not ${shortShare(exact[missed]!)}` };
  const worst = Math.max(...ulps(format, quotients, exact));
  const digits = digitsLeft(format, worst);
  const right = `right to ${digits} digit${digits === 1 ? "" : "s"}`;
  if (worst > MOST_ULP) return { mark: "≈", word: "lost digits", detail: right };
  const none = labels.filter((_, i) => quotients[i] === 0);
  return { mark: "✓", word: "works", detail: none.length ? `${few(none)}: exactly 0` : right };
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
  const power = (i: number) => `exp(${showGiven(powers[i]!)})`;
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
  const missed = vanished(format, quotients, exact);
  if (missed >= 0) {
    const what = exponentials[missed] === 0 ? power(missed) : `${show(exponentials[missed]!)} / ${show(total)}`;
    return `${what} is at most ${least}, so the share of ${labels[missed]} became exactly 0 instead of ${show(exact[missed]!)}.`;
  }
  const errors = ulps(format, quotients, exact);
  const worst = errors.indexOf(Math.max(...errors));
  const error = errors[worst]!;
  const none = quotients.indexOf(0);
  if (error <= MOST_ULP && none >= 0)
    return `Fine: the share of ${labels[none]} is so small that of all numbers in ${format} exactly 0 is the nearest.`;
  const off = `the share of ${labels[worst]} is ${show(error)} ULP off`;
  if (error <= MOST_ULP)
    return format === "float64" && error <= EXACT_TO_ULP
      ? `Fine: every share is within ${EXACT_TO_ULP} ULP of the double it is compared with.`
      : `Fine: no share is more than ${show(error)} ULP off.`;
  const lost = stored.map((z, i) => Math.abs(z - logits[i]!));
  const changed = lost.indexOf(Math.max(...lost));
  // An error of a logit becomes the relative error of its exponential.
  if (lost[changed]! / spacing(format, 1) > MOST_ULP / 4)
    return `${format} stores the logit ${showGiven(logits[changed]!)} as ${showGiven(stored[changed]!)}, and no subtraction brings that back: ${off}.`;
  const poor = exponentials.findIndex((e) => e > 0 && e < leastNormal(format));
  if (poor >= 0)
    return `${power(poor)} is so close to 0 that ${format} keeps only some of its digits: ${off}.`;
  return `The exponential turned the rounding of ${showGiven(powers[worst]!)} into an error that shows: ${off}. Likeliest: ${showProbability(Math.max(...quotients))}.`;
}
