import { useRef } from "preact/hooks";
import { curve, MOST_NUDGE } from "./curve.ts";
import { CurveDrawing } from "./CurveDrawing.tsx";
import { explainMatrix, explainNudge } from "./explain.ts";
import { showGiven, slopeName } from "./format.ts";
import type { ViewProps } from "./home.ts";
import { axisExtent } from "./layout.ts";
import { Matrix } from "./Matrix.tsx";
import { withDecimal } from "./Names.tsx";
import { exponential, logit, points, share, slope } from "./numbers.ts";
import { Actions, HiddenTable, NumberBox, Spoken } from "./parts.tsx";
import { change, jacobian, softmax } from "./softmax.ts";
import { Control, shortened, Stage, Text, textColour, toStep } from "./stage.tsx";
import { clamp, labelsOf } from "./state.ts";

const STEP = 0.1;

/** One share against one logit, with the tangent that predicts a nudge, and the matrix of all slopes to choose from. */
export function JacobianExplorer({ state, home, width, still }: ViewProps<"JacobianExplorer">) {
  const { logits, row, column, nudge } = state;
  const labels = labelsOf(state, logits.length);
  const shares = softmax(logits);
  const nudged = softmax(logits.with(column, logits[column]! + nudge));
  const matrix = jacobian(shares);
  const predicted = matrix.map((slopes) => slopes[column]! * nudge);
  const actual = change(shares, nudged, column, nudge);
  const extent = axisExtent(home.stored.logits); // the stored state's: the axis never changes while one pulls
  const drawn = curve({ logits, row, column, nudge, extent, width });
  const { narrow, frame, scale, start, foot } = drawn;

  const setLogit = (value: number) => home.update({ logits: logits.with(column, value) });
  const setNudge = (value: number) => home.update({ nudge: value });
  const held = useRef({ logit: 0, nudge: 0 });
  const grab = () => {
    held.current = { logit: clamp(logits[column]!, -extent, extent), nudge: drawn.drawn };
    return () => home.update({ logits, nudge });
  };
  const pull = (grip: string, dx: number) => {
    const { logit, nudge } = held.current;
    const to = (value: number, least: number, most: number) => toStep(clamp(value + dx / scale, least, most), STEP);
    if (grip === "start") setLogit(to(logit, -extent, extent));
    else setNudge(to(nudge, Math.max(-MOST_NUDGE, -extent - logit), Math.min(MOST_NUDGE, extent - logit)));
  };

  const moved = shortened(labels[column]!, narrow ? 10 : 18);
  const middle = (frame.left + frame.right) / 2;
  const nudgeAt = clamp((start[0] + foot[0]) / 2, frame.left + 26, frame.right - 40);
  const typed = [
    { name: "nudge", shown: <i>h =</i>, value: nudge, x: nudgeAt, y: frame.bottom + 44, set: setNudge },
    {
      name: `logit of ${labels[column]}`,
      shown: `logit of ${moved}`,
      value: logits[column]!,
      x: middle,
      y: frame.bottom + 70,
      set: setLogit,
    },
  ];
  const changes = `predicted ${points(predicted[row]!)}, actual ${points(actual[row]!)} points`;
  const name = slopeName(labels[row]!, labels[column]!);

  return (
    <div class="sw sw-picture sw-jacobian" role="group" aria-label="curve and tangent">
      <p class="sw-headline">Nudge one logit: predicted and actual change</p>
      <p class="sw-subline">
        The straight line promises, the curve delivers.
        {!still && (
          <>
            {" "}
            Drag the foot <i>h</i>; drag the dot to start elsewhere.
          </>
        )}
      </p>
      <Stage
        width={width}
        height={drawn.height}
        onGrab={still ? undefined : grab}
        onPull={still ? undefined : pull}
        controls={
          !still && (
            <>
              {typed.map(({ name, shown, value, x, y, set }) => (
                <div key={name} class="sw-typed" style={{ left: `${x}px`, top: `${y}px` }}>
                  <span aria-hidden="true">{shown}</span>
                  <NumberBox name={name} value={value} written={withDecimal} onChange={set} />
                </div>
              ))}
              <Control
                id="start"
                name={`logit of ${labels[column]}`}
                text={`${labels[column]}: logit ${logit(logits[column]!)}, share of ${labels[row]} ${share(shares[row]!)}`}
                value={logits[column]!}
                from={-extent}
                to={extent}
                step={STEP}
                x={start[0]}
                y={start[1]}
                onChange={setLogit}
              />
              <Control
                id="foot"
                name="nudge"
                text={`nudge ${logit(nudge)}: ${changes}`}
                value={nudge}
                from={-MOST_NUDGE}
                to={MOST_NUDGE}
                step={STEP}
                x={foot[0]}
                y={foot[1]}
                onChange={setNudge}
              />
            </>
          )
        }
      >
        <CurveDrawing
          curve={drawn}
          row={row}
          label={labels[row]!}
          predicted={predicted[row]!}
          actual={actual[row]!}
          live={!still}
        />
        {still && (
          <>
            <Text x={nudgeAt} y={frame.bottom + 50} size={16} weight={700} anchor="middle" halo>
              {`h = ${logit(nudge)}`}
            </Text>
            <Text x={middle} y={frame.bottom + 75} size={14} anchor="middle" colour="var(--sw-ink2)">
              {`logit of ${moved}: ${logit(logits[column]!)}`}
            </Text>
          </>
        )}
      </Stage>
      <SlopeLine labels={labels} shares={shares} row={row} column={column} value={matrix[row]![column]!} />
      <p class="sw-note">{explainNudge(labels, shares, predicted, actual, row, column, nudge)}</p>
      <Matrix
        labels={labels}
        logits={logits}
        shares={shares}
        matrix={matrix}
        row={row}
        column={column}
        onChoose={still ? undefined : home.update}
      />
      <p class="sw-note">{explainMatrix(labels, matrix, row, column)}</p>
      <HiddenTable
        caption={`The logit of ${labels[column]} moves by ${showGiven(nudge)}`}
        labels={labels}
        columns={[
          ["logit", logits, logit],
          ["share", shares, share],
          ["predicted change", predicted, points],
          ["actual change", actual, points],
          ["difference", predicted.map((x, i) => x - actual[i]!), points],
        ]}
      />
      {!still && <Spoken>{`${name} = ${slope(matrix[row]![column]!)}. Nudge ${logit(nudge)}: ${changes}.`}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}

interface SlopeLineProps {
  labels: readonly string[];
  shares: readonly number[];
  row: number;
  column: number;
  value: number;
}

/** The chosen slope, in the numbers of this moment. */
function SlopeLine({ labels, shares, row, column, value }: SlopeLineProps) {
  const [above, below] = [labels[row]!, labels[column]!];
  const [p, q] = [shares[row]!, shares[column]!];
  const own = row === column;
  const sign = own ? "" : "−";
  // 1 − p, subtracted, would cancel where p is nearly 1; the slope has it as a factor.
  const factors = [exponential(p), exponential(own ? (p === 1 || p === 0 ? 1 - p : value / p) : q)];
  const words =
    `slope ${slopeName(above, below)} = ${sign}p(${above}) · ${own ? `(1 − p(${above}))` : `p(${below})`}` +
    ` = ${sign}${factors.join(" · ")} = ${slope(value)}`;
  const of = (i: number) => (
    <span class="sw-share-of">
      <i>p</i>(<b style={{ color: textColour(i) }}>{labels[i]}</b>)
    </span>
  );
  return (
    <div class="sw-formula" role="img" aria-label={words}>
      <span>
        slope =
        <span>
          {sign}
          {of(row)} {own ? <>(1 − {of(row)})</> : <>· {of(column)}</>}
        </span>
      </span>
      <span>
        = {sign}
        {factors.join(" × ")} = <b class="sw-marked">{slope(value)}</b>
      </span>
    </div>
  );
}
