import { useRef, useState } from "preact/hooks";
import { useCamera } from "./camera.ts";
import { dividedStrip, equalDividers, pulled, readDividers, sharesOf, verdictOnShares, type DividedStrip } from "./guess.ts";
import { GuessFrame, readShown, useReveal, type Shown } from "./GuessFrame.tsx";
import type { ViewProps } from "./home.ts";
import { axisExtent } from "./layout.ts";
import { machine, roomFor, type Machine } from "./machine.ts";
import { LOGIT_STEP, MachineControls } from "./MachineControls.tsx";
import { Axis, Bars, Flow, Strip, Tower } from "./MachineDrawing.tsx";
import { useMemory } from "./memory.ts";
import { StillNames } from "./Names.tsx";
import { logit, saidShares, share } from "./numbers.ts";
import { HiddenTable, Spoken } from "./parts.tsx";
import { softmax } from "./softmax.ts";
import { Control, fillColour, Grip, indexOf, shortened, Stage, Text, textColour, toStep, UprightGrip } from "./stage.tsx";
import { clamp, labelsOf } from "./state.ts";

interface Round {
  dividers: number[];
  shown: Shown;
  /** The logits of the question; after the answer the reader may pull them elsewhere. */
  asked: number[];
}

const readRound = (raw: unknown, asked: number[]): Round => {
  const kept = Object(raw) as { [Name in keyof Round]?: unknown };
  const dividers = readDividers(kept.dividers, asked.length);
  return dividers && JSON.stringify(kept.asked) === JSON.stringify(asked)
    ? { dividers, shown: readShown(kept.shown), asked }
    : { dividers: equalDividers(asked.length), shown: null, asked };
};

/** The machine with its middle covered, and a strip to divide: the reader's shares, then the true ones beside them. */
export function Guess({ state, home, width, still }: ViewProps<"Guess">) {
  const { logits, question, reason } = state;
  const labels = labelsOf(state, logits.length);
  const [kept, keep] = useMemory("guess", question, (raw) => readRound(raw, home.stored.logits), still);
  const round = kept.dividers.length === logits.length - 1 ? kept : readRound(null, logits);
  const { dividers, shown, asked } = round;
  const { revealed, uncover, cover } = useReveal(shown);
  const open = shown !== null && revealed === 1;
  const [selected, select] = useState(0);
  const camera = useCamera(logits.reduce((sum, z) => sum + Math.exp(z), 0), roomFor(logits.length, width));
  const extent = axisExtent(home.stored.logits);
  const drawn = machine({ powers: logits, logits, extent, unit: camera.unit, width, aside: true });
  const { turned, probabilities } = drawn;
  const guessed = sharesOf(dividers);
  const divided = dividedStrip(drawn, dividers, revealed);
  const gripAt = ({ at }: { at: number }) => (turned ? { x: at, y: divided.flow.start + divided.flow.length + 8 } : { x: divided.flow.start + divided.flow.length + 12, y: at });

  const change = (grip: string, value: number) => {
    const i = indexOf(grip);
    if (grip.startsWith("divider")) keep({ ...round, dividers: pulled(held.current.dividers, i, value) });
    else {
      select(i);
      home.update({ logits: logits.with(i, value) });
    }
  };
  const held = useRef({ dividers, logits });
  const grab = (grip: string) => {
    held.current = { dividers, logits };
    if (grip.startsWith("logit")) select(indexOf(grip));
    return () => (grip.startsWith("divider") ? keep({ ...round, dividers }) : home.update({ logits }));
  };
  const pull = (grip: string, dx: number, dy: number) => {
    const i = indexOf(grip);
    if (grip.startsWith("divider")) change(grip, Math.round(held.current.dividers[i]! + ((turned ? dx : -dy) / drawn.whole) * 100));
    else change(grip, toStep(clamp(held.current.logits[i]! + dx / drawn.axis.scale, -extent, extent), LOGIT_STEP));
  };

  return (
    <GuessFrame
      name="guess"
      question={question}
      reason={reason}
      shown={shown}
      verdict={verdictOnShares(labels, softmax(asked), guessed)}
      answer={`Shares: ${saidShares(labels, probabilities)}.`}
      still={still}
      onReveal={(how) => {
        keep({ ...round, shown: how, asked: logits });
        uncover();
      }}
      onAgain={() => {
        keep(null);
        cover();
        home.update({ logits: home.stored.logits });
      }}
    >
      <Stage
        width={width}
        height={drawn.height}
        onGrab={still ? undefined : grab}
        onPull={still ? undefined : pull}
        onTap={open ? (target) => select(Number(target)) : undefined}
        controls={
          open ? (
            <MachineControls
              machine={drawn}
              labels={labels}
              logits={logits}
              extent={extent}
              selected={selected}
              camera={camera}
              onSelect={select}
              onChange={(i, value) => change(`logit ${i}`, value)}
            />
          ) : (
            !still &&
            !shown &&
            divided.dividers.map((divider, i) => (
              <div key={i}>
                {!turned && <UprightGrip id={`divider ${i}`} {...gripAt(divider)} />}
                <Control
                  id={`divider ${i}`}
                  name={`between ${labels[i]} and ${labels[i + 1]}`}
                  text={`${labels[i]} ${share(guessed[i]!)}, ${labels[i + 1]} ${share(guessed[i + 1]!)}`}
                  value={dividers[i]!}
                  from={0}
                  to={100}
                  step={1}
                  {...gripAt(divider)}
                  onChange={(value) => {
                    held.current = { dividers, logits };
                    change(`divider ${i}`, value);
                  }}
                />
              </div>
            ))
          )
        }
      >
        <Axis machine={drawn} temperature={1} live={open} hint={open ? undefined : "given"} />
        {shown && (
          <g opacity={revealed}>
            <Flow machine={drawn} selected={selected} />
            <Tower machine={drawn} selected={selected} />
            <Strip machine={drawn} labels={labels} selected={selected} />
          </g>
        )}
        <Bars machine={drawn} temperature={1} live={open} />
        {!open && <StillNames labels={labels} values={logits} rows={drawn.rows} turned={turned} selected={selected} width={width} />}
        {revealed < 1 && (
          <g opacity={1 - revealed}>
            <Cover machine={drawn} />
            <GuessedNumbers machine={drawn} labels={labels} shares={guessed} places={divided.labels} />
          </g>
        )}
        <g opacity={shown === "skip" ? 1 - revealed : 1}>
          <Divided machine={drawn} divided={divided} revealed={shown === "skip" ? 0 : revealed} />
        </g>
        {!still && !shown && divided.dividers.map((divider, i) => <Grip key={i} id={`divider ${i}`} radius={turned ? 13 : 11} upright={!turned} {...gripAt(divider)} />)}
      </Stage>
      <HiddenTable
        caption="Logits and shares"
        labels={labels}
        columns={[
          ["logit", logits, logit, null],
          ...(shown === "skip" ? [] : [["your guess", guessed, share, "data-guess"] as const]),
          ...(open ? [["share", probabilities, share] as const] : []), // while they are covered they are nowhere
        ]}
      />
      {!still && <Spoken>{saidShares(labels, open ? probabilities : guessed)}</Spoken>}
    </GuessFrame>
  );
}

