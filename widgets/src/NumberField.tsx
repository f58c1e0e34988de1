import { useState } from "preact/hooks";
import { answerText, judge, readTyped } from "./field.ts";
import { Folded } from "./GuessFrame.tsx";
import type { ViewProps } from "./home.ts";
import { useMemory } from "./memory.ts";
import { useGroup } from "./parts.tsx";

/** A number to type in. Of a wrong one the reader hears what it shows; what was checked last is remembered. */
export function NumberField({ state, still }: ViewProps<"NumberField">) {
  const { question, reason, unit } = state;
  const id = useGroup();
  const [checked, keep] = useMemory("field", question, readTyped, still);
  const [typed, type] = useState(checked ?? "");
  const [right, says] = typed === checked ? judge(state, typed) : [];
  // Not a form: JupyterLab lets none be submitted.
  return (
    <div class="sw sw-guess sw-field" role="group" aria-label="number to find">
      <p class="sw-asked" id={id}>
        {question}
      </p>
      {still ? (
        <Folded>
          {answerText(state)}. {reason}
        </Folded>
      ) : (
        <>
          <div class="sw-buttons">
            <input
              class={`sw-entered ${says ? (right ? "sw-right" : "sw-wrong") : ""}`}
              aria-labelledby={id}
              aria-invalid={right === false}
              autocomplete="off"
              maxLength={40}
              value={typed}
              onInput={({ currentTarget }) => type(currentTarget.value)}
              onKeyDown={({ key }) => key === "Enter" && keep(typed)}
            />
            {unit && <span>{unit}</span>}
            <button type="button" class="sw-button sw-first" onClick={() => keep(typed)}>
              Check
            </button>
          </div>
          <p class="sw-verdict" role="status">
            {says && (
              <>
                <b>{right ? "✓ Right." : "✗ Not quite."}</b> {says}
              </>
            )}
          </p>
        </>
      )}
    </div>
  );
}
