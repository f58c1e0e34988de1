import assert from "node:assert/strict";
import { test } from "node:test";
import { answerText, judge, readings, readTyped } from "../src/field.ts";
import type { States } from "../src/state.ts";

const field: States["NumberField"] = {
  ...{ question: "?", answer: 8.192, hint: "Count the bytes.", reason: "So it is.", unit: "milliseconds", tolerance: 0.01 },
  mistakes: [[4.096, "half"], [8192, "in microseconds"]],
};
const share: States["NumberField"] = { ...field, answer: 24.5, mistakes: [[33.3, "no exponential"]], unit: "%" };

test("one number has many spellings", () => {
  for (const typed of ["8.2", "8,2", " 8.20 ", "+8.2", "8.2e0", "0.82E+1", "41/5", "8.2milliseconds", "8.2 milliseconds", "820 %"])
    assert.ok(Math.abs(readings(typed, "milliseconds")[0]! - 8.2) < 1e-12, typed);
  assert.deepEqual(readings("−0,125", ""), [-0.125]);
  assert.deepEqual(readings("-1/8", ""), [-0.125]);
  assert.deepEqual(readings(".5", ""), [0.5]);
  assert.deepEqual(readings("65\u2009536", ""), [65536]);
  assert.deepEqual(readings("65,536", ""), [65.536, 65536]);
  assert.deepEqual(readings("1,048,576.5", ""), [1048576.5]);
});

test("a share may be written in per cent or as a number", () => {
  assert.deepEqual(readings("57 %", ""), [0.57]);
  assert.deepEqual(readings("57 %", "%"), [57]);
  assert.deepEqual(readings("57", "%"), [57]);
  assert.deepEqual(readings("0.5", "%"), [50, 0.5]);
  assert.deepEqual(readings("0.5%", "%"), [0.5]);
  for (const typed of ["24.5", "24,5", "24.4 %", "0.245", "245/1000"]) assert.deepEqual(judge(share, typed), [true, "So it is."]);
  assert.deepEqual(judge(share, "1/3"), [false, "no exponential"]);
  assert.deepEqual(judge(share, "0.9"), [false, "Too large. Count the bytes."]);
});

test("the answer that is shown is one that the field takes", () => {
  const factor = { ...field, answer: 1.0657629818, unit: "", tolerance: 0.001 };
  assert.equal(answerText(factor), "1.066");
  assert.equal(answerText(field), "8.19 milliseconds");
  assert.equal(answerText(share), "24.5\u2009%");
  for (const answer of [1.0657629818, -0.00123456, 36, 98765.4321, 0])
    for (const tolerance of [0.05, 0.001, 1e-5]) {
      const asked = { ...factor, answer, tolerance };
      assert.equal(judge(asked, answerText(asked).replace(" × 10⁻³", "e-3"))[0], true, `${answer} ${tolerance} ${answerText(asked)}`);
    }
});

test("what is no number has no reading, and is told so", () => {
  for (const typed of ["", " ", "abc", "NaN", "Infinity", "1e999", "0x10", "1.2.3", "--1", "1/0", "1/2/3", "/", ".", "%", "e5", "1 2 a", "<b>1</b>", "9".repeat(400)]) {
    assert.deepEqual(readings(typed, ""), [], typed);
    assert.deepEqual(judge(field, typed), [false, "Write a number, such as 12, 0.5, 3/4 or 1e-7."]);
  }
});

test("a wrong number is told what it shows", () => {
  const says = (typed: string) => judge(field, typed)[1];
  assert.equal(says("8.192"), "So it is.");
  assert.equal(says("8.27"), "So it is.");
  assert.equal(says("8.28"), "Too large. Count the bytes.");
  assert.equal(says("4.1"), "half");
  assert.equal(says("8192"), "in microseconds");
  assert.equal(says("0.0082"), "The digits are right, and the power of ten is not. Count the bytes.");
  assert.equal(says("-8.2"), "The sign is wrong. Count the bytes.");
  assert.equal(says("7"), "Too small. Count the bytes.");
  assert.equal(says("0"), "Too small. Count the bytes.");
  assert.deepEqual(judge({ ...field, answer: 0 }, "0"), [true, "So it is."]);
  assert.deepEqual(judge({ ...field, answer: 0 }, "1e-9"), [false, "Too large. Count the bytes."]);
});

test("what was kept is a text that is not too long, or nothing", () => {
  assert.deepEqual([null, 7, "", {}, ["1"], "1/4"].map(readTyped), [null, null, null, null, null, "1/4"]);
  assert.equal(readTyped("1".repeat(1000))!.length, 40);
});
