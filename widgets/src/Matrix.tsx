// The Jacobian as a live heat map. A pressed cell chooses which share the picture shows, and by which logit.

import type { TargetedKeyboardEvent } from "preact";
import { slopeName } from "./format.ts";
import { logit, shortShare, shortSlope } from "./numbers.ts";
import { colour, Name } from "./parts.tsx";
import { clamp } from "./state.ts";

interface Props {
  labels: readonly string[];
  logits: readonly number[];
  shares: readonly number[];
  matrix: readonly (readonly number[])[];
  row: number;
  column: number;
  /** On paper nothing can be chosen. */
  onChoose: ((cell: { row: number; column: number }) => void) | undefined;
}

const moves: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

/** One stop for Tab; inside, the arrow keys move, and where the focus is, is what is chosen. */
export function Matrix({ labels, logits, shares, matrix, row, column, onChoose }: Props) {
  const last = labels.length - 1;
  const press = (event: TargetedKeyboardEvent<HTMLTableElement>) => {
    const move = event.altKey || event.ctrlKey || event.metaKey ? undefined : moves[event.key];
    if (!move) return;
    event.preventDefault();
    const [i, j] = [clamp(row + move[0], 0, last), clamp(column + move[1], 0, last)];
    event.currentTarget.querySelectorAll("button")[i * labels.length + j]!.focus();
  };
  const longest = Math.max(...labels.map((label) => label.length));
  const choose = (i: number, j: number) => (i !== row || j !== column) && onChoose?.({ row: i, column: j });
  const cell = (i: number, j: number) => {
    const text = shortSlope(matrix[i]![j]!);
    const chosen = i === row && j === column;
    const look = chosen ? "sw-chosen" : i === column && j === row ? "sw-mirrored" : "";
    if (!onChoose) return <span class={look}>{text}</span>;
    return (
      <button
        type="button"
        class={look}
        tabIndex={chosen ? 0 : -1}
        aria-pressed={chosen}
        aria-label={`${slopeName(labels[i]!, labels[j]!)} = ${text}`}
        onFocus={() => choose(i, j)}
        onClick={() => choose(i, j)}
      >
        <span>{text}</span>
      </button>
    );
  };
  return (
    <>
      <p class="sw-title">The Jacobian: each row a share, each column a logit</p>
      <p class="sw-hint">{onChoose && "Press a cell: the curve shows it."}</p>
      <div class="sw-scroll">
        <table role="grid" class="sw-matrix" style={{ "--columns": labels.length, "--longest": longest }} onKeyDown={press}>
          <caption class="sw-hidden">The Jacobian</caption>
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                ∂p/∂z
              </th>
              {labels.map((label, j) => (
                <th key={j} role="columnheader" scope="col" class={colour(j)}>
                  <Name>{label}</Name>
                  <small>{logit(logits[j]!)}</small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {matrix.map((slopes, i) => (
              <tr key={i} role="row" class={colour(i)}>
                <th role="rowheader" scope="row">
                  <Name>{labels[i]!}</Name>
                  <small>{shortShare(shares[i]!)}</small>
                </th>
                {slopes.map((slope, j) => (
                  <td
                    key={j}
                    role="gridcell"
                    class={`sw-heat ${slope > 0 ? "sw-plus" : "sw-minus"}`}
                    // No entry is larger than a quarter.
                    style={{ "--heat": `${clamp(Math.abs(slope) * 400 || 0, 0, 100).toFixed(1)}%` }}
                    data-value={String(slope)}
                  >
                    {cell(i, j)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
