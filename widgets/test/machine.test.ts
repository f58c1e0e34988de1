import assert from "node:assert/strict";
import { test } from "node:test";
import { spread, stack } from "../src/layout.ts";
import { machine, NEAREST, roomFor, scaleFor, TURNED_BELOW, type Machine } from "../src/machine.ts";
import { softmax } from "../src/softmax.ts";

const LOGITS = [2, 1, 0, -1];
const build = (powers: readonly number[], width: number, unit = NEAREST, logits = powers) =>
  machine({ powers, logits, extent: 5, unit, width });
const near = (a: number, b: number, by = 0.02) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

/** The corners of a path, as numbers. */
const corners = (path: string): number[][] =>
  path
    .slice(1, -1)
    .split("L")
    .map((pair) => pair.split(" ").map(Number));

for (const width of [1120, 745, 620, 390, 288]) {
  test(`${width} px: bricks are e^z high, shares are softmax's, and both stacks have no gaps`, () => {
    const drawn = build(LOGITS, width);
    assert.equal(drawn.turned, width < TURNED_BELOW);
    LOGITS.forEach((z, i) => near(drawn.parts[i]!.brick.length, NEAREST * Math.exp(z)));
    softmax(LOGITS).forEach((p, i) => near(drawn.parts[i]!.share.length, p * drawn.whole));
    for (const kind of ["brick", "share"] as const) {
      const ends = drawn.parts.map((part) => part[kind]).map(({ start, length }) => [start, start + length] as const);
      near(drawn.turned ? ends[3]![0] : ends[3]![1], drawn.foot);
      for (const i of [1, 2, 3]) near(drawn.turned ? ends[i - 1]![0] : ends[i - 1]![1], drawn.turned ? ends[i]![1] : ends[i]![0], 0.03);
    }
    assert.equal(drawn.tearing > 1, width < 300);
  });

  test(`${width} px: a horn begins one unit thick and ends as its brick; a projection joins brick and share`, () => {
    const drawn = build(LOGITS, width);
    const across = drawn.turned ? 0 : 1;
    drawn.parts.forEach(({ horn, projection, brick, share }) => {
      const points = corners(horn);
      near(Math.abs(points[0]![across]! - points.at(-1)![across]!), NEAREST);
      const mouth = points.slice(points.length / 2 - 1, points.length / 2 + 1).map((point) => point[across]!);
      near(Math.min(...mouth), brick.start);
      near(Math.max(...mouth), brick.start + brick.length);
      const sides = corners(projection).map((point) => point[across]!);
      near(Math.abs(sides[1]! - sides[2]!), share.length);
      near(Math.abs(sides[0]! - sides[3]!), brick.length);
    });
  });

  test(`${width} px: everything lies inside the drawing, and grips are where their logits are on the axis`, () => {
    for (const powers of [LOGITS, [5, 5, 5, 5, 5], [-5, 4], [0.5], Array.from({ length: 12 }, (_, i) => i / 2 - 3)]) {
      const drawn = build(powers, width, scaleFor(powers.reduce((sum, z) => sum + Math.exp(z), 0), roomFor(powers.length, width)));
      const { axis, rows, width: w, strip, tower } = drawn;
      powers.forEach((z, i) => near(rows[i]!.grip, axis.zero + z * axis.scale));
      assert.ok(axis.zero - 5 * axis.scale > 60 && axis.zero + 5 * axis.scale < w);
      assert.ok((drawn.turned ? drawn.foot + drawn.whole : strip.start + strip.length + 70) <= w);
      assert.ok(tower.start + tower.length < strip.start);
      assert.ok(drawn.tearing === 1);
    }
  });
}

const unitOf = (drawn: Machine): number => drawn.unitBrick.side / drawn.unitBrick.worth;

test("a logit that grows makes its brick grow, and no other smaller, at every scale", () => {
  for (const unit of [24, 3, 0.2]) {
    let before = build([-5, 1, 0], 745, unit);
    for (let z = -4.9; z <= 5; z += 0.1) {
      const after = build([z, 1, 0], 745, unit);
      assert.equal(unitOf(after), unitOf(before));
      assert.ok(after.parts[0]!.brick.length >= before.parts[0]!.brick.length);
      assert.deepEqual([after.parts[1]!.brick.length, after.whole], [before.parts[1]!.brick.length, before.whole]);
      before = after;
    }
  }
});

test("a tower that does not fit says how many times too tall it is", () => {
  const powers = [5, 1, 0, -1];
  const total = powers.reduce((sum, z) => sum + Math.exp(z), 0);
  const torn = build(powers, 745);
  near(torn.tearing, (total * NEAREST) / (torn.foot - 6));
  assert.equal(torn.courses.length, 15);
  const whole = build(powers, 745, scaleFor(total, roomFor(4, 745)));
  assert.equal(whole.tearing, 1);
  assert.equal(whole.unitBrick.worth, 10);
});

test("the camera halves the scale until the tower fits, and never comes nearer than the first", () => {
  assert.equal(scaleFor(1, 330), 24);
  assert.equal(scaleFor(330 / 24, 330), 24);
  assert.equal(scaleFor(152, 330), 1.5);
  assert.equal(scaleFor(Infinity, 330), 24);
  for (let total = 0.01; total < 1e12; total *= 1.7) {
    const unit = scaleFor(total, 330);
    assert.ok(unit * total <= 330 && (unit === 24 || unit * 2 * total > 330));
  }
});

test("a shift moves the tower by a factor and leaves the strip alone", () => {
  const moved = build(LOGITS.map((z) => z + 0.8), 745);
  const still = build(LOGITS, 745);
  moved.parts.forEach((part, i) => {
    near(part.brick.length, still.parts[i]!.brick.length * Math.exp(0.8), 0.05);
    assert.deepEqual(part.share, still.parts[i]!.share);
  });
});

test("logits that no axis holds still draw: finite numbers everywhere", () => {
  for (const powers of [[1e6, -1e6], [Infinity, 0], [-1e6, -1e6], [NaN, 0]]) {
    for (const width of [745, 358]) {
      const text = JSON.stringify(build(powers, width).parts);
      assert.ok(!/null|NaN|Infinity/.test(text), text.slice(0, 300));
    }
  }
});

test("labels keep their distance and stay as near to their places as that allows", () => {
  assert.deepEqual(spread([10, 50, 100], 16, 0, 200), [10, 50, 100]);
  assert.deepEqual(spread([50, 50], 16, 0, 200), [42, 58]);
  assert.deepEqual(spread([100, 0], 16, 0, 200), [100, 0]);
  assert.deepEqual(spread([199, 200, 198], 16, 0, 200), [184, 200, 168]);
  assert.deepEqual(spread([0, 1], 16, 0, 200), [0, 16]);
  assert.deepEqual(stack([1, 2, 3]), [[5, 6], [3, 5], [0, 3]]);
});

test("with fewer exponents than logits, only those are in the tower, and every bar has its row", () => {
  for (const width of [745, 358]) {
    const input = { logits: [1, 3, 2], tips: [1, 3, 2], extent: 5, unit: 24, width };
    const [some, all] = [[-2, 0], [-2, 0, -1]].map((powers) => machine({ ...input, powers })) as [Machine, Machine];
    assert.deepEqual(some.rows, all.rows);
    assert.deepEqual(some.rows.map(({ tip }) => tip), some.rows.map(({ grip }) => grip));
    assert.equal(some.parts.length, 2);
    assert.ok(Math.abs(some.total - (Math.exp(-2) + 1)) < 1e-15);
    assert.deepEqual([some.height, some.foot, some.whole], [all.height, all.foot, all.whole]);
  }
});
