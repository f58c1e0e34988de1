import { render, type ComponentType } from "preact";
import type { Home, ViewProps } from "./home.ts";
import { JacobianExplorer } from "./JacobianExplorer.tsx";
import { LayerExplorer } from "./LayerExplorer.tsx";
import { LogitExplorer } from "./LogitExplorer.tsx";
import { PrecisionLab } from "./PrecisionLab.tsx";
import { Quiz } from "./Quiz.tsx";
import type { Kind, States } from "./state.ts";

const views: { [K in Kind]: ComponentType<ViewProps<K>> } = {
  LogitExplorer,
  JacobianExplorer,
  PrecisionLab,
  LayerExplorer,
  Quiz,
};

/** Draws the widget into `el`, and again in the same task as every change; returns the clean-up. */
export function mount<K extends Kind>(el: HTMLElement, kind: K, home: Home<States[K]>): () => void {
  const View = views[kind] as ComponentType<ViewProps<K>>;
  const draw = () => render(<View state={home.read()} home={home} />, el);
  el.replaceChildren();
  draw();
  const unsubscribe = home.subscribe(draw);
  return () => {
    unsubscribe();
    render(null, el);
  };
}
