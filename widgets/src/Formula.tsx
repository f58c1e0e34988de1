// The softmax of the selected class, in the numbers of this moment.

import { fraction, logit, share } from "./numbers.ts";
import { textColour } from "./stage.tsx";

interface Props {
  labels: readonly string[];
  powers: readonly number[];
  probabilities: readonly number[];
  selected: number;
}

const sumOfExponentials = (powers: readonly number[]): number => powers.reduce((sum, power) => sum + Math.exp(power), 0);

export function Formula({ labels, powers, probabilities, selected }: Props) {
  const plain = sumOfExponentials(powers);
  // Where e^z leaves the doubles, the maximum is subtracted, as it is in the computation.
  const maximum = Math.max(...powers);
  const shown = plain > 0 && plain < Infinity ? powers : powers.map((power) => power - maximum);
  const [top, bottom] = fraction(Math.exp(shown[selected]!), sumOfExponentials(shown));
  const exponents = shown.map(logit);
  const p = share(probabilities[selected]!);
  const words =
    `share of ${labels[selected]} = e^${exponents[selected]} / (${exponents.map((z) => `e^${z}`).join(" + ")})` +
    ` = ${top} / ${bottom} = ${p}`;
  const term = (i: number) => (
    <span class={i === selected ? "sw-term sw-marked" : "sw-term"} style={{ color: textColour(i) }}>
      <i>e</i>
      <sup>{exponents[i]}</sup>
    </span>
  );
  return (
    <div class="sw-formula" role="img" aria-label={words}>
      <span>
        share of <b class="sw-marked">{labels[selected]}</b>
      </span>
      <span>
        =
        <span class="sw-fraction">
          <span>{term(selected)}</span>
          <span>
            {shown.map((_, i) => (
              <span key={i} class="sw-addend">
                {i > 0 && " + "}
                {term(i)}
              </span>
            ))}
          </span>
        </span>
      </span>
      <span>
        =
        <span class="sw-fraction">
          <span>
            <span class="sw-marked">{top}</span>
          </span>
          <span>{bottom}</span>
        </span>
        = <b class="sw-marked">{p}</b>
      </span>
    </div>
  );
}
