import { render, type ComponentType } from "preact";
import type { Home, ViewProps } from "./home.ts";
import type { Kind, States } from "./state.ts";

/** A notebook draws before the output has a width: it is a column's, until the first resize. */
const LIKELY_WIDTH = 745;

/** What A4 has between the margins of the book's stylesheet, in CSS pixels; other paper scales the drawing. */
const PAPER_WIDTH = 680;

/**
 * Draws the widget into `el`, which is `room` wide, and again in the same task as every change and resize; for paper in
 * the form that cannot be pulled. Returns the clean-up.
 */
export function mount<K extends Kind>(
  el: HTMLElement,
  View: ComponentType<ViewProps<K>>,
  home: Home<States[K]>,
  room = el.clientWidth,
): () => void {
  let width = 0;
  let onPaper = false;
  const draw = () => render(<View state={home.read()} home={home} width={onPaper ? PAPER_WIDTH : width} still={onPaper} />, el);
  const fit = (room: number) => {
    const fitting = Math.floor(room) || LIKELY_WIDTH;
    if (fitting === width) return;
    width = fitting;
    draw();
  };
  el.replaceChildren();
  fit(room);
  const unsubscribe = home.subscribe(draw);
  const resized = new ResizeObserver(() => fit(el.clientWidth));
  resized.observe(el);
  const print = ({ type }: Event) => {
    onPaper = type === "beforeprint";
    draw();
    for (const answer of el.querySelectorAll("details")) answer.open = true; // on paper nothing can be unfolded
  };
  for (const type of ["beforeprint", "afterprint"]) addEventListener(type, print);
  return () => {
    for (const type of ["beforeprint", "afterprint"]) removeEventListener(type, print);
    unsubscribe();
    resized.disconnect();
    render(null, el);
  };
}
