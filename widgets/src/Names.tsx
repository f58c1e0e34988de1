// The names at the rows of a picture, with their numbers: a name selects its class, a number can be typed.

import type { Stretch } from "./machine.ts";
import { logit } from "./numbers.ts";
import { NumberBox, useGroup } from "./parts.tsx";
import { shortened, Text, textColour } from "./stage.tsx";

/** "2.0", and all digits of any other number. */
export const withDecimal = (x: number): string => (Number.isInteger(x) && Math.abs(x) < 1000 ? x.toFixed(1) : String(x));

interface Props {
  /** What the numbers are: "logit". */
  of?: string;
  /** What a selected class is: the one that the "formula shows". */
  group?: string;
  /** A word over the name of the selected class. */
  tag?: string;
  /** How a number reads. */
  written?: (value: number) => string;
  /** Where the names begin, and how wide their column is; the left edge, and as the stylesheet has it. */
  column?: Stretch;
  labels: readonly string[];
  /** The numbers; none where there is nothing to type. */
  values?: readonly number[];
  rows: readonly { y: number }[];
  turned: boolean;
  selected: number;
  onSelect: (i: number) => void;
  onChange?: (i: number, value: number) => void;
}

export function Names({ of = "logit", group: means = "formula shows", tag, written = withDecimal, column, labels, values, rows, turned, selected, onSelect, onChange }: Props) {
  const group = useGroup();
  return (
    <div class={turned ? "sw-names sw-turned" : "sw-names"} role="radiogroup" aria-label={means}>
      {rows.map(({ y }, i) => (
        <div
          key={i}
          class={i === selected ? "sw-chip sw-selected" : "sw-chip"}
          style={{ top: `${y}px`, ...(column && { left: `${column.start}px`, width: `${column.length}px` }), "--sw-text": textColour(i) }}
        >
          <label>
            {tag && i === selected && <small>{tag}</small>}
            <input type="radio" name={group} checked={i === selected} aria-label={labels[i]} onChange={() => onSelect(i)} />
            <span title={labels[i]}>{labels[i]}</span>
          </label>
          {values && (
            <NumberBox
              name={`${of} of ${labels[i]}`}
              value={values[i]!}
              written={written}
              onChange={(value) => onChange?.(i, value)}
            />
          )}
        </div>
      ))}
    </div>
  );
}

type StillProps = Omit<Props, "onSelect" | "onChange"> & { width: number };

/** The same as a drawing, for paper. */
export const StillNames = ({ tag, labels, values, rows, turned, selected, width, column = { start: 0, length: turned ? 68 : 78 } }: StillProps) => (
  <g>
    {rows.map(({ y }, i) => {
      const chosen = i === selected;
      const lower = tag && chosen ? 6 : 0; // the tag stands over both
      const [name, number] = turned || !values ? [y + 6, y + 6] : [y - 2 + lower, y + 18 + lower];
      return (
        <g key={i}>
          {chosen && <rect class="sw-chosen-name" x={column.start} y={turned || !values ? y - 20 : y - 26} width={column.length} height={turned || !values ? 40 : 53} rx="8" />}
          {lower > 0 && (
            <Text x={column.start + 8} y={y - 15} size={12} colour="var(--sw-hi-ink)">
              {tag}
            </Text>
          )}
          <Text x={column.start + (turned ? 5 : 8)} y={name} size={turned ? 16 : 18} weight={750} colour={chosen ? "var(--sw-hi-ink)" : textColour(i)}>
            {shortened(labels[i]!, 8)}
          </Text>
          {values && (
            <Text x={turned ? width - 4 : column.start + 8} y={number} size={16} weight={500} anchor={turned ? "end" : "start"} colour={chosen && !turned ? "var(--sw-hi-ink)" : undefined}>
              {logit(values[i]!)}
            </Text>
          )}
        </g>
      );
    })}
  </g>
);
