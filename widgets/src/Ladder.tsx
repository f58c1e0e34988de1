import facts from "../../softmax_lib/widgets/facts.json" with { type: "json" };
import type { ViewProps } from "./home.ts";
import { arrivals, duration, ladder, pace, progress, RUNNER, slowdown, standing, tick, type Ladder as Drawn } from "./ladder.ts";
import { Actions, HiddenTable, Spoken, useGroup } from "./parts.tsx";
import { useRace } from "./race.ts";
import { Stage, Text } from "./stage.tsx";

/** The rungs of a ladder: bars for their times, the limit that nobody can pass, and a race to it. */
export function Ladder({ state, home, width, still }: ViewProps<"Ladder">) {
  const { names, seconds, limit, limit_name, unit, changes } = state;
  const last = names.length - 1;
  const selected = state.selected ?? last;
  const units = facts.time_units[unit];
  const times = seconds.map((each) => each * units);
  const drawn = ladder({ times, limit: limit * units, width });
  const slowest = Math.max(...seconds, limit);
  const factor = slowdown(slowest);
  const race = useRace(slowest * factor * 1000);
  // What the clock of the race shows, in seconds of the measurement.
  const clock = race.elapsed === null ? null : Math.min(race.elapsed / 1000 / factor, slowest);
  const group = useGroup();
  const select = (i: number) => home.update({ selected: Math.min(Math.max(i, 0), last) });
  const standings = names.map((_, i) => standing(seconds, i, limit, limit_name));
  const slow = `All start together, ${pace(factor)}.`;
  const result = arrivals(names, seconds, limit, limit_name);

  return (
    <div class="sw sw-ladder" role="group" aria-label="ladder">
      <Stage
        width={width}
        height={drawn.height}
        controls={
          !still && (
            <div role="radiogroup" aria-label="rung">
              {drawn.rows.map(({ top }, i) => (
                <input
                  key={i}
                  type="radio"
                  class="sw-rung"
                  name={group}
                  checked={i === selected}
                  aria-label={`${names[i]}, ${duration(times[i]!)} ${unit}`}
                  style={{ top: `${top}px`, height: `${drawn.rowHeight}px` }}
                  onChange={() => select(i)}
                />
              ))}
            </div>
          )
        }
      >
        <Head drawn={drawn} width={width} unit={unit} limit={limit * units} limitName={limit_name} clock={clock === null ? null : clock * units} slow={pace(factor)} />
        {names.map((name, i) => (
          <Rung
            key={i}
            drawn={drawn}
            i={i}
            name={name}
            time={times[i]!}
            width={width}
            done={clock === null ? null : progress(clock, seconds[i]!)}
            chosen={i === selected}
            climbed={i <= selected}
          />
        ))}
        <Limit drawn={drawn} limit={limit * units} done={clock === null ? null : progress(clock, limit)} />
      </Stage>
      {/* All of them lie in one place, which is as high as the longest, so that nothing moves when the reader steps. */}
      <div class="sw-rung-words">
        {names.map((name, i) => (
          <p key={i} class={i === selected ? "sw-rung-said" : ""}>
            <b>
              {`${i + 1} of ${names.length}: `}
              <span class="sw-marked">{name}</span>
              {` ${duration(times[i]!)} ${unit}`}
            </b>
            {changes?.[i] && ` ${changes[i]}`}
            <span>{standings[i]}</span>
          </p>
        ))}
      </div>
      <div class="sw-buttons">
        {!still && (
          <>
            <button type="button" class="sw-button sw-first" onClick={clock === null ? race.start : race.end}>
              {clock === null ? "Race" : "Skip"}
            </button>
            <button type="button" class="sw-button" aria-disabled={selected === 0} onClick={() => select(selected - 1)}>
              Back
            </button>
            <button type="button" class="sw-button" aria-disabled={selected === last} onClick={() => select(selected + 1)}>
              Next rung
            </button>
          </>
        )}
      </div>
      <p class="sw-rung-note">{!still && (race.over ? result : slow)}</p>
      <HiddenTable
        caption={`Times of the rungs; ${limit_name} takes ${duration(limit * units)} ${unit}`}
        of="rung"
        labels={names}
        columns={[
          [`time in ${unit}`, seconds, (time) => duration(time * units)],
          ["compared", [...names.keys()], (i) => standings[i]!, null],
        ]}
      />
      {!still && <Spoken>{clock !== null ? "" : race.over ? result : `${names[selected]}. ${changes?.[selected] ?? ""} ${standings[selected]}`}</Spoken>}
      <Actions home={home} still={still} />
    </div>
  );
}

interface HeadProps {
  drawn: Drawn;
  width: number;
  unit: string;
  limit: number;
  limitName: string;
  clock: number | null;
  slow: string;
}

