import assert from "node:assert/strict";
import { test } from "node:test";
import {
  amount,
  exponential,
  fraction,
  logit,
  percent,
  points,
  share,
  shortExponential,
  shortPoints,
  shortShare,
  shortSlope,
  slope,
  temperature,
  whole,
} from "../src/numbers.ts";

const each = <T>(write: (value: T) => string, expected: readonly (readonly [T, string])[]): void => {
  for (const [value, text] of expected) assert.equal(write(value).replaceAll("\u2009", " "), text, String(value));
};

test("a share reads like a newspaper's", () => {
  each(share, [
    [0, "0 %"],
    [1e-9, "under 0.1 %"],
    [0.00099, "under 0.1 %"],
    [0.001, "0.1 %"],
    [0.0871, "8.7 %"],
    [0.0994, "9.9 %"],
    [0.0996, "10 %"],
    [0.6439, "64 %"],
    [0.984, "98 %"],
    [0.994, "99.4 %"],
    [0.9991, "over 99.9 %"],
    [1 - 1e-16, "over 99.9 %"],
    [1, "100 %"],
    [NaN, "NaN"],
  ]);
  each(shortShare, [
    [1e-9, "<0.1 %"],
    [0.9999, ">99.9 %"],
  ]);
});

test("a logit has one decimal, or two where it has two", () => {
  each(logit, [
    [2, "2.0"],
    [-1, "−1.0"],
    [2.44, "2.44"],
    [0.12, "0.12"],
    [-0.001, "0.0"],
    [-0, "0.0"],
    [1234.5, "1235"],
    [-1e6, "−1.0 × 10⁶"],
    [Infinity, "∞"],
  ]);
});

test("an exponential has three digits, then thin spaces, then a power of ten", () => {
  each(exponential, [
    [0, "0"],
    [0.3679, "0.37"],
    [1, "1.00"],
    [7.389, "7.39"],
    [11.47, "11.5"],
    [99.96, "100.0"],
    [148.4, "148"],
    [22026.47, "22 026"],
    [8886110, "8.9 × 10⁶"],
    [0.0498, "0.050"],
    [4.54e-5, "4.5 × 10⁻⁵"],
    [Infinity, "∞"],
  ]);
  each(shortExponential, [
    [4.54e-5, "<0.0005"],
    [0.37, "0.37"],
    [0, "0"],
  ]);
  each(whole, [
    [10, "10"],
    [100_000, "100 000"],
    [1e7, "1.0 × 10⁷"],
  ]);
});

test("numerator and denominator read alike only where they are", () => {
  const read = (top: number, bottom: number) => fraction(top, bottom).map((text) => text.replace("\u2009", " "));
  assert.deepEqual(read(7.389, 11.47), ["7.39", "11.5"]);
  assert.deepEqual(read(148.41, 148.46), ["148.4", "148.5"]);
  assert.deepEqual(read(2.5, 2.5), ["2.50", "2.50"]);
  assert.deepEqual(read(22026.4, 22030.2), ["22 026", "22 030"]);
});

test("differences are points, with a sign", () => {
  each(points, [
    [0.37, "+37"],
    [-0.074, "−7.4"],
    [0, "0"],
    [1e-5, "under 0.1"],
  ]);
  each(temperature, [
    [1, "1"],
    [0.25, "0.25"],
    [1.4142, "1.4"],
  ]);
});

test("amounts", () =>
  each(amount, [
    [8, "8"],
    [2.71828, "2.72"],
    [0.1, "0.1"],
    [147.6, "148"],
    [999.6, "1 000"],
    [22026, "22 026"],
    [8.9e6, "8.9 × 10⁶"],
    [0, "0"],
    [-2.5, "−2.5"],
    [0.00012, "1.2 × 10⁻⁴"],
    [Infinity, "∞"],
    [NaN, "NaN"],
  ]));

test("a slope has two digits in a sentence, three decimals and a sign in a table", () => {
  each(slope, [
    [0.23364, "0.23"],
    [-0.0228, "−0.023"],
    [-6.36e-13, "−6.4 × 10⁻¹³"],
    [0, "0"],
    [NaN, "NaN"],
  ]);
  each(shortSlope, [
    [0.15453, "+0.155"],
    [-0.11994, "−0.120"],
    [-4e-5, "−0.000"],
    [0, "0"],
    [-0, "0"],
    [NaN, "NaN"],
  ]);
});

test("what a line promises may be no share", () => {
  each(percent, [
    [1.333, "133 %"],
    [-0.4087, "−41 %"],
    [-12.5, "−1 250 %"],
    [Infinity, "∞"],
  ]);
  each(shortPoints, [
    [-0.0001, "<0.1"],
    [0.37, "+37"],
    [93.5, "+9 350"],
    [-54510.9, "−5.5 × 10⁶"],
  ]);
});
