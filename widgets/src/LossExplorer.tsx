import { useRef } from "preact/hooks";
import { explainStep } from "./explain.ts";
import type { ViewProps } from "./home.ts";
import { axisExtent } from "./layout.ts";
import { lossPicture } from "./loss.ts";
import { LossDrawing } from "./LossDrawing.tsx";
import { LOGIT_STEP, LogitControls } from "./MachineControls.tsx";
import { Names, StillNames, withDecimal } from "./Names.tsx";
import { amount, exponential, logit, points, saidShares, share, shortExponential } from "./numbers.ts";
import { Actions, HiddenTable, Spoken } from "./parts.tsx";
import { Rail, RailControls } from "./rail.tsx";
import { crossEntropyGradient, entropy, softmax } from "./softmax.ts";
import { indexOf, Stage, textColour, toStep } from "./stage.tsx";
import { clamp, labelsOf, MOST_SMOOTHING } from "./state.ts";
import { targetOf, useSteps } from "./steps.ts";

const LEARNT = 0.1; // a loss under this, beyond the least that there can be
const RAIL_END = 0.5;
const SMOOTHING_STEP = 0.01;
const SMOOTHINGS = [
  [0, "0"],
  [0.1, "0.1"],
  [RAIL_END, "0.5"],
] as const;

/** Logits that learn what is wanted: arrows of given minus wanted, a step along them, and the loss that falls. */
export function LossExplorer({ state, home, width, still }: ViewProps<"LossExplorer">) {
  const { logits, wanted, smoothing, rate, smooth } = state;
  const labels = labelsOf(state, logits.length);
  const target = targetOf(state);
  const { shown, done, losses, fresh, take, startAgain, keep } = useSteps(state, home);
  const extent = axisExtent(home.stored.logits); // the stored state's: the axis never changes while one pulls
  const drawn = lossPicture({ logits: shown, target, rate, losses, done, extent, width });
  const { turned, axis } = drawn;

  const railStart = turned ? 100 : 110;
  const railEnd = turned ? width - 70 : 310;
  const rail = {
    ...{ id: "smoothing", name: "label smoothing", value: smoothing, y: drawn.height + 20, turned },
    at: (value: number) => railStart + (Math.min(value, RAIL_END) / RAIL_END) * (railEnd - railStart),
  };
  const setLogit = (i: number, value: number) => home.update({ logits: logits.with(i, value) });
  const setSmoothing = (value: number) => home.update({ smoothing: clamp(value, 0, MOST_SMOOTHING) });
  const held = useRef(state);
  const grab = () => {
    const { logits, smoothing } = (held.current = state);
    const resume = keep();
    return () => {
      resume();
      home.update({ logits, smoothing });
    };
  };
  const pull = (grip: string, dx: number) => {
    if (grip === "smoothing") setSmoothing(toStep(clamp(held.current.smoothing + (dx / (railEnd - railStart)) * RAIL_END, 0, RAIL_END), SMOOTHING_STEP));
    else {
      const i = indexOf(grip);
      setLogit(i, toStep(clamp(clamp(held.current.logits[i]!, -extent, extent) + dx / axis.scale, -extent, extent), LOGIT_STEP));
    }
  };

  const loss = losses.at(-1)!;
  const shares = softmax(logits);
  const least = entropy(target);
  const learnt = loss - least < LEARNT;
  const steps = losses.length - 1;
  const lost = `${shortExponential(loss)} after ${steps} ${steps === 1 ? "step" : "steps"}`;
  const note = explainStep(losses, least, learnt, fresh);
  const names = {
    ...{ labels, values: logits, rows: drawn.middles, turned: false, column: drawn.names, selected: wanted },
    tag: learnt ? "learnt" : "wanted",
  };

  return (
    <div class="sw sw-picture sw-loss" role="group" aria-label="given minus wanted">
      <p class="sw-headline">Given minus wanted</p>
      <p class="sw-subline">
        Each arrow is{" "}
        <i>y − p</i>
        {` times the step size, ${amount(rate)}: it shows where the bar will go. The arrows add up to 0, because `}
        <i>p</i>
        {` and `}
        <i>y</i>
        {` both add up to 1. `}
        <span style={{ visibility: still ? "hidden" : undefined }}>Tap a name to make it the wanted class.</span>
      </p>
      <Stage
        width={width}
        height={drawn.height + (smooth ? 54 : 0)}
        onGrab={still ? undefined : grab}
        onPull={still ? undefined : pull}
        controls={
          !still && (
            <>
              <Names {...names} group="wanted class" written={(z) => withDecimal(Number(z.toFixed(2)))} onSelect={(i) => home.update({ wanted: i })} onChange={setLogit} />
              <LogitControls
                {...{ labels, logits, extent }}
                rows={drawn.rows}
                says={(i) => `given ${share(shares[i]!)}, wanted ${share(target[i]!)}`}
                onChange={setLogit}
              />
              {smooth && (
                <RailControls
                  {...rail}
                  text={String(smoothing)}
                  slider={smoothing}
                  from={0}
                  to={Math.max(RAIL_END, smoothing)}
                  step={SMOOTHING_STEP}
                  boxAt={railEnd + 20}
                  least={0}
                  onSlide={setSmoothing}
                  onChange={setSmoothing}
                />
              )}
            </>
          )
        }
      >
        <LossDrawing drawn={drawn} labels={labels} target={target} loss={lost} live={!still} />
        {still && <StillNames {...names} width={width} />}
        {smooth && <Rail {...rail} name="smoothing" marks={SMOOTHINGS} note={[0, ""]} live={!still} />}
      </Stage>
      <div class="sw-formula">
        loss = −{least > 0 && (<>∑ <i>y</i> </>)}ln <i>p</i>{" = "}
        {least > 0 || <>−ln <b style={{ color: textColour(wanted) }}>{exponential(shares[wanted]!)}</b>{" = "}</>}
        <b class="sw-marked">{exponential(loss)}</b>
      </div>
      <div class="sw-buttons">
        {!still && (
          <>
            <button type="button" class="sw-button sw-first" onClick={() => take(1)}>
              One step
            </button>
            <button type="button" class="sw-button" onClick={() => take(10)}>
              Ten steps
            </button>
            <button type="button" class="sw-button" aria-disabled={steps === 0} onClick={startAgain}>
              Start again
            </button>
          </>
        )}
      </div>
      <p class="sw-note">{note}</p>
      <HiddenTable
        caption={`Given minus wanted; the loss is ${lost}`}
        labels={labels}
        columns={[
          ["logit", logits, logit],
          ["given", shares, share],
          ["wanted", target, share],
          ["given − wanted", crossEntropyGradient(shares, target), points],
        ]}
      />
      {!still && <Spoken>{`Loss ${lost}. ${note} ${saidShares(labels, shares)}.`}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}
