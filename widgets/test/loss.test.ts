import assert from "node:assert/strict";
import { test } from "node:test";
import { lossPicture, MOST_LOSS, STEPS_SHOWN, type LossInput, type LossPicture } from "../src/loss.ts";
import { crossEntropy, target } from "../src/softmax.ts";

const LOGITS = [-1, 2, 0.5, 0];
const WANTED = target(4, 0, 0);
const build = (changes: Partial<LossInput> = {}): LossPicture =>
  lossPicture({ logits: LOGITS, target: WANTED, rate: 1.5, losses: [crossEntropy(LOGITS, WANTED)], done: 1, extent: 5, width: 745, ...changes });
const near = (a: number, b: number, by = 0.02) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

const logitAt = ({ axis }: LossPicture, x: number) => (x - axis.zero) / axis.scale;
const lossAt = ({ chart }: LossPicture, y: number) => ((chart.bottom - y) / (chart.bottom - chart.top)) * MOST_LOSS;
const stepAt = ({ chart }: LossPicture, x: number) => ((x - chart.left) / (chart.right - chart.left)) * STEPS_SHOWN;
/** The corners of a path, as numbers. */
const corners = (path: string): number[][] =>
  path.replace(/[MZ]/g, "").split("L").map((pair) => pair.split(" ").map(Number));

// mpmath, 30 digits: softmax of −1, 2, 0.5, 0, less 1, 0, 0, 0.
const GRADIENT = [-0.96464620659125, 0.71009992288617, 0.15844470951498, 0.096101574190097];

for (const width of [1120, 745, 600, 599, 358, 288]) {
  test(`${width} px: each arrow goes from its bar's tip to where a step puts it, and together they go nowhere`, () => {
    const drawn = build({ width });
    assert.equal(drawn.turned, width < 600);
    let sum = 0;
    drawn.arrows.forEach(({ from, to, path, torn, y }, i) => {
      near(logitAt(drawn, from), LOGITS[i]!, 0.002);
      near(logitAt(drawn, to), LOGITS[i]! - 1.5 * GRADIENT[i]!, 0.002);
      assert.equal(from, drawn.rows[i]!.tip);
      const ends = corners(path);
      near(ends[0]![0]!, from);
      assert.deepEqual(ends[3], [to, y]);
      assert.ok(y < drawn.rows[i]!.y && y > drawn.middles[i]!.y - 31);
      assert.equal(torn, null);
      sum += to - from;
    });
    near(sum, 0, 0.05);
    drawn.gradient.forEach((slope, i) => near(slope, GRADIENT[i]!, 1e-12));
  });

  test(`${width} px: each class is named at what is given, in the order of the rows, and no name lies over another`, () => {
    const drawn = build({ width, logits: [-4, 5, -5, -4] }); // three shares too small for a name
    const whole = drawn.turned ? [0, width] : [drawn.axis.top, drawn.axis.bottom];
    const names = drawn.givenNames.map(({ at }) => at);
    const inOrder = drawn.turned ? names.toReversed() : names;
    inOrder.slice(1).forEach((at, i) => assert.ok(at - inOrder[i]! >= (drawn.turned ? 45.9 : 15.9)));
    assert.ok(inOrder[0]! >= whole[0]! && inOrder.at(-1)! <= whole[1]!);
    const even = build({ width, logits: [0, 0, 0, 0] });
    even.givenNames.forEach(({ at, i }) => near(at, even.givenParts[i]!.share.start + even.givenParts[i]!.share.length / 2, 6));
  });

  test(`${width} px: of many classes each is named, or only those whose share has the room`, () => {
    const many = build({ width, logits: [5, ...Array<number>(11).fill(0)], target: target(12, 0, 0) });
    assert.deepEqual(many.givenNames.map(({ i }) => i), many.turned && width < 552 ? [0] : [...Array(12).keys()]);
  });

  test(`${width} px: strips are as long as shares, and a ribbon leads from what is given to what is wanted`, () => {
    for (const smoothing of [0, 0.2]) {
      const wanted = target(4, 1, smoothing);
      const drawn = build({ width, target: wanted });
      const whole = drawn.turned ? width : drawn.axis.bottom - drawn.axis.top;
      drawn.givenParts.forEach(({ share }, i) => near(share.length / whole, drawn.shares[i]!, 0.001));
      wanted.forEach((y, i) => {
        near(drawn.wantedParts[i]!.share.length / whole, y, 0.004);
        assert.equal(drawn.ribbons[i] !== "", y > 0);
        if (y === 0) return;
        const across = corners(drawn.ribbons[i]!).map((corner) => corner[drawn.turned ? 0 : 1]!);
        near(across[3]! - across[0]!, drawn.givenParts[i]!.share.length, 0.05);
        near(across[2]! - across[1]!, drawn.wantedParts[i]!.share.length, 0.05);
      });
      // mpmath: −0.85 log 0.85 − 3 · 0.05 log 0.05
      near(lossAt(drawn, drawn.chart.least), smoothing && 0.587500931, 0.001);
    }
  });

  test(`${width} px: nothing lies outside, and nothing over anything else`, () => {
    const { names, axis, column, given, wanted, chart, turned, height, rows } = build({ width, logits: [-6, 6, 0, 0] });
    const [left, right] = [axis.zero - 5 * axis.scale, axis.zero + 5 * axis.scale];
    assert.ok(names.start + names.length <= left - 8);
    assert.ok(Math.min(...rows.map(({ tip }) => tip)) >= left - 0.21 * axis.scale && Math.max(...rows.map(({ tip }) => tip)) <= right + 0.21 * axis.scale);
    assert.ok(column >= right + 80 && column <= width);
    assert.ok(given.start + given.length < wanted.start);
    if (turned) assert.ok(given.start > axis.bottom + 20 && chart.top > wanted.start + wanted.length + 20);
    else assert.ok(given.start > column + 40 && chart.left > wanted.start + wanted.length + 20);
    assert.ok(chart.right <= width - 6 && chart.right - chart.left > 70 && chart.bottom + 34 < height);
  });
}

