// Reads logits as JSON from standard input, numbers as strings (JSON has no NaN, ∞ or -0), and
// writes what softmax.ts makes of them. tests/test_widgets.py compares that with Python.

import { readFileSync } from "node:fs";
import { logsumexp, softmax } from "../src/softmax.ts";

const vectors = JSON.parse(readFileSync(0, "utf8")) as string[][];
const answers = vectors.map((vector) => {
  const logits = vector.map(Number);
  return { softmax: softmax(logits).map(String), logsumexp: String(logsumexp(logits)) };
});
console.log(JSON.stringify(answers));
