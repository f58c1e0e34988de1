import { useRef } from "preact/hooks";
import { Formula } from "./Formula.tsx";
import type { ViewProps } from "./home.ts";
import { useCamera } from "./camera.ts";
import { axisExtent } from "./layout.ts";
import { machine, roomFor } from "./machine.ts";
import { LOGIT_STEP, MachineControls } from "./MachineControls.tsx";
import { MachineDrawing } from "./MachineDrawing.tsx";
import { StillNames, withDecimal } from "./Names.tsx";
import { exponential, logit, saidShares, temperature as showTemperature } from "./numbers.ts";
import { Actions, Spoken, ValueTable } from "./parts.tsx";
import { caught, Rail, RailControls, shiftNote, SHIFTS, temperatureAt, temperatureNote, TEMPERATURES } from "./rail.tsx";
import { scaled } from "./softmax.ts";
import { indexOf, Stage, toStep } from "./stage.tsx";
import { atTheLimits } from "./limits.ts";
import { clamp, labelsOf, LEAST_FACTOR } from "./state.ts";

const { log, exp } = Math;

/** The softmax machine: bars to pull, their exponentials as a tower, and the tower as shares of one whole. */
export function LogitExplorer({ state, home, width, still }: ViewProps<"LogitExplorer">) {
  const { logits, temperature, shift, selected, sliders } = state;
  const labels = labelsOf(state, logits.length);
  const powers = scaled(logits, shift, temperature);
  const total = powers.reduce((sum, power) => sum + exp(power), 0);
  const room = roomFor(logits.length, width);
  const camera = useCamera(total, room);
  const extent = axisExtent(home.stored.logits); // the stored state's: the axis never changes while one pulls
  const drawn = machine({ powers, logits: logits.map((z) => z + shift), extent, unit: camera.unit, width });
  const { turned, axis, probabilities } = drawn;

  const railHeight = turned ? 58 : 54;
  const height = drawn.height + sliders.length * railHeight + (turned && sliders.length ? 6 : 0);
  const middle = turned ? 72 + (width - 102) / 2 : axis.zero;
  const reach = turned ? Math.min((width - 200) / 2, 140) : 3 * axis.scale * (extent / 5);
  const boxAt = axis.zero + 5.2 * axis.scale * (extent / 5) + 8;
  const rails = sliders.map((id, k) => {
    const y = drawn.height + (turned ? 26 : 20) + k * railHeight;
    return id === "shift"
      ? {
          id,
          y,
          name: "shift all",
          value: shift,
          text: `shift ${logit(shift)}`,
          marks: SHIFTS,
          from: 0,
          at: (value: number) => middle + (clamp(value, -3, 3) / 3) * reach,
          note: shiftNote(shift, exponential(exp(shift / temperature))),
          slider: shift, // what the native slider holds, up to `end` on either side
          end: 3,
          valueOf: (slider: number) => slider,
        }
      : {
          id,
          y,
          name: "temperature",
          value: temperature,
          text: `temperature ${showTemperature(temperature)}`,
          marks: TEMPERATURES,
          at: (value: number) => middle + (turned ? 0 : 18) + clamp(log(value) / log(4), -1, 1) * reach,
          note: temperatureNote(temperature),
          slider: Math.log2(temperature),
          end: 2,
          valueOf: temperatureAt,
        };
  });

  const change = (grip: string, value: number) => {
    if (grip === "shift") home.update({ shift: value });
    else if (grip === "temperature") home.update({ temperature: value });
    else {
      const i = indexOf(grip);
      home.update({ logits: logits.with(i, value), selected: i });
    }
  };
  const held = useRef(state);
  const grab = (grip: string) => {
    const before = (held.current = state);
    if (grip.startsWith("logit")) home.update({ selected: indexOf(grip) });
    const { logits, shift, temperature, selected } = before;
    return () => home.update({ logits, shift, temperature, selected });
  };
  const pull = (grip: string, dx: number) => {
    if (grip === "shift") change(grip, toStep(clamp(held.current.shift + (dx / reach) * 3, -3, 3), LOGIT_STEP));
    else if (grip === "temperature") change(grip, caught(clamp(held.current.temperature * exp((dx / reach) * log(4)), 0.25, 4)));
    else change(grip, toStep(clamp(held.current.logits[indexOf(grip)]! + dx / axis.scale, -extent, extent), LOGIT_STEP));
  };
  const odd = atTheLimits(labels, drawn.exponentials, probabilities);

  return (
    <div class="sw sw-machine" role="group" aria-label="softmax machine">
      <Stage
        width={width}
        height={height}
        onGrab={still ? undefined : grab}
        onPull={still ? undefined : pull}
        onTap={still ? undefined : (target) => home.update({ selected: Number(target) })}
        controls={
          !still && (
            <>
              <MachineControls
                machine={drawn}
                labels={labels}
                logits={logits}
                extent={extent}
                selected={selected}
                camera={camera}
                onSelect={(i) => home.update({ selected: i })}
                onChange={(i, value) => change(`logit ${i}`, value)}
              />
              {rails.map(({ end, valueOf, ...rail }) => (
                <RailControls
                  key={rail.id}
                  {...rail}
                  {...{ turned, boxAt }}
                  from={-end}
                  to={end}
                  step={LOGIT_STEP}
                  least={rail.id === "temperature" ? LEAST_FACTOR : undefined}
                  written={rail.id === "shift" ? withDecimal : undefined}
                  onSlide={(x) => change(rail.id, valueOf(x))}
                  onChange={(x) => change(rail.id, x)}
                />
              ))}
            </>
          )
        }
      >
        <MachineDrawing machine={drawn} labels={labels} shift={shift} temperature={temperature} selected={selected} live={!still} />
        {still && <StillNames {...{ labels, turned, selected, width }} values={logits} rows={drawn.rows} />}
        {rails.map(({ note, ...rail }) => (
          <Rail key={rail.id} {...rail} turned={turned} live={!still} note={[boxAt + 58, turned ? "" : note]} />
        ))}
      </Stage>
      <Formula labels={labels} powers={powers} probabilities={probabilities} selected={selected} />
      {odd && <p class="sw-note">{odd}</p>}
      <ValueTable caption="Logits, exponentials and shares" {...{ labels, logits, probabilities }} exponentials={drawn.exponentials} />
      {!still && <Spoken>{`${saidShares(labels, probabilities)}. ${camera.said}`}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}
