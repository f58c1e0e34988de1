import assert from "node:assert/strict";
import { test } from "node:test";
import { explainMatrix, explainNudge } from "../src/explain.ts";
import { show, showGiven, showProbability } from "../src/format.ts";
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

test("numbers as given", () => {
  assert.equal(showGiven(1.3), "1.3");
  assert.equal(showGiven(-0.1 - 0.2), "−0.3");
});

test("a nudge is told to be good, too far, past all probability, or without effect", () => {
  const say = (z: number[], j: number, h: number, row = j) => {
    const p = softmax(z);
    const actual = change(p, softmax(z.with(j, z[j]! + h)), j, h);
    return explainNudge(["cat", "dog", "owl"].slice(0, z.length), p, jacobian(p).map((slopes) => slopes[j]! * h), actual, row, j, h).replaceAll("\u2009", " ");
  };
  assert.match(say([0, 1, 2], 0, 0.1), /^The line is good: [\d.]+ % too small, for every class alike. The gap is under 10 % of the change for h from −0.\d+ to 0.\d+\.$/);
  assert.match(say([0, 1, 2], 2, 2), /^The line promises the impossible: a share of 111 % for owl\./);
  assert.match(say([1.25, 2.44, 0.905], 1, 1.53), /^The line promises the impossible: a share of just over 100 % for dog\./);
  assert.match(say([0, 1, 2], 2, 2, 0), /^The line promises the impossible: a share of −3 % for cat\./);
  assert.match(say([0, 1, 2], 0, 1), /^The line has stopped being good: \d+ % too small/);
  assert.match(say([0, 1, 2], 0, 0), /^No nudge, no change/);
  assert.match(say([0, 2000], 0, 1), /^Softmax is saturated here/);
  assert.match(say([3], 0, 1), /^A class alone/);
  assert.match(say([1e308, 1.7e308], 1, 1e308), /answers NaN/);
});

test("columns add up to zero in so many words", () => {
  const matrix = jacobian(softmax([0, 0]));
  assert.equal(
    explainMatrix(["cat", "dog"], matrix, 0, 1),
    "Each column adds up to 0, here −0.250 + 0.250: what one class gains, others lose. Symmetric: ∂p(dog)/∂z(cat) = −0.250 too.",
  );
  assert.match(explainMatrix(["cat", "dog"], matrix, 0, 0), /here 0.250 − 0.250: .*its own mirror image/);
  const six = jacobian(softmax([0, 0, 0, 0, 0, 0]));
  assert.equal(
    explainMatrix(["a", "b", "c", "d", "e", "f"], six, 0, 1),
    "Each column adds up to 0: what one class gains, others lose. Symmetric: ∂p(b)/∂z(a) = −0.028 too.",
  );
});
