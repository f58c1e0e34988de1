import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import facts from "../../softmax_lib/widgets/facts.json" with { type: "json" };
import { show, showExponent, showProbability } from "./format.ts";
import type { Home } from "./home.ts";
import { clamp, LARGEST } from "./state.ts";

/** The colour of a class, the same in its bar, slider and terms. */
export const colour = (i: number): string =>
  `sw-c${i % facts.colours}${i < facts.colours ? "" : " sw-striped"}`;

export const Name = ({ children }: { children: string }) => (
  <b class="sw-name" title={children}>
    {children}
  </b>
);

interface NumberProps {
  name: string;
  value: number;
  least?: number;
  onChange: (value: number) => void;
}

/** A box to type in. What is no number (yet) changes nothing; leaving the box shows what counts. */
export function NumberBox({ name, value, least = -LARGEST, onChange }: NumberProps) {
  const box = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    // Writing what is there already would move the caret, turn a "1." being typed into "1", and a "0", on the way
    // to "0.5", into the least that counts.
    if (box.current && Math.max(box.current.valueAsNumber, least) !== value) box.current.value = String(value);
  }, [value]);
  return (
    <input
      ref={box}
      class="sw-box"
      type="number"
      step="any"
      aria-label={name}
      onInput={({ currentTarget: { valueAsNumber: x } }) => Number.isFinite(x) && onChange(clamp(x, least, LARGEST))}
      onBlur={({ currentTarget }) => (currentTarget.value = String(value))}
    />
  );
}

interface SliderProps extends NumberProps {
  from: number;
  to: number;
  /** A drag rounds to this; an arrow key moves by ten of it. */
  unit: number;
  /** The visible name, where `name` is not. */
  children?: ComponentChildren;
}

const keySteps: Record<string, number> = {
  ArrowRight: 10,
  ArrowUp: 10,
  ArrowLeft: -10,
  ArrowDown: -10,
  PageUp: 100,
  PageDown: -100,
};

export function Slider({ from, to, unit, children, ...number }: SliderProps) {
  const { name, value, onChange } = number;
  // step="any" shows a stored 2.44 or 1/3 as it is; so the rounding is ours.
  const move = (x: number) => onChange(Number((Math.round(clamp(x, from, to) / unit) * unit).toPrecision(12)));
  const press = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    const steps = event.altKey || event.ctrlKey || event.metaKey ? undefined : keySteps[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    move(value + steps * unit);
  };
  return (
    <div class="sw-slider">
      <label>
        <span class={children ? "" : "sw-hidden"}>{children ?? name}</span>
        <input
          type="range"
          min={from}
          max={to}
          step="any"
          value={value}
          onInput={({ currentTarget }) => move(currentTarget.valueAsNumber)}
          onKeyDown={press}
        />
      </label>
      <NumberBox {...number} />
    </div>
  );
}

/** The range of a slider for these values: symmetric, and never narrower than it once was. */
export function useExtent(values: readonly number[]): { from: number; to: number; unit: number } {
  const extent = useRef(10);
  extent.current = Math.max(extent.current, ...values.map((x) => Math.ceil(Math.abs(x))));
  const unit = 10 ** (Math.floor(Math.log10(extent.current)) - 3);
  return { from: -extent.current, to: extent.current, unit };
}

/** The row that pointer or focus is on, and the handlers that say so. */
export function useLit(otherwise: number) {
  const [pointed, point] = useState<number | null>(null);
  const [focused, focus] = useState<number | null>(null);
  return {
    lit: pointed ?? focused ?? Math.max(otherwise, 0),
    light: (i: number) => ({
      onPointerEnter: () => point(i),
      onPointerLeave: () => point(null),
      onFocusIn: () => focus(i),
      onFocusOut: () => focus(null),
    }),
  };
}

export function ProbabilityCell({ p }: { p: number }) {
  return (
    <td role="cell" class="sw-p" data-value={String(p)}>
      <span class="sw-bar">
        <span style={{ width: `${p * 100}%` }} />
      </span>
      <span>{showProbability(p)}</span>
    </td>
  );
}

