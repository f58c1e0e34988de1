import type { TargetedKeyboardEvent } from "preact";
import { explainMatrix, explainNudge, MOST_NUDGE } from "./explain.ts";
import { show, showGiven, showProbability, showShort, slopeName } from "./format.ts";
import type { ViewProps } from "./home.ts";
import { Actions, colour, Grid, LogitTable, Name, Slider, Summary } from "./parts.tsx";
import { change, jacobian, softmax } from "./softmax.ts";
import { clamp, labelsOf } from "./state.ts";

export function JacobianExplorer({ state, home }: ViewProps<"JacobianExplorer">) {
  const { logits, row, column, nudge } = state;
  const labels = labelsOf(state, logits.length);
  const probabilities = softmax(logits);
  const nudged = softmax(logits.with(column, logits[column]! + nudge));
  const matrix = jacobian(probabilities);
  const predicted = matrix.map((slopes) => slopes[column]! * nudge);
  const actual = change(probabilities, nudged, column, nudge);
  const scale = roundUp(Math.max(...predicted.map(Math.abs), ...actual.map(Math.abs)));
  const slope = slopeName(labels[row]!, labels[column]!);
  return (
    <div class="sw sw-jacobian" role="group" aria-label="Jacobian explorer">
      <LogitTable caption="Logits and probabilities" labels={labels} probabilities={probabilities} home={home} />
      <Matrix labels={labels} matrix={matrix} row={row} column={column} onChoose={home.update} />
      <Entry labels={labels} probabilities={probabilities} row={row} column={column} value={matrix[row]![column]!} />
      <p class="sw-note">{explainMatrix(labels, matrix, row, column)}</p>
      <div class="sw-settings">
        <Slider
          name="nudge"
          value={nudge}
          from={-MOST_NUDGE}
          to={MOST_NUDGE}
          unit={0.01}
          onChange={(value) => home.update({ nudge: value })}
        >
          nudge <i aria-hidden="true">h</i>
        </Slider>
      </div>
      <Grid
        kind="sw-nudge"
        caption={`The logit of ${labels[column]} moves by ${showGiven(nudge)}`}
        heads={["class", "predicted, J·h", "actual", "difference"]}
        names={labels}
        cells={(i) => (
          <>
            <Change value={predicted[i]!} scale={scale} />
            <Change value={actual[i]!} scale={scale} />
            <Change value={predicted[i]! - actual[i]!} scale={scale} />
          </>
        )}
      />
      <p class="sw-note">
        {explainNudge(labels, probabilities, predicted, actual, column, nudge)} Bars end at ±{showGiven(scale)}.
      </p>
      <Summary>{`${slope} = ${show(matrix[row]![column]!)}. After the nudge p(${labels[row]}) is ${showProbability(nudged[row]!)}.`}</Summary>
      <Actions home={home} />
    </div>
  );
}

/** The next of 1, 2, 5, 10, 20, … times a power of ten. */
function roundUp(x: number): number {
  if (!(x > 0 && x < Infinity)) return 1;
  const power = 10 ** Math.floor(Math.log10(x));
  return Number(((([1, 2, 5].find((step) => step * power >= x) ?? 10) * power)).toPrecision(1));
}

interface MatrixProps {
  labels: readonly string[];
  matrix: readonly (readonly number[])[];
  row: number;
  column: number;
  onChoose: (cell: { row: number; column: number }) => void;
}

