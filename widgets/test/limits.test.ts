import assert from "node:assert/strict";
import { test } from "node:test";
import { atTheLimits } from "../src/limits.ts";
import { softmax } from "../src/softmax.ts";

test("the sentence says what happens where doubles end, and nothing elsewhere", () => {
  const say = (z: number[]) => atTheLimits(z.map((_, i) => `c${i}`), z.map(Math.exp), softmax(z));
  assert.match(say([1000, 1001]), /∞ ÷ ∞ would be NaN.*hold/);
  assert.match(say([-1000, -1001]), /0 ÷ 0 would be NaN.*hold/);
  assert.match(say([-800, 0]), /share of c1 is exactly 100 %.*share of c0 is exactly 0/);
  assert.match(say([-40, 0]), /^The share of c1 is exactly 100 %[^0]*below 1.2 × 10⁻¹⁶.$/);
  assert.match(say([3]), /alone always has the whole/);
  assert.match(say([Infinity, 0]), /answers NaN/);
  assert.equal(say([1, 2]), "");
});
