// Steps against the gradient, one after the other, and the losses on their way.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Home } from "./home.ts";
import { animate } from "./motion.ts";
import { crossEntropy, stepped, target } from "./softmax.ts";
import { clamp, LARGEST, type States } from "./state.ts";

type State = States["LossExplorer"];

const ALONE = 450; // milliseconds for one step
const IN_A_ROW = 140;

/** Where a curve of losses began, and how it went on; `end` is the state that the last step left. */
interface Path {
  end: string;
  begin: number[];
  losses: number[];
}

export interface Steps {
  /** The logits as they are drawn, on their way during a step, and how much of the step is done. */
  shown: readonly number[];
  done: number;
  /** The loss at the beginning and after each step. */
  losses: readonly number[];
  /** Whether nothing has been changed yet, here or in Python or by a link. */
  fresh: boolean;
  take: (count: number) => void;
  startAgain: () => void;
  /** Remembers the curve, for a touch that the browser may cancel; returns what brings it back. */
  keep: () => () => void;
}

const nameOf = ({ logits, wanted, smoothing, rate }: State): string => JSON.stringify([logits, wanted, smoothing, rate]);

export const targetOf = ({ logits, wanted, smoothing }: State): number[] => target(logits.length, wanted, smoothing);

const lossOf = (state: State): number => crossEntropy(state.logits, targetOf(state));

/** Whatever is changed by anything but a step, here or in Python or by a link, begins a new curve. */
export function useSteps(state: State, home: Home<State>): Steps {
  const { logits } = state;
  const here = nameOf(state);
  const stop = useRef(() => {});
  const path = useRef<Path>({ end: "", begin: [], losses: [] });
  const [moving, move] = useState({ end: "", from: logits, done: 1 });
  useEffect(() => () => stop.current(), []);
  if (path.current.end !== here) {
    stop.current();
    path.current = { end: here, begin: logits, losses: [lossOf(state)] };
  }

  const take = (count: number, lasts = count > 1 ? IN_A_ROW : ALONE) => {
    stop.current();
    const before = home.read();
    const after = stepped(before.logits, targetOf(before), before.rate).map((z) => clamp(z, -LARGEST, LARGEST));
    const next = { ...before, logits: after };
    const end = nameOf(next);
    const { begin, losses } = path.current;
    path.current = { end, begin, losses: [...losses, lossOf(next)] };
    move({ end, from: before.logits, done: 0 });
    home.update({ logits: after });
    stop.current = animate(lasts, (done) => {
      move({ end, from: before.logits, done });
      if (done === 1 && count > 1) take(count - 1, lasts);
    });
  };
  const done = moving.end === here ? moving.done : 1;
  return {
    shown: done < 1 ? logits.map((z, i) => moving.from[i]! + (z - moving.from[i]!) * done) : logits,
    done,
    losses: path.current.losses,
    fresh: here === nameOf(home.stored),
    take,
    keep() {
      const kept = path.current;
      return () => void (path.current = kept);
    },
    startAgain: () => {
      path.current.end = ""; // also where the steps have led back to the beginning
      home.update({ logits: path.current.begin });
    },
  };
}
