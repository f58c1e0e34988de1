// The windows of the formats as a drawing: what `lanes` computed, in the colours of the page.

import { showGiven } from "./format.ts";
import type { Lane, Lanes } from "./lanes.ts";
import type { Format } from "./precision.ts";
import { fillColour, Grip, shortened, Text, textColour } from "./stage.tsx";
import type { Verdict } from "./verdict.ts";

interface Props {
  drawn: Lanes;
  labels: readonly string[];
  values: readonly number[];
  /** Where the logits were before the largest was subtracted. */
  rings: readonly number[];
  verdicts: readonly Verdict[];
  format: Format;
  /** Under "Logits": what can be done. */
  note: string;
  /** Whether the numbers are drawn; they are not where boxes stand in which they can be typed. */
  numbers: boolean;
  live: boolean;
}

export function LanesDrawing({ drawn, labels, values, rings, verdicts, format, note, numbers, live }: Props) {
  const { narrow, left, right, rail, ticks, dots, bar, lanes, laneHeight } = drawn;
  const bottom = lanes.at(-1)!.top + laneHeight;
  const radius = narrow ? 13 : 11;
  return (
    <>
      <Text x={narrow ? 4 : 0} y={15} size={narrow ? 15 : 16} weight={700}>
        Logits
      </Text>
      <Text x={narrow ? 58 : 60} y={15} size={13} colour="var(--sw-ink2)">
        {note}
      </Text>
      {ticks.map(({ x, text }) => (
        <g key={text}>
          <path class={text === "0" ? "sw-zero" : "sw-grid"} d={`M${x} ${rail - 12}V${bottom + 6}`} />
          <Text x={x} y={rail + 30} size={narrow ? 12 : 13} anchor="middle" colour="var(--sw-ink2)" halo>
            {text}
          </Text>
        </g>
      ))}
      {lanes.map((lane) => (
        <LaneDrawing key={lane.format} drawn={drawn} lane={lane} />
      ))}
      {dots.map(({ x }, i) => (
        <path key={i} class="sw-plumb" d={`M${x} ${rail}V${bottom + 4}`} style={{ stroke: fillColour(i) }} />
      ))}
      {lanes.map((lane, k) => (
        <LaneText key={lane.format} drawn={drawn} lane={lane} verdict={verdicts[k]!} chosen={lane.format === format} />
      ))}
      {lanes.map(({ format: name, top, marks }) =>
        marks.map(({ x, held, text }, i) => (
          <g key={`${name} ${i}`} pointer-events="none">
            <circle
              class={held ? "sw-held" : "sw-lost"}
              cx={x}
              cy={top + 11}
              r={held ? 6.5 : 5.5}
              style={held ? { fill: fillColour(i), stroke: textColour(i) } : { stroke: textColour(i) }}
            />
            {text && (
              <Text x={x} y={top + 31} size={text === "∞" ? 16 : 13} weight={800} anchor="middle" colour={textColour(i)} halo>
                {text}
              </Text>
            )}
          </g>
        )),
      )}
      <path class="sw-rail" d={`M${left} ${rail}H${right}`} />
      <g data-grip={live ? "shift" : undefined}>
        <rect x={bar.start} y={rail - 22} width={bar.length} height="44" fill="transparent" />
        <rect class="sw-all" x={bar.start} y={rail - 8} width={bar.length} height="16" rx="8" />
      </g>
      {rings.map((value, i) => (
        <circle key={i} class="sw-ring" cx={drawn.at(value)} cy={rail} r="10" style={{ stroke: textColour(i) }} />
      ))}
      {dots.map(({ x, labelX, labelTop }, i) => (
        <g key={i}>
          {(Math.abs(x - labelX) > 8 || labelTop < rail - 70) && (
            <path class="sw-leader" d={`M${labelX} ${labelTop + 43}L${x} ${rail - radius}`} style={{ stroke: fillColour(i) }} />
          )}
          <Text class="sw-halo sw-dot-name" x={labelX} y={labelTop + 16} size={15} weight={750} anchor="middle" colour={textColour(i)} halo>
            {shortened(labels[i]!, 8)}
          </Text>
          {numbers && (
            <Text x={labelX} y={labelTop + 34} size={15} weight={500} anchor="middle" halo>
              {showGiven(values[i]!)}
            </Text>
          )}
        </g>
      ))}
      {dots.map(({ x }, i) =>
        live ? (
          <Grip key={i} x={x} y={rail} id={`logit ${i}`} of={i} radius={radius} />
        ) : (
          <circle key={i} class="sw-held" cx={x} cy={rail} r="8" style={{ fill: fillColour(i), stroke: textColour(i) }} />
        ),
      )}
    </>
  );
}

interface LaneProps {
  drawn: Lanes;
  lane: Lane;
}

function LaneDrawing({ drawn, lane }: LaneProps) {
  const { left, right, laneHeight } = drawn;
  const { format, top, window, poor } = lane;
  return (
    <g data-tap={format}>
      <rect class="sw-lane" x={left} y={top} width={right - left} height={laneHeight} />
      <rect class="sw-window" x={window.start} y={top} width={window.length} height={laneHeight} />
      <rect class="sw-poor" x={poor.start} y={top} width={poor.length} height={laneHeight} />
      <rect class="sw-frame" x={window.start} y={top} width={window.length} height={laneHeight} />
    </g>
  );
}

/** The name of the format, the ends of its window, and what became of softmax in it. */
function LaneText({ drawn, lane: { format, top, window, ends }, verdict, chosen }: LaneProps & { verdict: Verdict; chosen: boolean }) {
  const { narrow, right, laneHeight } = drawn;
  const ink = verdict.mark === "✕" ? "var(--sw-bad)" : undefined;
  const nameY = narrow ? top - 10 : top + 23;
  const words = `${verdict.mark} ${verdict.word}`;
  return (
    <g data-tap={format}>
      {chosen && <rect class="sw-chosen-name" y={nameY - 18} width="78" height="25" rx="6" />}
      <Text x={6} y={nameY} size={narrow ? 15 : 16} weight={700} colour={chosen ? "var(--sw-hi-ink)" : undefined} halo={!chosen}>
        {format}
      </Text>
      {[window.start, window.start + window.length].map((x, k) => (
        <Text key={k} x={x} y={top + laneHeight + 14} size={12} anchor="middle" colour="var(--sw-ink2)" halo>
          {ends[k]!}
        </Text>
      ))}
      {narrow ? (
        <text class="sw-halo" x={right} y={nameY} text-anchor="end" font-size="13" style={{ fill: "var(--sw-ink2)" }}>
          <tspan font-size="15" font-weight="750" style={{ fill: ink ?? "var(--sw-ink)" }}>
            {words}
          </tspan>
          {` ${verdict.detail}`}
        </text>
      ) : (
        <>
          <Text x={right + 16} y={top + 15} size={17} weight={750} colour={ink}>
            {words}
          </Text>
          <Text x={right + 16} y={top + 33} size={13} colour="var(--sw-ink2)">
            {verdict.detail}
          </Text>
        </>
      )}
    </g>
  );
}
