// The softmax machine, as numbers: logits → horns → a tower of exponentials → ÷ S → a strip of length one.
//
// It lies in two ways. Wide, it flows from left to right: names, bars, horns, tower, strip. Turned, on a phone,
// it flows from top to bottom, and tower and strip lie on their sides. Horns, bricks and shares are computed once,
// along the flow and across it; `place` says which of the two is x.

import { closedPath, labelStep, multiples, smoothstep, spread, stack, tidy, type Point } from "./layout.ts";
import { shortExponential } from "./numbers.ts";
import { softmax } from "./softmax.ts";

/** Under this width, in CSS pixels, the machine is turned. */
export const TURNED_BELOW = 600;

/** The height of one unit in the tower, in pixels, before the reader moves the camera. It is also the largest. */
export const NEAREST = 24;

const THINNEST = 0.9; // everything is positive, and stays visible
const SAMPLES = 30;
const ROW = 44; // a grip's hit area
const TOO_FAR = 1e5; // pixels that no screen has; exp of a hostile logit stays drawable

export interface MachineInput {
  /** (z + shift) / temperature: the exponents. There may be fewer than logits: those alone are in the tower. */
  powers: readonly number[];
  /** z + shift: where the grips are. */
  logits: readonly number[];
  /** Where the bars end, if not at the exponents. */
  tips?: readonly number[];
  /** The axis goes from −extent to extent. */
  extent: number;
  /** Pixels for one unit of the tower. */
  unit: number;
  /** The width of the drawing. */
  width: number;
  /** Whether a second strip, a guess, needs room next to the first. */
  aside?: boolean;
}

/** A stretch along an axis: where it begins and how long it is. */
export interface Stretch {
  start: number;
  length: number;
}

export interface Row {
  /** The middle of the row. */
  y: number;
  /** Where the grip is, and where the bar of z ÷ T ends. */
  grip: number;
  tip: number;
}

export interface Part {
  /** From the bar's tip to the tower. */
  horn: string;
  /** From the tower to the strip. */
  projection: string;
  /** In the tower, and in the strip, across the flow. */
  brick: Stretch;
  share: Stretch;
  /** Where the numbers of both are written, across the flow. */
  brickLabel: number;
  shareLabel: number;
}

/** A share in the strip, across the flow, and where its number is written. */
export type Share = Pick<Part, "share" | "shareLabel">;

export interface Axis {
  zero: number;
  scale: number;
  top: number;
  bottom: number;
  ticks: number[];
  every: number;
}

export interface Machine {
  turned: boolean;
  width: number;
  height: number;
  axis: Axis;
  rows: Row[];
  parts: Part[];
  /** Along the flow: where horns open, where the tower stands and where the strip lies. */
  horns: Stretch;
  tower: Stretch;
  strip: Stretch;
  /** Where a second strip lies: to the right of the first, or under it. */
  aside: Stretch | null;
  /** Where the strips end, and the numbers of the shares begin. */
  shares: number;
  /** Across the flow: the foot of tower and strip, and the length of the whole strip. */
  foot: number;
  whole: number;
  /** Bg lines in the tower, at each unit or at each 5, 10, 50, … of them. */
  courses: number[];
  /** The square that shows the scale: its side, and how many units that is. */
  unitBrick: { side: number; worth: number };
  /** How many times too tall the tower is; 1 where it fits. */
  tearing: number;
  total: number;
  probabilities: number[];
  exponentials: number[];
}

/** From `from` at t = 0 to `to` at t = 1. */
export const towards = (from: number, to: number, t: number): number => from + (to - from) * t;

/** 1, 5, 10, 50, …: the least whose courses are at least 9 pixels apart. */
function courseStep(unit: number): number {
  let step = 1;
  for (let k = 0; step * unit < 9; k++) step *= k % 2 ? 2 : 5;
  return step;
}

