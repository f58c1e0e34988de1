// Arrows, strips and the curve of the loss: what `lossPicture` computed, in the colours of the page.

import type { LossPicture } from "./loss.ts";
import { Axis, Bars, Pile } from "./MachineDrawing.tsx";
import { exponential, logit, shortPoints, shortShare } from "./numbers.ts";
import { fillColour, shortened, Text, textColour } from "./stage.tsx";

interface Props {
  drawn: LossPicture;
  labels: readonly string[];
  target: readonly number[];
  /** What the loss is, and after how many steps. */
  loss: string;
  /** Whether the reader can pull: there are grips, and the headings say so. */
  live: boolean;
}

const quiet = "var(--sw-ink2)";

export const LossDrawing = (props: Props) => (
  <>
    <Axis machine={props.drawn} temperature={1} live={false} hint={props.live ? "drag, or step" : undefined} left={0} />
    <Arrows {...props} />
    <Bars machine={props.drawn} temperature={1} live={props.live} />
    <Differences {...props} />
    <Strips {...props} />
    <Losses {...props} />
  </>
);

const Arrows = ({ drawn: { arrows } }: Props) => (
  <g>
    {arrows.map(({ y, from, to, path, torn }, i) => (
      <g key={i}>
        <path class="sw-zero" d={`M${from} ${y - 6}v12`} />
        <path d={path} />
        {torn !== null && (
          <Text x={to} y={y - 6} size={13} anchor={torn > 0 ? "end" : "start"} halo>
            {`to ${logit(torn)}`}
          </Text>
        )}
      </g>
    ))}
  </g>
);

/** "25", "8.7", "<0.1": a share beside others, without its sign. */
const bare = (p: number): string => shortShare(p).replace(/\u2009.*/, "");

function Differences({ drawn: { turned, column, middles, shares, gradient }, target }: Props) {
  const end = { x: column, anchor: "end" as const };
  return (
    <g>
      <Text {...end} y={turned ? 15 : 20} size={turned ? 13 : 16} weight={700}>
        given − wanted
      </Text>
      {!turned && (
        <Text {...end} y={37} size={13} colour={quiet}>
          points, sum 0
        </Text>
      )}
      {middles.map(({ y }, i) => (
        <g key={i}>
          <Text {...end} y={y + 6} size={turned ? 18 : 21} weight={800} colour={textColour(i)}>
            {shortPoints(gradient[i]!)}
          </Text>
          <Text {...end} y={y + 23} size={turned ? 12 : 13.5} colour={quiet}>
            {`${bare(shares[i]!)} − ${bare(target[i]!)}`}
          </Text>
        </g>
      ))}
    </g>
  );
}

function Strips({ drawn, labels }: Props) {
  const { turned, given, wanted, givenParts, wantedParts, givenNames, ribbons } = drawn;
  const strips = [
    ["Given", "p", given, givenParts, given.start - 22],
    ["Wanted", "y", wanted, wantedParts, wanted.start + 49],
  ] as const;
  return (
    <g>
      {ribbons.map((ribbon, i) => ribbon && <path key={i} class="sw-ribbon" d={ribbon} style={{ fill: fillColour(i) }} />)}
      {strips.map(([name, symbol, flow, parts, turnedY]) => (
        <g key={name}>
          <Text x={turned ? 0 : flow.start} y={turned ? turnedY : 20} size={turned ? 15 : 16} weight={700}>
            {name}
          </Text>
          <Text class="sw-serif" font-style="italic" x={turned ? 10.5 * name.length : flow.start} y={turned ? turnedY : 38} size={16} colour={quiet}>
            {symbol}
          </Text>
          <Pile machine={drawn} flow={flow} parts={parts.map(({ share }) => share)} />
        </g>
      ))}
      {givenNames.map(({ i, at }) => (
        <Text key={i} x={turned ? at : given.start - 5} y={turned ? given.start - 5 : at + 5} size={13} weight={600} anchor={turned ? "middle" : "end"} colour={textColour(i)}>
          {shortened(labels[i]!, 5)}
        </Text>
      ))}
    </g>
  );
}

function Losses({ drawn: { turned, chart }, loss }: Props) {
  const { left, right, top, bottom, levels, ticks, points, least } = chart;
  const now = points.at(-1)!;
  const anchor = turned ? "start" : "end"; // a long number grows to where there is room
  const torn = points.findLast(({ y }) => y < top); // it leaves the chart, and its number stands there
  return (
    <g>
      <Text x={turned ? 0 : right} y={turned ? top - 24 : 20} size={turned ? 15 : 16} weight={700} anchor={anchor}>
        Loss
      </Text>
      <Text x={turned ? 42 : right} y={turned ? top - 24 : 37} size={13} anchor={anchor} colour={quiet}>
        {loss}
      </Text>
      <path class="sw-dotted" d={`M${left} ${least}H${right}`} />
      {levels.map(({ y, value }) => (
        <g key={value}>
          <path class={value ? "sw-grid" : "sw-zero"} d={`M${left} ${y}H${right}`} />
          <Text x={left - 11} y={y + 5} size={turned ? 12 : 13} anchor="end" colour={quiet}>
            {value}
          </Text>
        </g>
      ))}
      {ticks.map(({ x, value }) => (
        <Text key={value} x={x} y={bottom + 17} size={turned ? 12 : 13} anchor="middle" colour={quiet}>
          {value}
        </Text>
      ))}
      <Text x={(left + right) / 2} y={bottom + 34} size={13} anchor="middle" colour={quiet}>
        steps
      </Text>
      <svg x={left} y={top} width={right - left} height={bottom - top} viewBox={`${left} ${top} ${right - left} ${bottom - top}`}>
        <path class="sw-join" d={`M${points.map(({ x, y }) => `${x} ${y}`).join("L")}`} />
      </svg>
      {points.map(({ x, y }, k) => y >= top && <circle key={k} cx={x} cy={y} r="3.2" />)}
      {torn && (
        <Text x={Math.min(torn.x, right - 8)} y={top - 9} size={13} anchor="middle" halo>
          {`↑ ${exponential(torn.loss)}`}
        </Text>
      )}
      <circle class="sw-outline" cx={now.x} cy={Math.max(now.y, top)} r="6" style={{ fill: "var(--sw-hi)" }} />
    </g>
  );
}
