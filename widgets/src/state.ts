// What comes from a link, a text box or a page is untrusted: whatever goes in, a valid state comes out.

import facts from "../../softmax_lib/widgets/facts.json" with { type: "json" };
import { formats, type Format } from "./precision.ts";

/** What a field of each kind holds. */
interface Values {
  integer: number;
  "integer or none": number | null;
  prompts: Prompt[];
  number: number;
  "positive number": number;
  numbers: number[];
  "three numbers": number[];
  matrix: number[][];
  examples: number[][];
  classes: number[];
  labels: string[] | null;
  index: number;
  time: number;
  times: number[];
  "time unit": TimeUnit;
  names: string[];
  sentences: string[] | null;
  "index or none": number | null;
  format: Format;
  sliders: Slider[];
  text: string;
  unit: string;
  flag: boolean;
  switch: boolean;
  choices: [string, string][];
  choice: string | null;
  mistakes: [number, string][];
}

/** A text, the words that are likeliest to follow it, likeliest first, and their logits. */
export type Prompt = readonly [text: string, words: readonly string[], logits: readonly number[]];

/** What may stand under the machine, for what no bar shows. */
export type Slider = (typeof facts.sliders)[number];

export type TimeUnit = keyof typeof facts.time_units;

type FieldKind = keyof Values;
type Fields = typeof facts.interactives;

export type Kind = keyof Fields;

/** The state of each interactive: a value for each field that the facts give it. */
export type States = {
  [K in Kind]: { [Name in keyof Fields[K]]: Values[keyof Fields[K][Name] & FieldKind] };
};

/** From names to values of any type; Map-like, so that "__proto__" is a name like any other. */
export type Lookup = (name: string) => unknown;

const { most_classes: MOST_CLASSES, longest_label: LONGEST_LABEL } = facts.limits;
const { most_rungs: MOST_RUNGS, longest_sentence: LONGEST_SENTENCE, shortest_time, longest_time } = facts.limits;
const MOST_EXAMPLES = facts.limits.most_examples;
/** Of equal width, for what a classifier says of itself. */
export const BINS = facts.limits.bins;
const { most_prompts, fewest_words, most_words, most_draws: MOST_DRAWS, largest_seed: LARGEST_SEED } = facts.limits;
const { most_tokens: MOST_TOKENS, most_dimensions: MOST_DIMENSIONS } = facts.limits;
export { MOST_DRAWS, LARGEST_SEED };
const LONGEST_FRAGMENT = 8192;

// Far beyond the sliders, and yet z / temperature stays finite.
export const LARGEST = 1e6;
export const LEAST_FACTOR = 1e-6;
export const MOST_SMOOTHING = 1 - Number.EPSILON;
const MOST_ON_AXIS = 1e100;

export const clamp = (x: number, least: number, most: number): number => Math.min(Math.max(x, least), most);

const nameOf = (i: number): string => facts.unnamed_class.replace("{}", String(i + 1));

export const labelsOf = (state: { labels: string[] | null }, count: number): string[] =>
  state.labels ?? Array.from({ length: count }, (_, i) => nameOf(i));

export const isKind = (name: unknown): name is Kind =>
  typeof name === "string" && Object.hasOwn(facts.interactives, name);

interface Field<K extends Kind> {
  name: keyof States[K] & string;
  kind: FieldKind;
  /** What else the facts say: its default, if it has one. */
  more: { default?: unknown };
}

const fieldsOf = <K extends Kind>(kind: K): Field<K>[] =>
  Object.entries(facts.interactives[kind]).map(([name, field]) => {
    const [fieldKind, more] = Object.entries(field)[0]!;
    return { name, kind: fieldKind, more } as Field<K>;
  });

export const namesOf = <K extends Kind>(kind: K): Field<K>["name"][] => fieldsOf(kind).map(({ name }) => name);

// --- each field for itself

const isFiniteNumber = (x: unknown): x is number => typeof x === "number" && Number.isFinite(x);

const number = (raw: unknown, otherwise: number): number => (isFiniteNumber(raw) ? raw : otherwise);

const numbers = (raw: unknown, otherwise: readonly number[]): number[] =>
  Array.isArray(raw) && raw.length > 0
    ? raw.slice(0, MOST_CLASSES).map((item, i) => number(item, otherwise[i] ?? 0))
    : [...otherwise];

const text = (raw: unknown, otherwise: string): string => (typeof raw === "string" ? raw : otherwise);

const short = (raw: unknown, otherwise: string): string => Array.from(text(raw, otherwise)).slice(0, LONGEST_LABEL).join("").trim();