/** The largest scale at which a tower of `total` units fits into `room`; each is half of the one before. */
export function scaleFor(total: number, room: number): number {
  if (!(total > 0 && total < Infinity)) return NEAREST;
  return NEAREST / 2 ** Math.max(Math.ceil(Math.log2((NEAREST * total) / room)), 0);
}

/** How much room a tower has: the length of the strip, and a little above it. */
export const roomFor = (classes: number, width: number): number => {
  const { whole } = frame(classes, width);
  return whole + 10;
};

/** Where an axis from −extent to extent has its lines, and every how many units a number. */
export function ticksOf(extent: number): Pick<Axis, "ticks" | "every"> {
  const every = labelStep(extent);
  return { ticks: multiples(every / 2, extent), every };
}

/** What does not depend on the numbers. */
function frame(classes: number, width: number, aside = false) {
  if (width < TURNED_BELOW) {
    const bottom = 26 + ROW * classes;
    const names = 66;
    const scale = (width - names - 66) / 10;
    return {
      turned: true,
      rowHeight: ROW,
      top: 26,
      bottom,
      left: names,
      scale,
      horns: { start: bottom + 22, length: 94 },
      tower: { start: bottom + 116, length: 44 },
      strip: { start: bottom + 224, length: 52 },
      aside: aside ? { start: bottom + 298, length: 30 } : null,
      shares: bottom + 276 + (aside ? 52 : 0),
      foot: 16,
      whole: width - 32,
      end: width - 6,
      height: bottom + 276 + (aside ? 52 : 0) + 46,
    };
  }
  const t = (width - 745) / (1120 - 745);
  const scale = towards(20.4, 29, t);
  const left = towards(78, 86, t);
  const rowHeight = Math.max(320 / classes, ROW);
  const whole = rowHeight * classes;
  // The room of a second strip is taken from everything between the bars and the end of the first.
  const flow = towards(364, 640, t);
  const part = (least: number, most: number) => towards(least, most, t) * (aside ? 1 - 60 / flow : 1);
  const horns = { start: left + 10 * scale + 24, length: part(136, 250) };
  const tower = { start: horns.start + horns.length, length: part(72, 120) };
  const strip = { start: tower.start + tower.length + part(84, 150), length: part(72, 120) };
  const far = strip.start + strip.length;
  return {
    turned: false,
    rowHeight,
    top: 52,
    bottom: 52 + whole,
    left,
    scale,
    horns,
    tower,
    strip,
    aside: aside ? { start: far + 16, length: 40 } : null,
    shares: far + (aside ? 60 : 0),
    foot: 52 + whole,
    whole,
    end: 6,
    height: 52 + whole + 46,
  };
}

/** A stretch from one height above the foot to another: upwards, or to the right. */
function above(foot: number, turned: boolean, [from, to]: readonly [number, number], least = 0): Stretch {
  const length = Math.max(to - from, least);
  return { start: tidy(turned ? foot + from : foot - from - length), length: tidy(length) };
}

/** The shares of a strip that is `whole` pixels long and begins at `foot`. */
export function sharesOf(probabilities: readonly number[], foot: number, whole: number, turned: boolean): Share[] {
  const ends = stack(probabilities.map((p) => (p || 0) * whole));
  const middles = ends.map(([from, to]) => (turned ? foot + (from + to) / 2 : foot - (from + to) / 2));
  const labels = turned
    ? spread(middles, Math.min(62, (whole - 28) / (middles.length - 1)), foot + 14, foot + whole - 14)
    : spread(middles, 25, foot - whole + 8, foot - 4);
  return ends.map((end, i) => ({ share: above(foot, turned, end, THINNEST), shareLabel: tidy(labels[i]!) }));
}

