// What a reader types into a field for a number: what it may mean, and what is said of it.

import { withUnit } from "./guess.ts";
import type { States } from "./state.ts";

const LONGEST = 40; // characters; no number that is asked for needs more

/** What a browser kept of a field, or null. */
export const readTyped = (raw: unknown): string | null => (typeof raw === "string" && raw ? raw.slice(0, LONGEST) : null);

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

const withoutEnd = (text: string, end: string): string => (text.endsWith(end) ? text.slice(0, text.length - end.length) : text);

/** A number or a fraction; NaN for anything else. */
function valueOf(text: string): number {
  const [top = "", bottom = "1", ...more] = text.split("/");
  return !more.length && NUMBER.test(top) && NUMBER.test(bottom) ? Number(top) / Number(bottom) : NaN;
}

/** All that a text may mean, in this unit, likeliest first: "1,5" is 1.5, and "65,536" perhaps a large number. */
export function readings(typed: string, unit: string): number[] {
  const text = typed.replace(/\s/g, "").replace(/^[−–]/, "-");
  const inUnit = withoutEnd(text, unit.replace(/\s/g, ""));
  const digits = withoutEnd(inUnit, "%");
  const spellings = [digits.replaceAll(",", "."), ...(/^-?[1-9]\d{0,2}(,\d{3})+(\.|$)/.test(digits) ? [digits.replaceAll(",", "")] : [])];
  return spellings
    .map(valueOf)
    .flatMap((x) => (digits !== inUnit ? [x / 100] : unit === "%" && inUnit === text && Math.abs(x) <= 1 ? [x * 100, x] : [x]))
    .filter(Number.isFinite);
}

/** The answer, with as many digits as the field asks for. */
export function answerText({ answer, unit, tolerance }: States["NumberField"]): string {
  let digits = 3;
  while (Math.abs(Number(answer.toPrecision(digits)) - answer) > tolerance * Math.abs(answer)) digits++;
  return withUnit(answer, unit, digits);
}

/** Whether what was typed is right, and what there is to say of it. */
export function judge({ answer, mistakes, hint, reason, unit, tolerance }: States["NumberField"], typed: string): readonly [right: boolean, says: string] {
  const meant = readings(typed, unit);
  const first = meant[0];
  if (first === undefined) return [false, "Write a number, such as 12, 0.5, 3/4 or 1e-7."];
  const near = (x: number) => meant.some((y) => Math.abs(y - x) <= tolerance * Math.abs(x));
  if (near(answer)) return [true, reason];
  const known = mistakes.find(([wrong]) => near(wrong));
  if (known) return [false, known[1]];
  const decades = Math.round(Math.log10(first / answer));
  const off = near(-answer)
    ? "The sign is wrong."
    : first && decades && near(answer * 10 ** decades)
      ? "The digits are right, and the power of ten is not."
      : first > answer
        ? "Too large."
        : "Too small.";
  return [false, `${off} ${hint}`];
}
