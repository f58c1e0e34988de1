import assert from "node:assert/strict";
import { test } from "node:test";
import { FARTHEST, lanes, type Lanes } from "../src/lanes.ts";
import { formats, run, windowOf } from "../src/precision.ts";

const build = (values: readonly number[], width = 745, labels = values.map((_, i) => `c${i}`)): Lanes =>
  lanes({ values, labels, width, runs: formats.map((format) => run(format, values, false)) });
const near = (a: number, b: number, by = 0.02) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);
const said = (drawn: Lanes) => drawn.lanes.map(({ marks }) => marks.map(({ held, text }) => (held ? "•" : text)).join(" "));

for (const width of [1120, 745, 390, 288]) {
  test(`${width} px: dots and windows stand on one axis, and it does not depend on the logits`, () => {
    const drawn = build([300, 95, -30], width);
    const half = drawn.at(FARTHEST) - drawn.at(0);
    [300, 95, -30].forEach((z, i) => {
      near(drawn.dots[i]!.x, drawn.at(0) + ((Math.sign(z) * Math.log(1 + Math.abs(z) / 3)) / Math.log(1 + 1000 / 3)) * half);
    });
    drawn.lanes.forEach(({ format, window, poor }) => {
      const { least, normal, most } = windowOf(format);
      near(window.start, drawn.at(least));
      near(window.start + window.length, drawn.at(most));
      near(poor.start + poor.length, drawn.at(normal));
      assert.ok(window.start > drawn.left && window.start + window.length < drawn.right);
    });
    assert.ok(drawn.left >= 0 && drawn.right <= width);
    const other = build([0, 0.5, -999], width);
    assert.deepEqual(
      [other.ticks, other.height, other.rail, other.lanes.map(({ window, top }) => [window, top])],
      [drawn.ticks, drawn.height, drawn.rail, drawn.lanes.map(({ window, top }) => [window, top])],
    );
  });

  test(`${width} px: labels keep apart, inside the picture, as do twelve of them`, () => {
    const many = Array.from({ length: 12 }, (_, i) => i / 2 - 3);
    for (const values of [[300, 300, 300], [1e6, -1e6, 1000], many, many.map(() => -1000)]) {
      const { dots, rail } = build(values, width, values.map((_, i) => `a long label ${i}`));
      dots.forEach(({ labelX, labelTop }, i) => {
        assert.ok(labelX >= 35 && labelX <= width - 35 && labelTop >= 20 && labelTop + 42 < rail, `${labelX} ${labelTop}`);
        for (const other of dots.slice(0, i))
          assert.ok(Math.abs(other.labelX - labelX) > 55 || Math.abs(other.labelTop - labelTop) >= 40);
      });
    }
  });
}

test("a ring says 0 below a window and ∞ above it, and neighbours say it once", () => {
  assert.deepEqual(said(build([300, 95, -30])), ["∞ ∞ 0", "∞ ∞ •", "∞ ∞ •", "• • •"]);
  assert.deepEqual(said(build([88.5, 88.5, 88.5, 88.5])), ["∞   ", "• • • •", "• • • •", "• • • •"]);
  assert.deepEqual(said(build([-1000, 1000])), ["0 ∞", "0 ∞", "0 ∞", "0 ∞"]);
});

test("float16's window is shaded from its smallest normal number down", () => {
  const drawn = build([0]);
  assert.deepEqual(drawn.lanes.map(({ ends }) => ends.join(" ")), ["−17.3 11.1", "−92.9 88.7", "−104 88.7", "−745 710"]);
  near(drawn.lanes[0]!.poor.start, drawn.at(-17.3287));
  near(drawn.lanes[0]!.poor.start + drawn.lanes[0]!.poor.length, drawn.at(-9.704));
});

test("pulling goes along the axis and ends at ±1000", () => {
  const drawn = build([12, -10]);
  for (const z of [-700, -10, 0, 0.5, 88, 999]) near(drawn.valueAt(drawn.at(z)), z, Math.abs(z) * 0.001 + 0.01);
  near(drawn.pulled(12, drawn.at(300) - drawn.at(12)), 300, 0.2);
  assert.deepEqual([drawn.pulled(12, 5000), drawn.pulled(12, -5000)], [FARTHEST, -FARTHEST]);
  near(drawn.bar.start, drawn.at(-10) - 40);
  near(drawn.bar.start + drawn.bar.length, drawn.at(12) + 40);
});

test("logits that no axis holds still draw: finite numbers everywhere", () => {
  for (const values of [[1e12, -1e12], [1e6, 0]]) assert.ok(!/null|NaN/.test(JSON.stringify(build(values))));
});