export function machine({ powers, logits, tips = powers, extent, unit, width, aside: second }: MachineInput): Machine {
  const framed = frame(logits.length, width, second);
  const { turned, rowHeight, top, bottom, left, scale: perUnit, horns, tower, strip, aside, shares: sharesAt, foot, whole, end, height } = framed;
  const scale = (perUnit * 5) / extent;
  const zero = left + 10 + 5 * perUnit;
  const reach = (extent + 0.2 * (extent / 5)) * scale;
  const along = (z: number) => tidy(zero + Math.min(Math.max(z * scale, -reach), reach));

  const place = (flow: number, across: number): Point => (turned ? [across, flow] : [flow, across]);
  /** A height above the foot, as a place across the flow: upwards, or to the right. */
  const raised = (h: number) => (turned ? foot + h : foot - h);

  const exponentials = powers.map(Math.exp);
  const total = exponentials.reduce((sum, e) => sum + e, 0);
  const probabilities = softmax(powers);
  const bricks = stack(exponentials.map((e) => Math.min(e * unit, TOO_FAR)));
  const shares = sharesOf(probabilities, foot, whole, turned);
  const rows = logits.map((z, i) => ({ y: top + rowHeight * (i + 0.5), grip: along(z), tip: along(tips[i]!) }));

  const room = turned ? end - foot : foot - end;
  const middleInSight = ([from, to]: readonly [number, number]) => (Math.min(from, room) + Math.min(to, room)) / 2;
  const brickPlaces = bricks.map((brick) => raised(middleInSight(brick)));
  const widest = Math.max(...exponentials.map((e) => shortExponential(e).length)) * 9 + 4; // in any typeface
  const brickLabels = turned
    ? spread(brickPlaces, Math.max(widest, 40), Math.max(foot + 12, widest / 2), end - Math.max(widest / 2, 16))
    : spread(brickPlaces, 16, end + 44, foot - 4);

  const parts = powers.map((power, i): Part => {
    const [from, to] = bricks[i]!;
    const starts = turned ? [rows[i]!.y, rows[i]!.tip] : [rows[i]!.tip, rows[i]!.y];
    const [flow, across] = starts as [number, number];
    const target = raised((from + to) / 2);
    const one: Point[] = [place(flow, across - unit / 2)];
    const other: Point[] = [place(flow, across + unit / 2)];
    for (let k = 0; k <= SAMPLES; k++) {
      const t = k / SAMPLES;
      const half = Math.min(Math.max(unit * Math.exp(power * t), THINNEST), TOO_FAR) / 2;
      const middle = towards(across, target, smoothstep(t));
      one.push(place(horns.start + horns.length * t, middle - half));
      other.push(place(horns.start + horns.length * t, middle + half));
    }
    const { start, length } = shares[i]!.share;
    const [share0, share1] = turned ? [start, start + length] : [start + length, start];
    const mouth = tower.start + tower.length;
    return {
      horn: closedPath([...one, ...other.reverse()]),
      projection: closedPath([
        place(mouth, raised(from)),
        place(strip.start, share0),
        place(strip.start, share1),
        place(mouth, raised(to)),
      ]),
      brick: above(foot, turned, bricks[i]!, THINNEST),
      brickLabel: tidy(brickLabels[i]!),
      ...shares[i]!,
    };
  });

  const step = courseStep(unit);
  const inSight = Math.min(total * unit, room);
  const courses = Array.from({ length: Math.ceil(inSight / (step * unit)) - 1 || 0 }, (_, k) => tidy(raised((k + 1) * step * unit)));
  const worth = unit >= 2 ? 1 : 10 ** Math.ceil(Math.log10(2 / unit));
  return {
    turned,
    width,
    height,
    axis: { zero, scale, top, bottom, ...ticksOf(extent) },
    rows,
    parts,
    horns,
    tower,
    strip,
    aside,
    shares: sharesAt,
    foot,
    whole,
    courses,
    unitBrick: { side: tidy(worth * unit), worth },
    tearing: Math.max((total * unit) / room, 1),
    total,
    probabilities,
    exponentials,
  };
}
