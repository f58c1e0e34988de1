// The last layer of a network, as numbers: hidden nodes → edges → class nodes → logits → a strip of shares.
//
// It flows from left to right. On a phone the strip lies on its side under the rest.

import { closedPath, multiples, smoothstep, spread, tidy, type Point } from "./layout.ts";
import { sharesOf, towards, TURNED_BELOW, type Axis, type Row, type Share, type Stretch } from "./machine.ts";
import { argmax, dense, softmax } from "./softmax.ts";

/** Hidden values and logits are shown from −EXTENT to EXTENT; what is beyond stands at the end of its axis. */
export const EXTENT = 5;

const HIDDEN_ROW = 44; // a grip's hit area
const CLASS_ROW = 52; // a name, and its bias under it
const MOST_SHARES = 5; // as many as fit under a lying strip
const SAMPLES = 20;

export interface NetworkInput {
  hidden: readonly number[];
  weights: readonly (readonly number[])[];
  bias: readonly number[];
  selected: number;
  width: number;
}

export interface Edge {
  from: Point;
  to: Point;
  /** What flows through: weight times hidden value. */
  product: number;
  thickness: number;
  /** Of a negative product. */
  dashed: boolean;
  /** Where its weight is written. */
  label: Point;
}

export interface Network {
  /** Whether the strip lies under the rest. */
  turned: boolean;
  width: number;
  height: number;
  /** Each node's rail: its row, and where its value is on it. */
  nodes: { y: number; x: number; rail: number }[];
  rail: { zero: number; scale: number; start: number; end: number };
  /** From class to hidden node to edge. */
  edges: Edge[][];
  /** Whether weights can be written at the edges. */
  roomy: boolean;
  classes: { x: number; y: number }[];
  names: Stretch;
  axis: Axis;
  rows: Row[];
  ribbons: string[];
  /** Where ribbons leave the axis. */
  mouth: number;
  strip: Stretch;
  foot: number;
  whole: number;
  parts: Share[];
  /** The classes whose shares are written. */
  written: number[];
  logits: number[];
  probabilities: number[];
  /** The class of the largest share; −1 where a NaN leaves no answer. */
  decision: number;
}

/** What does not depend on the numbers. */
function frame(nodes: number, classes: number, width: number) {
  if (width < TURNED_BELOW) {
    const top = 40;
    const bottom = top + Math.max(CLASS_ROW * classes, (HIDDEN_ROW + 10) * nodes);
    const scale = 8;
    const left = width - 6 - 2 * EXTENT * scale;
    return {
      turned: true,
      top,
      bottom,
      rail: { start: 14, length: 0.2 * width - 2 },
      railDrop: 9,
      names: { start: left - 66, length: 62 },
      node: left - 80,
      axis: { left, scale, every: 4 },
      mouth: bottom + 20,
      strip: { start: bottom + 72, length: 42 },
      foot: 16,
      whole: width - 32,
      height: bottom + 72 + 42 + 66,
      thickness: { perUnit: 3, most: 15 },
    };
  }
  const t = Math.min((width - TURNED_BELOW) / (745 - TURNED_BELOW), 1);
  const more = Math.max(width - 745, 0);
  const top = 52;
  const whole = Math.max(320, CLASS_ROW * classes, HIDDEN_ROW * nodes);
  const strip = { start: 0, length: towards(54, 62, t) + more * 0.1 };
  strip.start = width - 104 - strip.length; // "over 99.9 %" stands beside it
  const scale = towards(10, 12, t) + more * 0.02;
  const mouth = strip.start - towards(44, 60, t) - more * 0.15;
  const left = mouth - 2 * EXTENT * scale;
  return {
    turned: false,
    top,
    bottom: top + whole,
    rail: { start: 54, length: towards(82, 106, t) + more * 0.1 },
    railDrop: 0,
    names: { start: left - 82, length: 74 },
    node: left - 100,
    axis: { left, scale, every: 2 },
    mouth,
    strip,
    foot: top + whole,
    whole,
    height: top + whole + 66,
    thickness: { perUnit: 4, most: 22 },
  };
}

/** NaN stands at 0: it has no place on an axis. */
const within = (x: number, most: number): number => Math.min(Math.max(x || 0, -most), most);

