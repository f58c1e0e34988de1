import { render, type ComponentType } from "preact";
import type { Home, ViewProps } from "./home.ts";
import type { Kind, States } from "./state.ts";

/** A notebook draws before the output has a width: it is a column's, until the first resize. */
const LIKELY_WIDTH = 745;

/**
 * Draws the widget into `el`, which is `room` wide, and again in the same task as every change and resize; returns the
 * clean-up.
 */
export function mount<K extends Kind>(
  el: HTMLElement,
  View: ComponentType<ViewProps<K>>,
  home: Home<States[K]>,
  room = el.clientWidth,
): () => void {
  let width = 0;
  const draw = () => render(<View state={home.read()} home={home} width={width} />, el);
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
  return () => {
    unsubscribe();
    resized.disconnect();
    render(null, el);
  };
}
