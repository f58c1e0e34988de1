// One more backend under softmax_lib's contract; tests/library/test_widgets.py holds it to Python's.

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
  return total + (lost || 0); // beyond an infinite total nothing is lost
}

/** Probabilities; all NaN where a NaN, a +inf or nothing but -inf leaves no answer. */
export function softmax(logits: readonly number[]): number[] {
  const maximum = Math.max(...logits);
  if (!Number.isFinite(maximum)) return logits.map(() => NaN);
  const exponentials = logits.map((z) => expMinus(z, maximum));
  const total = sum(exponentials);
  return exponentials.map((e) => e / total);
}

/** The maximum, and the logarithm of the sum of exponentials relative to its own. */
function normalizer(logits: readonly number[]): [maximum: number, logarithm: number] {
  const maximum = Math.max(...logits);
  if (!Number.isFinite(maximum)) return [maximum, 0];
  const smaller = logits.filter((z) => z < maximum);
  const rest = sum(smaller.map((z) => expMinus(z, maximum)));
  return [maximum, Math.log1p(rest + (logits.length - smaller.length - 1))];
}

/** Log of the sum of exponentials, without overflow. */
export const logsumexp = (logits: readonly number[]): number => {
  const [maximum, logarithm] = normalizer(logits);
  return maximum + logarithm;
};

/** What is wanted of each class: all of it of one, or a part of it spread evenly over all (label smoothing). */
export const target = (classes: number, wanted: number, smoothing: number): number[] =>
  Array.from({ length: classes }, (_, i) => (1 - smoothing) * Number(i === wanted) + smoothing / classes);

/** −Σ y log p, from logits. The maximum goes first: log Σ e^z − z would cancel where the loss is small. */
export function crossEntropy(logits: readonly number[], wanted: readonly number[]): number {
  const [maximum, logarithm] = normalizer(logits);
  return sum(wanted.map((y, i) => (y && y * (maximum - logits[i]! + logarithm))));
}

/** p − y, as p (1 − y) − y (1 − p): nothing cancels where p is nearly y. */
export const crossEntropyGradient = (p: readonly number[], wanted: readonly number[]): number[] =>
  p.map((pi, i) => pi * others(wanted, i) - wanted[i]! * others(p, i));

/** The logits after one step against the gradient. */
export const stepped = (logits: readonly number[], wanted: readonly number[], rate: number): number[] => {
  const gradient = crossEntropyGradient(softmax(logits), wanted);
  return logits.map((z, i) => z - rate * gradient[i]!);
};

/** J[i][j] = p_i (δ_ij − p_j): how probability i follows logit j. */
export const jacobian = (p: readonly number[]): number[][] =>
  p.map((pi, i) => p.map((pj, j) => (i === j ? pi * others(p, i) : -(pi * pj))));

/** 1 − p_i, by additions: subtracted, it would cancel where p_i is nearly 1. */
function others(p: readonly number[], i: number): number {
  const largest = argmax(p);
  const smaller = p.with(largest, 0);
  const rest = sum(smaller);
  return i === largest ? rest : rest - smaller[i]! + p[largest]!;
}

/** after − before, with no subtraction that could cancel; logit j was moved by h. */
export function change(before: readonly number[], after: readonly number[], j: number, h: number): number[] {
  const rest =
    h > 0
      ? before.map((p) => p * after[j]! * Math.expm1(-h))
      : after.map((p) => -(p * before[j]! * Math.expm1(h)));
  return rest.with(j, -sum(rest.toSpliced(j, 1)));
}

/** The predicted over the actual change, which is the same for every class when logit j moves by h. */
function overshoot(p: readonly number[], j: number, h: number): number {
  const [own, rest] = [p[j]!, others(p, j)];
  return h === 0 ? 1 : h > 0 ? (h * (own + rest * Math.exp(-h))) / -Math.expm1(-h) : (h * (rest + own * Math.exp(h))) / Math.expm1(h);
}

/** How far logit j can move down and up, in steps of 0.01, with the linear prediction within `tolerance`. */
export function linearRange(p: readonly number[], j: number, most: number, tolerance: number): [number, number] {
  const reach = (sign: number) => {
    let steps = 0;
    while (steps < most * 100 && Math.abs(overshoot(p, j, (sign * (steps + 1)) / 100) - 1) <= tolerance) steps++;
    return (sign * steps) / 100;
  };
  return [reach(-1), reach(1)];
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
