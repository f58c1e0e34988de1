// What every guess has around its picture: the question above it; under it the buttons, and afterwards the verdict and the reason.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { animate } from "./motion.ts";

const LASTS = 900; // milliseconds

/** How the answer was asked for: with a guess to compare, or without one. Null while it is covered. */
export type Shown = "guess" | "skip" | null;

export const readShown = (raw: unknown): Shown => (raw === "guess" || raw === "skip" ? raw : null);

/** How far the answer is uncovered, from 0 to 1, and what uncovers and covers it. */
export function useReveal(shown: Shown) {
  const [revealed, set] = useState(shown ? 1 : 0);
  const stop = useRef(() => {});
  useEffect(() => () => stop.current(), []);
  return {
    revealed,
    uncover: () => void (stop.current = animate(LASTS, set)),
    cover() {
      stop.current();
      set(0);
    },
  };
}

/** The answer, on paper and where no script runs. */
export const Folded = ({ children }: { children: ComponentChildren }) => (
  <details class="sw-answer">
    <summary>Show the answer</summary>
    <p>{children}</p>
  </details>
);

interface Props {
  name: string;
  question: string;
  reason: string;
  shown: Shown;
  /** How good the guess was: in a few words, and in numbers. */
  verdict: readonly [string, string];
  /** The answer in words, for paper and for pages without a script. */
  answer: string;
  still?: boolean;
  onReveal: (how: "guess" | "skip") => void;
  onAgain: () => void;
  children: ComponentChildren;
}

export function GuessFrame({ name, question, reason, shown, verdict, answer, still, onReveal, onAgain, children }: Props) {
  const first = useRef<HTMLButtonElement>(null);
  return (
    <div class="sw sw-guess" role="group" aria-label={name}>
      <p class="sw-asked">{question}</p>
      {children}
      <div class="sw-outcome">
        {still ? (
          <Folded>
            {answer} {reason}
          </Folded>
        ) : (
          <>
            <p class="sw-verdict" role="status">
              {shown === "guess" && (
                <>
                  <b>{verdict[0]}</b> {verdict[1]}{" "}
                </>
              )}
              {shown && reason}
            </p>
            <div class="sw-buttons">
              <button ref={first} type="button" class={shown ? "sw-button" : "sw-button sw-first"} onClick={() => (shown ? onAgain() : onReveal("guess"))}>
                {shown ? "Guess again" : "Reveal"}
              </button>
              {!shown && (
                <button
                  type="button"
                  class="sw-button"
                  onClick={() => {
                    first.current?.focus(); // this button goes, and the focus would go with it
                    onReveal("skip");
                  }}
                >
                  Skip
                </button>
              )}
            </div>
          </>
        )}
      </div>
    </div>
  );
}
