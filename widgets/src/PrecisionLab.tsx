import { useEffect, useRef, useState } from "preact/hooks";
import { show, showGiven, showProbability } from "./format.ts";
import type { ViewProps } from "./home.ts";
import { FARTHEST, lanes } from "./lanes.ts";
import { LanesDrawing } from "./LanesDrawing.tsx";
import { animate } from "./motion.ts";
import { Actions, Grid, NumberBox, Spoken, ValueTable } from "./parts.tsx";
import { formats, run, ulps, type Format, type Run } from "./precision.ts";
import { softmax } from "./softmax.ts";
import { Control, indexOf, Stage, toStep } from "./stage.tsx";
import { clamp, labelsOf, LEAST_FACTOR } from "./state.ts";
import { explainRun, showUlps, verdict, verdictText, YARDSTICK } from "./verdict.ts";

const SLIDES = 800; // milliseconds

/** Near 0, where float16 ends, in tenths; farther out in whole numbers. */
const stepAt = (value: number): number => (Math.abs(value) < 20 ? 0.1 : 1);

const stepped = (value: number): number => toStep(value, stepAt(value));

/** A logit in at most seven letters: "−88.722", "702.44". */
const inFewLetters = (value: number): string => String(Number(value.toFixed(Math.abs(value) < 100 ? 3 : 2)));

/** How much of the largest is subtracted, from 0 to 1, and what puts it there or back. */
function useSlide() {
  const [part, setPart] = useState(0);
  const stop = useRef(() => {});
  useEffect(() => () => stop.current(), []);
  const slideTo = (goal: 0 | 1) => {
    stop.current();
    stop.current = animate(SLIDES, (t) => setPart(t < 1 ? part + (goal - part) * t : goal));
  };
  return { part, slideTo };
}

