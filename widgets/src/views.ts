import type { ComponentType } from "preact";
import type { ViewProps } from "./home.ts";
import type { Kind } from "./state.ts";
// The bundle has them in this order. Where what is alike lies near to each other, gzip makes 300 bytes less of it.
import { GuessNumber } from "./GuessNumber.tsx";
import { NumberField } from "./NumberField.tsx";
import { Ladder } from "./Ladder.tsx";
import { Quiz } from "./Quiz.tsx";
import { Guess } from "./Guess.tsx";
import { PrecisionLab } from "./PrecisionLab.tsx";
import { LayerExplorer } from "./LayerExplorer.tsx";
import { LogitExplorer } from "./LogitExplorer.tsx";
import { JacobianExplorer } from "./JacobianExplorer.tsx";
import { LossExplorer } from "./LossExplorer.tsx";
import { CalibrationExplorer } from "./CalibrationExplorer.tsx";
import { AttentionExplorer } from "./AttentionExplorer.tsx";
import { OnlineStepper } from "./OnlineStepper.tsx";
import { SimplexExplorer } from "./SimplexExplorer.tsx";
import { SamplingExplorer } from "./SamplingExplorer.tsx";

/** What each interactive looks like. */
export const views: { [K in Kind]: ComponentType<ViewProps<K>> } = {
  LogitExplorer,
  LossExplorer,
  JacobianExplorer,
  CalibrationExplorer,
  SimplexExplorer,
  SamplingExplorer,
  AttentionExplorer,
  OnlineStepper,
  PrecisionLab,
  LayerExplorer,
  Guess,
  GuessNumber,
  NumberField,
  Ladder,
  Quiz,
};
