// The native controls over a machine: a slider and a box for each logit, names that select, and the camera's button.

import type { Camera } from "./camera.ts";
import type { Machine } from "./machine.ts";
import { Names } from "./Names.tsx";
import { logit, share } from "./numbers.ts";
import { Control } from "./stage.tsx";

/** What a logit moves by when an arrow key is pressed, and to what a drag is rounded. */
export const LOGIT_STEP = 0.1;

type LogitProps = Pick<Props, "labels" | "logits" | "extent" | "onChange"> & Pick<Machine, "rows"> & { says: (i: number) => string; of?: string };

/** A slider over each bar, which says of the class what the caller says; `of` is what the bars are. */
export const LogitControls = ({ labels, logits, extent, rows, says, of = "logit", onChange }: LogitProps) =>
  logits.map((z, i) => (
    <Control
      key={i}
      id={`logit ${i}`}
      name={`${of} of ${labels[i]}`}
      text={`${labels[i]}: ${of} ${logit(z)}, ${says(i)}`}
      value={z}
      from={Math.min(-extent, z)}
      to={Math.max(extent, z)}
      step={LOGIT_STEP}
      x={rows[i]!.grip}
      y={rows[i]!.y}
      onChange={(value) => onChange(i, value)}
    />
  ));

interface Props {
  machine: Machine;
  labels: readonly string[];
  logits: readonly number[];
  extent: number;
  selected: number;
  camera: Camera;
  onSelect: (i: number) => void;
  onChange: (i: number, logit: number) => void;
}

export function MachineControls({ machine, labels, logits, extent, selected, camera, onSelect, onChange }: Props) {
  const { turned, rows, probabilities, tower, foot, width } = machine;
  const under = turned
    ? { left: `${width / 2 - 79}px`, top: `${tower.start + tower.length + 10}px` }
    : { left: `${tower.start + tower.length + 8}px`, top: `${foot + 22}px` };
  return (
    <>
      <Names labels={labels} values={logits} rows={rows} turned={turned} selected={selected} onSelect={onSelect} onChange={onChange} />
      <LogitControls {...{ labels, logits, extent, rows, onChange }} says={(i) => `share ${share(probabilities[i]!)}`} />
      {camera.button && (
        <button type="button" class="sw-camera" style={under} onClick={camera.move}>
          {camera.button}
        </button>
      )}
    </>
  );
}
