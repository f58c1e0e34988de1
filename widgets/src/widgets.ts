// The notebook's entry: an anywidget front-end module.

import type { ComponentType } from "preact";
import type { Home, ViewProps } from "./home.ts";
import { mount } from "./mount.tsx";
import { isKind, namesOf, parse, type Kind, type States } from "./state.ts";
import { views } from "./views.ts";

interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, listener: () => void): void;
  off(event: string, listener: () => void): void;
}

function homeIn<K extends Kind>(model: Model, kind: K): Home<States[K]> {
  const names = namesOf(kind);
  const stored = new Map(Object.entries(Object(model.get("_stored"))));
  return {
    read: () => parse(kind, (name) => model.get(name)),
    stored: parse(kind, (name) => stored.get(name)),
    update(changes) {
      for (const [name, value] of Object.entries(changes)) model.set(name, value);
      model.save_changes();
    },
    subscribe(changed) {
      for (const name of names) model.on(`change:${name}`, changed);
      return () => names.forEach((name) => model.off(`change:${name}`, changed));
    },
  };
}

const open = <K extends Kind>(el: HTMLElement, kind: K, model: Model): (() => void) =>
  mount(el, views[kind] as ComponentType<ViewProps<K>>, homeIn(model, kind));

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const kind = model.get("_component");
  if (!isKind(kind)) throw new TypeError(`no interactive is called ${kind}`);
  el.classList.add("softmax-widget");
  return open(el, kind, model);
}

export default { render };
