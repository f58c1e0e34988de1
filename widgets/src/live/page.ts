// A chapter's code cells: edit, run, stop, and back to the book's code. Nothing that is typed leaves the browser.

import type { Editor } from "./editor.ts";
import type { Outcome, Report } from "./messages.ts";
import { Python, Stopped } from "./python.ts";

export type Action = "edit" | "run" | "reset" | "stop" | "above";

const python = new Python();
let running = false;

// --- a cell ----------------------------------------------------------------------------------------------------------

class Cell {
  readonly element: HTMLElement;
  readonly number: number;
  readonly needs: number[];
  readonly code: string;
  readonly shown: HTMLElement | null; // the stored code; a cell that runs unseen shows none
  ran: string | undefined; // the code that Python has run
  editor: Editor | undefined;
  #typed: string | undefined;
  #output: HTMLElement | undefined;
  readonly #place: HTMLElement;

  constructor(element: HTMLElement) {
    this.element = element;
    this.number = Number(element.dataset["cell"]);
    this.needs = (element.dataset["needs"] ?? "").split(" ").filter(Boolean).map(Number);
    this.shown = element.querySelector<HTMLElement>(".cell_input .highlight");
    this.#place = element.querySelector<HTMLElement>(".cell_input") ?? element;
    this.code = element.dataset["unseen"] ?? this.shown?.querySelector("pre")?.textContent?.trimEnd() ?? "";
    const kept = this.shown ? recall(this.number) : undefined;
    if (kept !== undefined && kept !== this.code) {
      this.#typed = kept;
      this.shown!.querySelector("pre")!.textContent = kept;
      this.#mark();
    }
  }

  get current(): string {
    return this.editor?.text() ?? this.#typed ?? this.code;
  }

  async edit(): Promise<void> {
    if (this.editor) return this.editor.focus();
    this.say("Loading the editor …");
    const { openEditor } = await import("./editor.ts");
    this.say("");
    if (this.editor) return;
    const box = document.createElement("div");
    box.className = "cell-editor highlight";
    box.addEventListener("keydown", (event) => event.stopPropagation()); // "/" would open the search
    this.shown!.hidden = true;
    this.shown!.after(box);
    const changed = () => {
      remember(this.number, this.current === this.code ? null : this.current);
      this.#mark();
    };
    this.editor = openEditor(box, this.current, "Python code of this cell", changed, () => void press(this.element, "run"));
    this.editor.focus();
  }

  /** The book's code and its output again. */
  reset(): void {
    this.#typed = undefined;
    this.editor?.set(this.code);
    this.shown!.querySelector("pre")!.textContent = this.code;
    remember(this.number, null);
    this.#output?.remove();
    this.#output = undefined;
    for (const stored of this.#stored()) stored.hidden = false;
    this.#mark();
    this.say("");
  }

  #mark(): void {
    this.element.classList.toggle("is-edited", this.current !== this.code);
    this.element.classList.toggle("has-run", this.#output !== undefined);
  }

  #stored(): HTMLElement[] {
    return [...this.element.querySelectorAll<HTMLElement>(".cell_output:not(.is-new)")];
  }

  /** While it runs the old output stays, in grey. */
  set busy(busy: boolean) {
    this.element.classList.toggle("is-running", busy);
  }

  say(text: string, part?: number): void {
    let line = this.#place.querySelector<HTMLElement>(":scope > .cell-status");
    if (!line) {
      line = Object.assign(document.createElement("p"), { className: "cell-status", role: "status" });
      this.#place.append(line);
    }
    if (line.textContent !== text) line.textContent = text;
    line.style.setProperty("--part", part === undefined ? "0" : String(part));
  }

