// How near the tower is seen. A thing that grows never gets smaller on the screen: only the reader moves the camera.

import { useEffect, useRef, useState } from "preact/hooks";
import { NEAREST, scaleFor } from "./machine.ts";
import { animate } from "./motion.ts";

const LASTS = 900; // milliseconds

export interface Camera {
  /** Pixels for one unit, at this moment. */
  unit: number;
  /** What the reader can do: see the whole of a tower that is torn, or come closer again. */
  button: "See the whole tower" | "Closer again" | null;
  move: () => void;
  /** What a screen reader should hear of the scale. */
  said: string;
}

/** The camera begins where the whole tower is in sight. */
export function useCamera(total: number, room: number): Camera {
  const [target, aim] = useState(() => scaleFor(total, room));
  const [unit, setUnit] = useState(target);
  const stop = useRef(() => {});
  useEffect(() => () => stop.current(), []);

  const torn = total * target > room && total < Infinity;
  const move = () => {
    const next = torn ? scaleFor(total, room) : NEAREST;
    const from = Math.log(unit);
    aim(next);
    stop.current();
    stop.current = animate(LASTS, (t) => setUnit(t < 1 ? Math.exp(from + (Math.log(next) - from) * t) : next));
  };
  const button = torn ? "See the whole tower" : target < NEAREST ? "Closer again" : null;
  return { unit, button, move, said: target < NEAREST ? "The tower is drawn smaller than life." : "" };
}
