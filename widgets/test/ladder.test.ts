import assert from "node:assert/strict";
import { test } from "node:test";
import { arrivals, comparison, duration, ladder, pace, progress, slowdown, STACKED_BELOW, standing, tick } from "../src/ladder.ts";

const TIMES = [87.2, 51.8, 35.7, 192, 79.3, 5.41];
const near = (a: number, b: number, by = 1e-9) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);

for (const width of [1120, 745, 620, 390, 358, 288]) {
  test(`${width} px: a bar is as long as its time, on an axis that holds them all`, () => {
    const drawn = ladder({ times: TIMES, limit: 3.99, width });
    assert.equal(drawn.stacked, width < STACKED_BELOW);
    const { start, length, most, ticks } = drawn.axis;
    assert.equal(most, 200);
    assert.deepEqual(ticks, [0, 50, 100, 150, 200]);
    near(drawn.at(0), start);
    near(drawn.at(200), start + length);
    for (const time of [...TIMES, 3.99]) near((drawn.at(time) - start) / length, time / 200);
    assert.ok(start >= 0 && start + length <= width);
  });

  test(`${width} px: rows lie under each other, none over another, all inside the drawing`, () => {
    const { rows, rowHeight, thickness, top, bottom, height } = ladder({ times: TIMES, limit: 4, width });
    assert.equal(rows.length, TIMES.length);
    rows.forEach(({ top: begin, bar, name }, i) => {
      near(begin, top + i * rowHeight);
      assert.ok(bar - thickness / 2 >= begin && bar + thickness / 2 <= begin + rowHeight);
      assert.ok(name > begin && name <= begin + rowHeight);
    });
    near(bottom, top + TIMES.length * rowHeight);
    assert.ok(bottom < height && rowHeight >= 24);
  });
}

test("the axis ends at a round number, and depends on the times alone", () => {
  const end = (...times: number[]) => ladder({ times, limit: 1e-12, width: 745 }).axis.most;
  assert.deepEqual([end(87.2), end(100), end(101), end(0.26), end(3), end(1e6), end(1e-12)], [100, 100, 150, 0.3, 3, 1e6, 1e-12]);
  assert.equal(ladder({ times: [1], limit: 7, width: 745 }).axis.most, 8);
  assert.ok(ladder({ times: [3e11], limit: 1, width: 745 }).axis.ticks.length <= 6);
});

test("the slowest takes about eight seconds, and the factor is what is said of it", () => {
  assert.equal(slowdown(0.192365), 42);
  assert.equal(pace(42), "slowed down 42 times");
  for (const slowest of [0.192365, 0.000842, 1e-12, 8, 3, 1e6]) {
    near(slowest * slowdown(slowest), 8, 0.4);
    const said = pace(slowdown(slowest));
    if (slowest === 8) assert.equal(said, "as fast as in life");
    else assert.match(said, slowest > 8 ? /^sped up/ : /^slowed down/);
  }
  assert.equal(slowdown(800), 0.01);
  assert.equal(pace(0.01), "sped up 100 times");
});

test("runners go at speeds proportional to the real ones, and stop when they are done", () => {
  near(progress(1, 4) / progress(1, 8), 2);
  assert.equal(progress(0, 4), 0);
  assert.equal(progress(4, 4), 1);
  assert.equal(progress(400, 4), 1);
});

test("times and ticks are said in two digits", () => {
  assert.deepEqual([87.1925, 8.95059, 5.4105, 192.365, 0.66].map(duration), ["87", "9.0", "5.4", "192", "0.7"]);
  assert.deepEqual([0, 50, 0.2, 1e5].map(tick), ["0", "50", "0.2", "100\u2009000"]);
});

test("a comparison says how many times, in the direction that is above 1", () => {
  assert.equal(comparison(51.8, 87.2), "is 1.7 times as fast as");
  assert.equal(comparison(192, 35.7), "takes 5.4 times as long as");
  assert.equal(comparison(12.2, 12.0), "is about as fast as");
  assert.equal(comparison(5.41, 87.2), "is 16 times as fast as");
});

test("each rung stands beside the one before, the first, and the limit", () => {
  const said = (i: number) => standing(TIMES, i, 3.99, "one copy");
  assert.equal(said(0), "The ladder begins here. It takes 22 times as long as one copy.");
  assert.equal(said(1), "It is 1.7 times as fast as the first. It takes 13 times as long as one copy.");
  assert.equal(
    said(3),
    "It takes 5.4 times as long as the rung before, and 2.2 times as long as the first. It takes 48 times as long as one copy.",
  );
  assert.equal(
    said(5),
    "It is 15 times as fast as the rung before, and 16 times as fast as the first. It takes 1.4 times as long as one copy.",
  );
});

test("the arrivals are in the order of the times", () => {
  assert.equal(arrivals(["a", "b", "c"], [3, 2, 4], 1, "a copy"), "First: a copy. Second: b. Last: c.");
  assert.equal(arrivals(["a"], [0.5], 1, "a copy"), "First: a. Second: a copy.");
});
