// Reads settings as JSON from standard input, and writes what philox.ts and sampling.ts make of them.
// tests/library/test_sampling_explorer.py compares that with Python.

import { readFileSync } from "node:fs";
import { random } from "../src/philox.ts";
import { draw, sampled } from "../src/sampling.ts";

interface Asked {
  logits: number[];
  temperature: number;
  top_k: number | null;
  top_p: number;
  seed: number;
  draws: number;
}

const settings = JSON.parse(readFileSync(0, "utf8")) as Asked[];
const answers = settings.map(({ logits, temperature, top_k, top_p, seed, draws }) => {
  const made = sampled(logits, temperature, top_k, top_p);
  const numbers = random(seed, draws);
  return { ...made, numbers, drawn: draw(made, numbers) };
});
process.stdout.write(JSON.stringify(answers));
