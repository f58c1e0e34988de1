import assert from "node:assert/strict";
import { test } from "node:test";
import { random } from "../src/philox.ts";
import { blade, bladeAt, columns, dots, draw, falling, inColumns, place, sampled, wordSize } from "../src/sampling.ts";

const near = (a: number, b: number, by = 1e-12) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

const { log } = Math;
const HALVES = [log(8), log(4), log(2), log(2)]; // shares of 1/2, 1/4, 1/8, 1/8

test("the numbers are NumPy's", () => {
  // np.random.Generator(np.random.Philox(key=7)).random(5), and the last of 100 for the largest seed
  assert.deepEqual(random(7, 5), [0.8720734548204873, 0.29536538151378355, 0.4200976785072422, 0.4053922457839946, 0.0828426870273763]);
  assert.equal(random(2 ** 32 - 1, 100).at(-1), 0.18403025372851067);
  assert.deepEqual(random(0, 0), []);
  assert.deepEqual(random(3, 9).slice(0, 6), random(3, 6));
});

test("a word is kept if those before it have less than top-p, and if it is among the top-k", () => {
  const kept = (topK: number | null, topP: number) => sampled(HALVES, 1, topK, topP).kept;
  assert.deepEqual([1e-9, 0.49, 0.51, 0.74, 0.76, 0.99, 1].map((p) => kept(null, p)), [1, 1, 2, 2, 3, 4, 4]);
  assert.deepEqual([1, 2, 3, 4].map((k) => kept(k, 1)), [1, 2, 3, 4]);
  assert.deepEqual([kept(3, 0.6), kept(1, 0.6), kept(2, 0.9)], [2, 1, 2]);
  const { shares, whole, renormalised } = sampled(HALVES, 1, 2, 1);
  [1 / 2, 1 / 4, 1 / 8, 1 / 8].forEach((share, i) => near(shares[i]!, share));
  near(whole, 0.75);
  [2 / 3, 1 / 3, 0, 0].forEach((share, i) => near(renormalised[i]!, share));
});

test("a top-p of 1 cuts nothing, though the shares before may round to 1; and the temperature divides", () => {
  assert.equal(sampled([0, -50, -60, -800], 1, null, 1).kept, 4);
  assert.equal(sampled([0, -50, -60, -800], 1, null, 1 - 1e-9).kept, 1);
  near(sampled([2, 0], 2, null, 1).shares[0]!, Math.E / (1 + Math.E));
  assert.deepEqual(sampled([1.7e308, -1.7e308], 0.25, null, 1).shares, [1, 0]);
});

test("a number draws the first word whose cumulative share exceeds it", () => {
  const exact = { shares: [], whole: 1, kept: 3, renormalised: [0.5, 0.25, 0.25, 0] };
  assert.deepEqual(draw(exact, [0, 0.4999, 0.5, 0.7499, 0.75, 1 - 2 ** -53]), [0, 0, 1, 1, 2, 2]);
  const short = { ...exact, renormalised: [0.5, 0.25, 0.249, 0] };
  assert.deepEqual(draw(short, [0.9995]), [2]);
});

