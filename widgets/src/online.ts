// Softmax read once, from left to right: a pair (m, s) and a weighted sum a, which are rescaled where the maximum changes.

export interface Running {
  /** The largest score so far. */
  m: number;
  /** The sum of e^(score − m). */
  s: number;
  /** The sum of e^(score − m) times the value; a ÷ s is the output. */
  a: number;
}

export const NOTHING: Running = { m: -Infinity, s: 0, a: 0 };

/** What the maximum's change multiplies the sums by, and what the new score adds: two exponents, one of them 0. */
export const exponentsOf = ({ m }: Running, score: number): [kept: number, added: number] => {
  const maximum = Math.max(m, score);
  return [m - maximum, score - maximum];
};

/** The merge of what has been read with one more score and its value. */
export function read(before: Running, score: number, value: number): Running {
  const [kept, added] = exponentsOf(before, score).map(Math.exp) as [number, number];
  return { m: Math.max(before.m, score), s: before.s * kept + added, a: before.a * kept + added * value };
}

/** What is known after 0, 1, 2, … scores. */
export function readAll(scores: readonly number[], values: readonly number[]): Running[] {
  const known = [NOTHING];
  scores.forEach((score, i) => known.push(read(known[i]!, score, values[i]!)));
  return known;
}
