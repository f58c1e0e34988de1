// What a classifier said against what was true, and its loss: what `reliability.ts` placed, in the colours of the page.

import type { Bin } from "./calibration.ts";
import { Gap } from "./CurveDrawing.tsx";
import { exponential } from "./numbers.ts";
import { countHeight, dotRadius, type Place } from "./reliability.ts";
import { Text } from "./stage.tsx";
import { BINS } from "./state.ts";

/** Fewer examples than this say little. */
export const FEW = 5;

interface Props {
  place: Place;
  bins: readonly Bin[];
  /** The number of all examples. */
  total: number;
  selected: number | null;
}

/** A number at an axis, or what stands beside the drawing. */
const Small = ({ narrow, ...rest }: Omit<Parameters<typeof Text>[0], "size"> & { narrow: boolean }) => (
  <Text size={narrow ? 12 : 13} colour="var(--sw-ink2)" {...rest} />
);

export function ReliabilityDrawing({ place, bins, total, selected }: Props) {
  const { narrow, frame, x, y } = place;
  const { left, right, top, bottom } = frame;
  const middle = (left + right) / 2;
  return (
    <>
      <Text x={narrow ? 0 : 8} y={top - 12} size={15} weight={700}>
        true: right answers, in %
      </Text>
      {Array.from({ length: BINS + 1 }, (_, k) => (
        <path key={k} class="sw-grid" d={`M${x(k / BINS)} ${top}V${bottom}`} />
      ))}
      {[0, 20, 40, 60, 80, 100].map((percent) => (
        <g key={percent}>
          <path class="sw-grid" d={`M${left} ${y(percent / 100)}H${right}`} />
          <Small {...{ narrow }} x={left - 6} y={y(percent / 100) + 5} anchor="end">
            {percent}
          </Small>
          <Small {...{ narrow }} x={x(percent / 100)} y={bottom + 18} anchor="middle">
            {percent}
          </Small>
        </g>
      ))}
      <path class="sw-zero" d={`M${left} ${top}V${bottom}H${right}`} fill="none" />
      <path class="sw-tangent" d={`M${left} ${bottom}L${right} ${top}`} />
      <Small {...{ narrow }} x={x(0.04)} y={y(0.9)}>
        too modest
      </Small>
      <Small {...{ narrow }} x={x(0.96)} y={y(0.07)} anchor="end">
        too sure
      </Small>
      <Text x={middle} y={bottom + 39} size={15} weight={700} anchor="middle">
        said: its largest share, in %
      </Text>
      <path class="sw-zero" d={`M${left} ${place.base}H${right}`} />
      <Small {...{ narrow }} x={middle} y={place.base + 37} anchor="middle">
        number of examples
      </Small>
      {bins.map((bin, i) => (
        <Examples key={i} chosen={i === selected} {...{ place, bin, i, total }} />
      ))}
    </>
  );
}

interface ExamplesProps {
  place: Place;
  bin: Bin;
  i: number;
  total: number;
  chosen: boolean;
}

/** The examples of a bin: how many, what was said of them, and how far that is from what was true. */
function Examples({ place: { narrow, frame, base, column, x, y }, bin, i, total, chosen }: ExamplesProps) {
  const { count } = bin;
  const left = frame.left + i * column;
  const height = countHeight(count, total);
  const radius = dotRadius(count, total, narrow);
  const [cx, cy] = [x(bin.said), y(bin.true)];
  return (
    <g data-tap={i}>
      {chosen && <rect class="sw-chosen-name" x={left + 1} y={base + 2} width={column - 2} height={18} rx="4" />}
      <rect class="sw-bin-count" x={left + 2} y={base - height} width={column - 4} {...{ height }} />
      {String(count).length * 8 <= column && (
        <Small {...{ narrow }} x={left + column / 2} y={base + 16} anchor="middle" {...(chosen && { weight: 700, colour: "var(--sw-hi-ink)" })}>
          {count}
        </Small>
      )}
      {count > 0 && (
        <>
          <Gap x={cx} from={cy} to={y(bin.said)} />
          <circle {...{ cx, cy }} r={Math.max(radius, column / 2)} fill="transparent" />
          <circle class={`sw-bin-dot${count < FEW ? " sw-few" : ""}${chosen ? " sw-chosen-dot" : ""}`} {...{ cx, cy }} r={radius} />
        </>
      )}
    </g>
  );
}

interface LossProps {
  place: Place;
  levels: readonly number[];
  path: string;
  temperature: number;
  loss: number;
  /** The temperature of the lowest loss. */
  best: number;
  /** Whether the temperature is one of the rail's. */
  within: boolean;
}

/** The mean loss against the temperature, whose axis is the rail beneath. */
export function LossDrawing({ place: { narrow, loss: frame, rail, at }, levels, path, temperature, loss, best, within }: LossProps) {
  const { left, right, top, bottom } = frame;
  const most = levels.at(-1)!;
  const height = (value: number) => bottom - (value / most) * (bottom - top);
  const off = loss > most;
  const [x, y] = [at(temperature), off ? top : height(loss)];
  // The number stands on the side of the dot from which the curve rises away.
  const late = temperature > best || x > right - 50;
  return (
    <>
      <Text x={left - (narrow ? 34 : 30)} y={top - 12} size={15} weight={700}>
        loss at each temperature
      </Text>
      {levels.map((level) => (
        <g key={level}>
          <path class={level ? "sw-grid" : "sw-zero"} d={`M${left} ${height(level)}H${right}`} />
          <Small {...{ narrow }} x={left - 6} y={height(level) + 5} anchor="end">
            {level}
          </Small>
        </g>
      ))}
      <path class="sw-loss-curve" d={path} />
      {within && (
        <>
          <path class="sw-dotted" d={`M${x} ${y}V${rail}`} />
          {!off && <circle class="sw-loss-dot" cx={x} cy={y} r={6} />}
          <Text x={x + (late ? -9 : 9)} y={Math.max(y - 10, top + 14)} size={15} weight={700} anchor={late ? "end" : "start"} halo>
            {`${off ? "↑ " : ""}${exponential(loss)}`}
          </Text>
        </>
      )}
    </>
  );
}
