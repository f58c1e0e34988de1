// Reads logits and temperatures as JSON from standard input, and writes what SimplexExplorer makes of them.
// tests/library/test_simplex_explorer.py compares that with Python.

import { readFileSync } from "node:fs";
import { relative } from "../src/simplex.ts";
import { crossEntropy, softmax } from "../src/softmax.ts";

const asked = JSON.parse(readFileSync(0, "utf8")) as [logits: number[], temperature: number][];
const answers = asked.map(([logits, temperature]) => {
  const scaled = relative(logits, temperature);
  const shares = softmax(scaled);
  return { shares, entropy: crossEntropy(scaled, shares) };
});
process.stdout.write(JSON.stringify(answers));