test("each loss stands at its step", () => {
  const losses = [3.339, 2.1, 1.2, 0.4];
  const drawn = build({ losses });
  drawn.chart.points.forEach(({ x, y, loss }, k) => {
    near(stepAt(drawn, x), k, 0.01);
    near(lossAt(drawn, y), losses[k]!, 0.01);
    assert.equal(loss, losses[k]);
  });
  assert.deepEqual(drawn.chart.ticks.map(({ value }) => value), [0, 10, 20]);
});

test("while a step is being taken, its point is on the way", () => {
  const drawn = build({ losses: [3, 1], done: 0.25 });
  const { x, y } = drawn.chart.points[1]!;
  near(stepAt(drawn, x), 0.25, 0.01);
  near(lossAt(drawn, y), 2.5, 0.01);
});

test("after twenty steps the window slides, and its numbers too", () => {
  const losses = Array.from({ length: 34 }, (_, k) => 3 / (k + 1)); // 33 steps
  const drawn = build({ losses });
  assert.equal(drawn.chart.points.length, STEPS_SHOWN + 1);
  near(stepAt(drawn, drawn.chart.points.at(-1)!.x), STEPS_SHOWN, 0.01);
  near(stepAt(drawn, drawn.chart.points[0]!.x), 0, 0.01);
  assert.deepEqual(drawn.chart.ticks.map(({ value, x }) => [value, Math.round(stepAt(drawn, x))]), [[20, 7], [30, 17]]);
  assert.deepEqual(build({ losses: losses.slice(0, 21) }).chart.ticks.map(({ value }) => value), [0, 10, 20]);
});

test("a loss over the axis is over the chart, and what is known of it is its number", () => {
  const drawn = build({ losses: [7.5, 2, Infinity] });
  const { points, top } = drawn.chart;
  near(lossAt(drawn, points[0]!.y), 7.5, 0.01);
  assert.deepEqual(points.map(({ y }) => y < top && Number.isFinite(y)), [true, false, true]);
  assert.deepEqual(points.map(({ loss }) => loss), [7.5, 2, Infinity]);
});

test("nothing rescales, whatever is pulled or wanted", () => {
  const { axis, chart, height, given, wanted, column, middles } = build();
  const fixed = { axis, given, wanted, column, middles, height, levels: chart.levels, ticks: chart.ticks };
  for (let z = -5; z <= 5; z += 0.5)
    for (const smoothing of [0, 0.4])
      for (const losses of [[0.1], [9, 0.5], [3, 2, 1]]) {
        const drawn = build({ logits: LOGITS.with(1, z), target: target(4, 2, smoothing), losses });
        const { axis, given, wanted, column, middles, height, chart } = drawn;
        assert.deepEqual({ axis, given, wanted, column, middles, height, levels: chart.levels, ticks: chart.ticks }, fixed);
      }
  assert.deepEqual(chart.levels.map(({ value }) => value), [0, 1, 2, 3, 4]);
});

test("an arrow that leaves the axis is cut off there, and says where it goes", () => {
  const drawn = build({ rate: 12 });
  [5.2, -5.2].forEach((end, i) => {
    near(drawn.arrows[i]!.torn!, LOGITS[i]! - 12 * GRADIENT[i]!, 1e-9);
    near(logitAt(drawn, drawn.arrows[i]!.to), end, 0.002);
  });
});

test("numbers that no axis holds still draw: finite numbers everywhere", () => {
  for (const logits of [[1e308, -1e308], [0, 2000], [0.5], [1.7e308, 0, -1.7e308], Array<number>(12).fill(-1e6)])
    for (const smoothing of [0, 0.9])
      for (const rate of [1e-6, 1e308])
        for (const width of [745, 288]) {
          const wanted = target(logits.length, logits.length - 1, smoothing);
          const drawn = build({ logits, target: wanted, rate, width, losses: [crossEntropy(logits, wanted), 0], done: 0.5 });
          const { arrows, chart, ...rest } = drawn;
          const places = [rest, arrows.map(({ torn, ...arrow }) => arrow), { ...chart, points: chart.points.map(({ x, y }) => [x, y]) }];
          const text = JSON.stringify(places);
          assert.ok(!/null|NaN|Infinity/.test(text), text.slice(0, 300));
        }
});
