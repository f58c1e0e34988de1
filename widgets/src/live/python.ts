// One Python for a page: cells run in it one after another, until it is stopped. It comes with the first of them.

import type { Outcome, Report, Request } from "./messages.ts";

export class Stopped extends Error {}

export class Python {
  #worker: Worker | undefined;
  #giveUp: ((why: Error) => void) | undefined;

  /** Runs one cell; `tell` hears how far it is and what it prints. Rejects if Python cannot be had or is stopped. */
  run(request: Request, tell: (report: Report) => void): Promise<Outcome> {
    const worker = (this.#worker ??= new Worker(new URL("worker.mjs", import.meta.url), { type: "module" }));
    return new Promise<Outcome>((resolve, reject) => {
      this.#giveUp = reject;
      const fail = (why: Error) => {
        this.#end();
        reject(why);
      };
      worker.onerror = (event) => fail(new Error(event.message || "its script did not come"));
      worker.onmessage = ({ data }: MessageEvent<Report>) => {
        if (data.kind === "done") resolve(data.outcome);
        else if (data.kind === "broken") fail(new Error(data.reason));
        else tell(data);
      };
      worker.postMessage(request);
    });
  }

  /** Ends what runs, and with it all that the cells have made. */
  stop(): void {
    this.#end();
    this.#giveUp?.(new Stopped());
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
