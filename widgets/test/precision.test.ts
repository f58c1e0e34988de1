import assert from "node:assert/strict";
import { test } from "node:test";
import { explainRun, verdict } from "../src/explain.ts";
import { formats, largest, roundTo, run, smallest, spacing, type Format } from "../src/precision.ts";
import { softmax } from "../src/softmax.ts";

test("each format's ends", () => {
  const ends = formats.map((format) => [largest(format), smallest(format), spacing(format, 1)]);
  assert.deepEqual(ends, [
    [65504, 2 ** -24, 2 ** -10],
    [3.3895313892515355e38, 2 ** -133, 2 ** -7],
    [3.4028234663852886e38, 2 ** -149, 2 ** -23],
    [Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON],
  ]);
});

test("rounding is to nearest, ties to even, once", () => {
  const rounded: [Format, number, number][] = [
    ["float16", 1 + 2 ** -11, 1],
    ["float16", 1 + 3 * 2 ** -11, 1 + 2 ** -9],
    // Twice rounded, by way of float32, this would be 1.
    ["bfloat16", 1 + 2 ** -8 + 2 ** -40, 1 + 2 ** -7],
    ["float16", 65519.999, 65504],
    ["float16", 65520, Infinity],
    ["float16", -1e300, -Infinity],
    ["float16", 2 ** -25, 0],
    ["float16", 2 ** -25 * 1.0001, 2 ** -24],
    ["bfloat16", 1e-45, 0],
    ["bfloat16", 5e-324, 0],
    ["float64", 1e-310, 1e-310],
  ];
  for (const [format, x, expected] of rounded) assert.equal(roundTo(format, x), expected, `${format} ${x}`);
  for (const format of formats) {
    assert.ok(Object.is(roundTo(format, -0), -0));
    assert.ok(Object.is(roundTo(format, -5e-324), format === "float64" ? -5e-324 : -0));
    assert.ok(Number.isNaN(roundTo(format, NaN)));
    assert.equal(roundTo(format, -Infinity), -Infinity);
  }
});

test("float32 is what Math.fround says", () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647; // Park and Miller
  for (let round = 0; round < 100_000; round++) {
    const x = (random() - 0.5) * 2 ** (random() * 320 - 170);
    for (const near of [x, Math.fround(x) + spacing("float32", x) / 2])
      assert.equal(roundTo("float32", near), Math.fround(near), `${near}`);
  }
});

test("sums stop growing where the format is too coarse, and every verdict has its sentence", () => {
  const say = (format: Format, z: number[], shifted = false) => {
    const made = run(format, z, shifted);
    return `${verdict(format, made, softmax(z))}. ${explainRun(z.map((_, i) => `c${i}`), format, z, made, softmax(z))}`;
  };
  assert.equal(run("bfloat16", [5.55, 0, 0, 0, 0], false).total, 260); // one more at a time is lost
  assert.match(say("float16", [0, 12]), /^✗ NaN. e\^12 is beyond float16's largest number, 65504, so it became ∞; ∞ \/ ∞ is NaN/);
  assert.match(say("float16", [0, 12], true), /^✓ fine: .* ULP. Fine: no probability is more than/);
  assert.match(say("float16", [11, 11]), /^✗ 0 instead of 0.5000. Each exponential fits, but their sum passed/);
  assert.match(say("float16", [-20, -30]), /^✗ NaN. Every exponential is at most half of .* 5.96046e-8, .*0 \/ 0 is NaN/);
  assert.match(say("float16", [0, -20], true), /^✗ 0 instead of 2.061e-9. e\^−20 is at most half.* p\(c1\) became exactly 0 instead of 2.061e-9/);
  assert.match(say("float16", [70000, 0], true), /^✗ NaN. The logit 70000 is itself beyond .* no subtraction helps/);
  assert.match(say("bfloat16", [700, 702.44], true), /^≈ lost digits: .* stores the logit 702.44 as 704, .* ULP off/);
  assert.match(say("float16", [-14, -14.5]), /^≈ lost digits: 57.41 ULP. e\^−14 is so close to 0 that float16 keeps only some/);
  assert.match(say("float64", [700.1, 0.3], true), /^≈ lost digits: .*turned the rounding of −699.8 into an error that shows/);
  assert.match(say("float64", [0, 1, 2.2], true), /^✓ fine: within 4 ULP. Fine: every probability is within 4 ULP of the double it/);
  assert.match(say("float64", [1000, 0]), /^✗ NaN. e\^1000 is beyond float64's largest number, 1.79769e308/);
  assert.match(say("float64", [Infinity, 0]), /^✗ NaN. The logit ∞/);
});
