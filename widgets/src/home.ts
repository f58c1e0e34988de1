// A view lives in a notebook, where a model owns the state, or on a page, where nobody else does.

import type { Kind, States } from "./state.ts";

export interface Home<S> {
  read(): S;
  /** What Reset goes back to. */
  stored: S;
  update(changes: Partial<S>): void;
  /** Calls `changed` after every change; returns the clean-up. */
  subscribe(changed: () => void): () => void;
  /** The address that opens the page in this state; a notebook has none. */
  link?(): string;
}

export interface ViewProps<K extends Kind> {
  state: States[K];
  home: Home<States[K]>;
  /** The room it has, in CSS pixels. */
  width: number;
  /** Whether it is drawn for paper: the state as it stands, with nothing to press or pull. */
  still?: boolean;
}
