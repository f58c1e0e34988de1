// Softmax as a narrow format computes it: every step is rounded. softmax_lib/widgets/precision_lab.py does the
// same in Python; tests/library/test_widgets.py holds both to NumPy and ml_dtypes.

import facts from "../../softmax_lib/widgets/facts.json" with { type: "json" };

/** Each format's significant bits, and the exponent of its largest numbers. */
const shapes = facts.formats;

export type Format = keyof typeof shapes;
export const formats = Object.keys(shapes) as Format[];

const view = new DataView(new ArrayBuffer(8));

/** The exponent of |x|'s leading bit; -1023 for what is less than the least normal double. */
function exponentOf(x: number): number {
  view.setFloat64(0, x);
  return ((view.getUint16(0) >> 4) & 0x7ff) - 1023;
}

/** The distance from x to the format's next number away from 0. */
export function spacing(format: Format, x: number): number {
  const { bits, exponent } = shapes[format];
  return 2 ** (Math.max(exponentOf(x), 1 - exponent) - (bits - 1));
}

export function largest(format: Format): number {
  const { bits, exponent } = shapes[format];
  return (2 - 2 ** (1 - bits)) * 2 ** exponent;
}

/** The least number above 0. */
export const smallest = (format: Format): number => spacing(format, 0);

/** The least number with all its digits. */
export const leastNormal = (format: Format): number => 2 ** (1 - shapes[format].exponent);

/** Where e^z is neither 0 nor ∞ in a format. Between `least` and `normal` it has lost digits already. */
export interface Window {
  least: number;
  normal: number;
  most: number;
}

/** What is at most half the least number becomes 0; what is half a step beyond the largest becomes ∞. */
export function windowOf(format: Format): Window {
  const { bits, exponent } = shapes[format];
  return {
    least: (1 - exponent - bits) * Math.LN2,
    normal: (1 - exponent) * Math.LN2,
    most: exponent * Math.LN2 + Math.log(2 - 2 ** -bits),
  };
}

/** Rounds once, to nearest and ties to even; to subnormals or infinity where that is nearest. */
export function roundTo(format: Format, x: number): number {
  if (x === 0 || !Number.isFinite(x) || format === "float64") return x;
  const unit = spacing(format, x);
  // Doubles from 2^52 on are the integers: adding it rounds to nearest even.
  const magnitude = (Math.abs(x) / unit + 2 ** 52 - 2 ** 52) * unit;
  return (x < 0 ? -1 : 1) * (magnitude > largest(format) ? Infinity : magnitude);
}

export interface Run {
  /** The logits as stored; less the maximum, where it is subtracted. */
  powers: number[];
  exponentials: number[];
  total: number;
  quotients: number[];
}

export function run(format: Format, logits: readonly number[], shifted: boolean): Run {
  const round = (x: number) => roundTo(format, x);
  const stored = logits.map(round);
  const maximum = Math.max(...stored);
  const powers = shifted ? stored.map((z) => round(z - maximum)) : stored;
  const exponentials = powers.map((power) => round(Math.exp(power)));
  const total = exponentials.reduce((sum, e) => round(sum + e), 0);
  return { powers, exponentials, total, quotients: exponentials.map((e) => round(e / total)) };
}

/** How far each is from the exact one, in units in the last place of the format. */
export const ulps = (format: Format, quotients: readonly number[], exact: readonly number[]): number[] =>
  quotients.map((quotient, i) => Math.abs(quotient - exact[i]!) / spacing(format, exact[i]!));
