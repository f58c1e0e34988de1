import { useRef } from "preact/hooks";
import { placeOf, saidAt, ticksOf, verdictOnNumber, withUnit } from "./guess.ts";
import { GuessFrame, readShown, useReveal, type Shown } from "./GuessFrame.tsx";
import type { ViewProps } from "./home.ts";
import { TURNED_BELOW } from "./machine.ts";
import { useMemory } from "./memory.ts";
import { amount } from "./numbers.ts";
import { Spoken } from "./parts.tsx";
import { Control, Grip, Stage, Text } from "./stage.tsx";
import { clamp } from "./state.ts";

const MIDDLE = 84; // the axis's place in the picture
const HEIGHT = 176;

interface Round {
  /** Where the grip is, from 0 at one end of the axis to 1 at the other. */
  place: number;
  shown: Shown;
  /** The number of the question. */
  asked: number;
}

const readRound = (raw: unknown, asked: number): Round => {
  const { place, shown, asked: before } = Object(raw) as { [Name in keyof Round]?: unknown };
  return typeof place === "number" && place >= 0 && place <= 1 && before === asked
    ? { place, shown: readShown(shown), asked }
    : { place: 0.5, shown: null, asked };
};

/** A point to place on an axis that never changes; then the true one, and the gap between them. */
export function GuessNumber({ state, home, width, still }: ViewProps<"GuessNumber">) {
  const { number, low, high, question, reason, unit, logarithmic } = state;
  const axis = { low, high, logarithmic };
  const [round, keep] = useMemory("guess", question, (raw) => readRound(raw, home.stored.number), still);
  const { place, shown } = round;
  const { revealed, uncover, cover } = useReveal(shown);
  const guess = saidAt(axis, place);
  const margin = 24;
  const at = (x: number) => margin + placeOf(axis, x) * (width - 2 * margin);
  const [guessed, truth] = [at(guess), at(number)];
  const said = withUnit(guess, unit);
  const compared = shown === "guess";
  const radius = width < TURNED_BELOW ? 13 : 11;
  /** As near over its point as the ends of the picture allow. */
  const labelAt = (x: number, text: string) => clamp(x, text.length * 8, width - text.length * 8);

  const held = useRef(place);
  const move = (to: number) => keep({ ...round, place: clamp(to, 0, 1) });
  return (
    <GuessFrame
      name="guess"
      question={question}
      reason={reason}
      shown={shown}
      verdict={verdictOnNumber(axis, number, guess, unit)}
      answer={`${withUnit(number, unit)}.`}
      still={still}
      onReveal={(how) => {
        keep({ ...round, shown: how, asked: number });
        uncover();
      }}
      onAgain={() => {
        keep(null);
        cover();
      }}
    >
      <Stage
        width={width}
        height={HEIGHT}
        onGrab={() => {
          held.current = place;
          return () => move(place);
        }}
        onPull={still || shown ? undefined : (_, dx) => move(held.current + dx / (width - 2 * margin))}
        controls={
          !still &&
          !shown && (
            <Control id="guess" name="your guess" text={said} value={place * 100} from={0} to={100} step={1} x={guessed} y={MIDDLE} onChange={(value) => move(value / 100)} />
          )
        }
      >
        {compared && <rect class="sw-error" x={Math.min(guessed, guessed + (truth - guessed) * revealed)} y={MIDDLE - 9} width={Math.abs(truth - guessed) * revealed} height="18" />}
        <path class="sw-rail" d={`M${margin} ${MIDDLE}H${width - margin}`} />
        {ticksOf(axis).map((tick) => (
          <g key={tick}>
            <path class="sw-rail" d={`M${at(tick)} ${MIDDLE - 6}v12`} />
            <Text x={at(tick)} y={MIDDLE + 30} size={width < TURNED_BELOW ? 12 : 13} anchor="middle" colour="var(--sw-ink2)">
              {amount(tick)}
            </Text>
          </g>
        ))}
        {(still ? compared : shown !== "skip") && (
          <g>
            <Text x={labelAt(guessed, "your guess")} y={MIDDLE - 50} size={13} anchor="middle" colour="var(--sw-ink2)">
              your guess
            </Text>
            <Text x={labelAt(guessed, said)} y={MIDDLE - 25} size={24} weight={compared ? 600 : 800} anchor="middle">
              {said}
            </Text>
            {compared || still ? <circle class="sw-dashed sw-paper" cx={guessed} cy={MIDDLE} r={radius} /> : <Grip id="guess" x={guessed} y={MIDDLE} radius={radius} />}
          </g>
        )}
        {shown && (
          <g opacity={revealed}>
            <circle cx={truth} cy={MIDDLE} r={radius} style={{ fill: "var(--sw-ink)" }} />
            <Text x={labelAt(truth, withUnit(number, unit))} y={MIDDLE + 63} size={24} weight={800} anchor="middle">
              {withUnit(number, unit)}
            </Text>
            <Text x={labelAt(truth, "the answer")} y={MIDDLE + 82} size={13} anchor="middle" colour="var(--sw-ink2)">
              the answer
            </Text>
          </g>
        )}
      </Stage>
      {!still && <Spoken>{shown ? withUnit(number, unit) : said}</Spoken>}
    </GuessFrame>
  );
}
