import { Folded } from "./GuessFrame.tsx";
import type { ViewProps } from "./home.ts";
import { Actions } from "./parts.tsx";

export function Quiz({ state, home, still }: ViewProps<"Quiz">) {
  const { question, choices, answer, choice } = state;
  if (still)
    return (
      <div class="sw sw-quiz" role="group" aria-label="quiz">
        <p class="sw-question">{question}</p>
        <ul>
          {choices.map(([name]) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
        <Folded>
          {answer}. {choices.find(([name]) => name === answer)?.[1]}
        </Folded>
      </div>
    );
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