/** What hides horns and tower. */
function Cover({ machine: { turned, axis, horns, strip, foot, whole, width } }: { machine: Machine }) {
  const [x, y, right, bottom] = turned
    ? [8, axis.bottom + 26, width - 8, strip.start - 44]
    : [horns.start + 2, foot - whole, strip.start - 26, foot];
  return (
    <g>
      <rect class="sw-cover" x={x} y={y} width={right - x} height={bottom - y} rx="14" />
      <Text x={(x + right) / 2} y={(y + bottom) / 2 + 29} size={84} weight={800} anchor="middle" colour="var(--sw-rule)">
        ?
      </Text>
      <Text x={turned ? 8 : strip.start} y={turned ? strip.start - 16 : 20} size={turned ? 15 : 16} weight={700}>
        Your guess
      </Text>
      <Text x={turned ? width - 8 : strip.start} y={turned ? strip.start - 16 : 37} size={13} anchor={turned ? "end" : "start"} colour="var(--sw-ink2)">
        {`always ${share(1)} in all`}
      </Text>
    </g>
  );
}

interface NumbersProps {
  machine: Machine;
  labels: readonly string[];
  shares: readonly number[];
  places: readonly number[];
}

/** The reader's shares, as numbers with names. */
const GuessedNumbers = ({ machine: { turned, strip, shares: end }, labels, shares, places }: NumbersProps) => (
  <g>
    {places.map((place, i) => {
      const [x, y, anchor] = turned ? ([place, end + 20, "middle"] as const) : ([strip.start + strip.length + 34, place + 6, "start"] as const);
      return (
        <g key={i}>
          <Text x={x} y={y} size={turned ? 17 : 20} weight={700} anchor={anchor} colour={textColour(i)}>
            {share(shares[i]!)}
          </Text>
          <Text x={x} y={y + 17} size={13} anchor={anchor} colour={textColour(i)}>
            {shortened(labels[i]!, 8)}
          </Text>
        </g>
      );
    })}
  </g>
);

/** The divided strip: in place of the true one, and later beside it, with each divider joined to where it should be. */
function Divided({ machine: { turned, strip, foot, whole }, divided, revealed }: { machine: Machine; divided: DividedStrip; revealed: number }) {
  const { flow, parts, dividers } = divided;
  const [start, end] = [flow.start, flow.start + flow.length];
  const far = strip.start + strip.length;
  const box = (from: number, length: number) =>
    turned ? { x: from, y: start, width: length, height: flow.length } : { x: start, y: from, width: flow.length, height: length };
  const beyond = 6 * (1 - revealed);
  return (
    <g>
      {parts.map((part, i) => (
        <rect key={i} class="sw-tint" {...box(part.start, part.length)} style={{ fill: fillColour(i) }} />
      ))}
      <rect class="sw-dashed" {...box(turned ? foot : foot - whole, whole)} />
      {dividers.map(({ at, truth }, i) => (
        <g key={i}>
          <path class="sw-divider" d={turned ? `M${at} ${start - beyond}V${end + beyond}` : `M${start - beyond} ${at}H${end + beyond}`} />
          {revealed > 0 && <path class="sw-join" opacity={revealed} d={turned ? `M${truth} ${strip.start}V${far}L${at} ${start}V${end}` : `M${far} ${truth}L${start} ${at}`} />}
        </g>
      ))}
      {revealed === 1 && (
        <Text x={turned ? foot + whole - 8 : (start + end) / 2} y={turned ? start + 20 : foot + 17} size={13} anchor={turned ? "end" : "middle"} halo={turned} colour="var(--sw-ink2)">
          your guess
        </Text>
      )}
    </g>
  );
}
