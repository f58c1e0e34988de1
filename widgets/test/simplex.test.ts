import assert from "node:assert/strict";
import { test } from "node:test";
import { axisExtent, type Point } from "../src/layout.ts";
import { along, foot, LEAST_SHARE, dropped, logitsOf, marks, path, place, relative, ties, type Place } from "../src/simplex.ts";
import { softmax } from "../src/softmax.ts";

const near = (a: number, b: number, by = 1e-9) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);
const nearAll = (a: readonly number[], b: readonly number[], by = 1e-9) => {
  assert.equal(a.length, b.length);
  a.forEach((x, i) => near(x, b[i]!, by));
};
const distance = ([x, y]: Point, [u, v]: Point) => Math.hypot(x - u, y - v);
const heightOf = ({ corners }: Place) => corners[0][1] - corners[2][1];
const POINTS = [[0.2, 0.3, 0.5], [1 / 3, 1 / 3, 1 / 3], [0.9, 0.09, 0.01], [0.001, 0.499, 0.5], [0.998, 0.001, 0.001]];
const TEMPERATURES = [[0.25, "¼"], [0.5, "½"], [1, "1"], [2, "2"], [4, "4"]] as const;

for (const width of [1120, 745, 600, 599, 358, 288]) {
  const placed = place(width, 5);

  test(`${width} px: the sides are equal, a corner is a class alone, and each line is as long as its share of the height`, () => {
    const { corners, side, pointOf } = placed;
    corners.forEach((corner, i) => {
      near(distance(corner, corners[(i + 1) % 3]!), side);
      nearAll(pointOf([0, 0, 0].with(i, 1)), corner);
    });
    assert.ok(corners[0][0] < corners[1][0] && corners[2][1] < corners[0][1]);
    for (const shares of POINTS)
      shares.forEach((share, i) => {
        const end = foot(shares, i);
        near(distance(pointOf(shares), pointOf(end)), share * heightOf(placed));
        assert.equal(end[i], 0);
        near(end.reduce((sum, each) => sum + each), 1);
      });
  });

  test(`${width} px: from shares to a place and back, and from a place to shares and back`, () => {
    for (const shares of POINTS) nearAll(placed.sharesAt(placed.pointOf(shares)), shares);
    const [x, y] = placed.pointOf([0.4, 0.35, 0.25]);
    for (const point of [[x, y], [x + 20, y - 10]] as const) nearAll(placed.pointOf(placed.sharesAt(point)), point);
  });

  test(`${width} px: all has its place, inside and over nothing else`, () => {
    const { narrow, corners, height, side, left, across, strip, bars, axis, rows, rail, at } = placed;
    assert.equal(narrow, width < 600);
    assert.ok(corners[0][0] >= 13 && corners[1][0] <= width - 13); // the grip's radius
    if (narrow) assert.ok(strip > corners[0][1] + 48 && side === Math.min(300, width - 32));
    else assert.ok(left > corners[1][0] + 24 && side === Math.min(430, width - 300));
    assert.ok(left + across <= width - 4 && bars > strip + 60 && rail > bars + axis.bottom + 40 && height > rail + 47 && height > corners[0][1] + 24);
    rows.slice(1).forEach((y, i) => near(y - rows[i]!, 44));
    const [first, last] = [along(axis, 5, -5), along(axis, 5, 5)];
    assert.ok(first - 15 > 62 && last + 15 < across - 48);
    nearAll([along(axis, 5, -99), along(axis, 5, Infinity)], [first, last], 0.021 * (last - first));
    const places = TEMPERATURES.map(([mark]) => at(mark));
    places.slice(1).forEach((x, k) => near(x - places[k]!, places[1]! - places[0]!));
    assert.deepEqual([at(0.01), at(99)], [at(0.25), at(4)]);
    assert.ok(at(4) + 11 < left + across - 54 + 6);
  });
}

test("a place outside gives the nearest shares inside, and none less than the least", () => {
  const { sharesAt, pointOf, corners } = place(745, 5);
  for (let x = -200; x <= 700; x += 37)
    for (let y = -200; y <= 700; y += 41) {
      const shares = sharesAt([x, y]);
      near(shares.reduce((sum, share) => sum + share), 1, 1e-12);
      assert.ok(Math.min(...shares) >= LEAST_SHARE);
      const found = distance([x, y], pointOf(shares));
      for (const other of [...POINTS, [0.001, 0.001, 0.998], [0.001, 0.998, 0.001], [0.7, 0.299, 0.001], [0.299, 0.7, 0.001]])
        assert.ok(found <= distance([x, y], pointOf(other)) + 1e-9);
    }
  nearAll(sharesAt([corners[0][0] - 500, corners[0][1] + 300]), [0.998, 0.001, 0.001]);
  const below = pointOf([0.6, 0.4, 0]);
  nearAll(sharesAt([below[0], below[1] + 90]), [0.5995, 0.3995, 0.001]); // straight up to the edge
});

test("the middle catches a dot that is dropped near it, at any temperature", () => {
  for (const temperature of [0.25, 1, 4]) {
    assert.deepEqual(dropped([0.34, 0.335, 0.325], temperature), [0, 0, 0]);
    assert.deepEqual(dropped([0.36, 0.33, 0.31], temperature), logitsOf([0.36, 0.33, 0.31], temperature));
  }
});

