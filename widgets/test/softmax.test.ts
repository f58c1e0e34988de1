import assert from "node:assert/strict";
import { test } from "node:test";
import { argmax, dense, entropy, logsumexp, scaled, softmax } from "../src/softmax.ts";

const close = (actual: readonly number[], expected: readonly number[], relative = 4 * Number.EPSILON) => {
  assert.equal(actual.length, expected.length);
  actual.forEach((x, i) =>
    assert.ok(Math.abs(x - expected[i]!) <= relative * Math.abs(expected[i]!), `${x} is not ${expected[i]}`),
  );
};

// mpmath, 50 digits: exp(k) / sum(exp(0..3))
const RAMP = [0.03205860328008499, 0.08714431874203257, 0.23688281808991013, 0.6439142598879724];

for (const shift of [-1e4, 0, 1e4])
  test(`softmax holds its values under a shift of ${shift}`, () => {
    close(softmax([0, 1, 2, 3].map((z) => z + shift)), RAMP);
  });

test("softmax puts back what the subtraction rounds away", () => {
  // mpmath; without the correction it ends in 9712, 200 ULP off.
  close(softmax([0.3, -700.1]).slice(1), [6.609138834709412e-305]);
});

test("odd inputs have the answers that softmax_lib promises", () => {
  const nan = [NaN, NaN];
  assert.deepEqual(softmax([]), []);
  assert.deepEqual(softmax([-1e300]), [1]);
  assert.deepEqual(softmax([NaN, 0]), nan);
  assert.deepEqual(softmax([Infinity, 0]), nan);
  assert.deepEqual(softmax([-Infinity, -Infinity]), nan);
  assert.deepEqual(softmax([-Infinity, 5]), [0, 1]);
  assert.deepEqual(softmax([1.7e308, -1.7e308]), [1, 0]);
  assert.deepEqual(softmax([1000, 1000]), [0.5, 0.5]);
  assert.equal(logsumexp([]), -Infinity);
  assert.equal(logsumexp([-Infinity]), -Infinity);
  assert.equal(logsumexp([Infinity, 0]), Infinity);
  assert.equal(logsumexp([NaN, Infinity]), NaN);
  assert.equal(logsumexp([1000, 1000]), 1000.6931471805599);
});

test("entropy is 0 when sure and log K when all are equal", () => {
  assert.equal(entropy([0, 1, 0]), 0);
  close([entropy([0.25, 0.25, 0.25, 0.25])], [Math.log(4)]);
  close([entropy(softmax([1.25, 2.44, 0.78, 0.12]))], [1.034037574], 1e-9);
});

test("argmax is the first of the largest, and -1 beside a NaN", () => {
  assert.equal(argmax([1, 3, 3]), 1);
  assert.equal(argmax([1, NaN]), -1);
});

test("dense and scaled compute what their names say", () => {
  assert.deepEqual(dense([[1, 2], [3, 4]], [10, 100], [0.5, -0.5]), [210.5, 429.5]);
  assert.deepEqual(scaled([1, 2], 1, 2), [1, 1.5]);
});