const time = (raw: unknown, otherwise: number): number =>
  isFiniteNumber(raw) && raw >= shortest_time && raw <= longest_time ? raw : otherwise;

const index = <T,>(raw: unknown, otherwise: T): number | T => (Number.isInteger(raw) ? (raw as number) : otherwise);

/** The first characters of a text, or another text where nothing is left. */
const cut = (raw: unknown, longest: number, otherwise: string): string =>
  Array.from(text(raw, "")).slice(0, longest).join("").trim() || otherwise;

const label = (raw: unknown, i: number): string =>
  cut(raw, LONGEST_LABEL, nameOf(i));

/** Rows of equally many numbers. */
const areExamples = (raw: unknown): raw is number[][] =>
  Array.isArray(raw) &&
  raw.length > 0 &&
  raw.length <= MOST_EXAMPLES &&
  raw.every((row) => Array.isArray(row) && row.length > 0 && row.length <= MOST_CLASSES && row.length === raw[0].length && row.every(isFiniteNumber));

const orNone = (raw: unknown, otherwise: number | null): number | null => (raw === null ? null : index(raw, otherwise));

const flag = (raw: unknown, otherwise: boolean): boolean => (typeof raw === "boolean" ? raw : otherwise);

const isText = (raw: unknown, longest: number): boolean =>
  typeof raw === "string" && raw.trim() !== "" && Array.from(raw).length <= longest;

const isPrompt = (raw: unknown): raw is Prompt => {
  if (!Array.isArray(raw) || raw.length !== 3 || !raw.slice(1).every(Array.isArray)) return false;
  const [said, words, logits] = raw as [unknown, unknown[], unknown[]];
  return (
    isText(said, LONGEST_SENTENCE) &&
    words.length >= fewest_words &&
    words.length <= most_words &&
    words.every((word) => isText(word, LONGEST_LABEL)) &&
    logits.length === words.length &&
    logits.every((z, i) => isFiniteNumber(z) && !(z > (logits[i - 1] as number)))
  );
};

/** Makes a valid value of whatever a field was given. */
const parsers: { [F in FieldKind]: (raw: unknown, otherwise: Values[F]) => Values[F] } = {
  number,
  "positive number": (raw, otherwise) => (isFiniteNumber(raw) && raw > 0 ? raw : otherwise),
  numbers,
  "three numbers": (raw, otherwise) => otherwise.map((z, i) => number(Array.isArray(raw) ? raw[i] : z, z)),
  matrix: (raw, otherwise) =>
    (Array.isArray(raw) && raw.length > 0 ? raw : otherwise)
      .slice(0, MOST_CLASSES)
      .map((row, i) => numbers(row, otherwise[i] ?? [])),
  // All or nothing: no link says them. They stay the same array, so that a view knows that it has seen them before.
  examples: (raw, otherwise) => (areExamples(raw) ? raw : otherwise),
  classes: (raw, otherwise) => (Array.isArray(raw) && raw.every(Number.isInteger) ? raw : otherwise),
  labels: (raw, otherwise) => (Array.isArray(raw) ? raw : otherwise)?.slice(0, MOST_CLASSES).map(label) ?? null,
  index,
  integer: index,
  "index or none": orNone,
  "integer or none": orNone,
  prompts: (raw, otherwise) => (Array.isArray(raw) && raw.length > 0 && raw.length <= most_prompts && raw.every(isPrompt) ? raw : otherwise),
  time,
  times: (raw, otherwise) =>
    Array.isArray(raw) && raw.length > 0 ? raw.slice(0, MOST_RUNGS).map((item) => time(item, 1)) : otherwise,
  "time unit": (raw, otherwise) =>
    typeof raw === "string" && Object.hasOwn(facts.time_units, raw) ? (raw as TimeUnit) : otherwise,
  names: (raw, otherwise) =>
    Array.isArray(raw) && raw.length > 0
      ? raw.slice(0, MOST_RUNGS).map((name, i) => cut(name, LONGEST_LABEL, `rung ${i + 1}`))
      : otherwise,
  sentences: (raw, otherwise) =>
    Array.isArray(raw) ? raw.slice(0, MOST_RUNGS).map((item) => cut(item, LONGEST_SENTENCE, "")) : otherwise,
  format: (raw, otherwise) => formats.find((format) => format === raw) ?? otherwise,
  sliders: (raw, otherwise) => (Array.isArray(raw) ? facts.sliders.filter((name) => raw.includes(name)) : otherwise),
  text,
  unit: short,
  flag,
  switch: flag,
  choices: (raw, otherwise) =>
    (Array.isArray(raw) ? raw : otherwise)
      .slice(0, MOST_CLASSES)
      .map((pair) => (Array.isArray(pair) ? [text(pair[0], ""), text(pair[1], "")] : ["", ""])),
  choice: (raw) => (typeof raw === "string" ? raw : null),
  mistakes: (raw, otherwise) => (Array.isArray(raw) ? raw : otherwise).slice(0, MOST_CLASSES).filter((pair) => Array.isArray(pair) && isFiniteNumber(pair[0]) && isText(pair[1], Infinity)),
};

