import { useRef } from "preact/hooks";
import type { ViewProps } from "./home.ts";
import { axisExtent, type Point } from "./layout.ts";
import { LOGIT_STEP, LogitControls } from "./MachineControls.tsx";
import { withDecimal } from "./Names.tsx";
import { amount, logit, saidShares, share, temperature as showTemperature } from "./numbers.ts";
import { Actions, HiddenTable, NumberBox, Spoken } from "./parts.tsx";
import { caught, Rail, RailControls, temperatureAt, TEMPERATURES } from "./rail.tsx";
import { along, dropped, place, relative, ties } from "./simplex.ts";
import { Beside, Triangle } from "./SimplexDrawing.tsx";
import { crossEntropy, softmax } from "./softmax.ts";
import { indexOf, Stage, Text, toStep, UprightGrip } from "./stage.tsx";
import { clamp, labelsOf, LEAST_FACTOR } from "./state.ts";

const { exp, log2 } = Math;

const rounded = (temperature: number): number => Number(temperature.toPrecision(4));

/** All shares that three classes can have: from logits to a dot in the triangle, and from a dragged dot back to logits. */
export function SimplexExplorer({ state, home, width, still }: ViewProps<"SimplexExplorer">) {
  const { logits, temperature } = state;
  const labels = labelsOf(state, 3);
  const scaled = relative(logits, temperature);
  const shares = softmax(scaled);
  const entropy = crossEntropy(scaled, shares); // with themselves: nothing cancels where a share is nearly 1
  const choices = exp(entropy);
  const extent = axisExtent(home.stored.logits); // the stored state's: the axis never changes while one pulls
  const placed = place(width, extent);
  const { narrow, left, across, bars, axis, rail, at, pointOf, sharesAt } = placed;
  const dot = pointOf(shares);

  const setLogit = (i: number, value: number) => home.update({ logits: logits.with(i, value) });
  const setTemperature = (value: number) => home.update({ temperature: value });
  const held = useRef({ logits, temperature, dot });
  const grab = () => {
    held.current = { logits, temperature: clamp(temperature, 0.25, 4), dot };
    return () => home.update({ logits, temperature });
  };
  const pull = (grip: string, dx: number, dy: number) => {
    const from = held.current;
    if (grip === "dot") home.update({ logits: dropped(sharesAt([from.dot[0] + dx, from.dot[1] + dy] as Point), temperature) });
    else if (grip === "temperature") setTemperature(rounded(caught(clamp(from.temperature * 16 ** (dx / (at(4) - at(0.25))), 0.25, 4))));
    else {
      const i = indexOf(grip);
      setLogit(i, toStep(clamp(clamp(from.logits[i]!, -extent, extent) + dx / axis.scale, -extent, extent), LOGIT_STEP));
    }
  };

  const heat = `temperature ${showTemperature(temperature)}`;
  const effective = `${choices.toFixed(1)} effective choices`;
  const drawn = { place: placed, labels, logits, temperature, shares, choices, extent, live: !still };
  const rails = { id: "temperature", value: temperature, at, y: rail, turned: narrow };

  return (
    <div class="sw sw-picture sw-simplex" role="group" aria-label="triangle of shares">
      <p class="sw-headline">Every possible answer about three classes</p>
      <p class="sw-subline">
        Each point is one list of shares. The line in a class’s colour is long where the class is likely. A higher temperature moves the dot along the curve, to the middle.
        <span style={{ visibility: still ? "hidden" : undefined }}> Drag the dot, and the logits follow.</span>
      </p>
      <Stage
        width={width}
        height={placed.height}
        {...(!still && { onGrab: grab, onPull: pull })}
        controls={
          !still && (
            <>
              <UprightGrip id="dot" x={dot[0]} y={dot[1]} />
              <LogitControls
                {...{ labels, logits, extent }}
                rows={placed.rows.map((y, i) => ({ y: bars + y, grip: left + along(axis, extent, logits[i]!), tip: 0 }))}
                says={(i) => `share ${share(shares[i]!)}`}
                onChange={setLogit}
              />
              {placed.rows.map((y, i) => (
                <div key={i} class="sw-rail-box" style={{ left: `${left + across - 54}px`, top: `${bars + y}px` }}>
                  <NumberBox name={`logit of ${labels[i]}`} value={logits[i]!} written={(z) => withDecimal(Number(z.toFixed(2)))} onChange={(z) => setLogit(i, z)} />
                </div>
              ))}
              <RailControls
                {...rails}
                turned={false}
                name="temperature"
                text={`${heat}: ${effective}`}
                slider={log2(temperature)}
                from={-2}
                to={2}
                step={LOGIT_STEP}
                boxAt={left + across - 54}
                least={LEAST_FACTOR}
                onSlide={(x) => setTemperature(temperatureAt(x))}
                onChange={setTemperature}
              />
            </>
          )
        }
      >
        <Triangle {...drawn} />
        <Beside {...drawn} />
        <Rail {...rails} marks={TEMPERATURES} live={!still} />
        {still && (
          <Text x={left + across - 2} y={rail + 6} size={16} weight={500} anchor="end">
            {showTemperature(temperature)}
          </Text>
        )}
      </Stage>
      <p class="sw-note">
        Entropy {amount(entropy)} nats, and <i>e</i>
        <sup>{amount(entropy)}</sup> = {choices.toFixed(1)}: as uncertain as {choices.toFixed(1)} equal choices. {coldEnd(labels, logits)}
      </p>
      <HiddenTable
        caption={`Logits and shares at ${heat}: ${effective}`}
        labels={labels}
        columns={[
          ["logit", logits, logit],
          ["share", shares, share],
        ]}
      />
      {!still && <Spoken>{`${saidShares(labels, shares)}: ${effective}`}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}

/** Where the path of temperature begins. */
function coldEnd(labels: readonly string[], logits: readonly number[]): string {
  const largest = labels.filter((_, i) => logits[i] === Math.max(...logits));
  if (ties(logits) === 3) return "All logits are equal: no temperature moves the dot.";
  return ties(logits) === 2 ? `Cold leads halfway between ${largest.join(" and ")}, whose logits are equal.` : `Cold leads to the corner of ${largest[0]}.`;
}