test("with more than eight words the last column has all that are beyond", () => {
  assert.deepEqual(inColumns([1, 2, 3]), [1, 2, 3]);
  assert.deepEqual(inColumns([8, 7, 6, 5, 4, 3, 2, 1]), [8, 7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(inColumns([9, 8, 7, 6, 5, 4, 3, 2, 1]), [9, 8, 7, 6, 5, 4, 3, 3]);
});

test("the blade stands between columns, catches, and is off at the right end", () => {
  assert.deepEqual([1, 5, 7, 8, null].map((k) => blade(k, 8)), [1, 5, 7, 8, 8]);
  assert.deepEqual([1, 7, 40, null].map((k) => blade(k, 40)), [1, 7, 8, 8]);
  near(blade(18, 40), 7 + 11 / 33);
  assert.deepEqual([1, 2, null].map((k) => blade(k, 2)), [1, 2, 2]);
  assert.deepEqual([-3, 0, 1, 7, 8, 9].map((x) => bladeAt(x, 8)), [1, 1, 1, 7, null, null]);
});

for (const width of [1120, 745, 600, 599, 358, 288])
  for (const count of [2, 8])
    test(`${width} px, ${count} columns: all has its place, and a column has room for a hundred dots`, () => {
      const placed = place(width, count);
      const { narrow, first, second, thick, top, base, column, row, pitch, radius, rail, railEnd, at, height } = placed;
      assert.equal(narrow, width < 600);
      assert.ok(first < second && second + thick < top && top < base && base + 58 < rail - 26 && rail + 25 < height);
      near(column * count, width, 1e-9);
      assert.ok(pitch * row + 2 <= column && radius > 2 && 2 * radius < pitch);
      // Above a hundred dots there is room for the grip of top-k.
      assert.ok((100 / row) * pitch <= base - top - 24 - 13, `${base - top}`);
      assert.ok(railEnd + (narrow ? 70 : 84 + 180) <= width);
      const marks = [0.25, 0.5, 1, 2, 4].map(at);
      marks.slice(1).forEach((mark, k) => near(mark - marks[k]!, (marks[4]! - marks[0]!) / 4, 0.02));
      assert.deepEqual([at(0.01), at(99)], [at(0.25), at(4)]);
    });

test("both strips fill the width; what is cut has a place in the first alone", () => {
  const placed = place(800, 4);
  const made = sampled(HALVES, 1, 2, 1);
  const drawn = columns(made, placed);
  assert.deepEqual(drawn.map(({ share }) => share), [[0, 400, 400], [400, 600, 600], [600, 600, 700], [700, 700, 800]]);
  assert.deepEqual(drawn.map(({ again }) => again.map(Math.round)), [[0, 533], [533, 800], [800, 800], [800, 800]]);
  assert.deepEqual(drawn.map(({ middle }) => middle), [100, 300, 500, 700]);
  near(drawn[0]!.expected, (200 / 3 / placed.row) * placed.pitch, 0.01);
  const { first, second, thick } = placed;
  assert.equal(drawn[0]!.ribbon, `M0 ${first + thick}L400 ${first + thick}L533.33 ${second}L0 ${second}Z`);
});

test("a cut may go through the last column", () => {
  const logits = Array<number>(16).fill(0);
  const drawn = columns(sampled(logits, 1, 12, 1), place(800, 8));
  assert.deepEqual(drawn.at(-1)!.share, [350, 600, 800]);
  assert.deepEqual(drawn.at(-1)!.again.map(Math.round), [467, 800]);
});

test("dots lie in rows, the words beyond the columns in the last, and fall from the needle to their place", () => {
  const placed = place(745, 8);
  const { base, pitch, column, second, thick } = placed;
  const lying = dots([0, 9, ...Array<number>(8).fill(0)], 8, placed);
  assert.deepEqual(lying.map((dot) => dot.column), [0, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
  near(lying[0]!.y, base - pitch / 2, 0.01);
  near(lying[9]!.y, base - 1.5 * pitch, 0.01);
  assert.equal(lying[9]!.x, lying[0]!.x);
  near((lying[0]!.x + lying[8]!.x) / 2, column / 2, 0.01);
  const dot = lying[1]!;
  assert.deepEqual(falling(dot, 0.25, 0, placed), [186.25, second + thick]);
  assert.deepEqual(falling(dot, 0.25, 1, placed), [dot.x, dot.y]);
  assert.equal(falling(dot, 0.25, 0.7, placed)[0], dot.x);
});

test("a long word is written smaller, down to 12 px", () => {
  const size = (word: string, width: number) => wordSize(word, place(width, 8));
  assert.deepEqual([size("mat", 745), size("mat", 358), size("a".repeat(24), 745)], [17, 14, 12]);
  assert.ok(size("beginning", 745) < 17 && size("beginning", 745) > 12);
});
