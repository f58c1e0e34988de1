import assert from "node:assert/strict";
import { test } from "node:test";
import { formats } from "../src/precision.ts";
import {
  fragmentId,
  isKind,
  labelsOf,
  parse,
  parseJson,
  readFragment,
  writeFragment,
  type Kind,
  type States,
} from "../src/state.ts";

type LogitState = States["LogitExplorer"];
type JacobianState = States["JacobianExplorer"];
type LossState = States["LossExplorer"];
type PrecisionState = States["PrecisionLab"];
type LayerState = States["LayerExplorer"];
type GuessState = States["Guess"];
type NumberState = States["GuessNumber"];
type LadderState = States["Ladder"];
type FieldState = States["NumberField"];
type QuizState = States["Quiz"];
type CalibrationState = States["CalibrationExplorer"];
type SimplexState = States["SimplexExplorer"];
type SamplingState = States["SamplingExplorer"];
type AttentionState = States["AttentionExplorer"];
type OnlineState = States["OnlineStepper"];

const logits: LogitState = { logits: [1.3, 5.1], labels: ["a,b", "ü & co"], temperature: 1, shift: 0, selected: 0, sliders: [] };
const slopes: JacobianState = { logits: [1, 2], labels: ["a", "b"], row: 1, column: 0, nudge: 0.1 };
const learning: LossState = { logits: [1, 2], labels: ["a", "b"], wanted: 1, smoothing: 0, rate: 1.5, smooth: false };
const narrow: PrecisionState = { logits: [1, 2], labels: null, format: "float16", shift: 0, scale: 1 };
const layer: LayerState = { hidden: [1, 2], weights: [[1, 2], [3, 4], [5, 6]], bias: [0, 0, 1], labels: null, selected: 1, wanted: null };
const shares: GuessState = { logits: [2, 1, 0], labels: ["a", "b", "c"], question: "?", reason: "!" };
const point: NumberState = { number: 8, low: 1, high: 100, question: "?", reason: "!", unit: "times", logarithmic: true };
const field: FieldState = {
  ...{ question: "?", answer: 12, mistakes: [[6, "half"], [24, "twice"]], hint: "Look.", reason: "!" },
  ...{ unit: "ms", tolerance: 0.02 },
};
const rungs: LadderState = {
  ...{ names: ["slow", "fast"], seconds: [0.2, 0.05], limit: 0.01, limit_name: "one copy" },
  ...{ unit: "ms", changes: ["It begins.", "It hurries."], selected: null },
};
const answers: CalibrationState = { logits: [[1, 2], [3, 0.5], [0, 4]], truth: [1, 0, 0], temperature: 1, selected: null };
const dot: SimplexState = { logits: [2, 1, 0], labels: ["a", "b", "c"], temperature: 1 };
const nextWords: SamplingState = {
  prompts: [["The cat sat on the", ["mat", "sofa", "roof"], [2, 1, 0]], ["It", ["is", "was"], [1, 1]]],
  ...{ prompt: 0, temperature: 1, top_k: 2, top_p: 0.9, seed: 7, draws: 5 },
};
const attention: AttentionState = {
  ...{ scores: [[4, 0], [0, 8]], labels: ["hot", "tea"], dimension: 16, scaled: true, causal: false },
  ...{ query: 0, key: 1 },
};
const online: OnlineState = { scores: [1, 3, 2], values: [10, 20, 60], labels: null, step: 2 };
const quiz: QuizState = { question: "?", choices: [["2", "x"], ["1", "y"]], answer: "1", choice: null };

