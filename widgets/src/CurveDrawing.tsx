// Curve, tangent and arrows: what `curve` computed, in the colours of the page.

import type { Arrow, Curve } from "./curve.ts";
import { share, shortPoints } from "./numbers.ts";
import { useGroup } from "./parts.tsx";
import { fillColour, Grip, shortened, Text, textColour } from "./stage.tsx";

interface Props {
  curve: Curve;
  /** The class whose share is drawn. */
  row: number;
  label: string;
  /** By how much its share changes. */
  predicted: number;
  actual: number;
  /** Whether the reader can pull: there are grips. */
  live: boolean;
}

/** "gap 8.0"; a number as long as "5.5 × 10⁶" has the room to itself. */
function gapText(difference: number): string {
  const text = shortPoints(difference).replace(/^[+−]/, "");
  return text.length > 5 ? text : `gap ${text}`;
}

export function CurveDrawing({ curve, row, label, predicted, actual, live }: Props) {
  const { narrow, frame, start, foot, ends } = curve;
  const radius = narrow ? 13 : 11;
  return (
    <>
      <Frame curve={curve} />
      <Text x={frame.left} y={frame.top - 9} size={15} weight={700} colour={textColour(row)}>
        {`share of ${shortened(label, narrow ? 16 : 24)}`}
      </Text>
      {curve.tangent && <path class="sw-tangent" d={curve.tangent} />}
      <path class="sw-curve" d={curve.curve} style={{ stroke: fillColour(row) }} />
      <path class="sw-dotted" d={`M${start[0]} ${start[1]}V${frame.bottom}M${foot[0]} ${ends ? Math.min(ends.tangent, ends.curve) : foot[1]}V${frame.bottom}`} />
      {ends && (
        <>
          <Gap x={foot[0]} from={ends.tangent} to={ends.curve} />
          <circle class="sw-ring" cx={foot[0]} cy={ends.tangent} r={5.5} />
          <circle cx={foot[0]} cy={ends.curve} r={5.5} style={{ fill: fillColour(row) }} />
        </>
      )}
      <Arrows curve={curve} row={row} predicted={predicted} actual={actual} />
      <path class="sw-nudge" d={`M${start[0]} ${frame.bottom}H${foot[0]}`} />
      <circle cx={start[0]} cy={start[1]} r={6} style={{ fill: textColour(row) }} />
      {live && (
        <>
          <Grip x={foot[0]} y={foot[1]} id="foot" radius={radius} />
          <Grip x={start[0]} y={start[1]} id="start" of={row} radius={radius} />
        </>
      )}
    </>
  );
}

/** The two axes; hatched is where no share can be. */
function Frame({ curve: { narrow, frame, ticks, levels } }: Pick<Props, "curve">) {
  const { left, right, end, top, bottom, none, all } = frame;
  const hatching = useGroup();
  return (
    <>
      <pattern id={hatching} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path class="sw-hatching" d="M0 0v6" />
      </pattern>
      <path d={`M${left} ${top}H${end}V${all}H${left}ZM${left} ${none}H${end}V${bottom}H${left}Z`} fill={`url(#${hatching})`} />
      <Text x={narrow ? end - 6 : left + 6} y={top + 18} size={narrow ? 12 : 13} anchor={narrow ? "end" : "start"} colour="var(--sw-ink2)" halo>
        {`${narrow ? "never" : "no share is"} over ${share(1)}`}
      </Text>
      {levels.map(({ y, value }) => (
        <g key={value}>
          <path class={value % 1 ? "sw-grid" : "sw-zero"} d={`M${left} ${y}H${end}`} />
          <Text x={left - 6} y={y + 5} size={narrow ? 12 : 13} anchor="end" colour="var(--sw-ink2)">
            {value === 1 ? share(1) : String(value * 100)}
          </Text>
        </g>
      ))}
      <path class="sw-rail" d={`M${left} ${bottom}H${right}`} />
      {ticks.map(({ x, value }) => (
        <Text key={value} x={x} y={bottom + 28} size={narrow ? 12 : 13} anchor="middle" colour="var(--sw-ink2)">
          {String(value).replace("-", "−")}
        </Text>
      ))}
    </>
  );
}

/** What is missing between the line and the curve. */
export const Gap = ({ x, from, to }: { x: number; from: number; to: number }) => (
  <>
    <path class="sw-missing" d={`M${x} ${from}V${to}`} />
    <path class="sw-missing-line" d={`M${x} ${from}V${to}`} />
  </>
);

/** What the line promised beside what the curve delivered, on the same axis. */
function Arrows({ curve, row, predicted, actual }: Omit<Props, "label" | "live">) {
  const { narrow, frame, start, arrows, gap } = curve;
  if (!arrows)
    return (
      <Text x={frame.right + 14} y={frame.bottom + 44} size={18} weight={800} colour="var(--sw-bad)">
        ✕ NaN
      </Text>
    );
  const each: [name: string, arrow: Arrow, change: number, fill: string, text: string][] = [
    ["predicted", arrows.predicted, predicted, "var(--sw-ink2)", "var(--sw-ink2)"],
    ["actual", arrows.actual, actual, fillColour(row), textColour(row)],
  ];
  return (
    <>
      <path class="sw-dotted" d={`M${start[0]} ${start[1]}H${gap.x}`} />
      <path class="sw-dashes" d={`M${arrows.predicted.x + 9} ${gap.from}H${gap.x}M${arrows.actual.x + 12} ${gap.to}H${gap.x}`} />
      {each.map(([name, { x, path, y, torn }, change, fill, text]) => (
        <g key={name}>
          <path d={path} style={{ fill }} />
          {torn && <path class="sw-torn" d={tear(x, y, Math.sign(start[1] - y))} />}
          <Text x={x - (narrow && name === "predicted" ? 4 : 0)} y={frame.bottom + 20} size={narrow ? 12 : 14} anchor="middle" colour="var(--sw-ink2)">
            {name}
          </Text>
          <Text x={x} y={frame.bottom + 44} size={narrow ? 18 : 23} weight={800} anchor="middle" colour={text}>
            {shortPoints(change)}
          </Text>
          <Text x={x} y={frame.bottom + 60} size={12} anchor="middle" colour="var(--sw-ink2)">
            points
          </Text>
        </g>
      ))}
      <Gap x={gap.x} from={gap.from} to={gap.to} />
      {!narrow && (
        <Text x={gap.x + 10} y={(gap.from + gap.to) / 2 + 5} size={15} weight={700} halo>
          {gapText(predicted - actual)}
        </Text>
      )}
    </>
  );
}

/** Two slanting cuts through a shaft, behind the head: the arrow is longer than it is drawn. */
const tear = (x: number, tip: number, back: number): string =>
  [20, 26].map((away) => `M${x - 11} ${tip + back * away + 4}l22 -8`).join("");
