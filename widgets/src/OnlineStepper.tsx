import { useEffect, useRef, useState } from "preact/hooks";
import type { ViewProps } from "./home.ts";
import { axisExtent, clampTo, tidy } from "./layout.ts";
import { machine, NEAREST } from "./machine.ts";
import { Axis, Bars, Flow, Strip, Tower } from "./MachineDrawing.tsx";
import { LOGIT_STEP, LogitControls } from "./MachineControls.tsx";
import { animate } from "./motion.ts";
import { Names, StillNames } from "./Names.tsx";
import { amount, exponential, logit, share } from "./numbers.ts";
import { exponentsOf, readAll } from "./online.ts";
import { Actions, HiddenTable, Spoken } from "./parts.tsx";
import { softmax } from "./softmax.ts";
import { fillColour, indexOf, Stage, Text, textColour, toStep } from "./stage.tsx";
import { clamp, labelsOf } from "./state.ts";

const LASTS = 450; // milliseconds for a step

/** A row of scores read once: the tower of e^(score − m), which shrinks where a new maximum comes, and the output so far. */
export function OnlineStepper({ state, home, width, still }: ViewProps<"OnlineStepper">) {
  const { scores, values, step } = state;
  const labels = labelsOf(state, scores.length);
  const known = readAll(scores, values);
  const [before, after] = [known[step - 1]!, known[step]!];
  const last = step - 1;
  const [score, value] = [scores[last]!, values[last]!];
  const [kept, added] = exponentsOf(before, score);
  const weights = softmax(scores.slice(0, step));
  const output = after.a / after.s;

  const [moving, move] = useState({ step, done: 1 });
  const stop = useRef(() => {});
  useEffect(() => () => stop.current(), []);
  const go = (to: number) => {
    stop.current();
    move({ step: to, done: 0 });
    home.update({ step: to });
    stop.current = animate(LASTS, (done) => move({ step: to, done }));
  };
  const done = moving.step === step ? moving.done : 1;
  // On the way to a new maximum, what is there already shrinks from its old height to its new one.
  const shown = before.s ? after.m + (before.m - after.m) * (1 - done) : after.m;
  const powers = scores.slice(0, step).map((z, i) => z - (i < last ? shown : after.m));

  const extent = axisExtent(home.stored.scores); // the stored state's: the axis never changes while one pulls
  const drawn = machine({ powers, logits: scores, tips: scores, extent, unit: NEAREST, width });
  const { turned, axis, rows } = drawn;
  const at = drawn.height + (turned ? 58 : 34);
  const [left, right] = [turned ? 22 : 112, width - (turned ? 22 : 64)];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const along = (x: number) => tidy(left + (most > least ? clampTo((x - least) / (most - least), 0, 1) : 0.5) * (right - left) || left);
  const apart = values.map(along).sort((a, b) => a - b);
  const roomy = apart.every((x, i) => i === 0 || x - apart[i - 1]! > 28);

  const setScore = (i: number, to: number) => home.update({ scores: scores.with(i, to) });
  const held = useRef(scores);
  const grab = () => {
    held.current = scores;
    return () => home.update({ scores });
  };
  const pull = (grip: string, dx: number) => {
    const i = indexOf(grip);
    setScore(i, toStep(clamp(clamp(held.current[i]!, -extent, extent) + dx / axis.scale, -extent, extent), LOGIT_STEP));
  };
  const names = { labels, values: scores, rows, turned, selected: last };
  const all = step === scores.length;
  const rescaled = kept < 0 && before.s > 0;
  const what = rescaled
    ? `“${labels[last]}” is a new maximum: all sums so far are multiplied by ${exponential(Math.exp(kept))}.`
    : step === 1
      ? "The first score is the maximum, and the output is its value."
      : `The maximum stays ${logit(after.m)}: nothing is rescaled.`;
  const note = `${what}${all ? " All is read: these are softmax’s weights." : ""}`;
  const state3 = `m ${logit(after.m)}, s ${exponential(after.s)}, output ${amount(output)}`;

  return (
    <div class="sw sw-picture sw-online" role="group" aria-label="softmax in one pass">
      <p class="sw-headline">Softmax in one pass</p>
      <p class="sw-subline">
        Only three numbers are kept: the maximum <i>m</i>, the height <i>s</i> of the tower, and the weighted sum <i>a</i>.
        <span style={{ visibility: still ? "hidden" : undefined }}> Step, or drag a score.</span>
      </p>
      <Stage
        width={width}
        height={at + 46}
        {...(!still && { onGrab: grab, onPull: pull, onTap: (target: string) => home.update({ step: Number(target) + 1 }) })}
        controls={
          !still && (
            <>
              <Names {...names} of="score" group="read as far as" onSelect={(i) => home.update({ step: i + 1 })} onChange={setScore} />
              <LogitControls
                {...{ labels, extent, rows }}
                logits={scores}
                of="score"
                says={(i) => (i < step ? `weight so far ${share(weights[i]!)}` : "not read yet")}
                onChange={setScore}
              />
            </>
          )
        }
      >
        <Axis machine={drawn} temperature={1} heading="Scores" title="score" live={!still && !turned} />
        <Flow machine={drawn} selected={last} />
        <Tower machine={drawn} selected={last} sum="s" />
        <Strip machine={drawn} labels={labels} selected={last} />
        <path class="sw-maximum" d={`M${axis.zero + clampTo(shown, -extent, extent) * axis.scale} ${axis.top + (turned ? 9 : 5)}V${axis.bottom}`} />
        <Bars machine={drawn} temperature={1} live={!still} />
        {!all && <rect class="sw-unread" x={axis.zero - extent * axis.scale - 12} y={rows[step]!.y - 22} width={2 * extent * axis.scale + 24} height={axis.bottom - rows[step]!.y + 22} />}
        <Text x={axis.zero + clampTo(shown, -extent, extent) * axis.scale} y={axis.top - (turned ? -1 : 2)} size={14} weight={700} anchor="middle" halo>
          {`m = ${logit(after.m)}`}
        </Text>
        <Text x={turned ? 8 : 0} y={turned ? at - 42 : at + 5} size={16} weight={700}>
          Values
        </Text>
        <path class="sw-rail" d={`M${left} ${at}H${right}`} />
        {values.map((each, i) => (
          <g key={i}>
            <circle class="sw-draw" opacity={i < step ? 1 : 0.3} cx={along(each)} cy={at} r={4 + 12 * Math.sqrt(i < step ? weights[i]! || 0 : 0)} style={{ fill: fillColour(i), stroke: textColour(i) }} />
            {(roomy || each === least || each === most) && (
              <Text x={along(each)} y={at - 18} size={13} weight={600} anchor="middle" colour={i < step ? textColour(i) : "var(--sw-ink2)"} halo>
                {amount(each)}
              </Text>
            )}
          </g>
        ))}
        <path class="sw-balance" d={`M${along(output)} ${at + 4}l9 16h-18Z`} />
        <Text x={clampTo(along(output), 46, width - 46)} y={at + 38} size={15} weight={700} anchor="middle" halo>
          {`output ${amount(output)}`}
        </Text>
        {still && <StillNames {...names} width={width} />}
      </Stage>
      <Sums {...{ before, after, kept, added, value, score, rescaled, output }} of={last} />
      <div class="sw-buttons">
        {!still && (
          <>
            <button type="button" class="sw-button sw-first" aria-disabled={all} onClick={() => all || go(step + 1)}>
              Step
            </button>
            <button type="button" class="sw-button" aria-disabled={step === 1} onClick={() => go(1)}>
              Start again
            </button>
          </>
        )}
      </div>
      <p class="sw-note">{note}</p>
      <HiddenTable
        caption={`After ${step} of ${scores.length}: ${state3}`}
        of="word"
        labels={labels.slice(0, step)}
        columns={[
          ["score", scores, logit, null],
          ["weight so far", weights, share],
          ["value", values, amount, null],
          ["m", known.slice(1).map(({ m }) => m), logit],
          ["s", known.slice(1).map(({ s }) => s), exponential],
          ["output", known.slice(1).map(({ a, s }) => a / s), amount],
        ]}
      />
      {!still && <Spoken>{`${state3}. ${note}`}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}

interface SumsProps extends Record<"kept" | "added" | "value" | "score" | "output" | "of", number> {
  before: { m: number; s: number; a: number };
  after: { m: number; s: number; a: number };
  rescaled: boolean;
}

/** What this step did to the three numbers. */
function Sums({ before, after, kept, added, value, score, rescaled, output, of }: SumsProps) {
  const power = (exponent: number, marked: boolean, colour?: string) => (
    <span class={marked ? "sw-marked" : undefined} style={{ color: colour }}>
      <i>e</i>
      <sup>{logit(exponent)}</sup>
    </span>
  );
  const own = textColour(of);
  return (
    <div class="sw-formula">
      <div>
        <i>m</i> = max({logit(before.m)}, <span style={{ color: own }}>{logit(score)}</span>) = <b>{logit(after.m)}</b>
      </div>
      <div>
        <i>s</i> = {amount(before.s)} · {power(kept, rescaled)} + {power(added, false, own)} = <b>{exponential(after.s)}</b>
      </div>
      <div>
        <i>a</i> = {amount(before.a)} · {power(kept, rescaled)} + {power(added, false, own)} · <span style={{ color: own }}>{amount(value)}</span> = <b>{amount(after.a)}</b>
      </div>
      <div>
        output = <i>a</i> ÷ <i>s</i> = <b class="sw-marked">{amount(output)}</b>
      </div>
    </div>
  );
}
