// Reads scores as JSON from standard input, and writes the weights and the running sums that the pictures make of them.
// tests/library/test_attention_explorer.py compares that with Python.

import { readFileSync } from "node:fs";
import { weightsOf } from "../src/attention.ts";
import { readAll } from "../src/online.ts";

interface Asked {
  matrices: [scores: number[][], dimension: number][];
  rows: [scores: number[], values: number[]][];
}

const { matrices, rows } = JSON.parse(readFileSync(0, "utf8")) as Asked;
process.stdout.write(
  JSON.stringify({
    weights: matrices.map(([scores, dimension]) =>
      [1, Math.sqrt(dimension)].flatMap((divisor) => [false, true].map((causal) => weightsOf(scores, divisor, causal))),
    ),
    running: rows.map(([scores, values]) => readAll(scores, values).slice(1)),
  }),
);
