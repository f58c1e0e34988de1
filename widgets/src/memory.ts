// What a browser remembers of a reader: a guess, until it is forgotten. Storage may be blocked, and what is in it is untrusted.

import { useState } from "preact/hooks";

const nameOf = (kind: string, what: string): string => `softmax ${kind} ${location.pathname} ${what}`;

function read(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

function write(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // The reader's browser keeps nothing: the guess lasts as long as the page.
  }
}

/**
 * A value that outlives the page, under a name of its own for each page and question. `parse` makes a valid value of
 * whatever was kept, or of null where nothing was; null forgets it. For paper nothing is read.
 */
export function useMemory<T>(kind: string, what: string, parse: (raw: unknown) => T, still: boolean | undefined): [T, (value: T | null) => void] {
  const [value, set] = useState<T>(() => parse(still ? null : read(nameOf(kind, what))));
  return [
    value,
    (next) => {
      write(nameOf(kind, what), next);
      set(next ?? parse(null));
    },
  ];
}
