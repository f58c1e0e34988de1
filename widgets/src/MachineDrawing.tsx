// The softmax machine as a drawing: what `machine` computed, in the colours of the page.

import { exponential, logit, shortExponential, shortShare, whole } from "./numbers.ts";
import type { Machine, Share, Stretch } from "./machine.ts";
import { fillColour, Grip, shortened, Text, textColour } from "./stage.tsx";

interface Props {
  machine: Machine;
  labels: readonly string[];
  temperature: number;
  shift?: number;
  selected: number;
  /** Whether the reader can pull: there are grips, and the headings say so. */
  live: boolean;
}

/** A rectangle by its stretches along the flow and across it. */
function Box({ machine, flow, across, ...rest }: { machine: Pick<Machine, "turned">; flow: Stretch; across: Stretch; [name: string]: unknown }) {
  const [x, y] = machine.turned ? [across, flow] : [flow, across];
  return <rect x={x.start} y={y.start} width={x.length} height={y.length} {...rest} />;
}

/** A line across the flow, from side to side of tower or strip. */
function Across({ machine, flow, at, ...rest }: { machine: Pick<Machine, "turned">; flow: Stretch; at: number; [name: string]: unknown }) {
  const [from, to] = [flow.start, flow.start + flow.length];
  return machine.turned ? <path d={`M${at} ${from}V${to}`} {...rest} /> : <path d={`M${from} ${at}H${to}`} {...rest} />;
}

interface PileProps {
  machine: Pick<Machine, "turned">;
  flow: Stretch;
  parts: readonly Stretch[];
  /** Whether a tap on a part selects its class. */
  tapped?: boolean;
}

/** The classes' parts of a tower or a strip, with gaps between them. */
export const Pile = ({ machine, flow, parts, tapped }: PileProps) => (
  <>
    {parts.map((part, i) => (
      <Box key={i} machine={machine} flow={flow} across={part} style={{ fill: fillColour(i) }} data-tap={tapped ? i : undefined} />
    ))}
    {parts.slice(0, -1).map(({ start }, i) => (
      <Across key={i} machine={machine} flow={flow} at={Math.max(start, parts[i + 1]!.start)} class="sw-gap" />
    ))}
  </>
);

export function MachineDrawing(props: Props) {
  return (
    <>
      <Axis {...props} />
      <Flow {...props} />
      <Tower {...props} />
      <Strip {...props} />
      <Bars {...props} />
    </>
  );
}

interface AxisProps {
  machine: Pick<Machine, "turned" | "axis">;
  temperature: number;
  shift?: number;
  live: boolean;
  /** The heading, and what stands under it, where that is not how to pull. */
  heading?: string;
  hint?: string;
  /** What the axis shows without shift and temperature, and the letter for what these change. */
  title?: string;
  of?: string;
  /** Where the heading begins. */
  left?: number;
}

export function Axis({ machine, temperature, shift = 0, live, heading = "Logits", hint, title: plain = "logit z", of = "z", left }: AxisProps) {
  const { turned, axis } = machine;
  const { zero, scale, top, bottom, ticks, every } = axis;
  const moved = shift ? `${of} ${shift < 0 ? "−" : "+"} ${logit(Math.abs(shift))}` : of;
  const divided = `${shift ? `(${moved})` : of} ÷ ${Number(temperature.toPrecision(2))}`;
  const title = temperature !== 1 ? divided : shift ? moved : plain;
  return (
    <g>
      <Text x={left ?? (turned ? 8 : 0)} y={turned ? 15 : 20} size={turned ? 15 : 16} weight={700}>
        {heading}
      </Text>
      {(live || hint) && (
        <Text class="sw-hint" x={turned ? 62 : 0} y={turned ? 15 : 37} size={13} colour="var(--sw-ink2)">
          {hint ?? (turned ? "drag a bar sideways" : "drag a bar")}
        </Text>
      )}
      {ticks.map((tick) => (
        <path
          key={tick}
          class={tick === 0 ? "sw-zero" : "sw-grid"}
          d={`M${zero + tick * scale} ${top - 2}V${bottom}`}
        />
      ))}
      {ticks
        .filter((tick) => tick % every === 0)
        .map((tick) => (
          <Text key={tick} x={zero + tick * scale} y={bottom + (turned ? 15 : 17)} size={turned ? 12 : 13} anchor="middle" colour="var(--sw-ink2)">
            {String(tick).replace("-", "−")}
          </Text>
        ))}
      {!turned && (
        <Text x={zero} y={bottom + 34} size={13} anchor="middle" colour="var(--sw-ink2)">
          {title}
        </Text>
      )}
      {turned && title !== plain && (
        <Text x={8} y={bottom + 15} size={12} colour="var(--sw-ink2)">
          {title}
        </Text>
      )}
    </g>
  );
}

