// What all pictures are laid out with: places along an axis, paths, and labels that do not cover each other.

export type Point = readonly [x: number, y: number];

/** Two decimals are finer than any screen. */
export const tidy = (x: number): number => Math.round(x * 100) / 100 || 0;

/** A closed path through the points. Far outside the picture one place is as good as another. */
export const closedPath = (points: readonly Point[]): string =>
  `M${points.map((point) => point.map((x) => tidy(clampTo(x, -2000, 4000))).join(" ")).join("L")}Z`;

export const clampTo = (x: number, least: number, most: number): number => Math.min(Math.max(x, least), most);

const HEAD = 14; // the length of an arrow's head, in pixels

/** An arrow up or down, or a lying one: a shaft and a head; where it is shorter than its head, a smaller head alone. */
export function arrow(across: number, from: number, to: number, thick: number, lying = false): string {
  const head = Math.min(HEAD, Math.abs(to - from));
  const neck = to - Math.sign(to - from) * head;
  const half = (thick * 1.15 * head) / HEAD;
  const shaft = head < HEAD ? 0 : thick / 2;
  const corners: Point[] = [
    [across - shaft, from],
    [across - shaft, neck],
    [across - half, neck],
    [across, to],
    [across + half, neck],
    [across + shaft, neck],
    [across + shaft, from],
  ];
  return closedPath(lying ? corners.map(([x, y]) => [y, x]) : corners);
}

/** From 0 to 1 without a corner at either end. */
export const smoothstep = (t: number): number => t * t * (3 - 2 * t);

/**
 * Places for labels: as near to `wanted` as a distance of `gap` between neighbours and the two ends allow.
 * Labels that crowd form a block around the mean of what they want (isotonic regression).
 */
export function spread(wanted: readonly number[], gap: number, least: number, most: number): number[] {
  const order = wanted.map((_, i) => i).sort((i, j) => wanted[i]! - wanted[j]! || i - j);
  const blocks: { mean: number; count: number }[] = [];
  order.forEach((i, rank) => {
    let block = { mean: wanted[i]! - rank * gap, count: 1 };
    while (blocks.length && blocks.at(-1)!.mean > block.mean) {
      const before = blocks.pop()!;
      const count = before.count + block.count;
      block = { mean: (before.mean * before.count + block.mean * block.count) / count, count };
    }
    blocks.push(block);
  });
  const starts = blocks.flatMap(({ mean, count }) => Array<number>(count).fill(mean));
  const last = Math.max(most - (wanted.length - 1) * gap, least);
  const places: number[] = [];
  order.forEach((i, rank) => (places[i] = clampTo(starts[rank]!, least, last) + rank * gap));
  return places;
}

/** From class to [start, end] along a stack: the last class at 0, the first at the far end. */
export function stack(sizes: readonly number[]): [number, number][] {
  const ends: [number, number][] = [];
  let end = 0;
  for (let i = sizes.length - 1; i >= 0; i--) ends[i] = [end, (end += sizes[i]!)];
  return ends;
}

/** An axis from −extent to extent. It holds what a picture began with (a logit may pass its end by a fifth). */
export const axisExtent = (logits: readonly number[]): number => Math.max(5, ...logits.map((z) => Math.ceil(Math.abs(z) - 0.2)));

/** 2, 4, 10, 20, 40, 100, …: the least that leaves at most four labels on either side of 0. */
export function labelStep(extent: number): number {
  let step = 2;
  for (let k = 0; extent / step >= 5; k++) step *= [2, 2.5, 2][k % 3]!;
  return step;
}

/** The multiples of `every` from −extent to extent. */
export function multiples(every: number, extent: number): number[] {
  const lines = Math.floor(extent / every);
  return Array.from({ length: 2 * lines + 1 }, (_, k) => (k - lines) * every);
}

/** A label with at most this many characters. */
export const shortened = (label: string, most: number): string =>
  Array.from(label).length > most ? `${Array.from(label).slice(0, most - 1).join("")}…` : label;
