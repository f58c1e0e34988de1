// The triangle of shares, and what stands beside it: what `simplex.ts` placed, in the colours of the page.

import { spread, tidy, type Point } from "./layout.ts";
import { sharesOf } from "./machine.ts";
import { Axis, Bars, Pile } from "./MachineDrawing.tsx";
import { logit, shortShare } from "./numbers.ts";
import { useGroup } from "./parts.tsx";
import { TEMPERATURES } from "./rail.tsx";
import { along, foot, marks, path, ties, type Place } from "./simplex.ts";
import { fillColour, Grip, shortened, Text, textColour } from "./stage.tsx";

interface Props {
  place: Place;
  labels: readonly string[];
  logits: readonly number[];
  temperature: number;
  shares: readonly number[];
  choices: number;
  /** From one end of the logits' axis to the middle. */
  extent: number;
  live: boolean;
}

const quiet = "var(--sw-ink2)";
const line = (points: readonly Point[]): string => `M${points.map((point) => point.map(tidy).join(" ")).join("L")}`;

export function Triangle({ place, labels, logits, temperature, shares, live }: Props) {
  const { narrow, side, corners, pointOf } = place;
  const group = useGroup();
  const dot = pointOf(shares);
  const way = line(path(logits).map(pointOf));
  const [x, y] = dot.map(tidy) as [number, number];
  return (
    <g>
      {corners.map(([x1, y1], i) => {
        const [x2, y2] = pointOf(foot([0, 0, 0].with(i, 1), i));
        return (
          <g key={i}>
            <linearGradient id={`${group}-${i}`} gradientUnits="userSpaceOnUse" {...{ x1, y1, x2, y2 }}>
              <stop offset="0" style={{ stopColor: fillColour(i) }} stop-opacity=".62" />
              <stop offset=".75" style={{ stopColor: fillColour(i) }} stop-opacity="0" />
            </linearGradient>
            <path d={`${line(corners)}Z`} fill={`url(#${group}-${i})`} />
          </g>
        );
      })}
      {[0.25, 0.5, 0.75].map((part) =>
        corners.map((_, i) => (
          <path key={`${part} ${i}`} class="sw-level" stroke-width={part === 0.5 ? 2 : 1} d={line([1, 2].map((j) => pointOf([0, 0, 0].with(i, part).with((i + j) % 3, 1 - part))))} />
        )),
      )}
      {corners.map((_, i) => (
        <path key={i} class="sw-measure" d={line([dot, pointOf(foot(shares, i))])} style={{ stroke: fillColour(i) }} />
      ))}
      <path class="sw-way sw-way-rim" d={way} />
      <path class="sw-way" d={way} />
      {marks(logits, temperature, TEMPERATURES, place).map(({ text, point, label }) => (
        <g key={text}>
          <circle class={text === "∞" ? "sw-way-end" : "sw-way-mark"} cx={tidy(point[0])} cy={tidy(point[1])} r="4.5" />
          {label && (
            <Text x={tidy(label[0])} y={tidy(label[1] + 5)} size={14} weight={650} anchor="middle" halo>
              {text}
            </Text>
          )}
        </g>
      ))}
      {corners.map(([x, y], i) => (
        <Text key={i} x={tidy(x)} y={tidy(y) + (i === 2 ? -12 : 24)} size={18} weight={750} anchor={(["start", "end", "middle"] as const)[i]} colour={textColour(i)}>
          {shortened(labels[i]!, Math.floor(side / 22))}
        </Text>
      ))}
      {live ? <Grip id="dot" radius={13} {...{ x, y }} /> : <circle class="sw-way-end" cx={x} cy={y} r={narrow ? 11 : 9} />}
    </g>
  );
}

export function Beside({ place, labels, logits, temperature, shares, choices, extent, live }: Props) {
  const { narrow, left, across, strip, bars, axis, rows, rail } = place;
  const heading = { size: 16, weight: 700 };
  // In a lying strip of the machine the last class comes first.
  const parts = sharesOf(shares.toReversed(), left, across, true).map(({ share }) => share).reverse();
  const numbers = spread(parts.map(({ start, length }) => start + length / 2), 62, left + 26, left + across - 26);
  const divided = temperature !== 1;
  const [a, b, c] = logits as [number, number, number];
  const backwards = Math.abs(a + b + c) < 1e-9; // what is read from shares adds up to 0
  const powers = logits.map((z) => z / temperature);
  const placed = rows.map((y, i) => ({ y, grip: along(axis, extent, logits[i]!), tip: along(axis, extent, powers[i]!) }));
  return (
    <g>
      <Text x={left} y={strip - 12} {...heading}>
        Shares
      </Text>
      <Text x={left + across} y={strip - 12} size={15} anchor="end" colour={quiet}>
        <tspan class="sw-choices" data-value={String(choices)}>
          {choices.toFixed(1)}
        </tspan>
        {" effective choices"}
      </Text>
      <Pile machine={{ turned: true }} flow={{ start: strip, length: 40 }} parts={parts} />
      {numbers.map((x, i) => (
        <Text key={i} x={tidy(x)} y={strip + 60} size={17} weight={700} anchor="middle" colour={textColour(i)}>
          {shortShare(shares[i]!)}
        </Text>
      ))}
      {numbers.map((x, i) => (
        <Text key={i} x={tidy(x)} y={strip + 76} size={13} anchor="middle" colour={textColour(i)}>
          {shortened(labels[i]!, 8)}
        </Text>
      ))}
      <g transform={`translate(${left} ${bars})`}>
        <Axis machine={{ turned: narrow, axis }} temperature={temperature} live={live} hint={divided ? "÷ temperature" : backwards ? "found from the shares" : undefined} left={0} />
        {rows.map((y, i) => (
          <g key={i}>
            <Text x={0} y={y + 5} size={15} weight={700} colour={textColour(i)}>
              {shortened(labels[i]!, 7)}
            </Text>
            {divided && (
              <Text x={0} y={y + 20} size={12} colour={quiet} halo>
                {`÷ T = ${logit(Math.round(powers[i]! * 10) / 10)}`}
              </Text>
            )}
            {!live && (
              <Text x={across - 2} y={y + 6} size={16} weight={500} anchor="end">
                {logit(logits[i]!)}
              </Text>
            )}
          </g>
        ))}
        <Bars machine={{ turned: narrow, axis, rows: placed }} {...{ temperature, live }} />
      </g>
      <Text x={left} y={rail - 24} {...heading}>
        Temperature
      </Text>
      <Text x={left} y={rail + 47} size={13} colour={quiet}>
        {`cold: ${["a corner", "an edge", "the middle"][ties(logits) - 1]}`}
      </Text>
      <Text x={left + across - 24} y={rail + 47} size={13} anchor="end" colour={quiet}>
        hot: the middle
      </Text>
    </g>
  );
}