function assertValid(kind: Kind, state: States[Kind]): void {
  const finite = (xs: number[]) => assert.ok(xs.every(Number.isFinite), JSON.stringify(xs));
  const oneToTwelve = (xs: unknown[]) => assert.ok(xs.length >= 1 && xs.length <= 12);
  const goodLabels = (labels: string[] | null, count: number) => {
    assert.equal(labelsOf({ labels }, count).length, count);
    for (const label of labelsOf({ labels }, count)) assert.ok(label && Array.from(label).length <= 24);
  };
  if (kind === "LogitExplorer") {
    const { logits, labels, temperature, shift, selected } = state as LogitState;
    oneToTwelve(logits);
    assert.ok(logits[selected] !== undefined);
    finite([...logits, temperature, shift]);
    assert.ok(temperature > 0);
    goodLabels(labels, logits.length);
  } else if (kind === "JacobianExplorer" || kind === "PrecisionLab" || kind === "LossExplorer") {
    const { logits, labels, ...rest } = state as JacobianState | PrecisionState | LossState;
    oneToTwelve(logits);
    finite([...logits, ...Object.values(rest).filter((value) => typeof value === "number")]);
    goodLabels(labels, logits.length);
    if ("row" in rest) for (const index of [rest.row, rest.column]) assert.ok(index in logits, `${index}`);
    if ("rate" in rest) assert.ok(rest.rate > 0 && rest.smoothing >= 0 && rest.smoothing < 1 && rest.wanted in logits);
    if ("scale" in rest) assert.ok(rest.scale > 0 && formats.includes(rest.format));
  } else if (kind === "LayerExplorer") {
    const { hidden, weights, bias, labels, selected, wanted } = state as LayerState;
    oneToTwelve(hidden);
    oneToTwelve(weights);
    finite([...hidden, ...weights.flat(), ...bias]);
    assert.equal(bias.length, weights.length);
    for (const row of weights) assert.equal(row.length, hidden.length);
    goodLabels(labels, weights.length);
    assert.ok(weights[selected] !== undefined);
    assert.ok(wanted === null || weights[wanted] !== undefined);
  } else if (kind === "CalibrationExplorer") {
    const { logits, truth, temperature, selected } = state as CalibrationState;
    assert.ok(logits.length >= 1 && logits.length <= 1000);
    for (const row of logits) {
      oneToTwelve(row);
      finite(row);
      assert.equal(row.length, logits[0]!.length);
    }
    assert.equal(truth.length, logits.length);
    truth.forEach((index, i) => assert.ok(logits[i]![index] !== undefined, `${index}`));
    assert.ok(temperature > 0 && Number.isFinite(temperature));
    assert.ok(selected === null || (Number.isInteger(selected) && selected >= 0 && selected < 10), `${selected}`);
  } else if (kind === "SimplexExplorer") {
    const { logits, labels, temperature } = state as SimplexState;
    assert.equal(logits.length, 3);
    finite([...logits, temperature]);
    assert.ok(temperature > 0);
    goodLabels(labels, 3);
  } else if (kind === "SamplingExplorer") {
    const { prompts, prompt, temperature, top_k, top_p, seed, draws } = state as SamplingState;
    assert.ok(prompts.length >= 1 && prompts.length <= 20);
    for (const [said, words, logits] of prompts) {
      assert.ok(Array.from(said).length <= 200 && words.length >= 2 && words.length <= 40);
      for (const word of words) assert.ok(word && Array.from(word).length <= 24);
      finite([...logits]);
      assert.deepEqual(logits, logits.toSorted((a, b) => b - a));
      assert.equal(logits.length, words.length);
    }
    assert.ok(temperature > 0 && Number.isFinite(temperature) && top_p > 0 && top_p <= 1);
    const within = (x: number, least: number, most: number) => assert.ok(Number.isInteger(x) && x >= least && x <= most, `${x}`);
    within(prompt, 0, prompts.length - 1);
    if (top_k !== null) within(top_k, 1, prompts[prompt]![1].length);
    within(seed, 0, 2 ** 32 - 1);
    within(draws, 0, 100);
  } else if (kind === "AttentionExplorer") {
    const { scores, labels, dimension, scaled, causal, query, key } = state as AttentionState;
    assert.ok(scores.length >= 1 && scores.length <= 8);
    for (const row of scores) {
      assert.equal(row.length, scores.length);
      finite(row);
    }
    goodLabels(labels, scores.length);
    assert.ok(Number.isInteger(dimension) && dimension >= 1 && dimension <= 1e6, `${dimension}`);
    assert.deepEqual([typeof scaled, typeof causal], ["boolean", "boolean"]);
    assert.ok(scores[query]![key] !== undefined);
  } else if (kind === "OnlineStepper") {
    const { scores, values, labels, step } = state as OnlineState;
    oneToTwelve(scores);
    finite([...scores, ...values]);
    assert.equal(values.length, scores.length);
    goodLabels(labels, scores.length);
    assert.ok(Number.isInteger(step) && step >= 1 && step <= scores.length, `${step}`);
  } else if (kind === "Guess") {
    const { logits, labels } = state as GuessState;
    oneToTwelve(logits);
    finite(logits);
    goodLabels(labels, logits.length);
  } else if (kind === "GuessNumber") {
    const { number, low, high, unit, logarithmic } = state as NumberState;
    finite([number, low, high, high - low]);
    assert.ok(low < high && low <= number && number <= high);
    assert.ok(!logarithmic || (low > 0 && Number.isFinite(Math.log(high / low))));
    assert.ok(Array.from(unit).length <= 24);
  } else if (kind === "NumberField") {
    const { answer, mistakes, unit, tolerance } = state as FieldState;
    finite([answer, ...mistakes.map(([wrong]) => wrong)]);
    assert.ok(mistakes.length <= 12 && mistakes.every(([, text]) => text.trim()));
    assert.ok(tolerance > 0 && tolerance < 1);
    assert.ok(Array.from(unit).length <= 24);
  } else if (kind === "Ladder") {
    const { names, seconds, limit, unit, changes, selected } = state as LadderState;
    assert.ok(names.length >= 1 && names.length <= 20);
    assert.equal(seconds.length, names.length);
    for (const name of names) assert.ok(name && Array.from(name).length <= 24);
    for (const time of [...seconds, limit]) assert.ok(time >= 1e-12 && time <= 1e6, `${time}`);
    assert.ok(["s", "ms", "µs", "ns"].includes(unit));
    assert.ok(changes === null || changes.length === names.length);
    assert.ok(selected === null || names[selected] !== undefined, `${selected}`);
  } else {
    const { choices, choice } = state as QuizState;
    assert.ok(choices.length <= 12);
    assert.ok(choice === null || choices.some(([name]) => name === choice));
  }
}