  /** A new output in the place of the stored one, which shows from its first line on. */
  output(): HTMLElement {
    const output = document.createElement("div");
    output.className = "cell_output is-new";
    let shown = false;
    const show = () => {
      if (shown) return;
      shown = true;
      this.#output?.remove();
      for (const stored of this.#stored()) stored.hidden = true;
      (this.#stored().at(-1) ?? this.element.querySelector(".cell_input, details"))!.after(output);
      this.#output = output;
      this.#mark();
    };
    new MutationObserver(show).observe(output, { childList: true });
    return output;
  }

  /** After a run without any output the stored one goes too. */
  finish(output: HTMLElement): void {
    if (!output.hasChildNodes()) output.append(document.createComment("no output"));
  }
}

const cells = new Map(
  [...document.querySelectorAll<HTMLElement>("[data-cell]")].map((element) => new Cell(element)).map((cell) => [cell.number, cell]),
);

// --- running ---------------------------------------------------------------------------------------------------------

export async function press(element: HTMLElement, action: Action): Promise<void> {
  const cell = cells.get(Number(element.dataset["cell"]))!;
  if (action === "edit") return cell.edit();
  if (action === "reset") return cell.reset();
  if (action === "stop") return python.stop();
  if (running) return cell.say("Another cell is running.");
  const above = [...cells.values()].filter(({ number }) => number < cell.number);
  const wanted = action === "above" ? above : above.filter(({ number }) => cell.needs.includes(number));
  await runAll([...wanted.filter((each) => each.ran === undefined || each.ran !== each.current), cell]);
}

/** Runs cells in their order, each in its place; the last is the one that the reader pressed. */
async function runAll(queue: Cell[]): Promise<void> {
  const pressed = queue.at(-1)!;
  running = true;
  document.documentElement.classList.add("python-runs");
  pressed.busy = true;
  try {
    for (const [i, cell] of queue.entries()) {
      const before = cell === pressed ? "" : `First, cell ${i + 1} of ${queue.length - 1} that this one needs: `;
      const outcome = await runOne(cell, (text, part) => pressed.say(before + text, part));
      if (outcome.error !== undefined && cell !== pressed) {
        pressed.say("A cell above that this one needs stopped with an error.");
        return;
      }
    }
    pressed.say("");
  } catch (problem) {
    for (const cell of cells.values()) cell.ran = undefined; // what they made is gone
    pressed.say(
      problem instanceof Stopped
        ? "Stopped. Python starts afresh with the next run."
        : `Python did not start: ${(problem as Error).message}. Press Run to try again.`,
    );
  } finally {
    running = false;
    document.documentElement.classList.remove("python-runs");
    pressed.busy = false;
  }
}

async function runOne(cell: Cell, tell: (text: string, part?: number) => void): Promise<Outcome> {
  const output = cell.output();
  const code = cell.current;
  const outcome = await python.run({ code, name: `cell ${cell.number}` }, (report) => {
    if (report.kind === "print") print(output, report.text);
    else tell(...progress(report));
  });
  if (cell.shown) {
    show(output, outcome);
    if (outcome.missing) offerAbove(cell, output);
  }
  cell.finish(output);
  if (outcome.error === undefined) cell.ran = code;
  return outcome;
}

function progress(report: Report): [string, number?] {
  if (report.kind === "loading") {
    const part = report.total > 0 ? report.done / report.total : 0;
    return [`Python for this page, ${Math.ceil(report.total / 1e6)} MB, comes once: ${Math.round(100 * part)} %`, part];
  }
  return [report.kind === "starting" ? "Python starts …" : "Running …"];
}

// --- what a cell gives -----------------------------------------------------------------------------------------------

function block(output: HTMLElement, kind: string, text: string): HTMLElement {
  const box = document.createElement("div");
  box.className = `output ${kind}`;
  const pre = document.createElement("pre");
  pre.append(text);
  box.append(pre);
  output.append(box);
  return pre;
}

function print(output: HTMLElement, text: string): void {
  const last = output.lastElementChild;
  if (last?.classList.contains("stream")) last.querySelector("pre")!.append(text);
  else block(output, "stream", text);
}

function picture(output: HTMLElement, kind: string, markup: string): void {
  const box = document.createElement("div");
  box.className = `output ${kind}`;
  box.innerHTML = markup; // the page's policy lets no script in it run
  output.append(box);
}

function show(output: HTMLElement, { text, svg, html, figures, error }: Outcome): void {
  if (text !== undefined) block(output, "text_plain", text);
  if (error !== undefined) block(output, "is-error", error);
  if (html !== undefined) picture(output, "text_html", html);
  for (const drawing of [svg, ...(figures ?? [])]) if (drawing !== undefined) picture(output, "image_svg", drawing);
}

function offerAbove(cell: Cell, output: HTMLElement): void {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Run all cells above, then this one" });
  button.className = "cell-above";
  button.addEventListener("click", () => void press(cell.element, "above"));
  output.append(button);
}

// --- what was typed, kept until the window is closed -----------------------------------------------------------------

function nameOf(number: number): string {
  return `softmax cell ${location.pathname} ${number}`;
}

function recall(number: number): string | undefined {
  try {
    return sessionStorage.getItem(nameOf(number)) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(number: number, code: string | null): void {
  try {
    if (code === null) sessionStorage.removeItem(nameOf(number));
    else sessionStorage.setItem(nameOf(number), code);
  } catch {
    // Storage is blocked: what was typed lasts as long as the page.
  }
}
