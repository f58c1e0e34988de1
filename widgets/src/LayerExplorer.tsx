import { show, showGiven, showProbability } from "./format.ts";
import type { ViewProps } from "./home.ts";
import { Actions, colour, Formula, Name, NumberBox, ProbabilityCell, Slider, Summary, useExtent, useLit } from "./parts.tsx";
import { argmax, dense, softmax } from "./softmax.ts";
import { labelsOf } from "./state.ts";

const column = (name: string, entry = false) => (
  <th key={name} role="columnheader" scope="col" class={entry ? "sw-entry" : ""}>
    {name}
  </th>
);

export function LayerExplorer({ state, home }: ViewProps<"LayerExplorer">) {
  const { hidden, weights, bias } = state;
  const labels = labelsOf(state, bias.length);
  const logits = dense(weights, hidden, bias);
  const probabilities = softmax(logits);
  const { lit, light } = useLit(argmax(probabilities));
  const extent = useExtent([...home.stored.hidden, ...hidden]);
  return (
    <div class="sw sw-layer" role="group" aria-label="layer explorer">
      <p class="sw-title">From a hidden layer to a decision</p>
      <div class="sw-settings">
        {hidden.map((h, j) => (
          <Slider
            key={j}
            name={`hidden ${j + 1}`}
            value={h}
            {...extent}
            onChange={(value) => home.update({ hidden: hidden.with(j, value) })}
          >{`hidden ${j + 1}`}</Slider>
        ))}
      </div>
      <div class="sw-scroll">
        <table role="table">
          <caption class="sw-hidden">Weights, bias and what follows</caption>
          <thead role="rowgroup">
            <tr role="row">
              {column("class")}
              {hidden.map((_, j) => column(`hidden ${j + 1}`, true))}
              {column("bias", true)}
              {column("logit")}
              <th role="columnheader" scope="col">
                e<sup>z</sup>
              </th>
              {column("probability")}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {logits.map((z, i) => (
              <tr key={i} role="row" class={`${colour(i)} ${i === lit ? "sw-lit" : ""}`} {...light(i)}>
                <th role="rowheader" scope="row">
                  <Name>{labels[i]!}</Name>
                </th>
                {weights[i]!.map((weight, j) => (
                  <td key={j} role="cell" class="sw-entry" data-column={`hidden ${j + 1}`}>
                    <NumberBox
                      name={`weight of ${labels[i]} on hidden ${j + 1}`}
                      value={weight}
                      onChange={(value) =>
                        home.update({ weights: weights.with(i, weights[i]!.with(j, value)) })
                      }
                    />
                  </td>
                ))}
                <td role="cell" class="sw-entry" data-column="bias">
                  <NumberBox
                    name={`bias of ${labels[i]}`}
                    value={bias[i]!}
                    onChange={(value) => home.update({ bias: bias.with(i, value) })}
                  />
                </td>
                <td role="cell" class="sw-number">{showGiven(z)}</td>
                <td role="cell" class="sw-number">{show(Math.exp(z))}</td>
                <ProbabilityCell p={probabilities[i]!} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Product
        label={labels[lit]!}
        colour={colour(lit)}
        weights={weights[lit]!}
        hidden={hidden}
        bias={bias[lit]!}
        logit={logits[lit]!}
      />
      <Formula labels={labels} scaled={logits} probabilities={probabilities} lit={lit} />
      <Summary>{decision(labels, probabilities)}</Summary>
      <Actions home={home} />
    </div>
  );
}

interface ProductProps {
  label: string;
  colour: string;
  weights: readonly number[];
  hidden: readonly number[];
  bias: number;
  logit: number;
}

const factor = (x: number): string => (x < 0 ? `(${showGiven(x)})` : showGiven(x));

/** One row of W·h + b, written out. */
function Product({ label, colour, weights, hidden, bias, logit }: ProductProps) {
  const products = weights.map((weight, j) => `${factor(weight)}·${factor(hidden[j]!)}`);
  const words = `z(${label}) = ${[...products, factor(bias)].join(" + ")} = ${showGiven(logit)}`;
  return (
    <div class="sw-formula" role="img" aria-label={words}>
      <span>
        z(<Name>{label}</Name>)
      </span>
      {products.map((product, j) => (
        <span key={j}>
          {j === 0 ? "=" : "+"} <span class="sw-product">{product}</span>
        </span>
      ))}
      <span>+ {factor(bias)}</span>
      <span>
        = <b class={`sw-term sw-lit ${colour}`}>{showGiven(logit)}</b>
      </span>
    </div>
  );
}

function decision(labels: readonly string[], probabilities: readonly number[]): string {
  const best = argmax(probabilities);
  if (best < 0) return "No decision: a logit is past the largest double, and softmax answers NaN.";
  const say = (i: number) => `${labels[i]} (${showProbability(probabilities[i]!)})`;
  const second = argmax(probabilities.with(best, -1));
  return `Decision: ${say(best)}.${labels.length > 1 ? ` Next: ${say(second)}.` : ""}`;
}
