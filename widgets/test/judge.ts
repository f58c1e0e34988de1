// Reads fields and what was typed into each as JSON from standard input, and writes what field.ts says of it.
// tests/book/test_exercises.py asks it about the fields of all chapters.

import { readFileSync } from "node:fs";
import { judge } from "../src/field.ts";
import type { States } from "../src/state.ts";

const asked = JSON.parse(readFileSync(0, "utf8")) as { field: States["NumberField"]; typed: string }[];
process.stdout.write(JSON.stringify(asked.map(({ field, typed }) => judge(field, typed))));
