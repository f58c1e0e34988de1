// What a reader should hear where doubles end.

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
