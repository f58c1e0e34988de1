// The static site's entry: brings the stored widgets of a page to life.

import type { Home } from "./home.ts";
import { mount } from "./mount.tsx";
import { fragmentId, isKind, parseJson, readFragment, writeFragment, type Kind, type States } from "./state.ts";

const opened = new Map<string, (fragment: string) => void>();

const kebab = (kind: string): string => kind.replace(/\B[A-Z]/g, "-$&").toLowerCase();

function open<K extends Kind>(el: HTMLElement, kind: K): void {
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
  mount(el, kind, home);
  opened.set(el.id, (fragment) => {
    home.update(readFragment(kind, fragment, stored));
    el.scrollIntoView();
  });
}

function openAll(): void {
  const counts = new Map<Kind, number>();
  for (const el of document.querySelectorAll<HTMLElement>(".softmax-widget[data-widget]")) {
    const kind = el.dataset["widget"];
    if (!isKind(kind)) continue;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    el.id = `${kebab(kind)}-${count}`;
    open(el, kind);
  }
}

const follow = (): void => opened.get(fragmentId(location.hash))?.(location.hash);

function start(): void {
  openAll();
  follow();
  addEventListener("hashchange", follow);
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
else start();
