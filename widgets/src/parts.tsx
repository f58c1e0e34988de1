import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import facts from "../../softmax_lib/widgets/facts.json" with { type: "json" };
import type { Home } from "./home.ts";
import * as numbers from "./numbers.ts";
import { clamp, LARGEST } from "./state.ts";

/** The colour of a class, the same in its bar, slider and terms. */
export const colour = (i: number): string =>
  `sw-c${i % facts.colours}${i < facts.colours ? "" : " sw-striped"}`;

let groups = 0;

/** A name for a group of radio buttons, or for a pattern, that no other on the page has; useId begins anew in every interactive. */
export const useGroup = (): string => useState(() => `sw-group-${groups++}`)[0];

export const Name = ({ children }: { children: string }) => (
  <b class="sw-name" title={children}>
    {children}
  </b>
);

interface NumberProps {
  name: string;
  value: number;
  least?: number;
  /** How the value is written; all its digits, unless another way is given. */
  written?: (value: number) => string;
  onChange: (value: number) => void;
}

/** A box to type in. What is no number (yet) changes nothing; leaving the box shows what counts. */
export function NumberBox({ name, value, least = -LARGEST, written = String, onChange }: NumberProps) {
  const box = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    // Writing what is there already would move the caret, turn a "1." being typed into "1", and a "0", on the way
    // to "0.5", into the least that counts.
    if (box.current && Math.max(box.current.valueAsNumber, least) !== value) box.current.value = written(value);
  }, [value]);
  return (
    <input
      ref={box}
      class="sw-box"
      type="number"
      step="any"
      aria-label={name}
      onInput={({ currentTarget: { valueAsNumber: x } }) => Number.isFinite(x) && onChange(clamp(x, least, LARGEST))}
      onBlur={({ currentTarget }) => (currentTarget.value = written(value))}
    />
  );
}

interface GridProps {
  kind: string;
  caption: ComponentChildren;
  heads: readonly ComponentChildren[];
  names: readonly string[];
  lit?: number;
  /** The cells of a row, each a td. */
  cells: (i: number) => ComponentChildren;
}

/** A table of numbers without controls of its own. */
export const Grid = ({ kind, caption, heads, names, lit, cells }: GridProps) => (
  <table role="table" class={kind}>
    <caption>{caption}</caption>
    <thead role="rowgroup">
      <tr role="row">
        {heads.map((head, k) => (
          <th key={k} role="columnheader" scope="col">
            {head}
          </th>
        ))}
      </tr>
    </thead>
    <tbody role="rowgroup">
      {names.map((name, i) => (
        <tr key={i} role="row" class={`${colour(i)} ${i === lit ? "sw-lit" : ""}`}>
          <th role="rowheader" scope="row">
            <Name>{name}</Name>
          </th>
          {cells(i)}
        </tr>
      ))}
    </tbody>
  </table>
);

type Column = readonly [head: string, values: readonly number[], written: (value: number) => string, exact?: "data-value" | "data-guess" | null];

interface HiddenTableProps {
  caption: string;
  /** What a row is for: a "class". */
  of?: string;
  labels: readonly string[];
  /** An attribute has all digits; `data-value`, unless another is named, or null for none. */
  columns: readonly Column[];
}

/** What a picture shows, as a table for those who do not see it. A table would not shrink to a pixel, so a box hides it. */
export const HiddenTable = ({ caption, of = "class", labels, columns }: HiddenTableProps) => (
  <div class="sw-hidden">
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          {[of, ...columns.map(([head]) => head)].map((head) => (
            <th key={head} scope="col">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {labels.map((label, i) => (
          <tr key={i}>
            <th scope="row">{label}</th>
            {columns.map(([head, values, written, exact = "data-value"]) => (
              <td key={head} {...(exact && { [exact]: String(values[i]) })}>
                {written(values[i]!)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

interface ValueTableProps {
  caption: string;
  labels: readonly string[];
  logits: readonly number[];
  exponentials: readonly number[];
  probabilities: readonly number[];
}

/** Logits, exponentials and shares as a `HiddenTable`. */
export const ValueTable = ({ logits, exponentials, probabilities, ...rest }: ValueTableProps) => (
  <HiddenTable
    {...rest}
    columns={[
      ["logit", logits, numbers.logit, null],
      ["exponential", exponentials, numbers.exponential, null],
      ["share", probabilities, numbers.share],
    ]}
  />
);

/** Not seen; spoken when nothing has changed for a moment, so that a drag is not read out step by step. */
export function Spoken({ children }: { children: string }) {
  const [spoken, speak] = useState("");
  const first = useRef(children);
  useEffect(() => {
    if (children === first.current) return;
    first.current = "";
    const timer = setTimeout(() => speak(children), 700);
    return () => clearTimeout(timer);
  }, [children]);
  return (
    <p class="sw-hidden" role="status">
      {spoken}
    </p>
  );
}

/** Reset, and on a page Copy link; on paper nothing. */
export function Actions<S>({ home, still }: { home: Home<S>; still?: boolean }) {
  const [copied, setCopied] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2500);
    return () => clearTimeout(timer);
  }, [copied]);
  if (still) return <div class="sw-actions" />; // the room that the buttons will take
  const copy = async () => {
    const address = home.link!();
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
      setLink(null);
    } catch {
      // No clipboard without https or permission: the reader copies by hand.
      setLink(address);
    }
  };
  return (
    <div class="sw-actions">
      <button type="button" onClick={() => home.update(home.stored)}>
        Reset
      </button>
      {home.link && (
        <button type="button" onClick={copy}>
          Copy link
        </button>
      )}
      <span role="status">{copied ? "✓ Copied" : link ? "Copy this link:" : ""}</span>
      {link && <input class="sw-link" aria-label="link to this state" readOnly value={link} ref={(el) => el?.select()} />}
    </div>
  );
}
