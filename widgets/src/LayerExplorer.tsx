import { useRef } from "preact/hooks";
import { Formula } from "./Formula.tsx";
import { showGiven } from "./format.ts";
import type { ViewProps } from "./home.ts";
import { Axis, Bars, Strip } from "./MachineDrawing.tsx";
import { Names, StillNames, withDecimal } from "./Names.tsx";
import { EXTENT, network, task, type Network } from "./network.ts";
import { logit, saidShares, share, shortShare } from "./numbers.ts";
import { Actions, NumberBox, Spoken, ValueTable } from "./parts.tsx";
import { Control, fillColour, Grip, indexOf, shortened, Stage, Text, textColour, toStep } from "./stage.tsx";
import { clamp, labelsOf } from "./state.ts";

const STEP = 0.1;

/** The last layer as the network itself: nodes to drag, edges that thicken, logits, shares and the decision. */
export function LayerExplorer({ state, home, width, still }: ViewProps<"LayerExplorer">) {
  const { hidden, weights, bias, selected, wanted } = state;
  const labels = labelsOf(state, bias.length);
  const drawn = network({ hidden, weights, bias, selected, width });
  const { turned, logits, probabilities, decision } = drawn;

  const change = (j: number, value: number) => home.update({ hidden: hidden.with(j, value) });
  const weigh = (j: number, value: number) => home.update({ weights: weights.with(selected, weights[selected]!.with(j, value)) });
  const held = useRef(hidden);
  const grab = () => {
    const before = (held.current = hidden);
    return () => home.update({ hidden: before });
  };
  const pull = (grip: string, dx: number) => {
    const j = indexOf(grip);
    change(j, toStep(clamp(clamp(held.current[j]!, -EXTENT, EXTENT) + dx / drawn.rail.scale, -EXTENT, EXTENT), STEP));
  };

  const says = decision >= 0 && decision === wanted;
  const before = useRef(false);
  const set = wanted === null ? null : task(state, home.stored, labels[wanted]!, share(probabilities[wanted]!), says, before.current);
  if (says) before.current = true;
  const decided = decision < 0 ? "No decision: a logit is past the largest double" : `Decision: ${labels[decision]}`;

  return (
    <div class="sw sw-picture sw-layer" role="group" aria-label="layer explorer">
      <Stage
        width={width}
        height={drawn.height}
        onGrab={still ? undefined : grab}
        onPull={still ? undefined : pull}
        onTap={still ? undefined : (target) => home.update({ selected: Number(target) })}
        controls={
          !still && (
            <>
              {hidden.map((h, j) => (
                <div key={j} class={turned ? "sw-node sw-turned" : "sw-node"} style={{ top: `${drawn.nodes[j]!.y}px` }}>
                  <span aria-hidden="true">{nodeName(j)}</span>
                  <NumberBox name={`hidden ${j + 1}`} value={h} written={withDecimal} onChange={(value) => change(j, value)} />
                </div>
              ))}
              {hidden.map((h, j) => (
                <Control
                  key={j}
                  id={`hidden ${j}`}
                  name={`hidden ${j + 1}`}
                  text={`hidden ${j + 1}: ${logit(h)}. ${decided}`}
                  value={h}
                  from={-EXTENT}
                  to={EXTENT}
                  step={STEP}
                  x={drawn.nodes[j]!.x}
                  y={drawn.nodes[j]!.rail}
                  onChange={(value) => change(j, value)}
                />
              ))}
              {drawn.roomy &&
                drawn.edges[selected]!.map(({ label: [x, y] }, j) => (
                  <div key={j} class="sw-weight" style={{ left: `${x}px`, top: `${y}px`, color: textColour(selected) }}>
                    <NumberBox
                      name={`weight of ${labels[selected]} on hidden ${j + 1}`}
                      value={weights[selected]![j]!}
                      onChange={(value) => weigh(j, value)}
                    />
                  </div>
                ))}
              <Names
                of="bias"
                column={drawn.names}
                labels={labels}
                values={bias}
                rows={drawn.rows}
                turned={false}
                selected={selected}
                onSelect={(i) => home.update({ selected: i })}
                onChange={(i, value) => home.update({ bias: bias.with(i, value) })}
              />
            </>
          )
        }
      >
        <Edges drawn={drawn} selected={selected} />
        <Nodes drawn={drawn} live={!still} />
        <Classes drawn={drawn} selected={selected} />
        <Logits drawn={drawn} selected={selected} />
        <Strip machine={drawn} labels={labels} selected={selected} written={drawn.written} />
        <Decision drawn={drawn} labels={labels} />
        {still && (
          <>
            <StillNodes drawn={drawn} hidden={hidden} />
            {drawn.roomy && <StillWeights drawn={drawn} weights={weights[selected]!} selected={selected} />}
            <StillNames column={drawn.names} labels={labels} values={bias} rows={drawn.rows} turned={false} selected={selected} width={width} />
          </>
        )}
      </Stage>
      {set && (
        <p class="sw-task">
          {set.done && <b>✓ </b>}
          {set.says}
        </p>
      )}
      <Product
        label={labels[selected]!}
        of={selected}
        weights={weights[selected]!}
        hidden={hidden}
        bias={bias[selected]!}
        logit={logits[selected]!}
        width={width}
        typed={!drawn.roomy}
        still={still}
        onChange={weigh}
      />
      <Formula labels={labels} powers={logits} probabilities={probabilities} selected={selected} />
      <ValueTable caption="Logits, exponentials and shares" labels={labels} logits={logits} exponentials={logits.map(Math.exp)} probabilities={probabilities} />
      {!still && <Spoken>{`${decided}. ${saidShares(labels, probabilities)}. ${set ? (set.done ? "Done: " : "") + set.says : ""}`}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

/** "h₁" */
const nodeName = (j: number): string => `h${Array.from(String(j + 1), (digit) => SUBSCRIPTS[Number(digit)]).join("")}`;

interface Drawn {
  drawn: Network;
}

function Nodes({ drawn, live }: Drawn & { live: boolean }) {
  const { turned, nodes, rail, edges } = drawn;
  return (
    <g>
      <Text x={0} y={turned ? 15 : 20} size={turned ? 15 : 16} weight={700}>
        Hidden
      </Text>
      {live && (
        <Text x={0} y={turned ? 31 : 37} size={13} colour="var(--sw-ink2)">
          drag a node
        </Text>
      )}
      {nodes.map(({ x, rail: y }, j) => (
        <g key={j}>
          <path class="sw-rail" d={`M${rail.start} ${y}H${edges[0]![j]!.from[0]}M${rail.zero} ${y - 5}v10`} />
          <path class="sw-rail-bar" d={`M${rail.zero} ${y}H${x}`} />
          <circle cx={edges[0]![j]!.from[0]} cy={y} r="4" style={{ fill: "var(--sw-ink)" }} />
          {live ? (
            <Grip x={x} y={y} id={`hidden ${j}`} radius={turned ? 13 : 11} />
          ) : (
            <circle cx={x} cy={y} r="9" style={{ fill: "var(--sw-ink)" }} />
          )}
        </g>
      ))}
    </g>
  );
}

/** As thick as what flows through; dashed where that counts against the class. */
function Edges({ drawn, selected }: Drawn & { selected: number }) {
  const order = [...drawn.edges.keys()].filter((i) => i !== selected);
  return (
    <g>
      {[...order, selected].map((i) => (
        <g key={i} class={i === selected ? "sw-ribbon sw-selected" : "sw-ribbon"} style={{ stroke: fillColour(i) }} data-tap={i}>
          {drawn.edges[i]!.map(({ from, to, thickness, dashed }, j) => (
            <path
              key={j}
              d={`M${from[0]} ${from[1]}L${to[0]} ${to[1]}`}
              stroke-width={thickness}
              stroke-dasharray={dashed ? `${4 + thickness / 2} ${3 + thickness / 4}` : undefined}
            />
          ))}
        </g>
      ))}
    </g>
  );
}

function Classes({ drawn, selected }: Drawn & { selected: number }) {
  const { turned, classes, names, decision, axis } = drawn;
  const radius = turned ? 9 : 13;
  return (
    <g>
      {!turned && (
        <Text x={0} y={axis.bottom + 34} size={13} colour="var(--sw-ink2)">
          thick: weight × value is large · dashed: it is negative
        </Text>
      )}
      <Text x={names.start} y={turned ? 15 : 20} size={turned ? 15 : 16} weight={700} halo>
        Classes
      </Text>
      <Text x={names.start} y={turned ? 31 : 37} size={13} colour="var(--sw-ink2)" halo>
        + bias
      </Text>
      {classes.map(({ x, y }, i) => (
        <g key={i} data-tap={i}>
          <circle cx={x} cy={y} r={turned ? 16 : 20} fill="transparent" />
          {i === selected && <circle cx={x} cy={y} r={radius + (turned ? 4 : 6)} style={{ fill: "var(--sw-hi)" }} />}
          <circle cx={x} cy={y} r={radius} style={{ fill: fillColour(i), stroke: textColour(i) }} />
          {i === decision && <circle class="sw-outline" cx={x} cy={y} r={radius + 2} />}
        </g>
      ))}
    </g>
  );
}

function Logits({ drawn, selected }: Drawn & { selected: number }) {
  const { turned, width, axis, rows, ribbons, mouth, strip, logits } = drawn;
  const left = axis.zero - EXTENT * axis.scale;
  return (
    <g>
      <Axis machine={drawn} temperature={1} live={false} left={left} />
      {ribbons.map((ribbon, i) => (
        <path key={i} class={i === selected ? "sw-ribbon sw-selected" : "sw-ribbon"} d={ribbon} style={{ fill: fillColour(i) }} data-tap={i} />
      ))}
      <Text
        x={turned ? 0 : (mouth + strip.start) / 2}
        y={turned ? mouth + 14 : axis.bottom + 34}
        size={turned ? 14 : 15}
        weight={700}
        anchor={turned ? "start" : "middle"}
        halo
      >
        softmax
      </Text>
      <Bars machine={drawn} temperature={1} live={false} />
      {rows.map(({ y }, i) => {
        const negative = logits[i]! < 0;
        // On a phone the picture ends beside the axis: there a number grows towards the names.
        const [x, anchor] = !negative ? [axis.zero - 6, "end" as const] : turned ? [width - 3, "end" as const] : [axis.zero + 6, "start" as const];
        return (
          <Text
            key={i}
            x={x}
            y={y + 5}
            size={turned ? 13.5 : 14.5}
            weight={i === selected ? 750 : 500}
            anchor={anchor}
            colour={textColour(i)}
            halo
            data-tap={i}
          >
            {logit(logits[i]!)}
          </Text>
        );
      })}
    </g>
  );
}

function Decision({ drawn, labels }: Drawn & { labels: readonly string[] }) {
  const { turned, decision, width, strip, foot, probabilities } = drawn;
  const y = turned ? strip.start + strip.length + 60 : foot + 60;
  const [x, anchor] = turned ? [0, "start" as const] : [width, "end" as const];
  return decision < 0 ? (
    <Text x={x} y={y} size={16} weight={700} anchor={anchor} colour="var(--sw-bad)">
      ✕ NaN: no decision
    </Text>
  ) : (
    <Text x={x} y={y} size={turned ? 15 : 16} anchor={anchor}>
      decision:{" "}
      <tspan font-weight="750">
        {`${shortened(labels[decision]!, 16)} ${shortShare(probabilities[decision]!)}`}
      </tspan>
    </Text>
  );
}

const StillNodes = ({ drawn, hidden }: Drawn & { hidden: readonly number[] }) => (
  <g>
    {drawn.nodes.map(({ y }, j) => (
      <g key={j}>
        <Text x={drawn.turned ? 2 : 8} y={drawn.turned ? y - 14 : y - 3} size={drawn.turned ? 16 : 18} weight={750}>
          {nodeName(j)}
        </Text>
        <Text x={drawn.turned ? 30 : 8} y={drawn.turned ? y - 14 : y + 17} size={16} weight={500}>
          {logit(hidden[j]!)}
        </Text>
      </g>
    ))}
  </g>
);

const StillWeights = ({ drawn, weights, selected }: Drawn & { weights: readonly number[]; selected: number }) => (
  <g>
    {drawn.edges[selected]!.map(({ label: [x, y] }, j) => (
      <Text key={j} x={x} y={y + 5} size={15} weight={650} anchor="middle" colour={textColour(selected)} halo>
        {showGiven(weights[j]!)}
      </Text>
    ))}
  </g>
);

interface ProductProps {
  label: string;
  of: number;
  weights: readonly number[];
  hidden: readonly number[];
  bias: number;
  logit: number;
  width: number;
  /** Whether the weights are typed here, because the edges have no room for them. */
  typed: boolean;
  still: boolean | undefined;
  onChange: (j: number, weight: number) => void;
}

const factor = (x: number): string => (x < 0 ? `(${showGiven(x)})` : showGiven(x));

/** One row of W·h + b, written out. */
function Product({ label, of, weights, hidden, bias, logit: z, width, typed, still, onChange }: ProductProps) {
  const products = weights.map((weight, j) => `${factor(weight)}·${factor(hidden[j]!)}`);
  const words = `z(${label}) = ${[...products, factor(bias)].join(" + ")} = ${logit(z)}`;
  // The longest that a drag can make of it, so that nothing under it moves.
  const line = typed ? 32 : 31;
  const lines = Math.ceil(((typed ? 120 : 128) * weights.length + 220) / width);
  return (
    <div class="sw-formula sw-product" role={typed ? "group" : "img"} aria-label={words} style={{ minHeight: `${lines * line}px` }}>
      <span>
        z of <b class="sw-marked">{label}</b>
      </span>
      {weights.map((weight, j) => (
        <span key={j}>
          {j === 0 ? "=" : "+"}
          {!typed ? (
            <span>{products[j]}</span>
          ) : (
            <span>
              <span class="sw-weight" style={{ color: textColour(of) }}>
                {still ? (
                  <span class="sw-box">{showGiven(weight)}</span>
                ) : (
                  <NumberBox name={`weight of ${label} on hidden ${j + 1}`} value={weight} onChange={(value) => onChange(j, value)} />
                )}
              </span>
              {`·${factor(hidden[j]!)}`}
            </span>
          )}
        </span>
      ))}
      <span>
        + <span>{factor(bias)}</span>
      </span>
      <span>
        = <b class="sw-marked">{logit(z)}</b>
      </span>
    </div>
  );
}
