import type { ComponentType } from "preact";
import type { ViewProps } from "./home.ts";
import { Guess } from "./Guess.tsx";
import { GuessNumber } from "./GuessNumber.tsx";
import { JacobianExplorer } from "./JacobianExplorer.tsx";
import { Ladder } from "./Ladder.tsx";
import { LayerExplorer } from "./LayerExplorer.tsx";
import { LogitExplorer } from "./LogitExplorer.tsx";
import { PrecisionLab } from "./PrecisionLab.tsx";
import { Quiz } from "./Quiz.tsx";
import type { Kind } from "./state.ts";

/** What each interactive looks like. */
export const views: { [K in Kind]: ComponentType<ViewProps<K>> } = {
  LogitExplorer,
  JacobianExplorer,
  PrecisionLab,
  LayerExplorer,
  Guess,
  GuessNumber,
  Ladder,
  Quiz,
};
