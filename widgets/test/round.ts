// Reads doubles, as bytes, from standard input, and writes them rounded to the format that is the
// argument. tests/library/test_widgets.py compares that with NumPy and ml_dtypes.

import { readFileSync, writeSync } from "node:fs";
import { roundTo, type Format } from "../src/precision.ts";

const bytes = new Uint8Array(readFileSync(0));
const rounded = new Float64Array(bytes.buffer).map((x) => roundTo(process.argv[2] as Format, x));
const answer = new Uint8Array(rounded.buffer);
for (let written = 0; written < answer.length; ) written += writeSync(1, answer, written);