// --- all fields together

const fitLabels = (labels: string[] | null, count: number): string[] | null =>
  labels && labels.length >= count ? labels.slice(0, count) : null;

const fitSelected = <S extends { logits: number[]; selected: number }>(state: S): S => ({
  ...state,
  selected: clamp(state.selected, 0, state.logits.length - 1),
});

const fitLabelsToLogits = <S extends { logits: number[]; labels: string[] | null }>(state: S): S => ({
  ...state,
  labels: fitLabels(state.labels, state.logits.length),
});

/** Makes fields that are valid for themselves fit together: as many labels as there are classes, and so on. */
const fits: { [K in Kind]: (state: States[K]) => States[K] } = {
  LogitExplorer: (state) => fitSelected(fitLabelsToLogits(state)),
  LossExplorer: (state) => ({
    ...fitLabelsToLogits(state),
    wanted: clamp(state.wanted, 0, state.logits.length - 1),
    smoothing: clamp(state.smoothing, 0, MOST_SMOOTHING),
  }),
  JacobianExplorer(state) {
    const last = state.logits.length - 1;
    return { ...fitLabelsToLogits(state), row: clamp(state.row, 0, last), column: clamp(state.column, 0, last) };
  },
  CalibrationExplorer({ logits, truth, temperature, selected }) {
    const classes = logits[0]!;
    const fitting = truth.length === logits.length && truth.every((k) => classes[k] !== undefined);
    return {
      logits,
      truth: fitting ? truth : logits.map((_, i) => clamp(truth[i] ?? 0, 0, classes.length - 1)),
      temperature,
      selected: selected === null ? null : clamp(selected, 0, BINS - 1),
    };
  },
  SimplexExplorer: fitLabelsToLogits,
  SamplingExplorer({ prompts, prompt, top_k, top_p, seed, draws, ...rest }) {
    const shown = clamp(prompt, 0, prompts.length - 1);
    return {
      ...{ prompts, prompt: shown, ...rest },
      top_k: top_k === null ? null : clamp(top_k, 1, prompts[shown]![1].length),
      top_p: clamp(top_p, LEAST_FACTOR, 1),
      seed: clamp(seed, 0, LARGEST_SEED),
      draws: clamp(draws, 0, MOST_DRAWS),
    };
  },
  AttentionExplorer({ scores, labels, dimension, scaled, causal, query, key }) {
    const tokens = scores.slice(0, MOST_TOKENS);
    const last = tokens.length - 1;
    return {
      scores: tokens.map((row) => tokens.map((_, j) => row[j] ?? 0)),
      labels: fitLabels(labels, tokens.length),
      dimension: clamp(dimension, 1, MOST_DIMENSIONS),
      ...{ scaled, causal, query: clamp(query, 0, last), key: clamp(key, 0, last) },
    };
  },
  OnlineStepper: ({ scores, values, labels, step }) => ({
    scores,
    values: scores.map((_, i) => values[i] ?? 0),
    labels: fitLabels(labels, scores.length),
    step: clamp(step, 1, scores.length),
  }),
  PrecisionLab: fitLabelsToLogits,
  LayerExplorer: ({ hidden, weights, bias, labels, selected, wanted }) => ({
    hidden,
    weights: weights.map((row) => hidden.map((_, j) => row[j] ?? 0)),
    bias: weights.map((_, i) => bias[i] ?? 0),
    labels: fitLabels(labels, weights.length),
    selected: clamp(selected, 0, weights.length - 1),
    wanted: wanted !== null && wanted in weights ? wanted : null,
  }),
  Guess: fitLabelsToLogits,
  GuessNumber(state) {
    const [low, high] = [state.low, state.high].map((end) => clamp(end, -MOST_ON_AXIS, MOST_ON_AXIS)) as [number, number];
    const ends = low < high ? { low, high } : { low: 0, high: 1 };
    return {
      ...state,
      ...ends,
      number: clamp(state.number, ends.low, ends.high),
      logarithmic: state.logarithmic && ends.low > 0,
    };
  },
  NumberField: (state) => (state.tolerance < 1 ? state : { ...state, tolerance: 0.01 }),
  Ladder({ names, seconds, changes, selected, ...rest }) {
    const count = Math.min(names.length, seconds.length);
    return {
      ...rest,
      names: names.slice(0, count),
      seconds: seconds.slice(0, count),
      changes: changes && changes.length >= count ? changes.slice(0, count) : null,
      selected: selected === null ? null : clamp(selected, 0, count - 1),
    };
  },
  Quiz: (state) => ({ ...state, choice: state.choices.some(([name]) => name === state.choice) ? state.choice : null }),
};