export function network({ hidden, weights, bias, selected, width }: NetworkInput): Network {
  const { turned, top, bottom, rail, railDrop, names, node, axis, mouth, strip, foot, whole, height, thickness } = frame(
    hidden.length,
    bias.length,
    width,
  );
  const logits = dense(weights, hidden, bias);
  const probabilities = softmax(logits);
  const decision = argmax(probabilities);

  const railScale = rail.length / (2 * EXTENT);
  const railZero = rail.start + rail.length / 2;
  const port = rail.start + rail.length + 10;
  const nodes = hidden.map((h, j) => {
    const y = tidy(top + ((bottom - top) / hidden.length) * (j + 0.5));
    return { y, x: tidy(railZero + within(h, EXTENT) * railScale), rail: tidy(y + railDrop) };
  });

  const zero = axis.left + EXTENT * axis.scale;
  const rows = logits.map((z, i): Row => {
    const tip = tidy(zero + within(z * axis.scale, (EXTENT + 0.2) * axis.scale));
    return { y: tidy(top + ((bottom - top) / logits.length) * (i + 0.5)), grip: tip, tip };
  });
  const classes = rows.map(({ y }) => ({ x: tidy(node), y }));

  const edges = weights.map((row, i) =>
    row.map((weight, j): Edge => {
      const product = weight * hidden[j]!;
      const [from, to]: [Point, Point] = [[tidy(port), nodes[j]!.rail], [classes[i]!.x, classes[i]!.y]];
      const thick = Math.min(Math.abs(product) * thickness.perUnit || 0, thickness.most);
      const away = Math.min(48, (to[0] - from[0]) / 2);
      const label: Point = [tidy(port + away), tidy(towards(from[1], to[1], away / (to[0] - from[0])))];
      return { from, to, product, thickness: tidy(Math.max(thick, 0.9)), dashed: product < 0, label };
    }),
  );

  const place = (flow: number, across: number): Point => (turned ? [across, flow] : [flow, across]);
  const parts = sharesOf(probabilities, foot, whole, turned);
  const ribbons = parts.map(({ share }, i) => {
    const { tip, y } = rows[i]!;
    const [flow, across] = turned ? [y, tip] : [tip, y];
    const half = turned ? 4 : 6;
    const one = [place(flow, across - half)];
    const other = [place(flow, across + half)];
    for (let k = 0; k <= SAMPLES; k++) {
      const t = smoothstep(k / SAMPLES);
      const way = towards(Math.max(mouth, flow), strip.start, k / SAMPLES);
      one.push(place(way, towards(across - half, share.start, t)));
      other.push(place(way, towards(across + half, share.start + share.length, t)));
    }
    return closedPath([...one, ...other.reverse()]);
  });

  const all = parts.map((_, i) => i);
  const written = turned && parts.length > MOST_SHARES ? all.filter((i) => i === selected || i === decision) : all;
  if (written.length < parts.length) {
    const middles = written.map((i) => parts[i]!.share.start + parts[i]!.share.length / 2);
    spread(middles, 84, foot + 24, foot + whole - 24).forEach((at, k) => (parts[written[k]!]!.shareLabel = tidy(at)));
  }

  const every = axis.every / 2;
  return {
    turned,
    width,
    height,
    nodes,
    rail: { zero: tidy(railZero), scale: railScale, start: rail.start, end: tidy(rail.start + rail.length) },
    edges,
    roomy: !turned,
    classes,
    names,
    axis: {
      zero: tidy(zero),
      scale: axis.scale,
      top,
      bottom,
      ticks: multiples(every, EXTENT),
      every: axis.every,
    },
    rows,
    ribbons,
    mouth,
    strip,
    foot,
    whole,
    parts,
    written,
    logits,
    probabilities,
    decision,
  };
}

/** A task that the reader can be set: make the network say a class, first by hidden values, then by one weight. */
export interface Task {
  /** Whether what it asks for is reached. */
  done: boolean;
  says: string;
}

interface Numbers {
  hidden: readonly number[];
  weights: readonly (readonly number[])[];
  bias: readonly number[];
}

const count = (now: readonly number[], then: readonly number[]): number => now.filter((x, i) => x !== then[i]).length;

const ONE_WEIGHT = "Now with one weight only:";

/** How far the reader is; `before` says whether the network has said the class once already. */
export function task(now: Numbers, stored: Numbers, label: string, share: string, says: boolean, before: boolean): Task {
  const weights = now.weights.flat();
  const changed = count(weights, stored.weights.flat());
  const others = count(now.hidden, stored.hidden) + count(now.bias, stored.bias);
  if (says && changed === 1 && others === 0) return { done: true, says: `One weight was enough: the network says ${label}, ${share}.` };
  const again = `${ONE_WEIGHT} press Reset, then change one weight.`;
  if (says && (!before || changed === 0)) return { done: true, says: `The network says ${label}, ${share}. ${again}` };
  if (says) return { done: false, says: `The network says ${label}, with ${changed + others} numbers changed. ${again}` };
  if (!before) return { done: false, says: `Drag the hidden nodes until the network says ${label}.` };
  return { done: false, says: changed + others > 1 || others ? again : `${ONE_WEIGHT} change it until the network says ${label}.` };
}
