// First frames of interactives as HTML, for pages without a script and for paper. Node runs it while the site is
// built: a list of { widget, state } comes in, a list of HTML goes out.

import { readFileSync } from "node:fs";
import type { ComponentType } from "preact";
import { render } from "preact-render-to-string";
import type { ViewProps } from "./home.ts";
import { isKind, parseJson, type Kind } from "./state.ts";
import { views } from "./views.ts";

/** A column on a laptop, and a phone held upright. */
const WIDTHS = [
  [745, "sw-wide"],
  [358, "sw-narrow"],
] as const;

/** Those that have a form for paper. */
const DRAWN = new Set<Kind>(["LogitExplorer", "LossExplorer", "Guess", "GuessNumber", "NumberField", "JacobianExplorer", "CalibrationExplorer", "SimplexExplorer", "SamplingExplorer", "AttentionExplorer", "OnlineStepper", "PrecisionLab", "Ladder", "LayerExplorer"]);

function still(kind: Kind, json: string): string {
  const View = views[kind] as ComponentType<ViewProps<Kind>>;
  const state = parseJson(kind, json);
  const home = { read: () => state, stored: state, update: () => {}, subscribe: () => () => {} };
  return WIDTHS.map(
    ([width, name]) => `<div class="sw-still ${name}">${render(<View state={state} home={home} width={width} still />)}</div>`,
  ).join("");
}

const asked: { widget: string; state: string }[] = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map(({ widget, state }) => (isKind(widget) && DRAWN.has(widget) ? still(widget, state) : ""))));