test("read backwards, logits add up to 0, give the shares again at their temperature, and at 1 stay on the axis", () => {
  // At temperature 1, ln p less the mean of ln p.
  nearAll(logitsOf([1 / 2, 1 / 3, 1 / 6], 1), [2, 3, 6].map((part) => Math.log(36) / 3 - Math.log(part)));
  for (const shares of POINTS)
    for (const temperature of [1e-6, 0.25, 1, 4, 1e6]) {
      const logits = logitsOf(shares, temperature);
      near(logits.reduce((sum, z) => sum + z) / temperature, 0, 1e-12);
      nearAll(softmax(relative(logits, temperature)), shares, 1e-12);
      if (temperature === 1) assert.ok(logits.every((z) => Math.abs(z) < axisExtent([0])));
    }
  const least = [[LEAST_SHARE, LEAST_SHARE, 1 - 2 * LEAST_SHARE], [LEAST_SHARE, 0.5, 0.5 - LEAST_SHARE]];
  for (const shares of least) assert.ok(logitsOf(shares, 1).every((z) => Math.abs(z) < 5));
});

test("the path begins where the largest logits have all, ends in the middle, and passes through every temperature's shares", () => {
  const { pointOf } = place(745, 5);
  const begins = [
    [[2, 1, 0], [1, 0, 0]],
    [[0, 1, 3], [0, 0, 1]],
    [[1, 1, 0], [0.5, 0.5, 0]],
    [[-12, 3, 3], [0, 0.5, 0.5]],
    [[4, 4, 4], [1 / 3, 1 / 3, 1 / 3]],
    [[0, -1e-9, -5], [1, 0, 0]],
    [[1e308, -1.7e308, 0], [1, 0, 0]],
    [[0, 0, 5e-324], [0, 0, 1]],
  ] as const;
  for (const [logits, begin] of begins) {
    const way = path(logits);
    nearAll(way[0]!, begin);
    nearAll(way.at(-1)!, [1 / 3, 1 / 3, 1 / 3]);
    const points = way.map(pointOf);
    assert.ok(points.flat().every(Number.isFinite));
    for (const temperature of [1e-10, 1e-9, 0.1, 0.25, 1, 4, 30, 1e300]) {
      const [x, y] = pointOf(softmax(relative(logits, temperature)));
      const away = points.slice(1).map((to, k) => {
        const from = points[k]!;
        const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
        const t = Math.min(Math.max(((x - from[0]) * dx + (y - from[1]) * dy) / (dx * dx + dy * dy || 1), 0), 1);
        return distance([x, y], [from[0] + t * dx, from[1] + t * dy]);
      });
      assert.ok(Math.min(...away) < 0.5, `${logits} at ${temperature}: ${Math.min(...away)}`); // of a pixel
    }
  }
  assert.deepEqual(begins.map(([logits]) => ties(logits)), [1, 1, 2, 2, 3, 1, 1, 1]);
});

test("differences are kept where logits are so far apart that dividing them would pass the largest double", () => {
  assert.deepEqual(relative([1e308, -1.7e308, 1e308], 0.1), [0, -Infinity, 0]);
  assert.deepEqual(softmax(relative([1e308, -1.7e308, 1e308], 0.1)), [0.5, 0, 0.5]);
  assert.deepEqual(relative([3, 1, 2], 0.5), [0, -4, -2]);
});

test("marks stand at the shares of their temperatures, and their numbers inside the triangle, apart from each other and from the dot", () => {
  for (const width of [745, 288])
    for (const logits of [[0.9, 0.15, -1.05], [0.15, 0.9, -1.05], [-1.05, 0.15, 0.9], [0.15, -1.05, 0.9], [5, 3, -2], [0.2, 0.1, 0], [9, 9, 0], [0, 0, 0]])
      for (const temperature of [0.25, 1, 3]) {
        const placed = place(width, 5);
        const drawn = marks(logits, temperature, TEMPERATURES, placed);
        assert.deepEqual(drawn.map(({ text }) => text), ["∞", "4", "2", "1", "½", "¼"]);
        drawn.forEach(({ point }, k) => nearAll(point, placed.pointOf(softmax(logits.map((z) => z / [Infinity, 4, 2, 1, 0.5, 0.25][k]!)))));
        const numbered = drawn.filter(({ label }) => label);
        const dot = placed.pointOf(softmax(relative(logits, temperature)));
        numbered.forEach(({ point, label }, k) => {
          near(distance(point, label!), 17);
          assert.ok(label![0] > 6 && label![0] < (placed.narrow ? width : placed.left) - 6 && label![1] > 8);
          for (const other of [dot, ...numbered.slice(0, k).map(({ point }) => point)]) assert.ok(distance(point, other) > 16);
        });
        if (new Set(logits).size === 1) assert.equal(numbered.length, 0);
      }
  const free = marks([0.9, 0.15, -1.05], 1, TEMPERATURES, place(745, 5)).filter(({ label }) => label);
  assert.deepEqual(free.map(({ text }) => text), ["∞", "4", "2", "½", "¼"]);
  const [x, y] = [free[2]!.point, free[2]!.label!];
  assert.ok(y[1] < x[1] && y[0] < x[0]); // over the path, which turns upwards
});
