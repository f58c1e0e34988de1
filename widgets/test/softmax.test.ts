import assert from "node:assert/strict";
import { test } from "node:test";
import { argmax, change, crossEntropy, crossEntropyGradient, dense, entropy, jacobian, linearRange, logsumexp, scaled, softmax, stepped, target } from "../src/softmax.ts";

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

test("a loss and its gradient do not cancel where what is wanted is given", () => {
  // mpmath, 50 digits: log(1 + e^-40), and e^-40 / (1 + e^-40)
  close([crossEntropy([40, 0], [1, 0])], [4.2483542552915889863e-18]);
  close(crossEntropyGradient(softmax([40, 0]), [1, 0]), [-4.248354255291588977e-18, 4.248354255291588977e-18]);
  assert.deepEqual([crossEntropy([1e300, 0], [0, 1]), crossEntropy([0], [1]), crossEntropy([1.7e308, -1.7e308], [0, 1])], [1e300, 0, Infinity]);
});

test("label smoothing spreads a part evenly, and the loss is least, the entropy, where given and wanted agree", () => {
  assert.deepEqual(target(4, 1, 0), [0, 1, 0, 0]);
  close(target(4, 1, 0.2), [0.05, 0.85, 0.05, 0.05]);
  const wanted = target(4, 1, 0.2);
  const meets = wanted.map(Math.log);
  close([crossEntropy(meets, wanted)], [entropy(wanted)]);
  assert.ok(crossEntropyGradient(softmax(meets), wanted).every((slope) => Math.abs(slope) < 1e-16));
});

test("a step goes against the gradient, and the logits keep their sum", () => {
  const logits = [-1, 2, 0.5, 0];
  const wanted = target(4, 0, 0);
  const p = softmax(logits);
  close(stepped(logits, wanted, 1.5), logits.map((z, i) => z + 1.5 * (wanted[i]! - p[i]!)));
  assert.ok(Math.abs(stepped(logits, wanted, 12).reduce((a, b) => a + b) - 1.5) < 1e-14);
});

test("dense and scaled compute what their names say", () => {
  assert.deepEqual(dense([[1, 2], [3, 4]], [10, 100], [0.5, -0.5]), [210.5, 429.5]);
  assert.deepEqual(scaled([1, 2], 1, 2), [1, 1.5]);
});

test("the jacobian is symmetric, its rows add up to 0, and it does not cancel", () => {
  const p = softmax([1.25, 2.44, 0.78, 0.12]);
  const matrix = jacobian(p);
  close(matrix[0]!, [0.1545299, -0.1199383, -0.0228050, -0.0117868], 1e-5);
  matrix.forEach((row, i) => {
    assert.ok(Math.abs(row.reduce((a, b) => a + b)) <= Number.EPSILON);
    row.forEach((x, j) => assert.equal(x, matrix[j]![i]!));
  });
  // 1 - p is 0 here, and yet: e^-40.
  close(jacobian(softmax([40, 0]))[0]!, [4.248354255291589e-18, -4.248354255291589e-18]);
  assert.deepEqual(jacobian([1]), [[0]]);
});

test("a change is the difference of the probabilities, where that cancels too", () => {
  const moved = (z: number[], j: number, h: number) => change(softmax(z), softmax(z.with(j, z[j]! + h)), j, h);
  for (const h of [-5, -0.1, 0, 0.1, 5]) {
    const z = [1.25, 2.44, 0.78, 0.12];
    const [before, after] = [softmax(z), softmax(z.with(1, 2.44 + h))];
    moved(z, 1, h).forEach((x, i) => assert.ok(Math.abs(x - (after[i]! - before[i]!)) < 1e-15));
  }
  // mpmath, 40 digits
  close(moved([40, 0], 0, 1), [2.6854720659566002e-18, -2.6854720659566002e-18]);
  close(moved([-800, 0], 0, 800), [0.5, -0.5]);
  close(moved([0, 0], 0, -800), [-0.5, 0.5]);
});

test("the linear range is where prediction and change agree", () => {
  const p = softmax([1.25, 2.44, 0.78, 0.12]);
  const [least, most] = linearRange(p, 1, 5, 0.1);
  const off = (h: number) => {
    const z = [1.25, 2.44, 0.78, 0.12];
    return Math.abs((jacobian(p)[1]![1]! * h) / change(p, softmax(z.with(1, 2.44 + h)), 1, h)[1]! - 1);
  };
  assert.ok(off(least) <= 0.1 && off(most) <= 0.1, `${least} ${most}`);
  assert.ok(off(least - 0.01) > 0.1 && off(most + 0.01) > 0.1);
});