/** What the lengths mean: times on their axis, or in the race how far each is. */
function Head({ drawn, width, unit, limit, limitName, clock, slow }: HeadProps) {
  const { stacked, axis, at, top, bottom } = drawn;
  const racing = clock !== null;
  const end = axis.start + axis.length;
  const arrived = racing && progress(clock, limit) === 1;
  const place = racing ? limitAt(drawn, progress(clock, limit)) : at(limit);
  // The name of the limit begins at its line, or ends there, whichever side has the room.
  const left = place < width * 0.6;
  return (
    <g>
      <Text x={0} y={16} size={stacked ? 15 : 16} weight={700}>
        {racing ? "Race" : "Time of each rung"}
      </Text>
      <Text x={stacked && racing ? 48 : 0} y={stacked ? 16 : 36} size={13} colour="var(--sw-ink2)">
        {racing ? slow : stacked ? "" : "shorter is faster"}
      </Text>
      {racing ? (
        <>
          <path class="sw-grid" d={`M${axis.start} ${top - 2}V${bottom}`} />
          <path class="sw-zero" d={`M${end} ${top - 2}V${bottom}`} />
          <Text x={axis.start} y={bottom + 19} size={stacked ? 12 : 13} colour="var(--sw-ink2)">
            start
          </Text>
          <Text x={(axis.start + end) / 2} y={bottom + 19} size={14} weight={600} anchor="middle">
            {`clock ${duration(clock)} ${unit}`}
          </Text>
          <Text x={end} y={bottom + 19} size={stacked ? 12 : 13} anchor="end" colour="var(--sw-ink2)">
            done
          </Text>
        </>
      ) : (
        axis.ticks.map((each, k) => (
          <g key={k}>
            <path class={k ? "sw-grid" : "sw-zero"} d={`M${at(each)} ${top - 2}V${bottom}`} />
            <Text
              x={stacked && k === axis.ticks.length - 1 ? width : at(each)}
              y={bottom + 19}
              size={stacked ? 12 : 13}
              anchor={stacked ? (k === 0 ? "start" : k === axis.ticks.length - 1 ? "end" : "middle") : "middle"}
              colour="var(--sw-ink2)"
            >
              {k === axis.ticks.length - 1 ? `${tick(each)} ${unit}` : tick(each)}
            </Text>
          </g>
        ))
      )}
      <Text x={left ? place - (stacked ? 2 : 4) : place + 2} y={stacked ? 38 : 36} size={13.5} weight={600} anchor={left ? "start" : "end"}>
        {racing && !arrived ? limitName : `${limitName}, ${duration(limit)} ${unit}${racing ? "" : ": the limit"}`}
      </Text>
    </g>
  );
}

interface RungProps {
  drawn: Drawn;
  i: number;
  name: string;
  time: number;
  width: number;
  /** The share of its work that is done, in a race. */
  done: number | null;
  chosen: boolean;
  climbed: boolean;
}

function Rung({ drawn, i, name, time, width, done, chosen, climbed }: RungProps) {
  const { stacked, rows, rowHeight, thickness, axis, at } = drawn;
  const row = rows[i]!;
  const y = row.bar - thickness / 2;
  const kind = `sw-rung-bar${climbed ? "" : " sw-rung-above"}${chosen ? " sw-rung-chosen" : ""}`;
  const way = axis.length - RUNNER;
  const number = done === null || done === 1;
  const beside = done === null ? at(time) : axis.start + axis.length;
  return (
    <g>
      {chosen && <rect class="sw-chosen-name" y={row.top + (stacked ? 0 : 1)} width={stacked ? width : axis.start - 8} height={stacked ? 20 : rowHeight - 2} rx="6" />}
      <Text x={8} y={row.name} size={stacked ? 14 : 15} weight={chosen ? 750 : 550} halo={stacked && !chosen} colour={chosen ? "var(--sw-hi-ink)" : undefined}>
        {name}
      </Text>
      {done === null ? (
        <rect class={kind} x={axis.start} y={y} width={Math.max(at(time) - axis.start, 1)} height={thickness} />
      ) : (
        <>
          <rect class="sw-rung-lane" x={axis.start} y={y} width={axis.length} height={thickness} />
          <rect class={kind} data-runner={i} x={axis.start + done * way} y={y} width={RUNNER} height={thickness} />
        </>
      )}
      {number && (
        <Text
          x={stacked ? width - 8 : beside + 8}
          y={row.name}
          size={chosen && !stacked ? 17 : stacked ? 14 : 15}
          weight={chosen ? 800 : 600}
          anchor={stacked ? "end" : "start"}
          halo={!chosen || !stacked}
          colour={chosen && stacked ? "var(--sw-hi-ink)" : undefined}
        >
          {duration(time)}
        </Text>
      )}
    </g>
  );
}

/** Where the limit is in a race: level with the front of a runner that has done as much. */
const limitAt = ({ axis }: Drawn, done: number): number => axis.start + RUNNER + done * (axis.length - RUNNER);

/** The dotted line that nobody passes: at the limit's time, and in the race wherever the limit is by then. */
function Limit({ drawn, limit, done }: { drawn: Drawn; limit: number; done: number | null }) {
  const { stacked, rows, thickness, at, top, bottom } = drawn;
  const x = done === null ? at(limit) : limitAt(drawn, done);
  // Where names stand above the bars, the line is left out behind them.
  const parts = stacked ? rows.map(({ bar }) => `M${x} ${bar - thickness / 2}v${thickness}`).join("") : `M${x} ${top - 10}V${bottom}`;
  return <path class="sw-rung-limit" d={parts} />;
}
