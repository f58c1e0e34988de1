// One share against one logit, as numbers: the curve, its tangent, and what a nudge does. Nothing rescales.

import { arrow, clampTo, labelStep, multiples, tidy, type Point } from "./layout.ts";
import { jacobian, softmax } from "./softmax.ts";

/** Under this width, in CSS pixels, the picture has its phone's proportions. */
export const NARROW_BELOW = 600;

/** The foot reaches this far to either side of the start. */
export const MOST_NUDGE = 3;

/** The shares that the frame holds. What lies beyond 0 and 1 is no share, but a tangent may go there. */
export const LEAST_SHARE = -0.25;
export const MOST_SHARE = 1.25;

const SAMPLES = 100;

export interface CurveInput {
  logits: readonly number[];
  /** The curve is the share of class `row` against the logit of class `column`. */
  row: number;
  column: number;
  nudge: number;
  /** The axis of the logit goes from −extent to extent. */
  extent: number;
  width: number;
}

/** An arrow from the share before the nudge to the share after it; `torn` where that is outside the frame. */
export interface Arrow {
  x: number;
  path: string;
  /** Where its tip is. */
  y: number;
  torn: boolean;
}

export interface Curve {
  narrow: boolean;
  width: number;
  height: number;
  /** The frame ends at `end`, the axis of the logit already at `right`. */
  frame: { left: number; right: number; end: number; top: number; bottom: number; none: number; all: number };
  /** Pixels for 1 on the axis of the logit. */
  scale: number;
  ticks: { x: number; value: number }[];
  levels: { y: number; value: number }[];
  curve: string;
  /** Null where the whole tangent is outside the frame. */
  tangent: string | null;
  start: Point;
  foot: Point;
  /** The nudge as it is drawn: the foot reaches neither past `MOST_NUDGE` nor past the axis. */
  drawn: number;
  /** Tangent and curve above the foot; null where the foot stands in for a place outside the axis. */
  ends: { tangent: number; curve: number } | null;
  /** Null where there is no number: a logit past the largest double. */
  arrows: { predicted: Arrow; actual: Arrow } | null;
  /** The line beside the arrows that shows how far the tangent is off. */
  gap: { x: number; from: number; to: number };
}

export function curve({ logits, row, column, nudge, extent, width }: CurveInput): Curve {
  const narrow = width < NARROW_BELOW;
  const frame = narrow
    ? { left: 44, right: width - 112, end: width, top: 30, bottom: 330 }
    : { left: 50, right: width - 305, end: width, top: 30, bottom: 360 };
  const { left, right, top, bottom } = frame;
  const scale = (right - left) / (2 * extent);
  const x = (logit: number) => tidy(left + (clampTo(logit, -extent, extent) + extent) * scale);
  const y = (share: number) =>
    tidy(top + ((MOST_SHARE - clampTo(share, LEAST_SHARE, MOST_SHARE)) / (MOST_SHARE - LEAST_SHARE)) * (bottom - top));
  const shareAt = (logit: number) => softmax(logits.with(column, logit))[row]!;

  const z = logits[column]!;
  const shares = softmax(logits);
  const before = shares[row]!;
  const slope = jacobian(shares)[row]![column]!;
  const predicted = before + slope * nudge;
  const actual = shareAt(z + nudge);

  const samples = Array.from({ length: SAMPLES + 1 }, (_, k) => (k / SAMPLES - 0.5) * 2 * extent);
  const place = clampTo(z, -extent, extent);
  const drawn = clampTo(place + clampTo(nudge, -MOST_NUDGE, MOST_NUDGE), -extent, extent) - place;
  const isTrue = place === z && Math.abs(drawn - nudge) < 1e-9;

  const reaches = [LEAST_SHARE, MOST_SHARE].map((level) => (slope === 0 ? Infinity * (level - before) : z + (level - before) / slope));
  const [from, to] = [Math.max(Math.min(...reaches), -extent), Math.min(Math.max(...reaches), extent)];
  const onTangent = (logit: number) => `${x(logit)} ${y(before + slope * (logit - z))}`;

  const [thick, arrowsAt, gapAt] = narrow ? [8, [width - 78, width - 30], width - 16] : [12, [width - 230, width - 130], width - 107];
  const towards = (at: number, share: number): Arrow => ({
    x: at,
    path: arrow(at, y(before), y(share), thick),
    y: y(share),
    torn: share < LEAST_SHARE || share > MOST_SHARE,
  });
  return {
    narrow,
    width,
    height: bottom + 84,
    frame: { ...frame, none: y(0), all: y(1) },
    scale,
    ticks: multiples(labelStep(extent), extent).map((value) => ({ x: x(value), value })),
    levels: [0, 0.25, 0.5, 0.75, 1].map((value) => ({ y: y(value), value })),
    curve: `M${samples.map((logit) => `${x(logit)} ${y(shareAt(logit))}`).join("L")}`,
    tangent: from < to ? `M${onTangent(from)}L${onTangent(to)}` : null,
    start: [x(place), y(before)],
    foot: [x(place + drawn), bottom],
    drawn,
    ends: isTrue ? { tangent: y(predicted), curve: y(actual) } : null,
    arrows: Number.isNaN(predicted + actual)
      ? null
      : { predicted: towards(arrowsAt[0]!, predicted), actual: towards(arrowsAt[1]!, actual) },
    gap: { x: gapAt, from: y(predicted), to: y(actual) },
  };
}
