import { explainRun, showUlps, verdict, YARDSTICK } from "./explain.ts";
import { show, showProbability } from "./format.ts";
import type { ViewProps } from "./home.ts";
import { Actions, Grid, LogitTable, Slider, Summary } from "./parts.tsx";
import { formats, run, ulps, type Format, type Run } from "./precision.ts";
import { softmax } from "./softmax.ts";
import { labelsOf, LEAST_FACTOR } from "./state.ts";

export function PrecisionLab({ state, home }: ViewProps<"PrecisionLab">) {
  const { logits, format, shift, scale } = state;
  const labels = labelsOf(state, logits.length);
  const moved = logits.map((z) => z * scale + shift);
  const exact = softmax(moved);
  const naive = run(format, moved, false);
  const shifted = run(format, moved, true);
  const say = (made: Run) => explainRun(labels, format, moved, made, exact);
  const tables = { labels, format, exact };
  return (
    <div class="sw sw-precision" role="group" aria-label="precision lab">
      <LogitTable caption="Logits, and their exact probabilities" labels={labels} probabilities={exact} home={home} />
      <div class="sw-settings">
        <Slider name="shift all" value={shift} from={-800} to={800} unit={1} onChange={(x) => home.update({ shift: x })}>
          shift all
        </Slider>
        <Slider
          name="scale all"
          value={scale}
          least={LEAST_FACTOR}
          from={1}
          to={100}
          unit={0.1}
          onChange={(x) => home.update({ scale: x })}
        >
          scale all
        </Slider>
        <label class="sw-select">
          <span>format</span>
          <select value={format} onChange={({ currentTarget }) => home.update({ format: currentTarget.value as Format })}>
            {formats.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </div>
      <Steps {...tables} title={`Naive, in ${format}`} z="z" made={naive} />
      <p class="sw-note">{say(naive)}</p>
      <Steps {...tables} title={`The maximum m subtracted first, in ${format}`} z="z − m" made={shifted} />
      <p class="sw-note">{say(shifted)}</p>
      <Grid
        kind="sw-verdicts"
        caption={
          <>
            In every format<small> {YARDSTICK}</small>
          </>
        }
        heads={["format", "naive", "shifted"]}
        names={formats}
        lit={formats.indexOf(format)}
        cells={(i) =>
          [false, true].map((subtract) => (
            <td key={subtract} role="cell">
              {verdict(formats[i]!, run(formats[i]!, moved, subtract), exact)}
            </td>
          ))
        }
      />
      <Summary>{`${format}: naive ${verdict(format, naive, exact)}; shifted ${verdict(format, shifted, exact)}.`}</Summary>
      <Actions home={home} />
    </div>
  );
}

interface StepsProps {
  labels: readonly string[];
  format: Format;
  exact: readonly number[];
  title: string;
  z: string;
  made: Run;
}

function Steps({ labels, format, exact, title, z, made }: StepsProps) {
  const { powers, exponentials, total, quotients } = made;
  const errors = ulps(format, quotients, exact);
  return (
    <Grid
      kind="sw-steps"
      caption={title}
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