test("a written fragment reads back as the same state", () => {
  const state = { ...logits, logits: [-0.5, 1e-7], temperature: 0.25, shift: 400 };
  const fragment = writeFragment("LogitExplorer", "logit-explorer-1", state, logits);
  assert.equal(fragment, "#logit-explorer-1?logits=-0.5,1e-7&temperature=0.25&shift=400");
  assert.equal(fragmentId(fragment), "logit-explorer-1");
  assert.deepEqual(readFragment("LogitExplorer", fragment, logits), state);

  const relabelled = { ...logits, labels: ["x,y=z&w", "100%"] };
  assert.deepEqual(
    readFragment("LogitExplorer", writeFragment("LogitExplorer", "i", relabelled, logits), logits),
    relabelled,
  );

  const weighted = { ...layer, weights: [[1, 2], [3, -4], [5, 0.125]] };
  const layered = writeFragment("LayerExplorer", "layer-explorer-1", weighted, layer);
  assert.equal(layered, "#layer-explorer-1?weights=1,2;3,-4;5,0.125");
  assert.deepEqual(readFragment("LayerExplorer", layered, layer), weighted);

  const answered = { ...quiz, choice: "2" };
  assert.deepEqual(readFragment("Quiz", writeFragment("Quiz", "quiz-1", answered, quiz), quiz), answered);
});

test("cells, nudges and formats read back, and what is none of them does not", () => {
  const state: JacobianState = { ...slopes, row: 0, column: 1, nudge: -2.5 };
  const fragment = writeFragment("JacobianExplorer", "jacobian-explorer-1", state, slopes);
  assert.equal(fragment, "#jacobian-explorer-1?row=0&column=1&nudge=-2.5");
  assert.deepEqual(readFragment("JacobianExplorer", fragment, slopes), state);
  const read = (query: string) => readFragment("JacobianExplorer", `#i?${query}`, slopes);
  assert.deepEqual([read("row=7").row, read("row=-7").row, read("row=0.5").row, read("row=x").row], [1, 0, 1, 1]);
  assert.deepEqual([read("logits=3").row, read("logits=3").column], [0, 0]);

  const lab: PrecisionState = { ...narrow, format: "bfloat16", shift: -800, scale: 2.5 };
  const written = writeFragment("PrecisionLab", "precision-lab-1", lab, narrow);
  assert.equal(written, "#precision-lab-1?format=bfloat16&shift=-800&scale=2.5");
  assert.deepEqual(readFragment("PrecisionLab", written, narrow), lab);
  for (const query of ["format=float8", "format=__proto__", "format=%", "scale=NaN"])
    assert.deepEqual(readFragment("PrecisionLab", `#i?${query}`, narrow), narrow);
});