/** Horns and projections, cut off where the picture ends. */
export function Flow({ machine, selected }: Pick<Props, "machine" | "selected">) {
  return (
    <g class="sw-clipped">
      {machine.parts.map(({ horn, projection }, i) => (
        <g key={i} class={i === selected ? "sw-ribbon sw-selected" : "sw-ribbon"} style={{ fill: fillColour(i) }} data-tap={i}>
          <path d={horn} />
          <path d={projection} />
        </g>
      ))}
    </g>
  );
}

/** The exponentials on top of each other; `sum` is the letter for their sum. */
export function Tower({ machine, selected, sum = "S" }: Pick<Props, "machine" | "selected"> & { sum?: string }) {
  const { turned, parts, tower, strip, courses, foot, unitBrick, tearing, total } = machine;
  const torn = tearing > 1;
  const chosen = parts[selected]!;
  const end = turned ? machine.width - 6 : 6;
  const times = tearing < 9.95 ? tearing.toFixed(1) : exponential(Math.round(tearing));
  const size = total < 0.0005 ? `${sum} < 0.0005` : `${sum} = ${exponential(total)}`;
  const side = Math.max(Math.min(unitBrick.side, 26), 1);
  const scale = `= ${whole(unitBrick.worth)}`;
  const scaleRoom = 7 + 7 * scale.length; // at the right edge of the picture
  const middle = tower.start + tower.length / 2;
  const heading = turned ? machine.width - 4 : tower.start - 9;
  return (
    <g>
      <g class="sw-clipped">
        <Pile machine={machine} flow={tower} parts={parts.map(({ brick }) => brick)} tapped />
        {courses.map((at) => (
          <Across key={at} machine={machine} flow={tower} at={at} class="sw-course" />
        ))}
        <Box machine={machine} flow={tower} across={chosen.brick} class="sw-outline" />
      </g>
      {torn && <path class="sw-teeth" d={teeth(tower, end, turned)} />}
      {parts.map(({ brickLabel }, i) => (
        <Text
          key={i}
          x={turned ? brickLabel : tower.start - 7}
          y={turned ? tower.start - 6 : brickLabel + 5}
          size={turned ? 13.5 : 14.5}
          weight={i === selected ? 750 : 500}
          anchor={turned ? "middle" : "end"}
          colour={textColour(i)}
          halo
          data-tap={i}
        >
          {shortExponential(machine.exponentials[i]!)}
        </Text>
      ))}
      <Text x={heading} y={turned ? machine.axis.bottom + 58 : 20} size={turned ? 15 : 16} weight={700} anchor="end" halo>
        Exponentials
      </Text>
      <Text x={heading} y={turned ? machine.axis.bottom + 76 : 37} size={turned ? 14 : 13} weight={turned || torn ? 700 : 400} anchor="end" halo colour={turned || torn ? undefined : "var(--sw-ink2)"}>
        {turned ? size : torn ? `${size}: ${times} × this height` : "one tower"}
      </Text>
      {turned && torn && (
        <Text x={heading} y={machine.axis.bottom + 92} size={12.5} anchor="end" halo>
          {`${times} × this width`}
        </Text>
      )}
      {!turned && !torn && (
        <Text x={Math.max(middle, tower.start + 46)} y={Math.min(parts[0]!.brick.start - 8, foot - 10)} size={15} weight={700} anchor="middle" halo>
          {size}
        </Text>
      )}
      {turned ? (
        <>
          <rect class="sw-frame" x={machine.width - scaleRoom - 4 - side} y={tower.start + tower.length + 7} width={side} height={side} />
          <Text x={machine.width - scaleRoom} y={tower.start + tower.length + 7 + Math.max(side / 2 + 4, 9)} size={13} weight={600}>
            {scale}
          </Text>
        </>
      ) : (
        <>
          <path class="sw-foot" d={`M${tower.start - 4} ${foot}H${strip.start + strip.length + 4}`} />
          <rect class="sw-frame" x={tower.start} y={foot + 7} width={side} height={side} />
          <Text x={tower.start + side + 6} y={foot + 7 + Math.max(side / 2 + 4.5, 11)} size={13} weight={600}>
            {scale}
          </Text>
        </>
      )}
      <Text
        x={turned ? 8 : (tower.start + tower.length + strip.start) / 2}
        y={turned ? tower.start + tower.length + 38 : foot + 17}
        size={15}
        weight={700}
        anchor={turned ? "start" : "middle"}
        halo
      >
        {`÷ ${sum}`}
      </Text>
    </g>
  );
}

