import { useEffect, useMemo, useRef } from "preact/hooks";
import { bestTemperature, calibrationAt, COLDEST, examplesOf, HOTTEST, lossAt, lossCurve, type Bin } from "./calibration.ts";
import type { ViewProps } from "./home.ts";
import { animate } from "./motion.ts";
import { exponential, share, shortPoints, temperature as showTemperature } from "./numbers.ts";
import { Actions, Grid, NumberBox, Spoken, useGroup } from "./parts.tsx";
import { caught, Rail, temperatureAt, TEMPERATURES } from "./rail.tsx";
import { lossLevels, lossPath, place } from "./reliability.ts";
import { FEW, LossDrawing, ReliabilityDrawing } from "./ReliabilityDrawing.tsx";
import { Control, Stage, Text } from "./stage.tsx";
import { clamp, LEAST_FACTOR } from "./state.ts";

const { log, log2, exp } = Math;

const LASTS = 700; // milliseconds, to the lowest loss or back
const STEP = 0.1; // of log2 T, for an arrow key
const MARKS = [...TEMPERATURES, [HOTTEST, "8"]] as const;

const rounded = (temperature: number): number => Number(temperature.toPrecision(4));

/** Whether a classifier's shares can be believed: what it said against how many were right, at a temperature that the reader drags. */
export function CalibrationExplorer({ state, home, width, still }: ViewProps<"CalibrationExplorer">) {
  const { logits, truth, temperature, selected } = state;
  // What does not depend on the temperature, once: a drag has 16 ms.
  const { examples, curve, levels, best } = useMemo(() => {
    const examples = examplesOf(logits, truth);
    const curve = lossCurve(examples);
    const first = lossAt(examples, home.stored.temperature);
    const levels = lossLevels(curve.map(([, loss]) => loss), first);
    return { examples, curve, levels, best: rounded(bestTemperature(examples)) };
  }, [logits, truth]);
  const total = logits.length;
  const placed = place(width);
  const path = lossPath(curve, levels.at(-1)!, placed);
  const { bins, error, loss } = calibrationAt(examples, temperature);
  const { narrow, frame, base, column, rail, typed, at } = placed;

  const stop = useRef(() => {});
  useEffect(() => () => stop.current(), []);
  /** The home, to whatever the reader does: that ends a journey of the temperature. */
  const reader = {
    ...home,
    update(changes: Partial<typeof state>) {
      stop.current();
      home.update(changes);
    },
  };
  const travel = (to: number) => {
    stop.current();
    const from = log(temperature);
    stop.current = animate(LASTS, (t) => home.update({ temperature: t < 1 ? rounded(exp(from + (log(to) - from) * t)) : to }));
  };
  const setTemperature = (value: number) => reader.update({ temperature: value });
  const select = (bin: number) => reader.update({ selected: bin });
  const held = useRef(1);
  const grab = () => {
    held.current = clamp(temperature, COLDEST, HOTTEST);
    return () => setTemperature(temperature);
  };
  const pull = (_: string, dx: number) => {
    const wanted = held.current * (HOTTEST / COLDEST) ** (dx / (placed.loss.right - placed.loss.left));
    setTemperature(rounded(caught(clamp(wanted, COLDEST, HOTTEST), MARKS)));
  };

  const group = useGroup();
  const off = shortPoints(error).replace("+", "");
  const heat = `temperature ${showTemperature(temperature)}`;
  const numbers = `${heat}: calibration error ${off} points, loss ${exponential(loss)}`;
  const said = selected === null ? "" : explainBin(selected, bins[selected]!);
  const lowest = Math.abs(temperature / best - 1) < 0.005 ? explainBest(best) : "";
  const few = bins.some(({ count }) => count > 0 && count < FEW) ? `Hollow: fewer than ${FEW} examples, too few to say much.` : "";
  const box = (placed.loss.left + placed.loss.right) / 2;

  return (
    <div class="sw sw-picture sw-calibration" role="group" aria-label="reliability diagram">
      <p class="sw-headline">
        Calibration error <span data-value={String(error)}>{off} points</span>, <span class="sw-whole">loss <span data-value={String(loss)}>{exponential(loss)}</span></span>
      </p>
      <p class="sw-subline">
        <span data-value={String(examples.accuracy)}>{share(examples.accuracy)}</span> right, at every temperature. At which one do the dots lie nearest to the diagonal?
        {!still && " Drag the grip."}
      </p>
      <Stage
        width={width}
        height={placed.height}
        {...(!still && { onGrab: grab, onPull: pull, onTap: (bin) => select(Number(bin)) })}
        controls={
          !still && (
            <>
              <div role="radiogroup" aria-label="bin">
                {bins.map(({ count }, i) => (
                  <input
                    key={i}
                    type="radio"
                    class="sw-bin"
                    name={group}
                    checked={i === selected}
                    aria-label={`said ${rangeOf(i)}: ${count} examples`}
                    style={{ left: `${frame.left + i * column}px`, top: `${base - 42}px`, width: `${column}px` }}
                    onChange={() => select(i)}
                  />
                ))}
              </div>
              <Control
                id="temperature"
                name="temperature"
                text={numbers}
                value={log2(temperature)}
                from={log2(COLDEST)}
                to={log2(HOTTEST)}
                step={STEP}
                x={at(temperature)}
                y={rail}
                onChange={(value) => setTemperature(temperatureAt(value))}
              />
              <div class="sw-typed" style={{ left: `${box}px`, top: `${typed}px` }}>
                <span aria-hidden="true">temperature</span>
                <NumberBox name="temperature" value={temperature} least={LEAST_FACTOR} onChange={setTemperature} />
              </div>
            </>
          )
        }
      >
        <ReliabilityDrawing place={placed} {...{ bins, total, selected }} />
        <LossDrawing place={placed} {...{ levels, path, temperature, loss, best }} within={temperature >= COLDEST && temperature <= HOTTEST} />
        <Rail id="temperature" value={temperature} {...{ at }} y={rail} turned={narrow} marks={MARKS} live={!still} />
        {still && (
          <Text x={box} y={typed + 5} size={15} anchor="middle">
            {heat}
          </Text>
        )}
      </Stage>
      <p class="sw-note">{[said || (still ? "" : "Tap a dot or a count for its numbers."), lowest, few].join(" ")}</p>
      <div class="sw-buttons">
        {!still && (
          <>
            <button type="button" class="sw-button sw-first" onClick={() => travel(best)}>
              Lowest loss
            </button>
            <button type="button" class="sw-button" onClick={() => travel(home.stored.temperature)}>
              Start again
            </button>
          </>
        )}
      </div>
      <div class="sw-hidden">
        <Grid
          kind="sw-bins"
          caption={`Bins at ${heat}`}
          heads={["said", "examples", "said on average", "true"]}
          names={bins.map((_, i) => rangeOf(i))}
          cells={(i) => (
            <>
              <td data-value={String(bins[i]!.count)}>{bins[i]!.count}</td>
              {[bins[i]!.said, bins[i]!.true].map((each, k) => (
                <td key={k} data-value={String(each)}>
                  {bins[i]!.count ? share(each) : "–"}
                </td>
              ))}
            </>
          )}
        />
      </div>
      {!still && <Spoken>{`${numbers}. ${said} ${lowest}`}</Spoken>}
      <Actions home={reader} still={still} />
    </div>
  );
}

const rangeOf = (bin: number): string => `${bin * 10} to ${bin * 10 + 10} %`;

function explainBin(i: number, { count, said, true: right }: Bin): string {
  if (count === 0) return `At this temperature it says ${rangeOf(i)} of no example.`;
  if (count === 1) return `It said ${share(said)} in one example, and was ${right ? "right" : "wrong"}.`;
  return `It said ${share(said)} on average in ${count} examples; ${share(right)} of them were right.`;
}

/** The search ends within a rounding of an end of the rail where the valley lies beyond it. */
function explainBest(best: number): string {
  const end = best === COLDEST || best === HOTTEST;
  return end ? "Here, at the end of the rail, the loss still falls." : `Here, at ${showTemperature(best)}, the loss is lowest.`;
}