const moves: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/** One stop for Tab; inside, the arrow keys move, and where the focus is, is what is chosen. */
function Matrix({ labels, matrix, row, column, onChoose }: MatrixProps) {
  const last = labels.length - 1;
  const press = (event: TargetedKeyboardEvent<HTMLTableElement>) => {
    const move = event.altKey || event.ctrlKey || event.metaKey ? undefined : moves[event.key];
    if (!move) return;
    event.preventDefault();
    const [i, j] = [clamp(row + move[0], 0, last), clamp(column + move[1], 0, last)];
    event.currentTarget.querySelectorAll("button")[i * labels.length + j]!.focus();
  };
  const longest = Math.max(...labels.map((label) => label.length));
  const choose = (i: number, j: number) => (i !== row || j !== column) && onChoose({ row: i, column: j });
  return (
    <>
      <p class="sw-title">The Jacobian: each row a probability, each column a logit</p>
      <div class="sw-scroll">
        <table role="grid" class="sw-matrix" style={{ "--columns": labels.length, "--longest": longest }} onKeyDown={press}>
          <caption class="sw-hidden">The Jacobian</caption>
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                ∂p/∂z
              </th>
              {labels.map((label, j) => (
                <th key={j} role="columnheader" scope="col">
                  <Name>{label}</Name>
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {matrix.map((slopes, i) => (
              <tr key={i} role="row" class={colour(i)}>
                <th role="rowheader" scope="row">
                  <Name>{labels[i]!}</Name>
                </th>
                {slopes.map((slope, j) => {
                  const chosen = i === row && j === column;
                  const mirrored = i === column && j === row;
                  return (
                    <td
                      key={j}
                      role="gridcell"
                      class={`sw-heat ${slope > 0 ? "sw-plus" : "sw-minus"}`}
                      // No entry is larger than a quarter.
                      style={{ "--heat": `${clamp(Math.abs(slope) * 400 || 0, 0, 100).toFixed(1)}%` }}
                      data-value={String(slope)}
                    >
                      <button
                        type="button"
                        class={chosen ? "sw-chosen" : mirrored ? "sw-mirrored" : ""}
                        tabIndex={chosen ? 0 : -1}
                        aria-pressed={chosen}
                        aria-label={`${slopeName(labels[i]!, labels[j]!)} = ${showShort(slope)}`}
                        onFocus={() => choose(i, j)}
                        onClick={() => choose(i, j)}
                      >
                        {showShort(slope)}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface EntryProps {
  labels: readonly string[];
  probabilities: readonly number[];
  row: number;
  column: number;
  value: number;
}

/** Where 1 − p, written with four digits, would read 0. */
const isNearOne = (p: number): boolean => show(p) === "1.000";

const bracketed = (p: number): string => (p < 1 && isNearOne(p) ? `(${showProbability(p)})` : showProbability(p));

/** The chosen cell, written out. */
function Entry({ labels, probabilities, row, column, value }: EntryProps) {
  const [above, below] = [labels[row]!, labels[column]!];
  const [p, q] = [probabilities[row]!, probabilities[column]!];
  const own = row === column;
  const sign = own ? "" : "−";
  const rest = isNearOne(p) ? show(value / p) : `(1 − ${show(p)})`;
  const words =
    `${slopeName(above, below)} = ${sign}p(${above}) · ${own ? `(1 − p(${above}))` : `p(${below})`}` +
    ` = ${sign}${bracketed(p)} · ${own ? rest : bracketed(q)} = ${show(value)}`;
  const of = (label: string) => (
    <>
      p(<Name>{label}</Name>)
    </>
  );
  const term = (i: number, x: number) => <span class={`sw-term ${colour(i)}`}>{bracketed(x)}</span>;
  return (
    <div class="sw-formula" role="img" aria-label={words}>
      <span>
        <span class="sw-fraction">
          <span>∂{of(above)}</span>
          <span>
            ∂z(<Name>{below}</Name>)
          </span>
        </span>
      </span>
      <span>
        <span>
          = {sign}
          {of(above)} · {own ? <>(1 − {of(above)})</> : of(below)}
        </span>
      </span>
      <span>
        <span>
          = {sign}
          {term(row, p)} · {own ? rest : term(column, q)}
        </span>
      </span>
      <span>
        = <b class="sw-number">{show(value)}</b>
      </span>
    </div>
  );
}

/** A signed number, and a bar from the middle. */
function Change({ value, scale }: { value: number; scale: number }) {
  const half = clamp((Math.abs(value) / scale) * 50 || 0, 0, 50);
  return (
    <td role="cell" class="sw-change" data-value={String(value)}>
      {show(value)}
      <span class="sw-bar">
        <span style={{ marginLeft: `${value < 0 ? 50 - half : 50}%`, width: `${half}%` }} />
      </span>
    </td>
  );
}
