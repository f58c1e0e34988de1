import assert from "node:assert/strict";
import { test } from "node:test";
import { bestTemperature, calibrationAt, examplesOf, lossAt, lossCurve } from "../src/calibration.ts";
import { countHeight, dotRadius, lossLevels, lossPath, place } from "../src/reliability.ts";
import { logsumexp, softmax } from "../src/softmax.ts";

const near = (a: number, b: number, by = 1e-12) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

// Two classes: a logit of ln 9 against 0 is a share of 90 %. Ten such answers, seven of them right.
const SURE = { logits: Array.from({ length: 10 }, () => [Math.log(9), 0]), truth: [0, 0, 0, 0, 0, 0, 0, 1, 1, 1] };
const sure = examplesOf(SURE.logits, SURE.truth);

test("who says 90 % and is right in 70 % is 20 points off, and right again at the temperature that makes it 70 %", () => {
  assert.equal(sure.accuracy, 0.7);
  // The share is rounded a little above or below 90 %: at T a hair under 1 it is surely in the last bin.
  const { bins, error } = calibrationAt(sure, 0.9999);
  assert.deepEqual(bins.map(({ count }) => count), [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]);
  near(bins[9]!.said, 0.9, 1e-4);
  near(bins[9]!.true, 0.7);
  near(error, 0.2, 1e-4);
  near(lossAt(sure, 1), -(0.7 * Math.log(0.9) + 0.3 * Math.log(0.1)));
  const best = Math.log(9) / Math.log(7 / 3);
  near(bestTemperature(sure), best, 1e-6);
  near(calibrationAt(sure, best).error, 0, 1e-9);
});

test("the largest share and the loss are softmax's", () => {
  const logits = [[1.25, 2.44, 0.78, 0.12], [40, 0, -3, 39.5], [-700, 0.5, 0.5, 0], [3, 3, 3, 3]];
  const truth = [0, 3, 1, 2];
  const examples = examplesOf(logits, truth);
  for (const temperature of [0.25, 1, 2.7, 8]) {
    const scaled = logits.map((row) => row.map((z) => z / temperature));
    const { bins, loss } = calibrationAt(examples, temperature);
    const said = bins.reduce((sum, { count, said }) => sum + (count && count * said), 0);
    near(said, scaled.reduce((sum, row) => sum + Math.max(...softmax(row)), 0));
    near(loss, scaled.reduce((sum, row, i) => sum + logsumexp(row) - row[truth[i]!]!, 0) / 4, 1e-12);
    assert.equal(loss, lossAt(examples, temperature));
  }
});

test("a temperature changes no answer; where it has no best one, the search ends at an end of the rail", () => {
  const right = examplesOf([[1, 0], [0, 2]], [0, 1]);
  const wrong = examplesOf([[1, 0], [0, 2]], [1, 0]);
  assert.deepEqual([right.accuracy, wrong.accuracy], [1, 0]);
  near(bestTemperature(right), 0.25, 1e-6);
  near(bestTemperature(wrong), 8, 1e-5);
});

test("logits that no double can divide have an answer", () => {
  const examples = examplesOf([[1.7e308, -1.7e308], [0, 0]], [0, 1]);
  near(calibrationAt(examples, 0.25).loss, Math.log(2) / 2);
  assert.equal(lossAt(examplesOf([[1.7e308, -1.7e308]], [1]), 1), Infinity);
  assert.equal(examplesOf([[0.5]], [0]).accuracy, 1);
  assert.deepEqual(calibrationAt(examplesOf([[0.5]], [0]), 3).bins[9], { count: 1, said: 1, true: 1 });
});

for (const width of [1120, 745, 600, 599, 358, 288])
  test(`${width} px: all has its place inside, and the marks of the rail stand evenly`, () => {
    const { frame, loss, base, rail, typed, height, column, x, y, at, narrow } = place(width);
    assert.equal(narrow, width < 600);
    assert.deepEqual([x(0), y(0), x(1), y(1)].map(Math.round), [frame.left, frame.bottom, frame.right, frame.top].map(Math.round));
    near(column * 10, frame.right - frame.left);
    assert.ok(column >= 24 - 1e-9, `${column}`); // a finger's target
    assert.ok(frame.bottom + 45 < base && base < height && typed + 12 <= height && rail > loss.bottom);
    assert.ok(narrow ? loss.top > base : loss.left > frame.right + 60);
    assert.ok(loss.right + 20 <= width && frame.right + 14 <= width);
    const marks = [0.25, 0.5, 1, 2, 4, 8].map(at);
    marks.slice(1).forEach((mark, k) => near(mark - marks[k]!, (loss.right - loss.left) / 5, 0.02));
    assert.deepEqual([at(0.01), at(99)], [at(0.25), at(8)]);
  });

test("a dot's area and a bar's height follow the count, down to what one still sees", () => {
  near(dotRadius(400, 400, false) / dotRadius(100, 400, false), 2, 0.01);
  near(dotRadius(1, 1000, false), 5);
  near(countHeight(100, 400), 10);
  assert.deepEqual([countHeight(1, 1000), countHeight(0, 1000)], [1.5, 0]);
});

test("the loss's axis holds the valley and where the page begins, and the curve ends where it leaves it", () => {
  assert.deepEqual(lossLevels([6, 2, 1, 1.5], 2), [0, 1, 2, 3]);
  assert.deepEqual(lossLevels([6, 2, 1, 1.5], 6), [0, 2, 4, 6]);
  assert.deepEqual(lossLevels([0.3, 0.21, 0.4], 0.21), [0, 0.1, 0.2, 0.3, 0.4]);
  assert.deepEqual(lossLevels([0, 0], 0).at(-1), 1);
  assert.deepEqual(lossLevels([Infinity, Infinity], Infinity).at(-1), 1);
  const placed = place(745);
  const path = lossPath([[0.25, Infinity], [0.5, 4], [1, 1], [8, 0.5]], 2, placed);
  const { top, bottom } = placed.loss;
  const third = placed.at(1) - (placed.at(1) - placed.at(0.5)) / 3; // from 1 to 4, 2 is a third of the way
  const points = path.slice(1).split("L").map((pair) => pair.split(" ").map(Number));
  assert.equal(points.length, 3);
  near(points[0]![0]!, third, 0.02);
  assert.deepEqual(points.map(([, y]) => y), [top, (top + bottom) / 2, bottom - (bottom - top) / 4]);
  assert.ok(!/NaN|Infinity/.test(lossPath(lossCurve(examplesOf([[1.7e308, -1.7e308]], [1])), 1, placed)));
});
