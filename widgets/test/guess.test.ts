import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dividedStrip,
  equalDividers,
  misplaced,
  placeOf,
  pulled,
  readDividers,
  saidAt,
  sharesOf,
  ticksOf,
  verdictOnNumber,
  verdictOnShares,
} from "../src/guess.ts";
import { machine, NEAREST } from "../src/machine.ts";
import { softmax } from "../src/softmax.ts";

const near = (a: number, b: number, by = 0.02) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);
const LABELS = ["cat", "dog", "tiger"];
const THREE = [0.66524096, 0.24472847, 0.09003057]; // softmax of 2, 1, 0

test("a strip begins in equal parts, and is always one whole", () => {
  assert.deepEqual(equalDividers(4), [75, 50, 25]);
  assert.deepEqual(equalDividers(1), []);
  assert.deepEqual(sharesOf([]), [1]);
  sharesOf(equalDividers(3)).forEach((p) => near(p, 1 / 3, 1e-15));
  assert.deepEqual(sharesOf([55, 20]), [0.45, 0.35, 0.2]);
});

test("a divider takes along those that are in its way, and stops at the ends", () => {
  assert.deepEqual(pulled([75, 50, 25], 1, 60), [75, 60, 25]);
  assert.deepEqual(pulled([75, 50, 25], 1, 90), [90, 90, 25]);
  assert.deepEqual(pulled([75, 50, 25], 1, 10), [75, 10, 10]);
  assert.deepEqual(pulled([75, 50, 25], 2, 140), [100, 100, 100]);
  assert.deepEqual(pulled([75, 50, 25], 0, -3), [0, 0, 0]);
});

test("misplaced points are half the sum of all differences", () => {
  near(misplaced(THREE, [0.45, 0.35, 0.2]), 21.524, 0.001);
  near(misplaced([1, 0], [0, 1]), 100, 1e-12);
  assert.deepEqual(verdictOnShares(LABELS, THREE, [0.45, 0.35, 0.2]), [
    "You put 22 points in the wrong place.",
    "You gave 45\u2009% to cat; it gets 67\u2009%.",
  ]);
  assert.deepEqual(verdictOnShares(LABELS, THREE, [0.64, 0.25, 0.11]), ["Very close.", ""]);
  assert.equal(verdictOnShares(LABELS, [0.5, 0.3, 0.2], [0.5, 0.26, 0.24])[0], "You put 4 points in the wrong place.");
});

test("what a browser kept counts only where it divides this strip", () => {
  assert.deepEqual(readDividers([67, 33], 3), [67, 33]);
  for (const raw of [null, "67", [67], [67, 33, 1], [33, 67], [101, 3], [67, -1], [67, NaN], [67, "33"], { 0: 67, length: 2 }])
    assert.equal(readDividers(raw, 3), null);
});

for (const width of [745, 358, 288]) {
  test(`${width} px: the divided strip stands where the true one will, and then beside it, in order and without gaps`, () => {
    const drawn = machine({ powers: [2, 1, 0], logits: [2, 1, 0], extent: 5, unit: NEAREST, width, aside: true });
    for (const revealed of [0, 0.5, 1]) {
      const { flow, parts, dividers, labels } = dividedStrip(drawn, [55, 20], revealed);
      near(flow.start, revealed * drawn.aside!.start + (1 - revealed) * drawn.strip.start);
      if (revealed === 0) near(flow.length, drawn.strip.length);
      if (revealed === 1) {
        assert.ok(flow.start > drawn.strip.start + drawn.strip.length);
        assert.ok(flow.start + flow.length <= drawn.shares);
        assert.equal(flow.length, drawn.turned ? 30 : 40);
      }
      [0.45, 0.35, 0.2].forEach((p, i) => near(parts[i]!.length, p * drawn.whole));
      const upwards = drawn.turned ? 1 : -1;
      near(dividers[0]!.at, drawn.foot + upwards * 0.55 * drawn.whole);
      near(dividers[1]!.at, drawn.foot + upwards * 0.2 * drawn.whole);
      near(dividers[0]!.truth, drawn.foot + upwards * (1 - softmax([2, 1, 0])[0]!) * drawn.whole);
      assert.ok(labels.every((at) => at >= Math.min(drawn.foot, drawn.foot - drawn.whole) && at <= drawn.foot + drawn.whole));
    }
    const plain = machine({ powers: [2, 1, 0], logits: [2, 1, 0], extent: 5, unit: NEAREST, width });
    assert.equal(plain.aside, null);
    assert.equal(plain.shares, plain.strip.start + plain.strip.length);
    near(drawn.shares, drawn.turned ? plain.shares + 52 : plain.shares);
  });
}

test("an axis with equal steps", () => {
  const axis = { low: 0, high: 20, logarithmic: false };
  assert.equal(placeOf(axis, 5), 0.25);
  assert.equal(saidAt(axis, 0.25), 5);
  assert.equal(saidAt(axis, 0.2512), 5);
  assert.equal(saidAt(axis, 0.256), 5.2);
  assert.equal(saidAt(axis, 7), 20);
  assert.deepEqual(ticksOf(axis), [0, 5, 10, 15, 20]);
  assert.deepEqual(ticksOf({ low: -3, high: 3, logarithmic: false }), [-3, -2, -1, 0, 1, 2, 3]);
  assert.deepEqual(ticksOf({ low: 1, high: 14, logarithmic: false }), [1, 5, 10, 14]);
  assert.deepEqual(ticksOf({ low: 1, high: 99, logarithmic: false }), [1, 20, 40, 60, 80, 99]);
});

test("an axis with equal factors", () => {
  const axis = { low: 1, high: 1000, logarithmic: true };
  near(placeOf(axis, 10), 1 / 3, 1e-12);
  assert.equal(saidAt(axis, 1 / 3), 10);
  assert.equal(saidAt(axis, 0.5), 32);
  assert.equal(saidAt(axis, -1), 1);
  assert.deepEqual(ticksOf(axis), [1, 10, 100, 1000]);
  assert.deepEqual(ticksOf({ low: 0.5, high: 20, logarithmic: true }), [0.5, 1, 2, 5, 10, 20]);
  assert.deepEqual(ticksOf({ low: 0.3, high: 40, logarithmic: true }), [0.3, 1, 10, 40]);
  assert.deepEqual(ticksOf({ low: 0.95, high: 1e4, logarithmic: true }), [0.95, 10, 100, 1000, 1e4]);
  assert.deepEqual(ticksOf({ low: 1, high: 1e12, logarithmic: true }), [1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12]);
});

test("a number's verdict", () => {
  const axis = { low: 1, high: 100, logarithmic: true };
  assert.deepEqual(verdictOnNumber(axis, 2.7183, 8, "times"), ["You said 8 times;", "it is 2.72 times."]);
  assert.deepEqual(verdictOnNumber(axis, 2.7183, 2.8, "times"), ["Very close:", "it is 2.72 times."]);
  assert.deepEqual(verdictOnNumber({ low: 0, high: 100, logarithmic: false }, 40, 44, "%"), ["You said 44\u2009%;", "it is 40\u2009%."]);
  assert.deepEqual(verdictOnNumber(axis, 11.09, 30, ""), ["You said 30;", "it is 11.1."]);
});
