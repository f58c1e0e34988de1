// A column keeps its width while a slider moves: always four significant digits.

const MINUS = "\u2212";

/** "0.9025", "181.7", "1.234e307", "∞". */
export function show(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : `${MINUS}∞`;
  if (x === 0) return "0";
  const exponential = x.toExponential(3);
  const exponent = Number(exponential.slice(exponential.indexOf("e") + 1));
  return tidy(exponent >= -4 && exponent < 4 ? x.toPrecision(4) : exponential);
}

/** Like `show`, but never "1.000" for what is not 1: "1 − 3e-8". */
export function showProbability(p: number): string {
  if (p === 1) return "1";
  return p < 1 && show(p) === "1.000" ? `1 ${MINUS} ${(1 - p).toExponential(0)}` : show(p);
}

/** A number as it was given, to six significant digits: "1.3", not "1.300". */
export const showGiven = (x: number): string =>
  Number.isFinite(x) ? tidy(String(Number(x.toPrecision(6)))) : show(x);

/** "∂p(cat)/∂z(dog)": how p(cat) follows the logit of dog. */
export const slopeName = (of: string, by: string): string => `∂p(${of})/∂z(${by})`;

const tidy = (text: string): string => text.replace("e+", "e").replace(/^-/, MINUS);
