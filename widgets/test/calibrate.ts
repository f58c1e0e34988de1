// Reads sets of examples as JSON from standard input, and writes what calibration.ts makes of them.
// tests/library/test_calibration_explorer.py compares that with Python.

import { readFileSync } from "node:fs";
import { bestTemperature, calibrationAt, examplesOf, lossAt, lossCurve } from "../src/calibration.ts";

interface Asked {
  logits: number[][];
  truth: number[];
  temperatures: number[];
}

const sets = JSON.parse(readFileSync(0, "utf8")) as Asked[];
const answers = sets.map(({ logits, truth, temperatures }) => {
  const examples = examplesOf(logits, truth);
  return {
    accuracy: examples.accuracy,
    best: bestTemperature(examples),
    curve: lossCurve(examples),
    at: temperatures.map((temperature) => ({ ...calibrationAt(examples, temperature), alone: lossAt(examples, temperature) })),
  };
});
process.stdout.write(JSON.stringify(answers));
