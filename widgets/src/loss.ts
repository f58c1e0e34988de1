// Given minus wanted, as numbers: bars with arrows, two strips, and the loss against the steps. Nothing rescales.

import { arrow, clampTo, closedPath, spread, tidy, type Point } from "./layout.ts";
import { sharesOf, ticksOf, towards, TURNED_BELOW, type Axis, type Share, type Stretch } from "./machine.ts";
import { crossEntropyGradient, entropy, softmax } from "./softmax.ts";

/** The losses and the steps that the chart holds. */
export const MOST_LOSS = 4;
export const STEPS_SHOWN = 20;

const NARROWEST = 600; // the least width of the wide composition
const NAME = { turned: 46, upright: 16 }; // the room of a name beside its share, in pixels
const FAR = 100; // a loss so far over the chart that its line is as steep as that to any larger one

export interface LossInput {
  logits: readonly number[];
  /** What is wanted of each class. */
  target: readonly number[];
  rate: number;
  /** The loss at the beginning and after each step. */
  losses: readonly number[];
  /** How much of the last step is done, from 0 to 1. */
  done: number;
  /** The axis of the logits goes from −extent to extent. */
  extent: number;
  width: number;
}

/** From the tip of a bar to where a step puts it; `torn` says where that is, if it is outside the axis. */
export interface StepArrow {
  y: number;
  from: number;
  to: number;
  path: string;
  torn: number | null;
}

/** The loss after a step; over the chart where it is larger than the axis. */
export interface LossPoint {
  x: number;
  y: number;
  loss: number;
}

export interface Chart {
  left: number;
  right: number;
  top: number;
  bottom: number;
  levels: { y: number; value: number }[];
  ticks: { x: number; value: number }[];
  points: LossPoint[];
  /** The place of the least loss that there can be, the entropy of what is wanted. */
  least: number;
}

export interface LossPicture {
  turned: boolean;
  height: number;
  axis: Axis;
  names: Stretch;
  /** Where a name has its middle, and a bar, which leaves room for the arrow over it. */
  middles: { y: number }[];
  rows: { y: number; grip: number; tip: number }[];
  arrows: StepArrow[];
  /** Where the numbers of given minus wanted end. */
  column: number;
  /** Along the flow, where the two strips lie, and across it, their shares. */
  given: Stretch;
  wanted: Stretch;
  shares: readonly number[];
  gradient: readonly number[];
  givenParts: Share[];
  wantedParts: Share[];
  /** Across the flow, where each class is named at what is given; where there is no room for all, those of a large share. */
  givenNames: { i: number; at: number }[];
  /** From what is given of a class to what is wanted; empty where nothing is. */
  ribbons: string[];
  chart: Chart;
}

/** What does not depend on the numbers. */
function frame(classes: number, width: number) {
  if (width < TURNED_BELOW) {
    const bottom = 24 + 66 * classes;
    return {
      ...{ turned: true, row: 66, top: 24, bottom, names: { start: 0, length: 64 } },
      ...{ left: 74, unit: (width - 166) / 10, column: width - 2 },
      ...{ given: { start: bottom + 62, length: 32 }, wanted: { start: bottom + 118, length: 32 }, foot: 0, whole: width },
      ...{ chart: { left: 26, right: width - 8, top: bottom + 214, bottom: bottom + 314 }, height: bottom + 352 },
    };
  }
  const t = (width - NARROWEST) / (745 - NARROWEST);
  const row = Math.max(264 / classes, 66);
  const [left, unit, top] = [96, towards(15, 23, t), 58];
  const column = left + 10 * unit + 86;
  const given = { start: column + towards(42, 54, t), length: 40 };
  const wanted = { start: given.start + 62, length: 40 };
  const bottom = top + row * classes;
  return {
    ...{ turned: false, row, top, bottom, names: { start: 0, length: 84 }, left, unit, column },
    ...{ given, wanted, foot: bottom, whole: bottom - top },
    ...{ chart: { left: wanted.start + towards(76, 84, t), right: width - 8, top, bottom }, height: bottom + 46 },
  };
}

export function lossPicture({ logits, target, rate, losses, done, extent, width }: LossInput): LossPicture {
  const framed = frame(logits.length, width);
  const { turned, row, top, bottom, left, unit, given, wanted, foot, whole } = framed;
  const scale = (unit * 5) / extent;
  const zero = left + 5 * unit;
  const reach = extent * 1.04;
  const along = (z: number) => tidy(zero + clampTo(z, -reach, reach) * scale);
  const shares = softmax(logits);
  const gradient = crossEntropyGradient(shares, target);
  const middles = logits.map((_, i) => ({ y: top + row * (i + 0.5) }));

  const place = (flow: number, across: number): Point => (turned ? [across, flow] : [flow, across]);
  const [givenParts, wantedParts] = [shares, target].map((parts) => sharesOf(parts, foot, whole, turned)) as [Share[], Share[]];
  const ribbons = target.map((y, i) => {
    const [a, b] = [givenParts[i]!.share, wantedParts[i]!.share];
    const [from, to] = [given.start + given.length, wanted.start];
    return y > 0 ? closedPath([place(from, a.start), place(to, b.start), place(to, b.start + b.length), place(from, a.start + a.length)]) : "";
  });
  const [room, least] = turned ? [NAME.turned, NAME.turned / 2] : [NAME.upright, top + 6];
  const places = givenParts.map(({ share: { start, length } }) => start + length / 2);
  const all = room * logits.length <= whole;
  const givenNames = (all ? spread(places, room, least, least + whole - room) : places)
    .map((at, i) => ({ i, at: tidy(at) }))
    .filter(({ i }) => all || givenParts[i]!.share.length >= room);
  return {
    ...framed,
    axis: { zero, scale, top, bottom, ...ticksOf(extent) },
    middles,
    rows: middles.map(({ y }, i) => ({ y: y + 8, grip: along(logits[i]!), tip: along(logits[i]!) })),
    arrows: logits.map((z, i) => {
      const next = z - rate * gradient[i]!;
      const [y, from, to] = [middles[i]!.y - 17, along(z), along(next)];
      return { y, from, to, path: arrow(y, from, to, 6, true), torn: Math.abs(next) > reach ? next : null };
    }),
    shares,
    gradient,
    givenParts,
    wantedParts,
    givenNames,
    ribbons,
    chart: chart(framed.chart, losses, done, entropy(target)),
  };
}

/** The losses of the last steps; while a step is being taken, its point is on the way. */
function chart(frame: Pick<Chart, "left" | "right" | "top" | "bottom">, losses: readonly number[], done: number, least: number): Chart {
  const { left, right, top, bottom } = frame;
  const steps = losses.length - 1;
  const now = Math.max(steps - 1 + done, 0);
  const first = Math.max(now - STEPS_SHOWN, 0);
  const x = (step: number) => tidy(left + ((step - first) / STEPS_SHOWN) * (right - left));
  const y = (loss: number) => tidy(bottom - (Math.min(loss, FAR) / MOST_LOSS) * (bottom - top));
  const points = losses.map((loss, step) => ({ x: x(Math.min(step, now)), y: y(loss), loss }));
  const last = points[steps]!;
  if (steps > 0) last.y = tidy(towards(points[steps - 1]!.y, last.y, done));
  return {
    ...frame,
    levels: [0, 1, 2, 3, 4].map((value) => ({ y: y(value), value })),
    ticks: [0, 10, 20].map((k) => Math.ceil(first / 10) * 10 + k).filter((step) => step <= first + STEPS_SHOWN).map((value) => ({ x: x(value), value })),
    points: points.filter((_, step) => step >= first),
    least: y(least),
  };
}