test("what should be learnt reads back, and no link smooths all of it away", () => {
  const state: LossState = { ...learning, wanted: 0, smoothing: 0.2, rate: 12 };
  const fragment = writeFragment("LossExplorer", "loss-explorer-1", state, learning);
  assert.equal(fragment, "#loss-explorer-1?wanted=0&smoothing=0.2&rate=12");
  assert.deepEqual(readFragment("LossExplorer", fragment, learning), state);
  const read = (query: string) => readFragment("LossExplorer", `#i?${query}`, learning);
  assert.deepEqual([read("wanted=9").wanted, read("wanted=-9").wanted, read("wanted=0.5").wanted], [1, 0, 1]);
  assert.deepEqual([read("smoothing=7").smoothing, read("smoothing=-7").smoothing, read("smoothing=x").smoothing], [1 - Number.EPSILON, 0, 0]);
  assert.deepEqual([read("rate=0").rate, read("rate=NaN").rate, read("smooth=true").smooth], [1e-6, 1.5, false]);
});

test("a link to a ladder says which rung, and cannot change what was measured", () => {
  const fragment = writeFragment("Ladder", "ladder-1", { ...rungs, selected: 0 }, rungs);
  assert.equal(fragment, "#ladder-1?selected=0");
  assert.deepEqual(readFragment("Ladder", fragment, rungs), { ...rungs, selected: 0 });
  const read = (query: string) => readFragment("Ladder", `#i?${query}`, rungs);
  assert.deepEqual([read("selected=9").selected, read("selected=-9").selected, read("selected=0.5").selected], [1, 0, null]);
  const forged = "names=a,b&seconds=1,2&limit=1e-9&limit_name=mine&unit=s&changes=x,y";
  assert.deepEqual(read(forged), rungs);
});

test("a link to a classifier's answers says the temperature and the bin, and cannot change the answers", () => {
  const fragment = writeFragment("CalibrationExplorer", "calibration-explorer-1", { ...answers, temperature: 2.5, selected: 9 }, answers);
  assert.equal(fragment, "#calibration-explorer-1?temperature=2.5&selected=9");
  const read = (query: string) => readFragment("CalibrationExplorer", `#i?${query}`, answers);
  assert.deepEqual(readFragment("CalibrationExplorer", fragment, answers), { ...answers, temperature: 2.5, selected: 9 });
  assert.deepEqual([read("selected=99").selected, read("selected=-9").selected, read("selected=0.5").selected], [9, 0, null]);
  assert.deepEqual([read("temperature=0").temperature, read("temperature=1e9").temperature, read("temperature=x").temperature], [1e-6, 1e6, 1]);
  assert.deepEqual(read("logits=9,9;9,9&truth=0,0"), answers);
});

test("a triangle has three logits, whatever a link says", () => {
  const state: SimplexState = { ...dot, logits: [-0.25, 1, 7], temperature: 0.5 };
  const fragment = writeFragment("SimplexExplorer", "simplex-explorer-1", state, dot);
  assert.equal(fragment, "#simplex-explorer-1?logits=-0.25,1,7&temperature=0.5");
  assert.deepEqual(readFragment("SimplexExplorer", fragment, dot), state);
  const read = (query: string) => readFragment("SimplexExplorer", `#i?${query}`, dot);
  assert.deepEqual([read("logits=5").logits, read("logits=5,6,7,8").logits, read("logits=,NaN,1e999").logits], [[5, 1, 0], [5, 6, 7], [2, 1, 0]]);
  assert.deepEqual([read("labels=x,y,z,w").labels, read("labels=x,y").labels], [["x", "y", "z"], null]);
  assert.deepEqual([read("temperature=0").temperature, read("temperature=-Infinity").temperature], [1e-6, 1]);
});

