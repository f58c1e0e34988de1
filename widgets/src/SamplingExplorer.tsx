import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ViewProps } from "./home.ts";
import { animate } from "./motion.ts";
import { amount, saidShares, share, temperature as showTemperature } from "./numbers.ts";
import { Actions, HiddenTable, Spoken } from "./parts.tsx";
import { random } from "./philox.ts";
import { caught, Rail, RailControls, temperatureAt, TEMPERATURES } from "./rail.tsx";
import { blade, bladeAt, COLDEST, columns as columnsOf, dots, draw, EXPECTED, HOTTEST, inColumns, place, sampled, wordSize } from "./sampling.ts";
import { APART, Cut, FALLS, gripAt, SamplingDrawing } from "./SamplingDrawing.tsx";
import { Control, Stage, Text, textColour, toStep } from "./stage.tsx";
import { clamp, LARGEST_SEED, LEAST_FACTOR, MOST_DRAWS } from "./state.ts";

const STEP = 0.1; // of log2 T, for an arrow key
const P_STEP = 0.01;
const LYING = { from: Infinity, elapsed: 0 };

const heat = (temperature: number): string => {
  if (temperature === 1) return "as trained";
  if (temperature < 0.8) return "cold: the likeliest gains";
  return temperature > 1.25 ? "hot: rare words gain" : "nearly as trained";
};

