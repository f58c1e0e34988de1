import type { ViewProps } from "./home.ts";
import { Actions } from "./parts.tsx";

export function Quiz({ state, home }: ViewProps<"Quiz">) {
  const { question, choices, answer, choice } = state;
  return (
    <div class="sw sw-quiz" role="group" aria-label="quiz">
      <p class="sw-question">{question}</p>
      {choices.map(([name, reply]) => {
        const chosen = name === choice;
        const right = name === answer;
        return (
          <div key={name}>
            <button
              type="button"
              class={`sw-choice ${chosen ? (right ? "sw-right" : "sw-wrong") : ""}`}
              aria-pressed={chosen}
              onClick={() => home.update({ choice: name })}
            >
              {name}
            </button>
            <p role="status" class="sw-reply">
              {chosen && (
                <>
                  <strong>{right ? "✓ Right." : "✗ Not quite."}</strong> {reply}
                </>
              )}
            </p>
          </div>
        );
      })}
      <Actions home={home} />
    </div>
  );
}
