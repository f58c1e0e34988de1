import { render, type ComponentType } from "preact";
import type { Home, ViewProps } from "./home.ts";
import type { Kind, States } from "./state.ts";

/** A notebook draws before the output has a width: it is a column's, until the first resize. */
const LIKELY_WIDTH = 745;

/** Draws the widget into `el`, and again in the same task as every change and resize; returns the clean-up. */
export function mount<K extends Kind>(
  el: HTMLElement,
  View: ComponentType<ViewProps<K>>,
  home: Home<States[K]>,
): () => void {
  let width = 0;
  const draw = () => render(<View state={home.read()} home={home} width={width} />, el);
  const fit = () => {
    const room = Math.floor(el.clientWidth) || LIKELY_WIDTH;
    if (room === width) return;
    width = room;
    draw();
  };
  el.replaceChildren();
  fit();
  const unsubscribe = home.subscribe(draw);
  const resized = new ResizeObserver(fit);
  resized.observe(el);
  return () => {
    unsubscribe();
    resized.disconnect();
    render(null, el);
  };
}