test("a link to next words says how they were drawn, none included, and cannot change the prompts", () => {
  const read = (query: string) => readFragment("SamplingExplorer", `#i?${query}`, nextWords);
  const state: SamplingState = { ...nextWords, prompt: 1, temperature: 0.25, top_k: null, top_p: 1, seed: 2 ** 32 - 1, draws: 100 };
  const fragment = writeFragment("SamplingExplorer", "sampling-explorer-1", state, nextWords);
  assert.equal(fragment, "#sampling-explorer-1?prompt=1&temperature=0.25&top_k=none&top_p=1&seed=4294967295&draws=100");
  assert.deepEqual(readFragment("SamplingExplorer", fragment, nextWords), state);
  const { top_k, top_p, seed, draws, prompt } = read("top_k=99&top_p=7&seed=1e99&draws=1e5&prompt=9");
  assert.deepEqual([top_k, top_p, seed, draws, prompt], [2, 1, 2 ** 32 - 1, 100, 1]);
  const least = read("top_k=-1&top_p=-7&seed=-1&draws=-3&prompt=-1");
  assert.deepEqual([least.top_k, least.top_p, least.seed, least.draws, least.prompt], [1, 1e-6, 0, 0, 0]);
  assert.deepEqual(read("top_k=1.5&top_p=x&seed=0.5&draws=&prompts=a,b&prompt=null"), nextWords);
});

test("a bin that is none travels in a link as well", () => {
  const stored = { ...answers, selected: 3 };
  const fragment = writeFragment("CalibrationExplorer", "c", { ...stored, selected: null }, stored);
  assert.equal(fragment, "#c?selected=none");
  assert.equal(readFragment("CalibrationExplorer", fragment, stored).selected, null);
});

test("prompts are all good, or none of them is taken", () => {
  const parsed = (prompts: unknown) => parse("SamplingExplorer", (name) => ({ prompts })[name as "prompts"]).prompts;
  assert.equal(parsed(nextWords.prompts), nextWords.prompts);
  const [blank] = parsed(null);
  const good = ["It", ["is", "was"], [1, 0]];
  const bad: unknown[] = [
    ...[["It", ["is"], [1]], ["It", ["is", "was"], [0, 1]], ["It", ["is", "was"], [1]], ["It", ["is", "was"], [1, NaN]]],
    ...[["It", ["is", ""], [1, 0]], ["It", ["is", "w".repeat(25)], [1, 0]], [" ", ["is", "was"], [1, 0]], ["x".repeat(201), ["is", "was"], [1, 0]]],
    ...[["It", Array(41).fill("is"), Array(41).fill(0)], ["It", "is", [1, 0]], [1, 2, 3], [], "It", null, ["It", ["is", "was"], [1, 0], 0]],
  ];
  for (const prompt of bad) assert.deepEqual(parsed([good, prompt]), [blank], JSON.stringify(prompt));
  for (const prompts of [[], Array(21).fill(good), {}, "It"]) assert.deepEqual(parsed(prompts), [blank]);
  assert.equal(parsed(Array(20).fill(good)).length, 20);
});

test("examples that do not fit together are none, and those that do stay the same arrays", () => {
  const parsed = (logits: unknown, truth: unknown) =>
    parse("CalibrationExplorer", (name) => ({ logits, truth })[name as "logits" | "truth"]);
  const { logits, truth } = parsed(answers.logits, answers.truth);
  assert.ok(logits === answers.logits && truth === answers.truth);
  for (const bad of [[[1, 2], [3]], [[1, NaN]], [[]], [], [1, 2], [Array(13).fill(0)], Array(1001).fill([1, 2])])
    assert.deepEqual(parsed(bad, [0]).logits, [[0]]);
  assert.deepEqual(parsed([[1, 2], [3, 4]], [7, -1]).truth, [1, 0]);
  assert.deepEqual(parsed([[1, 2], [3, 4]], [1]).truth, [1, 0]);
});

