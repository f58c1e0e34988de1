import assert from "node:assert/strict";
import { test } from "node:test";
import { curve, MOST_NUDGE, type Curve, type CurveInput } from "../src/curve.ts";
import { axisExtent, labelStep } from "../src/layout.ts";

const LOGITS = [2, 1, 0, -1];
const build = (changes: Partial<CurveInput> = {}) =>
  curve({ logits: LOGITS, row: 1, column: 1, nudge: 1.6, extent: 5, width: 745, ...changes });
const near = (a: number, b: number, by = 0.02) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

/** The corners of a path, as numbers. */
const corners = (path: string): number[][] =>
  path.replace(/[MZ]/g, "").split("L").map((pair) => pair.split(" ").map(Number));
const shareAt = ({ frame }: Curve, y: number) => (frame.none - y) / (frame.none - frame.all);
const logitAt = ({ frame, scale }: Curve, x: number) => (x - frame.left) / scale - 5;

// mpmath, 30 digits, for logits 2, 1, 0, −1: the share of dog, its slope, and its share at 1 + 1.6.
const DOG = 0.236882818089910134;
const SLOPE = 0.180769348583855797;
const NUDGED = 0.605905969263006;

for (const width of [1120, 745, 600, 390, 288]) {
  test(`${width} px: the curve is softmax's, the line its tangent, and both end where the nudge puts them`, () => {
    const drawn = build({ width });
    assert.equal(drawn.narrow, width < 600);
    const [x, y] = drawn.start;
    near(logitAt(drawn, x), 1, 0.001);
    near(shareAt(drawn, y), DOG, 0.001);
    near(logitAt(drawn, drawn.foot[0]), 2.6, 0.001);
    near(shareAt(drawn, drawn.ends!.curve), NUDGED, 0.001);
    near(shareAt(drawn, drawn.ends!.tangent), DOG + 1.6 * SLOPE, 0.001);
    for (const [x, y] of corners(drawn.curve) as [number, number][]) {
      const others = Math.exp(2) + 1 + Math.exp(-1);
      near(shareAt(drawn, y), 1 / (1 + others * Math.exp(-logitAt(drawn, x))), 0.001);
    }
    for (const [x, y] of corners(drawn.tangent!) as [number, number][]) near(shareAt(drawn, y), DOG + SLOPE * (logitAt(drawn, x) - 1), 0.002);
  });

  test(`${width} px: both arrows begin at the share before, end on the same axis, and stand inside the frame`, () => {
    for (const [nudge, row] of [[1.6, 1], [-3, 1], [2, 0], [0.1, 3]] as const) {
      const drawn = build({ width, nudge, row });
      const { predicted, actual } = drawn.arrows!;
      for (const { path, y, x } of [predicted, actual]) {
        const ys = corners(path).map((corner) => corner[1]!);
        near(ys[0]!, drawn.start[1]);
        near(ys[3]!, y);
        assert.ok(x > drawn.frame.right && x < drawn.frame.end);
      }
      if (drawn.ends) assert.deepEqual([predicted.y, actual.y], [drawn.ends.tangent, drawn.ends.curve]);
      assert.deepEqual([drawn.gap.from, drawn.gap.to], [predicted.y, actual.y]);
      assert.ok(drawn.gap.x > actual.x && drawn.gap.x < drawn.frame.end);
    }
  });
}

test("nothing rescales, whatever is pulled", () => {
  const { frame, scale, ticks, levels, height } = build();
  for (let z = -5; z <= 5; z += 0.5)
    for (const nudge of [-3, 0, 3])
      for (const row of [0, 1]) {
        const drawn = build({ logits: LOGITS.with(1, z), nudge, row });
        assert.deepEqual([drawn.frame, drawn.scale, drawn.ticks, drawn.levels, drawn.height], [frame, scale, ticks, levels, height]);
      }
  assert.deepEqual(ticks.map(({ value }) => value), [-4, -2, 0, 2, 4]);
  near(levels[0]!.y - levels[4]!.y, ((frame.bottom - frame.top) * 100) / 150);
});

test("another class's share falls as the logit grows", () => {
  const drawn = build({ row: 0 });
  assert.ok(drawn.arrows!.actual.y > drawn.start[1]);
  assert.ok(corners(drawn.curve).every(([, y], k, all) => k === 0 || y! >= all[k - 1]![1]!));
});

test("the foot stops at three and at the end of the axis, and then does not say where the curve is", () => {
  const far = build({ nudge: 40 });
  near(logitAt(far, far.foot[0]), 1 + MOST_NUDGE, 0.001);
  assert.deepEqual([far.drawn, far.ends], [MOST_NUDGE, null]);
  const edge = build({ logits: LOGITS.with(1, 4), nudge: 2 });
  near(logitAt(edge, edge.foot[0]), 5, 0.001);
  assert.deepEqual([edge.drawn, edge.ends], [1, null]);
  // The arrows are those of the true nudge, and torn where no frame could hold them.
  near(shareAt(far, far.arrows!.actual.y), 1, 0.001);
  assert.deepEqual([far.arrows!.predicted.torn, far.arrows!.actual.torn], [true, false]);
  near(far.arrows!.predicted.y, far.frame.top);
});

test("numbers that no axis holds still draw: finite numbers everywhere", () => {
  for (const [logits, nudge] of [
    [[1e308, -1e308], 1e308],
    [[0, 2000], 1],
    [[0, -2000], 1e300],
    [[0, 0], 0],
    [[3], 1],
    [[1.7e308, 0], 1.7e308],
  ] as const)
    for (const [row, column] of [[0, 0], [logits.length - 1, 0], [0, logits.length - 1]] as const)
      for (const width of [745, 288]) {
        const drawn = curve({ logits, row, column, nudge, extent: 5, width });
        const text = JSON.stringify({ ...drawn, tangent: drawn.tangent ?? "", ends: drawn.ends ?? "", arrows: drawn.arrows ?? "" });
        assert.ok(!/null|NaN|Infinity/.test(text), text.slice(0, 300));
      }
  assert.equal(curve({ logits: [1.7e308, 0], row: 0, column: 0, nudge: 1.7e308, extent: 5, width: 745 }).arrows, null);
});

test("an axis holds what the picture began with, with four labels on either side at most", () => {
  assert.equal(axisExtent(LOGITS), 5);
  assert.equal(axisExtent([5.1]), 5);
  assert.equal(axisExtent([-7.3, 2]), 8);
  assert.deepEqual([5, 9, 12, 25, 60].map(labelStep), [2, 2, 4, 10, 20]);
});
