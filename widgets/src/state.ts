// What comes from a link, a text box or a page is untrusted: whatever goes in, a valid state comes out.

import { formats, type Format } from "./precision.ts";

export interface LogitState {
  logits: number[];
  labels: string[] | null;
  temperature: number;
  shift: number;
}

export interface JacobianState {
  logits: number[];
  labels: string[] | null;
  row: number;
  column: number;
  nudge: number;
}

export interface PrecisionState {
  logits: number[];
  labels: string[] | null;
  format: Format;
  shift: number;
  scale: number;
}

export interface LayerState {
  hidden: number[];
  weights: number[][];
  bias: number[];
  labels: string[] | null;
}

export interface QuizState {
  question: string;
  choices: [string, string][];
  answer: string;
  choice: string | null;
}

export interface States {
  LogitExplorer: LogitState;
  JacobianExplorer: JacobianState;
  PrecisionLab: PrecisionState;
  LayerExplorer: LayerState;
  Quiz: QuizState;
}

export type Kind = keyof States;

/** From names to values of any type; Map-like, so that "__proto__" is a name like any other. */
export type Lookup = (name: string) => unknown;

const MOST_CLASSES = 12;
const LONGEST_LABEL = 24;
const LONGEST_FRAGMENT = 8192;

// Far beyond the sliders, and yet z / temperature stays finite.
export const LARGEST = 1e6;
export const LEAST_FACTOR = 1e-6;

export const clamp = (x: number, least: number, most: number): number => Math.min(Math.max(x, least), most);

export const labelsOf = (state: { labels: string[] | null }, count: number): string[] =>
  state.labels ?? Array.from({ length: count }, (_, i) => `class ${i + 1}`);

const isFiniteNumber = (x: unknown): x is number => typeof x === "number" && Number.isFinite(x);

const number = (raw: unknown, otherwise: number): number => (isFiniteNumber(raw) ? raw : otherwise);

const positive = (raw: unknown, otherwise: number): number => (isFiniteNumber(raw) && raw > 0 ? raw : otherwise);

const index = (raw: unknown, otherwise: number, count: number): number =>
  clamp(Number.isInteger(raw) ? (raw as number) : otherwise, 0, count - 1);

const numbers = (raw: unknown, otherwise: readonly number[]): number[] =>
  Array.isArray(raw) && raw.length > 0
    ? raw.slice(0, MOST_CLASSES).map((item, i) => number(item, otherwise[i] ?? 0))
    : [...otherwise];

const text = (raw: unknown, otherwise: string): string => (typeof raw === "string" ? raw : otherwise);

function labels(raw: unknown, otherwise: string[] | null, count: number): string[] | null {
  const given = Array.isArray(raw) ? raw : otherwise;
  if (!given || given.length < count) return null;
  return given
    .slice(0, count)
    .map((label, i) => Array.from(text(label, "")).slice(0, LONGEST_LABEL).join("").trim() || `class ${i + 1}`);
}

type Labelled = Pick<LogitState, "logits" | "labels">;

function labelled(raw: Lookup, base: Labelled): Labelled {
  const logits = numbers(raw("logits"), base.logits);
  return { logits, labels: labels(raw("labels"), base.labels, logits.length) };
}

function logitState(raw: Lookup, base: LogitState): LogitState {
  return {
    ...labelled(raw, base),
    temperature: positive(raw("temperature"), base.temperature),
    shift: number(raw("shift"), base.shift),
  };
}

function jacobianState(raw: Lookup, base: JacobianState): JacobianState {
  const { logits, labels } = labelled(raw, base);
  return {
    logits,
    labels,
    row: index(raw("row"), base.row, logits.length),
    column: index(raw("column"), base.column, logits.length),
    nudge: number(raw("nudge"), base.nudge),
  };
}

function precisionState(raw: Lookup, base: PrecisionState): PrecisionState {
  return {
    ...labelled(raw, base),
    format: formats.find((format) => format === raw("format")) ?? base.format,
    shift: number(raw("shift"), base.shift),
    scale: positive(raw("scale"), base.scale),
  };
}

function layerState(raw: Lookup, base: LayerState): LayerState {
  const hidden = numbers(raw("hidden"), base.hidden);
  const given = raw("weights");
  const rows = (Array.isArray(given) && given.length > 0 ? given : base.weights).slice(0, MOST_CLASSES);
  const bias = numbers(raw("bias"), base.bias);
  return {
    hidden,
    weights: rows.map((row, i) => {
      const weights = numbers(row, base.weights[i] ?? []);
      return hidden.map((_, j) => weights[j] ?? 0);
    }),
    bias: rows.map((_, i) => bias[i] ?? 0),
    labels: labels(raw("labels"), base.labels, rows.length),
  };
}