test("a link to attention says the scores and both switches, and one to a stepper the step", () => {
  const changed = { ...attention, scores: [[4, -1.5], [0, 8]], dimension: 64, scaled: false, causal: true, key: 0 };
  const fragment = writeFragment("AttentionExplorer", "attention-explorer-1", changed, attention);
  assert.equal(fragment, "#attention-explorer-1?scores=4,-1.5;0,8&dimension=64&scaled=false&causal=true&key=0");
  assert.deepEqual(readFragment("AttentionExplorer", fragment, attention), changed);
  const read = (query: string) => readFragment("AttentionExplorer", `#i?${query}`, attention);
  assert.deepEqual(read("scaled=no&causal=1&causal=True"), attention);
  assert.deepEqual([read("dimension=0").dimension, read("dimension=9e9").dimension, read("dimension=2.5").dimension], [1, 1e6, 16]);
  assert.deepEqual(read("scores=1").scores, [[1]]);
  assert.deepEqual(read(`scores=${"1,2;".repeat(99)}`).scores.length, 8);
  assert.deepEqual([read("query=9").query, read("key=-3").key], [1, 0]);
  const step = (query: string) => readFragment("OnlineStepper", `#i?${query}`, online);
  assert.equal(writeFragment("OnlineStepper", "online-stepper-1", { ...online, step: 3 }, online), "#online-stepper-1?step=3");
  assert.deepEqual([step("step=0").step, step("step=99").step, step("step=x").step], [1, 3, 2]);
  assert.deepEqual(step("scores=1,2").values, [10, 20]);
  assert.deepEqual(step("scores=1,2,3,4").values, [10, 20, 60, 0]);
});

test("the stored state needs no query", () => {
  assert.equal(writeFragment("LogitExplorer", "logit-explorer-2", logits, logits), "#logit-explorer-2");
  assert.deepEqual(readFragment("LogitExplorer", "#logit-explorer-2", logits), logits);
});

test("what is no finite number keeps the stored one, and large ones are clamped", () => {
  const read = (query: string) => readFragment("LogitExplorer", `#i?${query}`, logits);
  assert.deepEqual(read("logits=NaN,1e999").logits, [1.3, 5.1]);
  assert.deepEqual(read("logits=,x,7").logits, [1.3, 5.1, 7]);
  assert.deepEqual(read("logits=1e300,-1e300").logits, [1e6, -1e6]);
  assert.equal(read("temperature=0").temperature, 1e-6);
  assert.equal(read("temperature=-Infinity").temperature, 1);
  assert.equal(read("logits=1%2C2").logits.length, 2);
  assert.equal(read(`logits=${Array(10_000).fill("1").join(",")}`).logits.length, 12);
});

test("what a page leaves out has Python's default", () => {
  const empty: States = {
    LogitExplorer: { logits: [0], labels: null, temperature: 1, shift: 0, selected: 0, sliders: ["shift", "temperature"] },
    LossExplorer: { logits: [0], labels: null, wanted: 0, smoothing: 0, rate: 1.5, smooth: false },
    JacobianExplorer: { logits: [0], labels: null, row: 0, column: 0, nudge: 0.1 },
    CalibrationExplorer: { logits: [[0]], truth: [0], temperature: 1, selected: null },
    SimplexExplorer: { logits: [0, 0, 0], labels: null, temperature: 1 },
    SamplingExplorer: {
      prompts: [["", ["word 1", "word 2"], [0, 0]]],
      ...{ prompt: 0, temperature: 1, top_k: null, top_p: 1, seed: 0, draws: 0 },
    },
    AttentionExplorer: { scores: [[0]], labels: null, dimension: 16, scaled: true, causal: false, query: 0, key: 0 },
    OnlineStepper: { scores: [0], values: [0], labels: null, step: 1 },
    PrecisionLab: { logits: [0], labels: null, format: "float16", shift: 0, scale: 1 },
    LayerExplorer: { hidden: [0], weights: [[0]], bias: [0], labels: null, selected: 0, wanted: null },
    Guess: { logits: [0], labels: null, question: "", reason: "" },
    GuessNumber: { number: 0, low: 0, high: 1, question: "", reason: "", unit: "", logarithmic: false },
    NumberField: { question: "", answer: 0, mistakes: [], hint: "", reason: "", unit: "", tolerance: 0.01 },
    Ladder: {
      ...{ names: ["rung 1"], seconds: [1], limit: 1, limit_name: "one copy", unit: "ms", changes: null },
      selected: null,
    },
    Quiz: { question: "", choices: [], answer: "", choice: null },
  };
  for (const kind of Object.keys(empty) as Kind[]) assert.deepEqual(parseJson(kind, "{}"), empty[kind]);
});

