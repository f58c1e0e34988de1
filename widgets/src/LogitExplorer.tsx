import { explain } from "./explain.ts";
import { show } from "./format.ts";
import type { ViewProps } from "./home.ts";
import { Actions, Formula, LogitTable, Slider, Summary, useLit } from "./parts.tsx";
import { argmax, entropy, scaled, softmax } from "./softmax.ts";
import { labelsOf, LEAST_FACTOR } from "./state.ts";

export function LogitExplorer({ state, home }: ViewProps<"LogitExplorer">) {
  const { logits, temperature, shift } = state;
  const labels = labelsOf(state, logits.length);
  const powers = scaled(logits, shift, temperature);
  const exponentials = powers.map(Math.exp);
  const probabilities = softmax(powers);
  const best = argmax(probabilities);
  const { lit, light } = useLit(best);
  const exponent = shift === 0 && temperature === 1 ? "z" : "(z+c)/T";
  return (
    <div class="sw sw-logits" role="group" aria-label="logit explorer">
      <LogitTable
        caption="From logits to probabilities"
        labels={labels}
        probabilities={probabilities}
        home={home}
        lit={lit}
        light={light}
        middle={[
          <>
            e<sup>{exponent}</sup>
          </>,
          exponentials.map(show),
        ]}
      />
      <div class="sw-settings">
        <Slider
          name="temperature"
          value={temperature}
          least={LEAST_FACTOR}
          from={0.01}
          to={5}
          unit={0.01}
          onChange={(value) => home.update({ temperature: value })}
        >
          temperature <i aria-hidden="true">T</i>
        </Slider>
        <Slider
          name="shift all"
          value={shift}
          from={-1000}
          to={1000}
          unit={1}
          onChange={(value) => home.update({ shift: value })}
        >
          shift all <i aria-hidden="true">c</i>
        </Slider>
      </div>
      <Formula labels={labels} scaled={powers} probabilities={probabilities} lit={lit} />
      <p class="sw-note">{explain(labels, exponentials, probabilities, shift)}</p>
      <Summary>{summary(labels, probabilities, best)}</Summary>
      <Actions home={home} />
    </div>
  );
}

function summary(labels: readonly string[], probabilities: readonly number[], best: number): string {
  if (best < 0) return "No class has a probability.";
  const most = show(Math.log(labels.length));
  return `Most likely: ${labels[best]}, ${show(probabilities[best]!)}. Entropy ${show(entropy(probabilities))} of at most ${most} nats.`;
}
