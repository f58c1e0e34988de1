// A drawing that one pulls at. The svg shows; native controls lie over it and are what keyboard and screen reader meet.

import type { ComponentChildren, HTMLAttributes, SVGAttributes } from "preact";
import { useRef } from "preact/hooks";

export { shortened } from "./layout.ts";

/** A finger must go this far sideways before it drags: until then the page may be meant, which scrolls. */
const SIDEWAYS = 7;
/** A press that moved less than this was a tap. */
const TAP = 5;

export interface StageProps {
  width: number;
  height: number;
  /** A grip was taken, at this place of the drawing; returns what puts back the values of this moment. */
  onGrab?: (grip: string, x: number) => () => void;
  /** The grip was pulled this far from where it was taken, in pixels of the drawing. */
  onPull?: (grip: string, dx: number, dy: number) => void;
  onTap?: (target: string) => void;
  /** What is drawn; elements with `data-grip` are pulled, elements with `data-tap` are tapped. */
  children: ComponentChildren;
  /** The native controls over the drawing. */
  controls?: ComponentChildren;
}

interface Hold {
  grip: string | undefined;
  /** Whether the grip goes up and down as well; then a finger on it scrolls nothing. */
  upright: boolean;
  tap: string | undefined;
  x: number;
  y: number;
  restore: (() => void) | undefined;
  live: boolean;
}

const nearest = (target: EventTarget | null, name: string): string | undefined =>
  (target as Element | null)?.closest(`[data-${name}]`)?.getAttribute(`data-${name}`) ?? undefined;

export function Stage({ width, height, onGrab, onPull, onTap, children, controls }: StageProps) {
  const stage = useRef<HTMLDivElement>(null);
  const hold = useRef<Hold | null>(null);

  const begin = (event: PointerEvent, held: Hold) => {
    held.live = true;
    held.restore = onGrab?.(held.grip!, held.x - stage.current!.getBoundingClientRect().left);
    stage.current!.setPointerCapture(event.pointerId);
    stage.current!.classList.add("sw-pulling");
    stage.current!.querySelector<HTMLElement>(`[data-control="${held.grip}"]`)?.focus({ preventScroll: true });
  };
  const end = (event: PointerEvent, kept: boolean) => {
    const held = hold.current;
    hold.current = null;
    stage.current!.classList.remove("sw-pulling");
    if (!held) return;
    const moved = Math.hypot(event.clientX - held.x, event.clientY - held.y) > TAP;
    if (!kept) held.restore?.();
    else if (!moved && held.tap !== undefined) onTap?.(held.tap);
  };
  const handlers: HTMLAttributes<HTMLDivElement> = {
    onPointerDown(event) {
      if (!event.isPrimary || event.button !== 0) return;
      const held = {
        grip: nearest(event.target, "grip"),
        upright: nearest(event.target, "upright") !== undefined,
        tap: nearest(event.target, "tap"),
        x: event.clientX,
        y: event.clientY,
        restore: undefined,
        live: false,
      };
      hold.current = held;
      if (held.grip !== undefined && event.pointerType !== "touch") {
        event.preventDefault(); // or the press would take the focus from the grip again
        begin(event, held);
      }
    },
    onPointerMove(event) {
      const held = hold.current;
      if (!held || held.grip === undefined) return;
      const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
      if (!held.live && Math.hypot(dx, held.upright ? dy : 0) < SIDEWAYS) return;
      if (!held.live) begin(event, held);
      onPull?.(held.grip, dx, dy);
    },
    onPointerUp: (event) => end(event, true),
    // The browser took the swipe to scroll the page: nothing was meant for the picture.
    onPointerCancel: (event) => end(event, false),
  };
  return (
    <div class="sw-stage" ref={stage} style={{ height: `${height}px` }} {...(onPull || onTap ? handlers : {})}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMinYMin" aria-hidden="true" focusable="false">
        {children}
      </svg>
      {controls}
    </div>
  );
}

/** The class whose grip this is: 2 of "logit 2". */
export const indexOf = (grip: string): number => Number(grip.split(" ")[1]);

interface GripProps {
  x: number;
  y: number;
  id: string;
  /** The class whose colour it has; ink where it belongs to none. */
  of?: number;
  radius?: number;
  upright?: boolean;
}

/** The one thing that can be pulled: a disc with two notches across the way it goes. */
export const Grip = ({ x, y, id, of, radius = 11, upright }: GripProps) => (
  <g class="sw-grip" data-grip={id} transform={`translate(${x} ${y})`}>
    <circle r="22" fill="transparent" />
    <circle class="sw-grip-ring" r={radius + 2} />
    <circle r={radius} style={{ fill: of === undefined ? "var(--sw-ink)" : textColour(of) }} />
    <path d={upright ? "M-4-2h8M-4 2h8" : "M-2-4v8M2-4v8"} />
  </g>
);

/** Where a finger takes a grip that goes up and down as well. An element of its own, since not every browser heeds `touch-action` within an svg. */
export const UprightGrip = ({ x, y, id }: Pick<GripProps, "x" | "y" | "id">) => (
  <span class="sw-upright" data-grip={id} data-upright="" style={{ left: `${x}px`, top: `${y}px` }} />
);

const COLOURS = 8;
export const fillColour = (i: number): string => `var(--sw-c${i % COLOURS})`;
export const textColour = (i: number): string => `var(--sw-t${i % COLOURS})`;

interface TextProps extends Omit<SVGAttributes<SVGTextElement>, "size"> {
  x: number;
  y: number;
  size: number;
  weight?: number;
  anchor?: "start" | "middle" | "end";
  /** A rim in the page's colour, where the text lies over a drawing. */
  halo?: boolean;
  colour?: string;
  children: ComponentChildren;
}

export const Text = ({ size, weight = 400, anchor = "start", halo, colour, children, ...rest }: TextProps) => (
  <text
    font-size={size}
    font-weight={weight}
    text-anchor={anchor}
    class={halo ? "sw-halo" : undefined}
    style={{ fill: colour ?? "var(--sw-ink)" }}
    {...rest}
  >
    {children}
  </text>
);

interface ControlProps {
  /** The id of the grip that it moves. */
  id: string;
  name: string;
  /** What a screen reader says of the value. */
  text: string;
  value: number;
  from: number;
  to: number;
  /** What an arrow key moves by; a page key moves by ten of it. */
  step: number;
  x: number;
  y: number;
  onChange: (value: number) => void;
}

const keySteps: Record<string, number> = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 10,
  PageDown: -10,
};

/** Rounds to a multiple of `step`, without the dust of binary fractions. */
export const toStep = (x: number, step: number): number => Number((Math.round(x / step) * step).toPrecision(12));

/** The platform's own slider over a grip: it takes keys, and shows its focus as a ring round the grip. */
export function Control({ id, name, text, value, from, to, step, x, y, onChange }: ControlProps) {
  const change = (wanted: number) => onChange(Math.min(Math.max(wanted, from), to));
  return (
    <input
      type="range"
      class="sw-control-over"
      data-control={id}
      aria-label={name}
      aria-valuetext={text}
      min={from}
      max={to}
      step="any"
      value={value}
      style={{ left: `${x}px`, top: `${y}px` }}
      onInput={({ currentTarget }) => change(toStep(currentTarget.valueAsNumber, step))}
      onKeyDown={(event) => {
        const steps = event.altKey || event.ctrlKey || event.metaKey ? undefined : keySteps[event.key];
        if (steps === undefined) return;
        event.preventDefault();
        change(Number((value + steps * step).toPrecision(12)));
      }}
    />
  );
}