/** What stands for a value that must be given, and is not. */
const blank: Partial<Values> = {
  number: 0,
  numbers: [0],
  "three numbers": [0, 0, 0],
  matrix: [[0]],
  examples: [[0]],
  classes: [0],
  prompts: [["", ["word 1", "word 2"], [0, 0]]],
  text: "",
  choices: [],
  mistakes: [],
  names: ["rung 1"],
  times: [1],
  time: 1,
};

const emptyOf = <K extends Kind>(kind: K): States[K] =>
  Object.fromEntries(
    fieldsOf(kind).map((field) => [field.name, "default" in field.more ? field.more.default : blank[field.kind]]),
  ) as States[K];

export function parse<K extends Kind>(kind: K, raw: Lookup, base: States[K] = emptyOf(kind)): States[K] {
  const valid = fieldsOf(kind).map((field) => {
    const parser = parsers[field.kind] as (raw: unknown, otherwise: unknown) => unknown;
    return [field.name, parser(raw(field.name), base[field.name])];
  });
  return fits[kind](Object.fromEntries(valid));
}

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

// --- links

// A fragment reads like "#logit-explorer-1?logits=1.3,5.1&temperature=0.5".

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
};

/** NaN where `part` is no finite number: "1e999" is a slip, not a request for the largest. */
function readNumber(part: string, least = -LARGEST, most = LARGEST): number {
  const x = part.trim() === "" ? NaN : Number(part);
  return Number.isFinite(x) ? clamp(x, least, most) : NaN;
}

const readNumbers = (part: string): number[] =>
  decode(part).split(",", MOST_CLASSES).map((item) => readNumber(item));

/** A number, or the word that stands for none where the page has one. */
const readOrNone = (part: string): number | null => (part === NONE ? null : readNumber(part));

/** How a link says what a field holds. It says nothing of a quiz but the choice, of a ladder but the rung, and of a classifier's answers nothing: no link forges a measurement. */
const readers: { [F in FieldKind]?: (part: string) => unknown } = {
  number: (part) => readNumber(part),
  "positive number": (part) => readNumber(part, LEAST_FACTOR),
  numbers: readNumbers,
  "three numbers": readNumbers,
  matrix: (part) => decode(part).split(";", MOST_CLASSES).map(readNumbers),
  labels: (part) => part.split(",", MOST_CLASSES).map(decode),
  index: (part) => readNumber(part),
  integer: (part) => readNumber(part, 0, LARGEST_SEED),
  "index or none": readOrNone,
  "integer or none": readOrNone,
  format: decode,
  switch: (part) => ({ true: true, false: false })[part],
  choice: decode,
};

const writeNumber = (x: number): string => String(x).replace("+", "");

const NONE = "none";

function write(value: unknown): string {
  if (value === null) return NONE;
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
  const known = new Map<string, FieldKind>(fieldsOf(kind).map((field) => [field.name, field.kind]));
  const values = new Map<string, unknown>();
  for (const pair of short.slice(short.indexOf("?") + 1).split("&")) {
    const [name = "", part = ""] = pair.split("=", 2);
    const fieldKind = known.get(name);
    const reader = fieldKind && readers[fieldKind];
    if (reader) values.set(name, reader(part));
  }
  return parse(kind, (name) => values.get(name), stored);
}

/** The fragment of a state: what differs from `stored`, in words that a reader can edit. */
export function writeFragment<K extends Kind>(kind: K, id: string, state: States[K], stored: States[K]): string {
  const parts = fieldsOf(kind)
    .filter((field) => field.kind in readers && (state[field.name] !== null || field.kind.endsWith("or none")))
    .map(({ name }) => name)
    .filter((name) => JSON.stringify(state[name]) !== JSON.stringify(stored[name]))
    .map((name) => `${name}=${write(state[name])}`);
  return `#${id}${parts.length ? `?${parts.join("&")}` : ""}`;
}
