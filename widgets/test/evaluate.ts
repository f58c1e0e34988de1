// Reads logits as JSON from standard input, numbers as strings (JSON has no NaN, ∞ or -0), and
// writes what softmax.ts and precision.ts make of them. tests/library/test_widgets.py compares that with Python.

import { readFileSync } from "node:fs";
import { formats, run } from "../src/precision.ts";
import { change, crossEntropy, crossEntropyGradient, jacobian, logsumexp, softmax, stepped, target } from "../src/softmax.ts";
import { labelsOf } from "../src/state.ts";
import { verdict, verdictText } from "../src/verdict.ts";

const vectors = JSON.parse(readFileSync(0, "utf8")) as string[][];
const answers = vectors.map((vector) => {
  const logits = vector.map(Number);
  const p = softmax(logits);
  const labels = labelsOf({ labels: null }, logits.length);
  const j = logits.length - 1;
  return {
    softmax: p.map(String),
    logsumexp: String(logsumexp(logits)),
    jacobian: jacobian(p).map((row) => row.map(String)),
    changes: j < 0 ? [] : [-2, 0.1].map((h) => change(p, softmax(logits.with(j, logits[j]! + h)), j, h).map(String)),
    // What Python is asked as well: each class at either end wanted, as it is and with label smoothing.
    losses: [0, j].flatMap((wanted) =>
      [0, 0.1].map((smoothing) => {
        const y = target(logits.length, wanted, smoothing);
        return {
          loss: String(crossEntropy(logits, y)),
          gradient: crossEntropyGradient(p, y).map(String),
          stepped: stepped(logits, y, 1.5).map(String),
        };
      }),
    ),
    verdicts: formats.flatMap((format) =>
      [false, true].map((shifted) => verdictText(verdict(labels, format, run(format, logits, shifted), p))),
    ),
    runs: formats.map((format) => [false, true].map((shifted) => run(format, logits, shifted).quotients.map(String))),
  };
});
console.log(JSON.stringify(answers));