test("labels are capped, and missing ones are made up", () => {
  const read = (query: string) => readFragment("LogitExplorer", `#i?${query}`, logits);
  assert.deepEqual(read(`labels=${"é".repeat(30)},%20`).labels, ["é".repeat(24), "class 2"]);
  assert.equal(read("logits=1,2,3").labels, null);
  assert.equal(read("labels=only").labels, null);
  assert.deepEqual(read("labels=%E0%A4%A,<img src=x onerror=alert(1)>").labels?.[0], "class 1");
});

test("names from Object.prototype are names like any other", () => {
  assert.equal(isKind("__proto__"), false);
  assert.equal(isKind("constructor"), false);
  const state = readFragment("LogitExplorer", "#i?__proto__=1&constructor=2&toString=3", logits);
  assert.deepEqual(state, logits);
  parseJson("LogitExplorer", '{"__proto__": {"polluted": 1}, "logits": [1]}');
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("whatever goes in, a valid state comes out", () => {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647; // Park and Miller
  const pick = <T,>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const scraps = [
    "logits", "labels", "temperature", "shift", "hidden", "weights", "bias", "choice", "choices", "__proto__",
    "smoothing", "rate", "smooth", "row", "column", "nudge", "scale", "format", "number", "low", "high", "unit", "logarithmic",
    "answer", "mistakes", "tolerance",
    "names", "seconds", "limit", "limit_name", "changes", "selected", "wanted", "truth",
    "prompts", "prompt", "top_k", "top_p", "seed", "draws", "none",
    "scores", "dimension", "scaled", "causal", "query", "key", "values", "step", "true", "false",
    "=", "&", ",", ";", "?", "#", "%", "%00", "%2C", "NaN", "1e999", "-1e999", "0", "-0", "1e-400", "0x10", " ", "+",
    "<img src=x onerror=alert(1)>", "\u202e", "\ud800", "9".repeat(400), "null", "[", "]", "{", "}", '"', ":",
  ];
  const values: unknown[] = [null, true, 0, -1, 1e308, "", "text", [], {}, [[]], [null], ["<img>"], [1, "2", NaN], [[1, 2], [3]], [[1, 2], [3, 4]], [[1, "one"], [2, " "], ["3", "x"]], [0, 1], [9, -9], nextWords.prompts, 2 ** 40];
  const stored: States = {
    LogitExplorer: logits,
    LossExplorer: learning,
    JacobianExplorer: slopes,
    CalibrationExplorer: answers,
    SimplexExplorer: dot,
    SamplingExplorer: nextWords,
    AttentionExplorer: attention,
    OnlineStepper: online,
    PrecisionLab: narrow,
    LayerExplorer: layer,
    Guess: shares,
    GuessNumber: point,
    NumberField: field,
    Ladder: rungs,
    Quiz: quiz,
  };
  const kinds = Object.keys(stored) as Kind[];
  for (let round = 0; round < 20_000; round++) {
    const kind = pick(kinds);
    const text = Array.from({ length: random() * 40 }, () => pick(scraps)).join("");
    assertValid(kind, readFragment(kind, `#i?${text}`, stored[kind]));
    const json = JSON.stringify(Object.fromEntries(scraps.slice(0, 49).map((name) => [name, pick(values)])));
    assertValid(kind, parseJson(kind, random() < 0.5 ? json : text));
  }
  for (const kind of kinds) assertValid(kind, readFragment(kind, `#i?logits=${"1,".repeat(500_000)}`, stored[kind]));
});
