import { explain } from "./explain.ts";
import { show } from "./format.ts";
import type { ViewProps } from "./home.ts";
import { Actions, colour, Formula, Name, ProbabilityCell, Slider, Summary, useExtent, useLit } from "./parts.tsx";
import { argmax, entropy, scaled, softmax } from "./softmax.ts";
import { labelsOf, LEAST_TEMPERATURE } from "./state.ts";

export function LogitExplorer({ state, home }: ViewProps<"LogitExplorer">) {
  const { logits, temperature, shift } = state;
  const labels = labelsOf(state, logits.length);
  const powers = scaled(logits, shift, temperature);
  const exponentials = powers.map(Math.exp);
  const probabilities = softmax(powers);
  const best = argmax(probabilities);
  const { lit, light } = useLit(best);
  const extent = useExtent([...home.stored.logits, ...logits]);
  const exponent = shift === 0 && temperature === 1 ? "z" : "(z+c)/T";
  return (
    <div class="sw sw-logits" role="group" aria-label="logit explorer">
      <table role="table">
        <caption>From logits to probabilities</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">class</th>
            <th role="columnheader" scope="col" class="sw-control">
              logit <i>z</i>
            </th>
            <th role="columnheader" scope="col">
              e<sup>{exponent}</sup>
            </th>
            <th role="columnheader" scope="col">probability</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {logits.map((z, i) => (
            <tr key={i} role="row" class={`${colour(i)} ${i === lit ? "sw-lit" : ""}`} {...light(i)}>
              <th role="rowheader" scope="row">
                <Name>{labels[i]!}</Name>
              </th>
              <td role="cell" class="sw-control">
                <Slider
                  name={`logit of ${labels[i]}`}
                  value={z}
                  {...extent}
                  onChange={(value) => home.update({ logits: logits.with(i, value) })}
                />
              </td>
              <td role="cell" class="sw-number">{show(exponentials[i]!)}</td>
              <ProbabilityCell p={probabilities[i]!} />
            </tr>
          ))}
        </tbody>
      </table>
      <div class="sw-settings">
        <Slider
          name="temperature"
          value={temperature}
          least={LEAST_TEMPERATURE}
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