/** The windows of four formats on one number line: logits to push out of them, and back by subtracting the largest. */
export function PrecisionLab({ state, home, width, still }: ViewProps<"PrecisionLab">) {
  const { logits, format, shift, scale } = state;
  const labels = labelsOf(state, logits.length);
  const moved = logits.map((z) => z * scale + shift);
  const exact = softmax(moved);
  const largest = Math.max(...moved);
  const { part, slideTo } = useSlide();
  const subtracted = part === 1;
  const values = part === 0 ? moved : moved.map((z) => z - part * largest);
  const runs = formats.map((name) => run(name, subtracted ? moved : values, subtracted));
  const verdicts = formats.map((name, k) => verdict(labels, name, runs[k]!, exact));
  const drawn = lanes({ values, labels, runs, width });
  const chosen = formats.indexOf(format);

  /** Stores the logit that stands at `value` on the axis, without the dust of taking off the shift. */
  const put = (i: number, value: number) =>
    home.update({ logits: logits.with(i, Number(((value - shift) / scale).toPrecision(15))) });
  const held = useRef({ values, shift, grabbed: 0, taken: 0 });
  const grab = (_: string, x: number) => {
    held.current = { values, shift, grabbed: drawn.valueAt(x), taken: part * largest };
    return () => home.update({ logits, shift });
  };
  const pull = (grip: string, dx: number) => {
    const { values: before, shift: shiftBefore, grabbed, taken } = held.current;
    if (grip === "shift") home.update({ shift: clamp(stepped(shiftBefore + drawn.pulled(grabbed, dx) - grabbed), -FARTHEST, FARTHEST) });
    else put(indexOf(grip), stepped(drawn.pulled(before[indexOf(grip)]!, dx) + taken));
  };
  const became = (i: number) => `e^z is ${show(runs[chosen]!.exponentials[i]!)} in ${format}`;
  const note = part > 0 ? "after subtracting the largest" : still ? "" : "drag a dot, or the bar for all";

  return (
    <div class="sw sw-precision" role="group" aria-label="precision lab">
      <Stage
        width={width}
        height={drawn.height}
        onGrab={still ? undefined : grab}
        onPull={still ? undefined : pull}
        onTap={still ? undefined : (target) => home.update({ format: target as Format })}
        controls={
          !still && (
            <>
              {labels.map((label, i) => (
                <div key={i}>
                  {part === 0 && (
                    <span class="sw-at" style={{ left: `${drawn.dots[i]!.labelX}px`, top: `${drawn.dots[i]!.labelTop + 20}px` }}>
                      <NumberBox name={`logit of ${label}`} value={Number(moved[i]!.toPrecision(12))} written={inFewLetters} onChange={(value) => put(i, value)} />
                    </span>
                  )}
                  <Control
                    id={`logit ${i}`}
                    name={`logit of ${label}`}
                    text={`${label}: logit ${showGiven(moved[i]!)}, ${became(i)}`}
                    value={moved[i]!}
                    from={-FARTHEST}
                    to={FARTHEST}
                    step={stepAt(moved[i]!)}
                    x={drawn.dots[i]!.x}
                    y={drawn.rail}
                    onChange={(value) => put(i, value)}
                  />
                </div>
              ))}
              <Control
                id="shift"
                name="shift all"
                text={`all logits plus ${showGiven(shift)}`}
                value={shift}
                from={-FARTHEST}
                to={FARTHEST}
                step={1}
                x={drawn.bar.start + drawn.bar.length - 8}
                y={drawn.rail}
                onChange={(value) => home.update({ shift: value })}
              />
            </>
          )
        }
      >
        <LanesDrawing
          drawn={drawn}
          labels={labels}
          values={values}
          rings={part > 0 ? moved : []}
          verdicts={verdicts}
          format={format}
          note={note}
          numbers={still || part > 0}
          live={!still}
        />
      </Stage>
      <div class="sw-subtract">
        <div>
          {!still && (
            <button type="button" class="sw-button sw-first" onClick={() => slideTo(subtracted ? 0 : 1)}>
              {subtracted ? "Put the largest back" : "Subtract the largest"}
            </button>
          )}
        </div>
        <p class="sw-note">
          <b>{format}.</b> {explainRun(labels, format, moved, run(format, moved, part > 0), exact)}
        </p>
      </div>
      <p class="sw-settings">
        <label>
          each step in{" "}
          {still ? (
            <b>{format}</b>
          ) : (
            <select aria-label="format" value={format} onChange={({ currentTarget }) => home.update({ format: currentTarget.value as Format })}>
              {formats.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </label>
        <span>
          {"every logit × "}
          {still ? showGiven(scale) : <NumberBox name="scale all" value={scale} least={LEAST_FACTOR} onChange={(value) => home.update({ scale: value })} />}
          {" + "}
          {still ? showGiven(shift) : <NumberBox name="shift all" value={shift} onChange={(value) => home.update({ shift: value })} />}
        </span>
      </p>
      <div class="sw-both">
        {[false, true].map((shifted) => (
          <Steps key={shifted} labels={labels} format={format} exact={exact} shifted={shifted} made={run(format, moved, shifted)} />
        ))}
      </div>
      {format === "float64" && <p class="sw-yardstick">{YARDSTICK}</p>}
      <div class="sw-hidden">
        <ValueTable caption="Logits, exact exponentials and shares" labels={labels} logits={moved} exponentials={moved.map(Math.exp)} probabilities={exact} />
        <Grid
          kind="sw-all-formats"
          caption="In every format"
          heads={["format", "naive", "shifted"]}
          names={formats}
          cells={(k) =>
            [false, true].map((shifted) => (
              <td key={shifted} role="cell">
                {verdictText(verdict(labels, formats[k]!, run(formats[k]!, moved, shifted), exact))}
              </td>
            ))
          }
        />
      </div>
      {!still && <Spoken>{verdicts.map((made, k) => `${formats[k]}: ${verdictText(made)}.`).join(" ")}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}

interface StepsProps {
  labels: readonly string[];
  format: Format;
  exact: readonly number[];
  shifted: boolean;
  made: Run;
}

function Steps({ labels, format, exact, shifted, made }: StepsProps) {
  const { powers, exponentials, total, quotients } = made;
  const errors = ulps(format, quotients, exact);
  const z = shifted ? "z − m" : "z";
  return (
    <Grid
      kind="sw-steps"
      caption={
        <>
          {shifted ? "Less the maximum m" : `Naive, in ${format}`}
          <small>{`sum ${show(total)}`}</small>
        </>
      }
      heads={["class", <i>{z}</i>, <>e<sup>{z}</sup></>, "quotient", "error, ULP"]}
      names={labels}
      cells={(i) => (
        <>
          <td role="cell">{show(powers[i]!)}</td>
          <td role="cell">
            <Value x={exponentials[i]!} />
          </td>
          <td role="cell" data-value={String(quotients[i])}>
            <Value x={quotients[i]!} zero={total === Infinity ? "over ∞" : "underflow"} say={showProbability} />
          </td>
          <td role="cell">{showUlps(format, errors[i]!)}</td>
        </>
      )}
    />
  );
}

/** A number, and in words what became of it. */
function Value({ x, zero = "underflow", say = show }: { x: number; zero?: string; say?: (x: number) => string }) {
  const word = x === 0 ? zero : x === Infinity ? "overflow" : "";
  return (
    <>
      {say(x)} {word && <small>{word}</small>}
    </>
  );
}
