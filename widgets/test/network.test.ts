import assert from "node:assert/strict";
import { test } from "node:test";
import { TURNED_BELOW } from "../src/machine.ts";
import { EXTENT, network, task } from "../src/network.ts";

const HIDDEN = [1.5, 0.5, 2];
const WEIGHTS = [
  [1, 0.5, -0.5],
  [0, 0.5, 1],
  [-0.5, 0.5, 0.5],
  [0, 1.5, -0.5],
];
const BIAS = [0.5, 0.19, 0.28, 0.37];
const build = (width: number, hidden: readonly number[] = HIDDEN, weights: readonly (readonly number[])[] = WEIGHTS, bias: readonly number[] = BIAS) =>
  network({ hidden, weights, bias, selected: 0, width });
const near = (a: number, b: number, by = 0.03) => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b}`);
const corners = (path: string): number[][] => path.slice(1, -1).split("L").map((pair) => pair.split(" ").map(Number));

test("the article's layer gives its logits, shares and decision", () => {
  const drawn = build(745);
  assert.deepEqual(drawn.logits, [1.25, 2.44, 0.78, 0.12]);
  near(drawn.probabilities[1]!, 0.62789072, 1e-8);
  assert.equal(drawn.decision, 1);
});

test("an edge is as thick as what flows through, up to an end, never invisible, and dashed where that is negative", () => {
  const { edges } = build(745, [1.5, -0.5, 100]);
  assert.deepEqual(edges[0]!.map(({ product }) => product), [1.5, -0.25, -50]);
  assert.deepEqual(edges[0]!.map(({ thickness }) => thickness), [6, 1, 22]);
  assert.deepEqual(edges[0]!.map(({ dashed }) => dashed), [false, true, true]);
  assert.deepEqual([edges[1]![0]!.product, edges[1]![0]!.thickness, edges[1]![0]!.dashed], [0, 0.9, false]);
});

for (const width of [1120, 745, 620, 599, 358, 288]) {
  test(`${width} px: nodes and bars stand where their values are, and axes never change`, () => {
    const first = build(width);
    for (const hidden of [HIDDEN, [-5, 5, 0], [0.1, -0.1, 3.3]]) {
      const drawn = build(width, hidden);
      assert.equal(drawn.turned, width < TURNED_BELOW);
      assert.deepEqual([drawn.axis, drawn.rail, drawn.height, drawn.strip], [first.axis, first.rail, first.height, first.strip]);
      hidden.forEach((h, j) => near(drawn.nodes[j]!.x, drawn.rail.zero + h * drawn.rail.scale));
      drawn.logits.forEach((z, i) => near(drawn.rows[i]!.tip, drawn.axis.zero + Math.min(Math.max(z, -5.2), 5.2) * drawn.axis.scale));
    }
    near(first.rail.zero + EXTENT * first.rail.scale, first.rail.end);
  });

  test(`${width} px: shares fill the strip, and a ribbon leads from each bar's tip to its share`, () => {
    const drawn = build(width);
    const across = drawn.turned ? 0 : 1;
    drawn.parts.forEach(({ share }, i) => {
      near(share.length, drawn.probabilities[i]! * drawn.whole);
      const points = corners(drawn.ribbons[i]!);
      const mouth = points.slice(points.length / 2 - 1, points.length / 2 + 1);
      near(Math.min(...mouth.map((point) => point[across]!)), share.start);
      near(Math.max(...mouth.map((point) => point[across]!)), share.start + share.length);
      for (const point of mouth) near(point[1 - across]!, drawn.strip.start);
      const { tip, y } = drawn.rows[i]!;
      near((points[0]![0]! + points.at(-1)![0]!) / 2, tip);
      near((points[0]![1]! + points.at(-1)![1]!) / 2, y);
    });
  });

  test(`${width} px: columns follow each other from left to right, and rows have room, also with twelve of each`, () => {
    const twelve = Array.from({ length: 12 }, (_, i) => i / 2 - 3);
    for (const drawn of [build(width), build(width, twelve, twelve.map(() => twelve), twelve), build(width, [1], [[1]], [0])]) {
      const [edge] = drawn.edges[0]!;
      const left = drawn.axis.zero - EXTENT * drawn.axis.scale;
      const right = drawn.axis.zero + EXTENT * drawn.axis.scale;
      const stops = [0, drawn.rail.start, drawn.rail.end, edge!.from[0], edge!.to[0], drawn.names.start, left, right];
      assert.deepEqual(stops, stops.toSorted((a, b) => a - b));
      assert.ok(edge!.to[0] - edge!.from[0] > 40);
      assert.ok(drawn.names.start + drawn.names.length <= left);
      assert.ok(drawn.turned ? right <= width : drawn.strip.start + drawn.strip.length + 80 <= width);
      for (const [rows, least] of [[drawn.nodes, 44], [drawn.rows, 52]] as const)
        for (let i = 1; i < rows.length; i++) assert.ok(rows[i]!.y - rows[i - 1]!.y >= least - 0.02);
      if (drawn.roomy)
        for (const row of drawn.edges)
          for (let j = 1; j < row.length; j++) assert.ok(row[j]!.label[1] - row[j - 1]!.label[1] >= 24, `${row[j]!.label}`);
      const labels = drawn.written.map((i) => drawn.parts[i]!.shareLabel).sort((a, b) => a - b);
      for (let i = 1; i < labels.length; i++) assert.ok(labels[i]! - labels[i - 1]! >= (drawn.turned ? 61 : 24));
    }
  });
}

test("what is no number, or no end, still has a place in the picture", () => {
  const drawn = build(745, [1e308, 1e308, 0], [[1e308, -1e308, 1]], [0]);
  assert.ok(Number.isNaN(drawn.logits[0]));
  assert.equal(drawn.decision, -1);
  assert.doesNotMatch(JSON.stringify([drawn.rows, drawn.nodes, drawn.ribbons, drawn.parts]), /null|NaN/);
});

const STORED = { hidden: HIDDEN, weights: WEIGHTS, bias: BIAS };
const asked = (changes: Partial<typeof STORED>, says: boolean, before: boolean) =>
  task({ ...STORED, ...changes }, STORED, "tiger", "54 %", says, before);

test("the task asks for nodes first, then for one weight, and says when each is done", () => {
  const oneWeight = WEIGHTS.with(2, [2, 0.5, 0.5]);
  const twoWeights = WEIGHTS.with(2, [2, 1.5, 0.5]);
  const again = "Now with one weight only: press Reset, then change one weight.";
  assert.deepEqual(asked({}, false, false), { done: false, says: "Drag the hidden nodes until the network says tiger." });
  assert.deepEqual(asked({ hidden: [0, 0, 0] }, true, false), { done: true, says: `The network says tiger, 54 %. ${again}` });
  assert.deepEqual(asked({ hidden: [0, 0, 0] }, true, true), { done: true, says: `The network says tiger, 54 %. ${again}` });
  assert.deepEqual(asked({ hidden: [0, 0, 0] }, false, true), { done: false, says: again });
  assert.deepEqual(asked({}, false, true), { done: false, says: "Now with one weight only: change it until the network says tiger." });
  assert.deepEqual(asked({ weights: oneWeight }, true, true), { done: true, says: "One weight was enough: the network says tiger, 54 %." });
  assert.equal(asked({ weights: twoWeights }, true, true).says, `The network says tiger, with 2 numbers changed. ${again}`);
  assert.equal(asked({ weights: oneWeight, bias: [0, 0, 9, 0] }, true, true).done, false);
  assert.equal(asked({ weights: twoWeights }, false, true).says, again);
});
