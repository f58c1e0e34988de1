// What a reader should hear where doubles end.

/** What happened to a machine's numbers at the edges of float64; nothing where all is ordinary. */
export function atTheLimits(
  labels: readonly string[],
  exponentials: readonly number[],
  probabilities: readonly number[],
): string {
  const total = exponentials.reduce((a, b) => a + b, 0);
  if (probabilities.some(Number.isNaN))
    return "A logit divided by the temperature is past the largest double, 1.8 × 10³⁰⁸: ∞ − ∞ has no value, and softmax answers NaN.";
  const held = "Softmax subtracts the maximum first, so the shares hold.";
  if (total === Infinity) return `The exponentials pass the largest double, 1.8 × 10³⁰⁸: ∞ ÷ ∞ would be NaN. ${held}`;
  if (total === 0) return `The exponentials are below the smallest double, 5 × 10⁻³²⁴: 0 ÷ 0 would be NaN. ${held}`;
  if (labels.length === 1) return "A class alone always has the whole.";
  const sure = probabilities.indexOf(1);
  const never = probabilities.indexOf(0);
  return [
    sure >= 0 && `The share of ${labels[sure]} is exactly 100 %: all others together vanish beside it, below 1.2 × 10⁻¹⁶.`,
    never >= 0 && `The share of ${labels[never]} is exactly 0: it is below the smallest double, 5 × 10⁻³²⁴.`,
  ]
    .filter(Boolean)
    .join(" ");
}
