// Movements that take time. Whoever asked their system for less motion sees the end at once.

const eased = (t: number): number => (t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2);

/** Calls `draw` with numbers that go from 0 to 1 in `lasts` milliseconds, slower at both ends unless a `way` is given; returns what stops it. */
export function animate(lasts: number, draw: (t: number) => void, way = eased): () => void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    draw(1);
    return () => {};
  }
  const begun = performance.now();
  let running = 0;
  const step = (now: number) => {
    const t = Math.min(Math.max(now - begun, 0) / lasts, 1);
    draw(t < 1 ? way(t) : 1);
    if (t < 1) running = requestAnimationFrame(step);
  };
  running = requestAnimationFrame(step);
  return () => cancelAnimationFrame(running);
}
