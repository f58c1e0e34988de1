// What the page and the worker that runs Python say to each other.

/** The code of a cell, under the name that an error tells. */
export interface Request {
  readonly code: string;
  readonly name: string;
}

/**
 * What a cell gave: nothing, a text, a drawing, HTML or an error; `missing` is a name that Python did not know, and
 * `figures` are those that pyplot drew besides.
 */
export interface Outcome {
  readonly text?: string;
  readonly svg?: string;
  readonly html?: string;
  readonly figures?: readonly string[];
  readonly error?: string;
  readonly missing?: string | null;
}

export type Report =
  | { readonly kind: "loading"; readonly done: number; readonly total: number }
  | { readonly kind: "starting" | "running" }
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "done"; readonly outcome: Outcome }
  | { readonly kind: "broken"; readonly reason: string };
