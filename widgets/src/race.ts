// A race's clock. It runs while the reader watches, and stands at the end at once where motion is unwanted.

import { useEffect, useRef, useState } from "preact/hooks";

/** How long the picture of the finish stays, in milliseconds, before the times are shown again. */
const STAYS = 1200;

export interface Race {
  /** Milliseconds since the start; null where nobody runs. */
  elapsed: number | null;
  /** Whether a race has ended since the picture was opened. */
  over: boolean;
  start: () => void;
  end: () => void;
}

/** A race that lasts so many milliseconds. */
export function useRace(lasts: number): Race {
  const [elapsed, setElapsed] = useState<number | null>(null);
  const [over, setOver] = useState(false);
  const frame = useRef(0);
  const end = () => {
    cancelAnimationFrame(frame.current);
    setElapsed(null);
    setOver(true);
  };
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  useEffect(() => {
    if (elapsed === null) return;
    // Paper shows the times, not a moment of the race.
    addEventListener("beforeprint", end);
    return () => removeEventListener("beforeprint", end);
  }, [elapsed === null]);
  const start = () => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return end();
    const begun = performance.now();
    const draw = (now: number) => {
      const passed = Math.max(now - begun, 0);
      if (passed > lasts + STAYS) return end();
      setElapsed(passed);
      frame.current = requestAnimationFrame(draw);
    };
    setOver(false);
    setElapsed(0);
    frame.current = requestAnimationFrame(draw);
  };
  return { elapsed, over, start, end };
}