/** The torn end of a tower that is longer than the picture. */
function teeth({ start, length }: Stretch, end: number, turned: boolean): string {
  const count = 8;
  const inwards = turned ? -8 : 8;
  const edge = Array.from({ length: count + 1 }, (_, k) => [start + (length * k) / count, end + (k % 2 ? inwards : 0)] as const);
  const outside = end - 3 * inwards;
  const all = [...edge, [start + length, outside] as const, [start, outside] as const];
  return `M${all.map(([flow, across]) => (turned ? `${across} ${flow}` : `${flow} ${across}`)).join("L")}Z`;
}

/** The selected share is as large as the room at the right edge allows: "67 %", "2.0 %", ">99.9 %". */
const sizeOf = (text: string): number => (text.length <= 4 ? 24 : text.length <= 5 ? 21 : 19);

interface StripProps {
  machine: Pick<Machine, "turned" | "strip" | "probabilities" | "foot"> &
    Partial<Pick<Machine, "aside" | "shares">> & { parts: readonly Share[] };
  labels: readonly string[];
  selected: number;
  /** The classes whose shares are written; all, where there is room. */
  written?: readonly number[];
}

export function Strip({ machine, labels, selected, written }: StripProps) {
  const { turned, parts, strip, aside, probabilities, foot } = machine;
  const far = machine.shares ?? strip.start + strip.length;
  return (
    <g>
      {!turned && (
        <>
          <Text x={strip.start} y={20} size={16} weight={700} halo>
            Shares
          </Text>
          <Text x={strip.start} y={37} size={13} colour="var(--sw-ink2)" halo>
            one whole
          </Text>
          {!aside && (
            <Text x={strip.start + strip.length / 2} y={foot + 17} size={13} anchor="middle" colour="var(--sw-ink2)">
              {`sum ${shortShare(1)}`}
            </Text>
          )}
        </>
      )}
      <Pile machine={machine} flow={strip} parts={parts.map(({ share }) => share)} tapped />
      <Box machine={machine} flow={strip} across={parts[selected]!.share} class="sw-outline" />
      {parts.map(({ share, shareLabel }, i) => {
        if (written && !written.includes(i)) return null;
        const chosen = i === selected;
        const middle = share.start + share.length / 2;
        const colour = textColour(i);
        return turned ? (
          <g key={i} data-tap={i}>
            <Text x={shareLabel} y={far + 20} size={chosen ? 19 : 16} weight={chosen ? 800 : 650} anchor="middle" colour={colour}>
              {shortShare(probabilities[i]!)}
            </Text>
            <Text x={shareLabel} y={far + 37} size={13} anchor="middle" colour={colour}>
              {shortened(labels[i]!, 8)}
            </Text>
          </g>
        ) : (
          <g key={i} data-tap={i}>
            {Math.abs(shareLabel - middle) > 4 && (
              <path class="sw-leader" d={`M${far + 2} ${middle}L${far + 9} ${shareLabel}`} style={{ stroke: fillColour(i) }} />
            )}
            <Text x={far + 11} y={shareLabel + 6} size={chosen ? sizeOf(shortShare(probabilities[i]!)) : 19} weight={chosen ? 800 : 600} colour={colour}>
              {shortShare(probabilities[i]!)}
            </Text>
          </g>
        );
      })}
    </g>
  );
}

/** What one pulls: a bar for each logit, dashed where the temperature made another of it. */
interface BarsProps {
  machine: Pick<Machine, "turned" | "axis" | "rows">;
  temperature: number;
  live: boolean;
}

export function Bars({ machine, temperature, live }: BarsProps) {
  const { turned, axis, rows } = machine;
  const thick = turned ? 22 : 24;
  return (
    <g>
      {rows.map(({ y, grip, tip }, i) => (
        <g key={i}>
          {temperature !== 1 && (
            <rect class="sw-ghost" x={Math.min(axis.zero, grip)} y={y - thick / 2} width={Math.abs(grip - axis.zero)} height={thick} style={{ stroke: fillColour(i) }} />
          )}
          <rect x={Math.min(axis.zero, tip)} y={y - thick / 2} width={Math.max(Math.abs(tip - axis.zero), 0.5)} height={thick} style={{ fill: fillColour(i) }} data-grip={live ? `logit ${i}` : undefined} data-tap={i} />
        </g>
      ))}
      <path class="sw-zero" d={`M${axis.zero} ${axis.top - 2}V${axis.bottom}`} pointer-events="none" />
      {live && rows.map(({ y, grip }, i) => <Grip key={i} x={grip} y={y} id={`logit ${i}`} of={i} radius={turned ? 13 : 11} />)}
    </g>
  );
}