interface LogitTableProps<S extends { logits: number[] }> {
  caption: string;
  labels: readonly string[];
  probabilities: readonly number[];
  home: Home<S>;
  lit?: number;
  light?: ReturnType<typeof useLit>["light"];
  /** A column before the probabilities: its head and its cells. */
  middle?: [ComponentChildren, readonly string[]];
}

/** A slider for each logit, and the probability it leads to. */
export function LogitTable<S extends { logits: number[] }>(props: LogitTableProps<S>) {
  const { caption, labels, probabilities, home, lit, light, middle } = props;
  const { logits } = home.read();
  const extent = useExtent([...home.stored.logits, ...logits]);
  return (
    <table role="table">
      <caption>{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">class</th>
          <th role="columnheader" scope="col" class="sw-control">
            logit <i>z</i>
          </th>
          {middle && (
            <th role="columnheader" scope="col">
              {middle[0]}
            </th>
          )}
          <th role="columnheader" scope="col">probability</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {logits.map((z, i) => (
          <tr key={i} role="row" class={`${colour(i)} ${i === lit ? "sw-lit" : ""}`} {...light?.(i)}>
            <th role="rowheader" scope="row">
              <Name>{labels[i]!}</Name>
            </th>
            <td role="cell" class="sw-control">
              <Slider
                name={`logit of ${labels[i]}`}
                value={z}
                {...extent}
                onChange={(value) => home.update({ logits: logits.with(i, value) } as Partial<S>)}
              />
            </td>
            {middle && (
              <td role="cell" class="sw-number">
                {middle[1][i]}
              </td>
            )}
            <ProbabilityCell p={probabilities[i]!} />
          </tr>
        ))}
      </tbody>
    </table>
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

interface FormulaProps {
  labels: readonly string[];
  scaled: readonly number[];
  probabilities: readonly number[];
  lit: number;
}

/** The softmax of the lit row, in the numbers of this moment. */
export function Formula({ labels, scaled, probabilities, lit }: FormulaProps) {
  const total = (terms: readonly number[]) => terms.reduce((a, b) => a + Math.exp(b), 0);
  const plain = total(scaled);
  const maximum = Math.max(...scaled);
  // Where e^z leaves the doubles, the maximum is subtracted, as it is in the computation.
  const exponents = plain > 0 && plain < Infinity ? scaled : scaled.map((z) => z - maximum);
  const sum = show(total(exponents));
  const top = show(Math.exp(exponents[lit]!));
  const p = showProbability(probabilities[lit]!);
  const powers = exponents.map(showExponent);
  const term = (i: number) => (
    <span class={`sw-term ${colour(i)} ${i === lit ? "sw-lit" : ""}`}>
      e<sup>{powers[i]}</sup>
    </span>
  );
  const words =
    `p(${labels[lit]}) = e^${powers[lit]} / (${powers.map((power) => `e^${power}`).join(" + ")})` +
    ` = ${top} / ${sum} = ${p}`;
  return (
    <div class="sw-formula" role="img" aria-label={words}>
      <span>
        p(<Name>{labels[lit]!}</Name>)
      </span>
      <span>
        =
        <span class="sw-fraction">
          <span>{term(lit)}</span>
          <span class="sw-terms">
            {exponents.map((_, i) => (
              <span key={i}>
                {i > 0 && "+ "}
                {term(i)}
              </span>
            ))}
          </span>
        </span>
      </span>
      <span>
        =
        <span class="sw-fraction sw-number">
          <span>{top}</span>
          <span>{sum}</span>
        </span>
      </span>
      <span>
        = <b class="sw-number">{p}</b>
      </span>
    </div>
  );
}

/** Seen at once, spoken after a pause. */
export function Summary({ children }: { children: string }) {
  const [spoken, speak] = useState(children);
  useEffect(() => {
    const timer = setTimeout(() => speak(children), 700);
    return () => clearTimeout(timer);
  }, [children]);
  return (
    <>
      <p class="sw-summary" aria-hidden="true">
        {children}
      </p>
      <p class="sw-hidden" role="status">
        {spoken}
      </p>
    </>
  );
}

/** Reset, and on a page Copy link. */
export function Actions<S>({ home }: { home: Home<S> }) {
  const [copied, setCopied] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2500);
    return () => clearTimeout(timer);
  }, [copied]);
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
