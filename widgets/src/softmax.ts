// One more backend under softmax_lib's contract; tests/test_widgets.py holds it to Python's.

/** What `a + b` rounds off: the sum plus this is exact (Knuth's two-sum). */
function roundedOff(a: number, b: number): number {
  const total = a + b;
  const bInTotal = total - a;
  return a - (total - bInTotal) + (b - bInTotal);
}

/** exp(x - maximum), to the last place: exp would amplify the rounding of the difference. */
function expMinus(x: number, maximum: number): number {
  const exponential = Math.exp(x - maximum);
  const lost = roundedOff(x, -maximum);
  return Number.isFinite(lost) ? exponential + exponential * lost : exponential;
}

/** The sum as if rounded once. */
function sum(terms: readonly number[]): number {
  let total = 0;
  let lost = 0;
  for (const term of terms) {
    lost += roundedOff(total, term);
    total += term;
  }
  return total + lost;
}

/** Probabilities; all NaN where a NaN, a +inf or nothing but -inf leaves no answer. */
export function softmax(logits: readonly number[]): number[] {
  const maximum = Math.max(...logits);
  if (!Number.isFinite(maximum)) return logits.map(() => NaN);
  const exponentials = logits.map((z) => expMinus(z, maximum));
  const total = sum(exponentials);
  return exponentials.map((e) => e / total);
}

/** Log of the sum of exponentials, without overflow. */
export function logsumexp(logits: readonly number[]): number {
  const maximum = Math.max(...logits);
  if (!Number.isFinite(maximum)) return maximum;
  return maximum + Math.log(sum(logits.map((z) => expMinus(z, maximum))));
}

/** In nats: 0 when sure, log K when all are equal. */
export function entropy(probabilities: readonly number[]): number {
  return sum(probabilities.map((p) => (p === 0 ? 0 : -p * Math.log(p))));
}

/** The first of the largest; -1 if any is NaN. */
export const argmax = (values: readonly number[]): number => values.indexOf(Math.max(...values));

/** (logits + shift) / temperature, in Python's order. */
export const scaled = (logits: readonly number[], shift: number, temperature: number): number[] =>
  logits.map((z) => (z + shift) / temperature);

/** weights @ hidden + bias, added in Python's order. */
export const dense = (
  weights: readonly (readonly number[])[],
  hidden: readonly number[],
  bias: readonly number[],
): number[] =>
  weights.map((row, i) => row.reduce((z, weight, j) => z + weight * hidden[j]!, 0) + bias[i]!);
