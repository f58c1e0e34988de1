// Python, in a worker of its own: whatever a cell does, the page stays alive. All files come from the site itself.

import type { Outcome, Report, Request } from "./messages.ts";
import RUNNER from "./runner.py";

interface Names {
  get(name: "run"): (code: string, name: string) => string;
}

interface Pyodide {
  loadPackage(names: string[], options: { messageCallback: () => void }): Promise<unknown>;
  runPython(code: string, options: { globals: Names }): unknown;
  toPy(object: object): Names;
  unpackArchive(archive: ArrayBuffer, format: string, options: { extractDir: string }): void;
  setStdout(to: { batched: (text: string) => void }): void;
  setStderr(to: { batched: (text: string) => void }): void;
  pyimport(name: string): { find_imports(code: string): { toJs(): string[] } };
}

interface Lock {
  core: Record<string, { size: number }>;
  packages: Record<string, { name: string; file_name: string; size: number; imports: string[]; depends: string[] }>;
}

const report = (what: Report): void => postMessage(what);
const home = new URL("../python/", location.href).href;

// --- no other site ---------------------------------------------------------------------------------------------------

// A page's security policy does not reach into its workers: what a reader's code may ask for is said here.
function onThisSite(address: string | URL): URL {
  const whole = new URL(address, location.href);
  if (whole.origin !== location.origin) throw new TypeError(`${whole.origin} is another site: this page asks only its own`);
  return whole;
}

const plainOpen = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (method: string, address: string | URL, wait: boolean = true) {
  plainOpen.call(this, method, onThisSite(address), wait);
};
for (const way of ["WebSocket", "EventSource", "WebTransport"]) Reflect.deleteProperty(self, way);

// --- how much has come -----------------------------------------------------------------------------------------------

let done = 0;
let total = 0;

function expect(bytes: number): void {
  total += bytes;
  if (bytes > 0) report({ kind: "loading", done, total });
}

/** Fetches, and counts what comes. */
const plainFetch = fetch.bind(self);
self.fetch = async (what, options) => {
  const address = onThisSite(what instanceof Request ? what.url : what);
  const answer = await plainFetch(what, options);
  if (!answer.ok) throw new Error(`${address.pathname} gave ${answer.status}`);
  const counted = answer.body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, out) {
        done += chunk.length;
        report({ kind: "loading", done: Math.min(done, total), total });
        out.enqueue(chunk);
      },
    }),
  );
  return new Response(counted ?? null, { headers: answer.headers });
};

// --- Python and its packages -----------------------------------------------------------------------------------------

let lock: Lock;
const loaded = new Set<string>();

function withWhatTheyNeed(names: Iterable<string>, found = new Set<string>()): Set<string> {
  for (const name of names) {
    const known = lock.packages[name];
    if (!known || found.has(name) || loaded.has(name)) continue;
    found.add(name);
    withWhatTheyNeed(known.depends, found);
  }
  return found;
}

function sizeOf(names: Iterable<string>): number {
  return [...names].reduce((sum, name) => sum + (lock.packages[name]?.size ?? 0), 0);
}

interface Session {
  readonly python: Pyodide;
  readonly runCell: (code: string, name: string) => string;
}

async function start(): Promise<Session> {
  const answer = await plainFetch(`${home}pyodide-lock.json`);
  if (!answer.ok) throw new Error(`Python is not on this site (${answer.status})`);
  lock = (await answer.json()) as Lock;
  const first = withWhatTheyNeed(["numpy"]);
  // Scripts are imported, not fetched, and are not counted.
  const fetched = Object.entries(lock.core).filter(([name]) => !/\.m?js$/.test(name));
  expect(fetched.reduce((sum, [, { size }]) => sum + size, sizeOf(first)));
  const library = fetch(`${home}softmax_lib.zip`).then((zip) => zip.arrayBuffer());
  const { loadPyodide } = (await import(`${home}pyodide.mjs`)) as { loadPyodide(options: object): Promise<Pyodide> };
  // (Safari hangs with enableRunUntilComplete.)
  const python = await loadPyodide({ indexURL: home, packages: [...first], enableRunUntilComplete: false });
  first.forEach((name) => loaded.add(name));
  report({ kind: "starting" });
  python.unpackArchive(await library, "zip", { extractDir: "/lib/python3.12/site-packages" });
  const print = { batched: (text: string) => report({ kind: "print", text: `${text}\n` }) };
  python.setStdout(print);
  python.setStderr(print);
  const own = python.toPy({});
  python.runPython(RUNNER, { globals: own });
  return { python, runCell: own.get("run") };
}

/** Loads the packages that a cell imports. The library's figures are drawn by Matplotlib. */
async function load(python: Pyodide, code: string): Promise<void> {
  let imports: string[] = [];
  try {
    imports = python.pyimport("pyodide.code").find_imports(code).toJs();
  } catch {
    // A slip in the code: running it says which.
  }
  if (imports.includes("softmax_lib") && /\bfigures\b/.test(code)) imports.push("matplotlib");
  const packages = Object.values(lock.packages).filter((known) => known.imports.some((name) => imports.includes(name)));
  const wanted = withWhatTheyNeed(packages.map(({ name }) => name));
  if (wanted.size === 0) return;
  expect(sizeOf(wanted));
  await python.loadPackage([...wanted], { messageCallback: () => {} }); // else it tells in the cell what it loads
  wanted.forEach((name) => loaded.add(name));
}

// --- cells, one after another ----------------------------------------------------------------------------------------

let session: Promise<Session> | undefined;

async function run({ code, name }: Request): Promise<Outcome> {
  const { python, runCell } = await (session ??= start());
  await load(python, code);
  report({ kind: "running" });
  return JSON.parse(runCell(code, name)) as Outcome;
}

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  run(data).then(
    (outcome) => report({ kind: "done", outcome }),
    (problem: unknown) => report({ kind: "broken", reason: problem instanceof Error ? problem.message : String(problem) }),
  );
});
