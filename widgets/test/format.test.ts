import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, explainMatrix, explainNudge } from "../src/explain.ts";
import { show, showExponent, showGiven, showProbability, showShort } from "../src/format.ts";
import { change, jacobian, softmax } from "../src/softmax.ts";

test("four significant digits, whatever the size", () => {
  const shown: [number, string][] = [
    [0.9025376890165725, "0.9025"],
    [0.020190464732580685, "0.02019"],
    [181.73413619837197, "181.7"],
    [9999.6, "1.000e4"],
    [1.234e307, "1.234e307"],
    [5e-324, "4.941e-324"],
    [-2.5, "−2.500"],
    [0, "0"],
    [NaN, "NaN"],
    [Infinity, "∞"],
    [-Infinity, "−∞"],
  ];
  for (const [x, text] of shown) assert.equal(show(x), text);
});

test("a probability is shown as 1 only where it is 1", () => {
  assert.equal(showProbability(1), "1");
  assert.equal(showProbability(0), "0");
  assert.equal(showProbability(1 - 3e-8), "1 − 3e-8");
  assert.equal(showProbability(0.99994), "0.9999");
});

test("numbers as given, and exponents of a steady width", () => {
  assert.equal(showGiven(1.3), "1.3");
  assert.equal(showGiven(-0.1 - 0.2), "−0.3");
  assert.equal(showExponent(2.4), "2.40");
  assert.equal(showExponent(-0.001), "0.00");
  assert.equal(showExponent(1002.44), "1002");
});

test("the sentence says what happens where doubles end", () => {
  const say = (z: number[], shift = 0) => explain(z.map((_, i) => `c${i}`), z.map(Math.exp), softmax(z), shift);
  assert.match(say([1000, 1001], 1000), /∞\/∞ would be NaN.*hold/);
  assert.match(say([-1000, -1001], -1000), /0\/0 would be NaN.*hold/);
  assert.match(say([-800, 0]), /p\(c1\) is exactly 1.*p\(c0\) is exactly 0/);
  assert.match(say([-40, 0]), /p\(c1\) is exactly 1/);
  assert.match(say([3]), /alone always has probability 1/);
  assert.match(say([Infinity, 0]), /answers NaN/);
  assert.match(say([1, 2], 1), /same factor/);
  assert.match(say([1, 2]), /Only differences/);
});

test("a cell of the jacobian has at most seven characters", () => {
  const shown: [number, string][] = [[0.15449, "0.1545"], [-0.25, "−0.2500"], [-4.2e-5, "−4e-5"], [0, "0"], [1e-300, "1e-300"]];
  for (const [x, text] of [...shown, [NaN, "NaN"]] as [number, string][]) assert.equal(showShort(x), text);
});

test("a nudge is told to be good, too far, past all probability, or without effect", () => {
  const say = (z: number[], j: number, h: number) => {
    const p = softmax(z);
    const actual = change(p, softmax(z.with(j, z[j]! + h)), j, h);
    return explainNudge(["cat", "dog", "owl"].slice(0, z.length), p, jacobian(p).map((row) => row[j]! * h), actual, j, h);
  };
  assert.match(say([0, 1, 2], 0, 0.1), /^The prediction is good: [\d.]+ % too small, for every class alike. For the logit of cat, it stays within 10 % from −0.\d+ to 0.\d+\.$/);
  assert.match(say([0, 1, 2], 2, 2), /^The prediction has failed: it puts p\(cat\) at −0.0\d+, which is no probability/);
  assert.match(say([0, 1, 2], 0, 1), /^The prediction has stopped being good: \d+ % too small/);
  assert.match(say([0, 1, 2], 0, 0), /^No nudge, no change/);
  assert.match(say([0, 2000], 0, 1), /^Softmax is saturated here/);
  assert.match(say([3], 0, 1), /^A class alone/);
  assert.match(say([1e308, 1.7e308], 1, 1e308), /answers NaN/);
});

test("columns add up to zero in so many words", () => {
  const matrix = jacobian(softmax([0, 0]));
  assert.equal(
    explainMatrix(["cat", "dog"], matrix, 0, 1),
    "Each column adds up to 0, here −0.2500 + 0.2500 (rounded): what one class gains, others lose. Symmetric: ∂p(dog)/∂z(cat) = −0.2500 too.",
  );
  assert.match(explainMatrix(["cat", "dog"], matrix, 0, 0), /here 0.2500 − 0.2500 .*its own mirror image/);
});
