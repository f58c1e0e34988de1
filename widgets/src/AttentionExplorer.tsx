import { useRef } from "preact/hooks";
import { cellText, place, seenBy, weightsOf } from "./attention.ts";
import { Formula } from "./Formula.tsx";
import type { ViewProps } from "./home.ts";
import { axisExtent } from "./layout.ts";
import { Axis, Bars } from "./MachineDrawing.tsx";
import { LOGIT_STEP, LogitControls } from "./MachineControls.tsx";
import { Names, StillNames } from "./Names.tsx";
import { amount, saidShares, share, shortShare } from "./numbers.ts";
import { Actions, HiddenTable, Spoken, useGroup } from "./parts.tsx";
import { fillColour, indexOf, shortened, Stage, Text, textColour, toStep } from "./stage.tsx";
import { clamp, labelsOf } from "./state.ts";

const quiet = "var(--sw-ink2)";

/** The scores of each query with each key, and each row's softmax as a strip; the scores of one row are bars to pull. */
export function AttentionExplorer({ state, home, width, still }: ViewProps<"AttentionExplorer">) {
  const { scores, dimension, scaled, causal, query } = state;
  const labels = labelsOf(state, scores.length);
  const seen = seenBy(query, scores.length, causal);
  const key = Math.min(state.key, seen - 1);
  const root = Math.sqrt(dimension);
  const divisor = scaled ? root : 1;
  const weights = weightsOf(scores, divisor, causal);
  const [row, shares] = [scores[query]!.slice(0, seen), weights[query]!.slice(0, seen)];
  const others = weightsOf([row], scaled ? 1 : root, false)[0]!;
  const by = `÷ ${amount(root)}`;
  const [now, otherwise] = scaled ? [by, `without ${by}`] : ["undivided", `with ${by}`];
  const extent = axisExtent(home.stored.scores.flat()); // the stored state's: the axis never changes while one pulls
  const longest = Math.max(...labels.map((label) => Array.from(label).length));
  const placed = place(width, scores.length, extent, longest);
  const { narrow, queries, heads, cells, column, cellY, strip, stripY, thick, below, axis, keys, along } = placed;
  const rows = row.map((score, j) => ({ y: keys[j]!.y, grip: along(score), tip: along(score / divisor) }));
  const lower = keys.map(({ y }) => ({ y: y + below })).slice(0, seen);
  const hatch = useGroup();
  const hatched = { fill: `url(#${hatch})` };

  const setScore = (j: number, score: number) => home.update({ scores: scores.with(query, scores[query]!.with(j, score)), key: j });
  const held = useRef({ row, from: state });
  const grab = (grip: string) => {
    held.current = { row, from: state };
    home.update({ key: indexOf(grip) });
    return () => home.update({ scores: held.current.from.scores, key: held.current.from.key });
  };
  const pull = (grip: string, dx: number) => {
    const j = indexOf(grip);
    setScore(j, toStep(clamp(clamp(held.current.row[j]!, -extent, extent) + dx / axis.scale, -extent, extent), LOGIT_STEP));
  };
  const tap = (target: string) => {
    const [i, j] = target.split(" ").map(Number) as [number, number];
    home.update(j === undefined ? { key: i } : { query: i, key: j });
  };
  const side = { start: 0, length: placed.names };
  const names = { labels, rows: queries, turned: narrow, selected: query };
  const keyNames = { labels: labels.slice(0, seen), values: row, rows: lower, turned: narrow, selected: key, of: "score", group: "formula shows" };
  const said = `${labels[query]}: ${saidShares(labels, weights[query]!)}`;

  return (
    <div class="sw sw-picture sw-attention" role="group" aria-label="attention">
      <p class="sw-headline">Each word divides its attention</p>
      <p class="sw-subline">
        Each row is one word that asks, the query, and softmax turns its scores into shares of one whole.
        <span style={{ visibility: still ? "hidden" : undefined }}> Tap a row, then drag its scores below.</span>
      </p>
      <div class="sw-buttons">
        {!still && (
          <>
            <Switch on={scaled} onClick={() => home.update({ scaled: !scaled })}>{`÷ √${dimension}`}</Switch>
            <Switch on={causal} onClick={() => home.update({ causal: !causal })}>causal mask</Switch>
          </>
        )}
      </div>
      <Stage
        width={width}
        height={placed.height}
        {...(!still && { onGrab: grab, onPull: pull, onTap: tap })}
        controls={
          !still && (
            <>
              <Names {...names} group="query" onSelect={(i) => home.update({ query: i })} />
              <Names {...keyNames} onSelect={(j) => home.update({ key: j })} onChange={setScore} />
              <LogitControls
                {...{ labels, extent }}
                logits={row}
                of="score"
                rows={rows.map((each) => ({ ...each, y: each.y + below }))}
                says={(j) => `weight ${share(shares[j]!)}`}
                onChange={setScore}
              />
            </>
          )
        }
      >
        <pattern id={hatch} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path class="sw-cut-hatch" d="M0 0v6" />
        </pattern>
        <Text x={0} y={15} size={16} weight={700}>
          {narrow ? "Query" : "Queries"}
        </Text>
        <Text x={cells.start} y={15} size={16} weight={700}>
          {narrow ? "Scores and weights" : "Scores with each key"}
        </Text>
        {!narrow && (
          <Text x={strip.start} y={15} size={16} weight={700}>
            Weights
            <tspan font-size="13" font-weight="400" style={{ fill: quiet }}>{` softmax of each row, ${now}`}</tspan>
          </Text>
        )}
        {labels.map((label, j) => (
          <Text key={j} x={cells.start + (j + 0.5) * column} y={heads[j]!} size={13} weight={650} anchor="middle" colour={textColour(j)}>
            {shortened(label, placed.letters)}
          </Text>
        ))}
        {weights.map((row, i) => {
          const { y } = queries[i]!;
          let end = strip.start;
          return (
            <g key={i}>
              {row.map((weight, j) => {
                const masked = j >= seenBy(i, row.length, causal);
                const [x, chosen] = [cells.start + j * column, i === query && j === key];
                const start = end;
                end += weight * strip.length;
                return (
                  <g key={j} data-tap={`${i} ${j}`}>
                    <rect class={chosen ? "sw-chosen-name" : undefined} x={x + 1} y={y + cellY - 11} width={column - 2} height="23" rx="4" {...(!chosen && { fill: "transparent" })} {...(masked && { style: hatched })} />
                    {!masked && (
                      <Text x={x + column / 2} y={y + cellY + 5} size={narrow ? 12 : 14} anchor="middle" weight={i === query ? 650 : 400} colour={chosen ? "var(--sw-hi-ink)" : undefined}>
                        {cellText(scores[i]![j]!)}
                      </Text>
                    )}
                    {!masked && <rect class="sw-part" x={start} y={y + stripY} width={Math.max(end - start, 0.8)} height={thick} style={{ fill: fillColour(j) }} />}
                  </g>
                );
              })}
              {i === query && <rect class="sw-outline" x={strip.start} y={y + stripY} width={strip.length - 1} height={thick} />}
            </g>
          );
        })}
        <g transform={`translate(0 ${below})`}>
          <Axis
            machine={{ turned: narrow, axis }}
            temperature={divisor}
            heading={`Scores of ${shortened(labels[query]!, 12)}`}
            hint={still || narrow ? undefined : "drag a bar"}
            title="score"
            of="score"
            live={false}
            left={0}
          />
          <Bars machine={{ turned: narrow, axis, rows }} temperature={divisor} live={!still} />
          {keys.slice(seen).map(({ y }, k) => (
            <g key={k}>
              <rect x={axis.zero - extent * axis.scale} y={y - 11} width={2 * extent * axis.scale} height="22" style={hatched} opacity="0.5" />
              <Text x={8} y={y + 6} size={16} text-decoration="line-through" colour={quiet}>
                {shortened(labels[seen + k]!, 8)}
              </Text>
              <Text x={axis.zero} y={y + 5} size={14} anchor="middle" halo>
                masked
              </Text>
            </g>
          ))}
          {!narrow && (
            <Text x={placed.shares} y={20} size={16} weight={700} anchor="end">
              Weights
            </Text>
          )}
          {!narrow && (
            <Text x={width} y={20} size={13} anchor="end" colour={quiet}>
              {otherwise}
            </Text>
          )}
          {shares.map((weight, j) => (
            <g key={j} data-tap={j}>
              <Text x={placed.shares} y={keys[j]!.y + 6} size={narrow ? 14 : 19} weight={j === key ? 800 : 600} anchor="end" colour={textColour(j)}>
                {shortShare(weight)}
              </Text>
              {!narrow && (
                <Text x={width} y={keys[j]!.y + 6} size={15} anchor="end" colour={quiet}>
                  {shortShare(others[j]!)}
                </Text>
              )}
            </g>
          ))}
        </g>
        {still && <StillNames {...names} width={width} column={side} />}
        {still && <StillNames {...keyNames} width={width} column={side} />}
      </Stage>
      <Formula labels={labels} powers={row.map((score) => score / divisor)} probabilities={shares} selected={key} />
      <p class="sw-note">{explain(labels, query, shares, others, otherwise, causal)}</p>
      <HiddenTable
        caption={`Weights of each query, ${now}${causal ? ", with a causal mask" : ""}`}
        of="query"
        labels={labels}
        columns={labels.map((label, j) => [`on ${j + 1}, ${label}`, weights.map((row) => row[j]!), share] as const)}
      />
      {!still && <Spoken>{said}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}

const Switch = ({ on, children, onClick }: { on: boolean; children: string; onClick: () => void }) => (
  <button type="button" class={on ? "sw-button sw-first" : "sw-button"} aria-pressed={on} onClick={onClick}>
    <span aria-hidden="true" style={{ visibility: on ? undefined : "hidden" }}>
      {"✓ "}
    </span>
    {children}
  </button>
);

/** The largest weight of a row, and what it would be otherwise. */
function explain(labels: readonly string[], query: number, shares: readonly number[], others: readonly number[], otherwise: string, causal: boolean): string {
  const most = shares.indexOf(Math.max(...shares));
  const mask = causal ? ` The mask hides what comes after “${labels[query]}”: exactly 0, and what is left shares the whole.` : "";
  if (shares.some(Number.isNaN)) return "A score is past the largest double: softmax answers NaN.";
  return `“${labels[query]}” gives most to “${labels[most]}”, ${share(shares[most]!)}; ${otherwise} it would be ${share(others[most]!)}.${mask}`;
}
