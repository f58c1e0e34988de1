import assert from "node:assert/strict";
import { test } from "node:test";
import { cellText, place, seenBy, weightsOf } from "../src/attention.ts";
import { exponentsOf, NOTHING, read, readAll } from "../src/online.ts";
import { softmax } from "../src/softmax.ts";

const near = (a: number, b: number, by = 1e-12) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

const SCORES = [[0, Math.log(3)], [Math.log(16), 0]];

test("each row is a softmax of its own, and a causal mask leaves the others exactly nothing", () => {
  const close = (found: number[][], wanted: number[][]) => found.forEach((row, i) => row.forEach((p, j) => near(p, wanted[i]![j]!)));
  close(weightsOf(SCORES, 1, false), [[0.25, 0.75], [16 / 17, 1 / 17]]);
  close(weightsOf(SCORES, 2, false), [[1 / (1 + Math.sqrt(3)), Math.sqrt(3) / (1 + Math.sqrt(3))], [0.8, 0.2]]);
  assert.deepEqual(weightsOf(SCORES, 1, true)[0], [1, 0]);
  close([weightsOf(SCORES, 1, true)[1]!], [[16 / 17, 1 / 17]]);
  assert.deepEqual([0, 1, 2].map((query) => seenBy(query, 3, true)), [1, 2, 3]);
  assert.equal(seenBy(0, 3, false), 3);
});

test("a score fits its cell", () => {
  const texts = [0, -0, -0.04, 1.25, -9.96, 11.2, -237.9, 999, 1000, -1e6].map(cellText);
  assert.deepEqual(texts, ["0.0", "0.0", "0.0", "1.3", "−10.0", "11.2", "−238", "999", ">999", "<−999"]);
});

for (const width of [1120, 745, 600, 599, 358, 288])
  for (const tokens of [1, 5, 8])
    test(`${width} px, ${tokens} tokens: all has its place inside, and nothing lies over another`, () => {
      const { narrow, height, queries, cells, column, cellY, strip, stripY, thick, below, axis, keys, shares, along, names, heads, letters } = place(width, tokens, 12, 7);
      assert.equal(narrow, width < 600);
      near(column * tokens, cells.length, 1e-9);
      // What stands in one line has a column of its own, and what shares two has the room of two.
      const lines = [...new Set(heads)];
      assert.ok(lines.length === 1 ? letters >= 7 : lines[1]! - lines[0]! >= 15 && tokens > 1);
      assert.ok(letters * 7.6 <= column * Math.min(lines.length, 2) && names <= cells.start);
      assert.ok(Math.min(...heads) >= 30 && Math.max(...heads) + 4 < queries[0]!.y + Math.min(cellY - 11, stripY));
      assert.ok(column >= 24, `${column}`); // a finger's target
      near(strip.start + strip.length, width, 1e-9);
      assert.ok(narrow ? cellY + 11.5 < stripY : cells.start + cells.length < strip.start);
      queries.slice(1).forEach(({ y }, i) => assert.ok(y - queries[i]!.y >= thick + (narrow ? 25 : 0)));
      assert.ok(queries.at(-1)!.y + stripY + thick < below);
      keys.slice(1).forEach(({ y }, j) => assert.ok(y - keys[j]!.y >= 44));
      assert.ok(below + keys.at(-1)!.y + 22 < height);
      assert.ok(along(-12) >= names && along(12) < shares - 48 && shares <= width);
      near(along(3) - along(2), axis.scale, 0.02);
      assert.deepEqual([along(1e6), along(-1e6)], [along(12.48), along(-12.48)]);
      assert.ok(axis.every * axis.scale >= 24);
    });

test("read once, the sums are those of all at once", () => {
  const scores = [1.2, 0.4, 2.6, 0.8, 1.8];
  const values = [2, 4, 7, 1, 9];
  const known = readAll(scores, values);
  assert.equal(known.length, 6);
  assert.equal(known[0], NOTHING);
  known.slice(1).forEach(({ m, s, a }, i) => {
    const seen = scores.slice(0, i + 1);
    assert.equal(m, Math.max(...seen));
    near(s, seen.reduce((sum, z) => sum + Math.exp(z - m), 0), 1e-14);
    near(a / s, softmax(seen).reduce((sum, p, j) => sum + p * values[j]!, 0), 1e-14);
  });
});

test("a new maximum rescales what was gathered, another score leaves it", () => {
  assert.deepEqual(exponentsOf({ m: 1, s: 1, a: 1 }, 3), [-2, 0]);
  assert.deepEqual(exponentsOf({ m: 3, s: 1, a: 1 }, 1), [0, -2]);
  assert.deepEqual(read(NOTHING, -7, 5), { m: -7, s: 1, a: 5 });
  const far = read({ m: -700, s: 3, a: 4 }, 700, 2);
  assert.deepEqual(far, { m: 700, s: 1, a: 2 });
  assert.deepEqual(read(far, -700, 2), far);
});
