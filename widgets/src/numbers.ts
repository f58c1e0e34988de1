// Numbers as a newspaper prints them: what a reader can say aloud. Every digit stays in `data-value`.

const THIN_SPACE = "\u2009";
const MINUS = "\u2212";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const withMinus = (text: string): string => text.replace("-", MINUS);

/** What `Infinity` and NaN are called; undefined for every other number. */
function odd(x: number): string | undefined {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : `${MINUS}∞`;
  return undefined;
}

/** A share of one whole: "64 %", "8.7 %", "under 0.1 %", "over 99.9 %". Only exactly 0 and 1 read "0 %" and "100 %". */
export function share(p: number): string {
  const percent = p * 100;
  const text =
    odd(p) ??
    (p === 0 || p === 1
      ? String(percent)
      : percent < 0.1
        ? "under 0.1"
        : percent > 99.9
          ? "over 99.9"
          : percent < 9.95 || percent >= 99
            ? percent.toFixed(1)
            : percent.toFixed(0));
  return odd(p) ? text : `${text}${THIN_SPACE}%`;
}

/** "cat 19 %, dog 63 %": what is spoken of a strip. */
export const saidShares = (labels: readonly string[], shares: readonly number[]): string =>
  labels.map((label, i) => `${label} ${share(shares[i]!)}`).join(", ");

/** As `share`, where a picture has little room: "<0.1 %". */
export const shortShare = (p: number): string => share(p).replace("under ", "<").replace("over ", ">");

/** A logit, a nudge, a shift: one decimal, or two where it has two: "2.0", "−1.25". */
export function logit(z: number): string {
  const rounded = Math.round(z * 100) / 100 || 0;
  if (odd(z) ?? Math.abs(z) >= 1e6) return odd(z) ?? power(z);
  const decimals = Math.abs(rounded) >= 1000 ? 0 : Number.isInteger(Math.round(rounded * 100) / 10) ? 1 : 2;
  return withMinus(rounded.toFixed(decimals));
}

/** 2, 0.5, 0.25: a temperature, to two decimals at most. */
export const temperature = (t: number): string => odd(t) ?? String(Number(t.toPrecision(2)));

/** "8.9 × 10⁶" */
function power(x: number): string {
  const [digits = "", exponent = ""] = x.toExponential(1).split("e");
  const raised = Array.from(exponent.replace("+", ""), (c) => SUPERSCRIPTS[Number(c)] ?? "⁻").join("");
  return withMinus(`${digits} × 10${raised}`);
}

const grouped = (x: number): string => x.toFixed(0).replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);

/** A count: "10", "10 000", "1.0 × 10⁶". */
export const whole = (x: number): string => (x < 1e6 ? grouped(x) : power(x));

/** An exponential or a sum of them, to this many digits: "0.37", "7.39", "148", "22 026", "8.9 × 10⁶". */
export function exponential(x: number, digits = 3): string {
  const special = odd(x);
  if (special) return special;
  if (x === 0) return "0";
  if (x >= 999_500) return power(x);
  if (x >= 10 ** digits - 0.5) return grouped(x);
  if (x < 0.001) return power(x);
  const decimals = Math.max(digits - 1 - Math.max(Math.floor(Math.log10(x) + 1e-12), 0), 0);
  return x < 0.0995 ? x.toPrecision(digits - 1) : x.toFixed(decimals);
}

/** As `exponential`, where a picture has little room: "<0.0005". */
export const shortExponential = (x: number): string => (x > 0 && x < 0.0005 ? "<0.0005" : exponential(x));

/** Top and bottom of a fraction; where they would read alike though they are not, with a digit more. */
export function fraction(top: number, bottom: number): [string, string] {
  for (let digits = 3; digits < 8; digits++) {
    const texts: [string, string] = [exponential(top, digits), exponential(bottom, digits)];
    if (texts[0] !== texts[1] || top === bottom || !(bottom < 999_500)) return texts;
  }
  return [exponential(top), exponential(bottom)];
}

/** A difference of shares in percentage points: "+37", "−7.4", "0". */
export function points(difference: number): string {
  const size = Math.abs(difference) * 100;
  if (odd(difference)) return odd(difference)!;
  if (size < 0.05) return difference === 0 ? "0" : "under 0.1";
  return `${difference < 0 ? MINUS : "+"}${size < 9.95 ? size.toFixed(1) : whole(size)}`;
}

/** A number that is said in a sentence, to so many digits at most: "8", "2.72", "22 026", "8.9 × 10⁶". */
export function amount(x: number, digits = 3): string {
  const size = Math.abs(x);
  if (odd(x) ?? (size >= 1e6 || (size > 0 && size < 0.001))) return odd(x) ?? power(x);
  return withMinus(size >= 999.5 ? grouped(x) : String(Number(x.toPrecision(digits)) || 0));
}

/** As `points`, where a picture has little room: "<0.1". */
export const shortPoints = (difference: number): string => points(difference).replace("under ", "<");

/** A number of per cent that need be no share: "133 %", "−41 %". */
export const percent = (x: number): string => odd(x) ?? `${x < 0 ? MINUS : ""}${whole(Math.abs(x) * 100)}${THIN_SPACE}%`;

/** A slope: "0.23", "−0.023", "−6.4 × 10⁻¹³". */
export const slope = (x: number): string => (x < 0 ? MINUS : "") + exponential(Math.abs(x));

/** A slope as one of many in a table: three decimals and a sign, so that columns can be added up. Exactly 0 is "0". */
export const shortSlope = (x: number): string =>
  odd(x) ?? (x === 0 ? "0" : `${x < 0 ? MINUS : "+"}${Math.abs(x).toFixed(3)}`);
