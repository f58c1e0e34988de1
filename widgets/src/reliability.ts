// The reliability diagram and the curve of the loss beside it, as numbers. Nothing rescales while one drags.

import { COLDEST, HOTTEST } from "./calibration.ts";
import { clampTo, tidy } from "./layout.ts";
import { BINS } from "./state.ts";

/** Under this width, in CSS pixels, the loss stands under the diagram, which has its phone's proportions. */
const NARROW_BELOW = 600;
const LARGEST_DOT = [14, 28]; // its radius if one bin had all examples, on a phone and in a column
const SMALLEST_DOT = 5;
const TALLEST_COUNT = 40;

export interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Place {
  narrow: boolean;
  width: number;
  height: number;
  frame: Frame;
  /** Where the counts' bars stand. */
  base: number;
  column: number;
  loss: Frame;
  rail: number;
  typed: number;
  x: (share: number) => number;
  y: (share: number) => number;
  /** Where a temperature is on the rail, which is the axis of the loss as well. */
  at: (temperature: number) => number;
}

export function place(width: number): Place {
  const narrow = width < NARROW_BELOW;
  const side = Math.min(width * 0.43, 440);
  const frame = narrow ? { left: 34, right: width - 14, top: 28, bottom: 278 } : { left: 46, right: 46 + side, top: 34, bottom: 348 };
  const { left, right, top, bottom } = frame;
  const base = bottom + (narrow ? 88 : 92);
  const loss = narrow
    ? { left: 34, right: width - 20, top: base + 76, bottom: base + 176 }
    : { left: right + 74, right: width - 24, top, bottom };
  const rail = loss.bottom + 26;
  const typed = rail + 54;
  return {
    ...{ narrow, width, frame, base, loss, rail, typed },
    height: narrow ? typed + 16 : base + 42,
    column: (right - left) / BINS,
    x: (share) => tidy(left + share * (right - left)),
    y: (share) => tidy(bottom - share * (bottom - top)),
    at: (temperature) =>
      tidy(loss.left + (clampTo(Math.log(temperature / COLDEST) / Math.log(HOTTEST / COLDEST), 0, 1)) * (loss.right - loss.left)),
  };
}

/** The radius of a bin's dot: its area follows the count. */
export const dotRadius = (count: number, total: number, narrow: boolean): number =>
  tidy(Math.max(Math.sqrt(count / total) * LARGEST_DOT[Number(!narrow)]!, SMALLEST_DOT));

/** The height of a bin's count. */
export const countHeight = (count: number, total: number): number => (count ? tidy(Math.max((count / total) * TALLEST_COUNT, 1.5)) : 0);

/** Lines of the loss's axis, the last of them its end. It holds the valley and the loss that the page begins with; a far worse loss runs out of it. */
export function lossLevels(losses: readonly number[], first: number): number[] {
  const finite = losses.filter(Number.isFinite);
  const top = Math.min(Math.max(...finite), Math.max(3 * Math.min(...finite), 1.2 * first));
  const wanted = top > 0 && Number.isFinite(top) ? top : 1;
  const power = 10 ** Math.floor(Math.log10(wanted / 5));
  const step = [1, 2, 5, 10].map((k) => k * power).find((each) => wanted / each <= 5)!;
  return Array.from({ length: Math.ceil(wanted / step - 1e-9) + 1 }, (_, k) => Number((k * step).toPrecision(3)));
}

/** The curve as far as the axis goes; where it leaves the frame, it ends at the frame. */
export function lossPath(curve: readonly (readonly [temperature: number, loss: number])[], most: number, { loss, at }: Place): string {
  const x = (k: number) => at(curve[k]![0]);
  const height = curve.map(([, each]) => each / most);
  const points = height.flatMap((part, k) => {
    const inside = [k, k - 1, k + 1].find((near) => height[near]! <= 1);
    if (inside === undefined) return [];
    // Outside: where the line from the last point inside crosses the top.
    const way = inside === k ? 0 : (1 - height[inside]!) / (part - height[inside]!);
    return `${tidy(x(inside) + (x(k) - x(inside)) * way)} ${tidy(loss.bottom - Math.min(part, 1) * (loss.bottom - loss.top))}`;
  });
  return points.length ? `M${points.join("L")}` : "";
}
