// The static site's entry: brings the stored widgets of a page to life. Each kind comes in a script of its own,
// which the page loads if it shows one, and registers itself here.

import type { ComponentType } from "preact";
import type { Home, ViewProps } from "./home.ts";
import { mount } from "./mount.tsx";
import { fragmentId, parseJson, readFragment, writeFragment, type Kind, type States } from "./state.ts";

const opened = new Map<string, (fragment: string) => void>();

// Measured together, before any is drawn: to ask for a width after a drawing makes the browser lay out the whole page.
const widths = new Map(
  [...document.querySelectorAll<HTMLElement>(".softmax-widget")].map((el) => [el, el.clientWidth]),
);

const kebab = (kind: string): string => kind.replace(/\B[A-Z]/g, "-$&").toLowerCase();

function open<K extends Kind>(el: HTMLElement, kind: K, View: ComponentType<ViewProps<K>>): void {
  const stored = parseJson(kind, el.dataset["state"] ?? "");
  const listeners = new Set<() => void>();
  let state = stored;
  const home: Home<States[K]> = {
    read: () => state,
    stored,
    update(changes) {
      state = { ...state, ...changes };
      listeners.forEach((changed) => changed());
    },
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    link: () => location.href.split("#", 1)[0] + writeFragment(kind, el.id, state, stored),
  };
  mount(el, View, home, widths.get(el));
  opened.set(el.id, (fragment) => {
    home.update(readFragment(kind, fragment, stored));
    // Not scrollIntoView: from within a frame that moves the page around it, too.
    scrollBy(0, el.getBoundingClientRect().top - parseFloat(getComputedStyle(el).scrollMarginTop));
  });
}

const follow = (): void => opened.get(fragmentId(location.hash))?.(location.hash);

addEventListener("hashchange", follow);

/** Opens all interactives of a kind; one that the address names, in the state that the address asks for. */
export function register<K extends Kind>(kind: K, View: ComponentType<ViewProps<K>>): void {
  const start = () => {
    document.querySelectorAll<HTMLElement>(`.softmax-widget[data-widget="${kind}"]`).forEach((el, i) => {
      el.id = `${kebab(kind)}-${i + 1}`;
      open(el, kind, View);
      if (el.id === fragmentId(location.hash)) follow();
    });
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
}
