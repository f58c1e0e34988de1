// Shares, cuts, the needle and the dots: what `sampling.ts` placed, in the colours of the page.

import type { ComponentChildren } from "preact";
import { exponential, shortShare } from "./numbers.ts";
import { useGroup } from "./parts.tsx";
import { falling, type Column, type Dot, type Place, type Sampled } from "./sampling.ts";
import { fillColour, Grip, Text, textColour } from "./stage.tsx";

/** Columns narrower than this have no room for a per cent sign at each share. */
const TIGHT = 40;

export interface Fall {
  /** The first draw that falls; those before it lie already. */
  from: number;
  /** Milliseconds since it began to fall. */
  elapsed: number;
}

/** How long a dot falls, and after which time the next one does, in milliseconds. */
export const FALLS = 620;
export const APART = 22;

interface Props {
  place: Place;
  columns: readonly Column[];
  sampled: Sampled;
  /** The kept share and the draws of each column. */
  parts: readonly number[];
  counts: readonly number[];
  temperature: string;
  /** The random numbers, and where the words that they drew have their dots. */
  numbers: readonly number[];
  dots: readonly Dot[];
  fall: Fall;
}

export function SamplingDrawing({ place, columns, sampled, parts, counts, temperature, numbers, dots, fall }: Props) {
  const { narrow, width, first, second, thick, top, base, column, pitch, row, radius } = place;
  const { kept, whole, shares } = sampled;
  const hatch = useGroup();
  const hatched = `url(#${hatch})`;
  const tight = column < TIGHT;
  const written = parts.map((part, i) => (i < kept ? (tight ? shortShare(part).slice(0, -2) : shortShare(part)) : "cut"));
  return (
    <>
      <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path class="sw-cut-hatch" d="M0 0v6" />
      </pattern>
      <Text x={0} y={15} size={narrow ? 15 : 16} weight={700}>
        {narrow ? "Shares" : "Shares of the next word"}
        <tspan font-size="14" font-weight="400" style={{ fill: "var(--sw-ink2)" }}>{`${tight ? " in %," : ""} at temperature ${temperature}`}</tspan>
      </Text>
      {columns.map(({ share: [start, end, all], again, ribbon, funnel, middle, expected }, i) => (
        <g key={i} style={{ fill: fillColour(i) }}>
          {all - end > 0.05 && <rect class="sw-part" x={end} y={first} width={all - end} height={thick} style={{ fill: hatched }} />}
          {i < kept ? (
            <>
              <path class="sw-ribbon" d={ribbon} />
              <path class="sw-ribbon" d={funnel} />
              <rect class="sw-part" x={start} y={first} width={Math.max(end - start, 0.8)} height={thick} />
              <rect class="sw-part" x={again[0]} y={second} width={Math.max(again[1] - again[0], 0.8)} height={thick} />
              <rect
                class="sw-expected"
                x={middle - (row * pitch + 2) / 2}
                y={base - expected}
                width={row * pitch + 2}
                height={expected}
                style={{ stroke: textColour(i) }}
              />
            </>
          ) : (
            <rect x={i * column + 3} y={top} width={column - 6} height={base - top} style={{ fill: hatched }} opacity="0.3" />
          )}
          <Text x={middle} y={base + 40} size={!narrow ? 15 : written[i]!.length > 4 ? 12 : 13} anchor="middle" colour={i < kept ? undefined : "var(--sw-ink2)"}>
            {written[i]}
          </Text>
          <Text x={middle} y={base + 58} size={narrow ? 12 : 14} anchor="middle" colour="var(--sw-ink2)">
            {counts[i] ? `${counts[i]}×` : ""}
          </Text>
        </g>
      ))}
      {kept < shares.length && (
        <Text x={width} y={first + thick + 17} size={14} weight={700} anchor="end" halo>
          {`÷ ${exponential(whole)} kept`}
        </Text>
      )}
      <path class="sw-zero" d={`M0 ${base}H${width}`} />
      {dots.map((dot, k) => {
        const t = k < fall.from ? 1 : Math.min((fall.elapsed - (k - fall.from) * APART) / FALLS, 1);
        const [x, y] = falling(dot, numbers[k]!, t, place);
        return t > 0 && <circle key={k} class="sw-draw" cx={x} cy={y} r={radius} style={{ fill: fillColour(dot.column), stroke: textColour(dot.column) }} />;
      })}
      {numbers.length > 0 && <Needle place={place} number={numbers.at(-1)!} />}
    </>
  );
}

/** The random number: where it stands on the strip is the word that it draws. */
function Needle({ place: { width, second, thick }, number }: { place: Place; number: number }) {
  const x = number * width;
  const right = x < width - 52;
  return (
    <g class="sw-needle">
      <path class="sw-needle-rim" d={`M${x} ${second - 2}V${second + thick + 5}`} />
      <path d={`M${x} ${second - 6}V${second + thick + 6}`} />
      <path d={`M${x - 7} ${second - 15}h14l-7 9Z`} />
      <Text x={right ? x + 12 : x - 12} y={second - 7} size={14} weight={700} anchor={right ? "start" : "end"} halo>
        {number.toFixed(2)}
      </Text>
    </g>
  );
}

interface CutProps {
  place: Place;
  id: string;
  x: number;
  /** The line, and where its grip is. */
  line: string;
  y: number;
  live: boolean;
  children: ComponentChildren;
}

/** Where a grip near the right edge has its room. */
export const gripAt = (x: number, { width }: Place): number => Math.min(x, width - 14);

/** A line that cuts, its grip, and beside it what it is set to. */
export function Cut({ place, id, x, line, y, live, children }: CutProps) {
  const grip = gripAt(x, place);
  const left = grip > 110;
  return (
    <g>
      <path class="sw-cut-line" d={line} />
      <Text x={left ? grip - 20 : grip + 20} y={y + 5} size={14} weight={650} anchor={left ? "end" : "start"} halo>
        {children}
      </Text>
      {live && <Grip x={grip} y={y} id={id} radius={place.narrow ? 13 : 11} />}
    </g>
  );
}
