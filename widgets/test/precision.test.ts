import assert from "node:assert/strict";
import { test } from "node:test";
import { formats, largest, leastNormal, roundTo, run, smallest, spacing, windowOf, type Format } from "../src/precision.ts";
import { softmax } from "../src/softmax.ts";
import { explainRun, verdict, verdictText } from "../src/verdict.ts";

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

// What NumPy and ml_dtypes say: logarithms of half the smallest number, of the smallest normal one, and of the largest.
const WINDOWS: Record<Format, [number, number, number]> = {
  float16: [-17.32867951399863, -9.70406052783923, 11.089866488461016],
  bfloat16: [-92.88172219503264, -87.3365447505531, 88.71889102211909],
  float32: [-103.97207708399179, -87.3365447505531, 88.722839052068],
  float64: [-745.1332191019411, -708.3964185322641, 709.782712893384],
};

test("a window begins where e^z is no longer 0, and ends where it becomes infinite", () => {
  for (const format of formats) {
    const { least, normal, most } = windowOf(format);
    const stated = WINDOWS[format];
    [least, normal, most].forEach((end, k) => assert.ok(Math.abs(end - stated[k]!) < 2.1e-3, `${format} ${end}`));
    if (format !== "float16" && format !== "bfloat16") assert.ok(Math.abs(most - stated[2]) < 1e-7);
    const made = (z: number) => roundTo(format, Math.exp(z));
    assert.deepEqual([made(least - 1e-9), made(least + 1e-9)], [0, smallest(format)]);
    assert.ok(made(normal - 2e-2) < leastNormal(format) && made(normal + 1e-9) >= leastNormal(format));
    assert.deepEqual([made(most - 1e-9) < Infinity, made(most + 1e-9)], [true, Infinity]);
  }
});

test("sums stop growing where the format is too coarse, and every verdict has its sentence", () => {
  const say = (format: Format, z: number[], shifted = false) => {
    const made = run(format, z, shifted);
    const labels = z.map((_, i) => `c${i}`);
    return `${verdictText(verdict(labels, format, made, softmax(z)))}. ${explainRun(labels, format, z, made, softmax(z))}`;
  };
  assert.equal(run("bfloat16", [5.55, 0, 0, 0, 0], false).total, 260); // one more at a time is lost
  assert.match(say("float16", [0, 12]), /^✕ NaN: ∞ ÷ ∞. exp\(12\) is beyond float16's largest number, 65504, so it became ∞; ∞ \/ ∞ is NaN/);
  assert.match(say("float16", [0, 12], true), /^✓ works: right to 3 digits. Fine: no share is more than/);
  assert.match(say("float16", [11, 11]), /^✕ all 0: the sum is ∞. Each exponential fits, but their sum passed/);
  assert.match(say("float16", [-20, -30]), /^✕ NaN: 0 ÷ 0. Every exponential is at most half of .* 5.96046e-8, .*0 \/ 0 is NaN/);
  assert.match(say("float16", [0, -20], true), /^✓ works: c1: exactly 0. Fine: the share of c1 is so small that of all numbers in float16 exactly 0 is the nearest/);
  assert.match(say("float16", [-16, -17.4]), /^✕ wrong: c1: 0, not 20\u2009%. exp\(−17.4\d*\) is at most half.* the share of c1 became exactly 0 instead of 0.1978/);
  assert.match(say("float16", [70000, 0], true), /^✕ NaN: ∞ − ∞. The logit 70000 is itself beyond .* no subtraction helps/);
  assert.match(say("bfloat16", [700, 702.44], true), /^≈ lost digits: right to 0 digits. .* stores the logit 702.44 as 704, .* ULP off/);
  assert.match(say("float16", [-14, -14.5]), /^≈ lost digits: right to 1 digit. exp\(−14\) is so close to 0 that float16 keeps only some/);
  assert.match(say("float64", [700.1, 0.3], true), /^≈ lost digits: right to 13 digits. .*turned the rounding of −699.8 into an error that shows/);
  assert.match(say("float64", [0, 1, 2.2], true), /^✓ works: right to 15 digits. Fine: every share is within 4 ULP of the double it/);
  assert.match(say("float64", [1000, 0]), /^✕ NaN: ∞ ÷ ∞. exp\(1000\) is beyond float64's largest number, 1.79769e308/);
  assert.match(say("float64", [Infinity, 0]), /^✕ NaN: ∞ ÷ ∞. The logit ∞/);
});

test("four exponentials of 88.5 fit float32, and their sum does not", () => {
  const naive = run("float32", [88.5, 88.5, 88.5, 88.5], false);
  assert.ok(naive.exponentials.every((e) => e > 2.7e38 && e <= largest("float32")));
  assert.equal(naive.total, Infinity);
  assert.deepEqual(naive.quotients, [0, 0, 0, 0]);
  assert.deepEqual(run("float32", [88.5], false).quotients, [1]);
  assert.deepEqual(run("float32", [88.5, 88.5, 88.5, 88.5], true).quotients, [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual(run("float64", [88.5, 88.5, 88.5, 88.5], false).quotients, [0.25, 0.25, 0.25, 0.25]);
});