function quizState(raw: Lookup, base: QuizState): QuizState {
  const given = raw("choices");
  const choices = (Array.isArray(given) ? given : base.choices)
    .slice(0, MOST_CLASSES)
    .map((pair): [string, string] => (Array.isArray(pair) ? [text(pair[0], ""), text(pair[1], "")] : ["", ""]));
  const choice = raw("choice");
  return {
    question: text(raw("question"), base.question),
    choices,
    answer: text(raw("answer"), base.answer),
    choice: choices.some(([name]) => name === choice) ? (choice as string) : null,
  };
}

const parsers: { [K in Kind]: (raw: Lookup, base: States[K]) => States[K] } = {
  LogitExplorer: logitState,
  JacobianExplorer: jacobianState,
  PrecisionLab: precisionState,
  LayerExplorer: layerState,
  Quiz: quizState,
};

const empty: States = {
  LogitExplorer: { logits: [0], labels: null, temperature: 1, shift: 0 },
  JacobianExplorer: { logits: [0], labels: null, row: 0, column: 0, nudge: 0.1 },
  PrecisionLab: { logits: [0], labels: null, format: "float16", shift: 0, scale: 1 },
  LayerExplorer: { hidden: [0], weights: [[0]], bias: [0], labels: null },
  Quiz: { question: "", choices: [], answer: "", choice: null },
};

export const isKind = (name: unknown): name is Kind => typeof name === "string" && Object.hasOwn(empty, name);

export const namesOf = <K extends Kind>(kind: K): (keyof States[K] & string)[] =>
  Object.keys(empty[kind]) as (keyof States[K] & string)[];

export const parse = <K extends Kind>(kind: K, raw: Lookup, base: States[K] = empty[kind]): States[K] =>
  parsers[kind](raw, base);

export function parseJson<K extends Kind>(kind: K, json: string): States[K] {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    raw = null;
  }
  const values = new Map(typeof raw === "object" && raw ? Object.entries(raw) : []);
  return parse(kind, (name) => values.get(name));
}

// A fragment reads like "#logit-explorer-1?logits=1.3,5.1&temperature=0.5".

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
};

/** NaN where `part` is no finite number: "1e999" is a slip, not a request for the largest. */
function readNumber(part: string, least = -LARGEST): number {
  const x = part.trim() === "" ? NaN : Number(part);
  return Number.isFinite(x) ? clamp(x, least, LARGEST) : NaN;
}

const readNumbers = (part: string): number[] =>
  decode(part).split(",", MOST_CLASSES).map((item) => readNumber(item));

const readers: Record<string, (part: string) => unknown> = {
  logits: readNumbers,
  hidden: readNumbers,
  bias: readNumbers,
  weights: (part) => decode(part).split(";", MOST_CLASSES).map(readNumbers),
  labels: (part) => part.split(",", MOST_CLASSES).map(decode),
  temperature: (part) => readNumber(part, LEAST_FACTOR),
  scale: (part) => readNumber(part, LEAST_FACTOR),
  shift: (part) => readNumber(part),
  nudge: (part) => readNumber(part),
  row: (part) => readNumber(part),
  column: (part) => readNumber(part),
  format: decode,
  choice: decode,
};

const writeNumber = (x: number): string => String(x).replace("+", "");

function write(value: unknown): string {
  if (Array.isArray(value)) return value.map(write).join(Array.isArray(value[0]) ? ";" : ",");
  return typeof value === "number" ? writeNumber(value) : encodeURIComponent(String(value));
}

/** The widget's id in a fragment that carries a state. */
export function fragmentId(fragment: string): string {
  const short = fragment.slice(0, LONGEST_FRAGMENT);
  return short.slice(1, short.includes("?") ? short.indexOf("?") : undefined);
}

/** The state that `fragment` asks for; what it does not say stays as in `stored`. */
export function readFragment<K extends Kind>(kind: K, fragment: string, stored: States[K]): States[K] {
  const short = fragment.slice(0, LONGEST_FRAGMENT);
  const values = new Map<string, unknown>();
  for (const pair of short.slice(short.indexOf("?") + 1).split("&")) {
    const [name = "", part = ""] = pair.split("=", 2);
    if (Object.hasOwn(readers, name)) values.set(name, readers[name]!(part));
  }
  return parse(kind, (name) => values.get(name), stored);
}

/** The fragment of a state: what differs from `stored`, in words that a reader can edit. */
export function writeFragment<K extends Kind>(kind: K, id: string, state: States[K], stored: States[K]): string {
  const parts = namesOf(kind)
    .filter((name) => Object.hasOwn(readers, name) && JSON.stringify(state[name]) !== JSON.stringify(stored[name]))
    .filter((name) => state[name] !== null)
    .map((name) => `${name}=${write(state[name])}`);
  return `#${id}${parts.length ? `?${parts.join("&")}` : ""}`;
}
