// Rails under a picture: for what has no body that one could pull, a shift of all logits and a temperature.

import { logit, temperature as showTemperature } from "./numbers.ts";
import { NumberBox } from "./parts.tsx";
import { Control, Grip, Text } from "./stage.tsx";

export interface RailPlace {
  /** From a value to a place on the rail. */
  at: (value: number) => number;
  y: number;
  turned: boolean;
}

interface RailProps extends RailPlace {
  id: string;
  name?: string;
  value: number;
  marks: readonly (readonly [value: number, text: string])[];
  /** Where the sentence about it begins, and what it says. */
  note?: readonly [x: number, text: string];
  /** A bar from here to the grip. */
  from?: number;
  live: boolean;
}

/** A name, a rail with its marks, a grip, and what it does in words. */
export function Rail({ id, name, value, at, y, turned, marks, note, from, live }: RailProps) {
  const places = marks.map(([mark]) => at(mark));
  return (
    <g>
      {name && (
        <Text x={turned ? 8 : 0} y={y + 5} size={turned ? 14 : 15} weight={600}>
          {name}
        </Text>
      )}
      <path class="sw-rail" d={`M${places[0]} ${y}H${places.at(-1)}`} />
      {marks.map(([mark, text], i) => (
        <g key={mark}>
          <path class="sw-rail" d={`M${places[i]} ${y - 6}v12`} />
          <Text x={places[i]!} y={y + 25} size={12} anchor="middle" colour="var(--sw-ink2)">
            {text}
          </Text>
        </g>
      ))}
      {from !== undefined && <path class="sw-rail-bar" d={`M${at(from)} ${y}H${at(value)}`} />}
      {live ? <Grip x={at(value)} y={y} id={id} radius={turned ? 13 : 11} /> : <circle cx={at(value)} cy={y} r="7" />}
      {note && (
        <Text x={note[0]} y={y + 5} size={15} anchor={turned ? "end" : "start"} class="sw-serif">
          {note[1]}
        </Text>
      )}
    </g>
  );
}

interface RailControlsProps extends Pick<RailProps, "id" | "value" | "at" | "y" | "turned"> {
  name: string;
  /** What a screen reader says of the value. */
  text: string;
  /** What the native slider holds, and between which ends. */
  slider: number;
  from: number;
  to: number;
  step: number;
  /** Where the box begins; turned, it ends at the right edge. */
  boxAt: number;
  least?: number;
  written?: (value: number) => string;
  onSlide: (slider: number) => void;
  onChange: (value: number) => void;
}

/** The native slider over a rail's grip, and a box for its number. */
export const RailControls = ({ id, name, value, at, y, turned, text, slider, from, to, step, boxAt, least, written, onSlide, onChange }: RailControlsProps) => (
  <>
    <Control {...{ id, name, text, from, to, step, y }} value={slider} x={at(value)} onChange={onSlide} />
    <div class={turned ? "sw-rail-box sw-turned" : "sw-rail-box"} style={{ top: `${y}px`, left: turned ? undefined : `${boxAt}px` }}>
      <NumberBox {...{ name, value, least, written, onChange }} />
    </div>
  </>
);

export const SHIFTS = [
  [-3, "−3"],
  [0, "0"],
  [3, "+3"],
] as const;

export const TEMPERATURES = [
  [0.25, "¼"],
  [0.5, "½"],
  [1, "1"],
  [2, "2"],
  [4, "4"],
] as const;

/** The temperature at a place of a slider that holds log₂ T. Ten presses of a key make exactly a factor of 2. */
export const temperatureAt = (slider: number): number => Number((2 ** (Math.round(slider * 10) / 10)).toPrecision(4));

/** A temperature near one of the marks is that mark. */
export const caught = (temperature: number, marks: RailProps["marks"] = TEMPERATURES): number =>
  marks.map(([mark]) => mark).find((mark) => Math.abs(Math.log(temperature / mark)) < 0.07) ?? temperature;

export const shiftNote = (shift: number, factor: string): string =>
  shift === 0 ? "" : `All logits ${shift > 0 ? "+" : "−"} ${logit(Math.abs(shift))}: tower × ${factor}. Strip: the same.`;

export const temperatureNote = (temperature: number): string =>
  temperature === 1
    ? ""
    : `Every logit ÷ ${showTemperature(temperature)}: ${
        temperature > 1 ? "bars shrink, shares even out." : "bars grow, the largest takes all."
      }`;