/** The next word of a sentence: shares at a temperature, two cuts to drag, and words drawn by chance, a dot for each. */
export function SamplingExplorer({ state, home, width, still }: ViewProps<"SamplingExplorer">) {
  const { prompts, prompt, temperature, top_k, top_p, seed, draws } = state;
  const [, words, logits] = prompts[prompt]!;
  const made = sampled(logits, temperature, top_k, top_p);
  const { shares, kept, renormalised } = made;
  const numbers = useMemo(() => random(seed, draws), [seed, draws]);
  const drawn = draw(made, numbers);
  const counted = words.map((_, i) => drawn.filter((word) => word === i).length);

  const parts = inColumns(renormalised);
  const count = parts.length;
  const others = words.length - count + 1;
  const placed = place(width, count);
  const { narrow, first, thick, top, base, column, rail, railEnd, at } = placed;
  const drawing = columnsOf(made, placed);
  const names = words.slice(0, count);
  const shortNames = [...names];
  if (others > 1) {
    const some = kept >= count && kept < words.length;
    const left = some ? kept - count + 1 : others;
    names[count - 1] = some ? `${left} of ${others}` : `${others} others`;
    shortNames[count - 1] = `+${left}`;
  }

  const [fall, setFall] = useState(LYING);
  const stop = useRef(() => {});
  useEffect(() => () => stop.current(), []);
  const sample = (more: number) => {
    stop.current();
    // A hundred are a hundred of one seed; so they begin anew, as one does where the column is full.
    const again = more > 1 ? draws > 0 : draws === MOST_DRAWS;
    const from = again ? 0 : draws;
    const lasts = FALLS + APART * (more - 1);
    setFall({ from, elapsed: 0 });
    home.update({ draws: from + more, ...(again && { seed: next(seed) }) });
    stop.current = animate(lasts, (t) => setFall(t < 1 ? { from, elapsed: t * lasts } : LYING), (t) => t);
  };
  /** Other shares are met by the same chance, from its beginning. */
  const change = (changes: Partial<typeof state>) => home.update({ ...changes, draws: 0 });
  const choose = (i: number) => change({ prompt: i, top_k: top_k !== null && top_k < prompts[i]![1].length ? top_k : null });
  const setK = (place: number) => change({ top_k: bladeAt(place, count) });
  const setP = (value: number) => change({ top_p: clamp(value, LEAST_FACTOR, 1) });

  const k = blade(top_k, words.length);
  const heldAt = { "top-p": top_p * width, "top-k": k * column, temperature: at(temperature) };
  const held = useRef(heldAt);
  const grab = () => {
    held.current = heldAt;
    return () => home.update({ temperature, top_k, top_p, draws });
  };
  const pull = (grip: string, dx: number) => {
    const x = held.current[grip as keyof typeof heldAt] + dx;
    if (grip === "top-p") setP(toStep(clamp(x / width, P_STEP, 1), P_STEP));
    else if (grip === "top-k") setK(Math.round(x / column));
    else {
      const part = clamp((x - at(COLDEST)) / (railEnd - at(COLDEST)), 0, 1);
      change({ temperature: Number(caught(COLDEST * (HOTTEST / COLDEST) ** part).toPrecision(4)) });
    }
  };

  const pSays = `top-p ${top_p === 1 ? "off" : amount(Math.min(top_p, 0.999))}`;
  const kSays = `top-k ${top_k === null || top_k >= words.length ? "off" : top_k}`;
  const keeps = `${kept} of ${words.length} words kept`;
  const last = words[drawn.at(-1) ?? -1];
  const said = saidShares(names, parts);
  const temperatureRail = { id: "temperature", value: temperature, y: rail, turned: narrow, at };

  return (
    <div class="sw sw-picture sw-sampling" role="group" aria-label="next word">
      {prompts.length > 1 && (
        <p class="sw-prompts">
          {!still && (
            <select aria-label="sentence" value={prompt} onChange={({ currentTarget }) => choose(currentTarget.selectedIndex)}>
              {prompts.map(([text], i) => (
                <option key={i} value={i}>
                  {`${text} …`}
                </option>
              ))}
            </select>
          )}
        </p>
      )}
      {/* All of them lie in one place, which is as high as the longest, so that nothing moves when the reader takes another. */}
      <div class="sw-sentences">
        {prompts.map(([text, words], i) => (
          <p key={i} class={i === prompt ? "sw-shown" : ""}>
            {`${text} `}
            <b title={last} style={{ width: `${Math.max(...words.map((word) => Array.from(word).length)) * 0.6 + 0.5}em` }}>
              {(i === prompt && last) || "\u00a0"}
            </b>
          </p>
        ))}
      </div>
      <Stage
        width={width}
        height={placed.height}
        {...(!still && { onGrab: grab, onPull: pull })}
        controls={
          <>
            {(narrow ? shortNames : names).map((name, i) => (
              <span
                key={i}
                class={i < kept ? "sw-word" : "sw-word sw-cut"}
                aria-hidden="true"
                title={names[i]}
                style={{ left: `${i * column}px`, top: `${base + 5}px`, width: `${column}px`, fontSize: `${wordSize(name, placed)}px`, color: i < kept ? textColour(i) : undefined }}
              >
                {name}
              </span>
            ))}
            {!still && (
              <>
                <Control
                  id="top-p"
                  name="top-p"
                  text={`${pSays}: ${keeps}`}
                  value={top_p}
                  from={Math.min(P_STEP, top_p)}
                  to={1}
                  step={P_STEP}
                  x={gripAt(top_p * width, placed)}
                  y={first - 17}
                  onChange={setP}
                />
                <Control
                  id="top-k"
                  name="top-k"
                  text={`${kSays}: ${keeps}`}
                  value={k}
                  from={1}
                  to={count}
                  step={1}
                  x={gripAt(k * column, placed)}
                  y={top + 24}
                  onChange={(value) => setK(Math.ceil(value))}
                />
                <RailControls
                  {...temperatureRail}
                  name="temperature"
                  text={`temperature ${showTemperature(temperature)}, ${heat(temperature)}: ${keeps}`}
                  slider={Math.log2(temperature)}
                  from={Math.log2(COLDEST)}
                  to={Math.log2(HOTTEST)}
                  step={STEP}
                  boxAt={railEnd + 20}
                  least={LEAST_FACTOR}
                  onSlide={(value) => change({ temperature: temperatureAt(value) })}
                  onChange={(value) => change({ temperature: value })}
                />
              </>
            )}
          </>
        }
      >
        <SamplingDrawing
          place={placed}
          columns={drawing}
          sampled={made}
          counts={inColumns(counted)}
          temperature={showTemperature(temperature)}
          dots={dots(drawn, count, placed)}
          {...{ parts, numbers, fall }}
        />
        {(!still || top_p < 1) && (
          <Cut place={placed} id="top-p" x={top_p * width} y={first - 17} line={`M${Math.min(top_p * width, width - 1)} ${first - 8}V${first + thick + 4}`} live={!still}>
            {pSays}
          </Cut>
        )}
        {(!still || k < count) && (
          <Cut place={placed} id="top-k" x={k * column} y={top + 24} line={`M${Math.min(k * column, width - 1)} ${top + 2}V${base}`} live={!still}>
            {kSays}
          </Cut>
        )}
        <Text x={0} y={narrow ? rail - 26 : rail + 5} size={narrow ? 15 : 16} weight={700}>
          Temperature
        </Text>
        <Text x={narrow ? width : railEnd + 84} y={narrow ? rail - 26 : rail + 5} size={14} anchor={narrow ? "end" : "start"} colour="var(--sw-ink2)">
          {heat(temperature)}
        </Text>
        <Rail {...temperatureRail} marks={TEMPERATURES} live={!still} />
      </Stage>
      <div class="sw-buttons">
        {!still && (
          <>
            <button type="button" class="sw-button sw-first" onClick={() => sample(1)}>
              Sample
            </button>
            <button type="button" class="sw-button" onClick={() => sample(EXPECTED)}>
              Sample 100
            </button>
            <button type="button" class="sw-button" onClick={() => change({ seed: next(seed) })}>
              Clear
            </button>
          </>
        )}
      </div>
      <p class="sw-note">{`${draws} draw${draws === 1 ? "" : "s"} from seed ${seed}; outlines: expected in ${EXPECTED}`}</p>
      <HiddenTable
        caption={`The next word at temperature ${showTemperature(temperature)}: ${keeps}`}
        of="word"
        labels={words}
        columns={[
          ["share", shares, share],
          ["of what is kept", renormalised, share],
          ["drawn", counted, String],
        ]}
      />
      {!still && <Spoken>{`${last ? `drew ${last}, ${draws} of ${MOST_DRAWS}; ` : ""}${keeps}; ${said}`}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}

const next = (seed: number): number => (seed === LARGEST_SEED ? 0 : seed + 1);
