// Builds softmax_lib/static, the renderer of first frames that the site's build runs, and the site's typefaces and
// KaTeX files. With --check it writes nothing, and fails where the committed files are not what it would write.

import { build } from "esbuild";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const repository = here("..");
const katex = here("node_modules/katex");

const options = {
  bundle: true,
  minify: true,
  write: false,
  charset: "utf8",
  legalComments: "none",
  // A call of `createElement` packs smaller than one of the JSX runtime, which names `children` each time. (Not `h`:
  // where a file has a variable of that name, esbuild would call it.)
  jsx: "transform",
  jsxFactory: "createElement",
  jsxFragment: "Fragment",
  inject: [here("src/jsx.ts")],
  tsconfigRaw: {},
};

async function bundle(entry, path, format, more = {}) {
  const entries = typeof entry === "string" ? { entryPoints: [here(`src/${entry}`)] } : entry;
  const { outputFiles } = await build({ ...options, ...entries, format, ...more });
  return [`${repository}/${path}`, Buffer.from(outputFiles[0].contents)];
}

// A page loads what all interactives share once, and then a script for each kind that it shows. Scripts that a page
// opened from a folder may load cannot import from each other: what is shared stands in a global object.
const SHARED = [
  ...["preact", "preact/hooks"],
  ...["./format.ts", "./layout.ts", "./motion.ts", "./numbers.ts", "./parts.tsx", "./softmax.ts", "./stage.tsx", "./state.ts"],
];

const fromPage = {
  name: "from the page",
  setup(building) {
    building.onResolve({ filter: /.*/ }, ({ path }) => (SHARED.includes(path) ? { path, namespace: "page" } : undefined));
    building.onLoad({ filter: /.*/, namespace: "page" }, ({ path }) => ({
      contents: `module.exports = globalThis.softmaxBook.shared[${JSON.stringify(path)}]`,
    }));
  },
};

const script = (contents) => ({ stdin: { contents, resolveDir: here("src"), loader: "ts" } });

async function pageScripts() {
  const to = "softmax_lib/static";
  const views = Object.keys(JSON.parse(await readFile(`${repository}/softmax_lib/widgets/facts.json`, "utf8")).interactives);
  const imports = SHARED.map((path, i) => `import * as shared${i} from ${JSON.stringify(path)};`);
  const shared = SHARED.map((path, i) => `${JSON.stringify(path)}: shared${i}`);
  const page = `${imports.join("")} import { register } from "./page.ts";
    Object.assign(globalThis, { softmaxBook: { register, shared: { ${shared} } } });`;
  const one = (name) => `import { ${name} } from "./${name}.tsx"; globalThis.softmaxBook.register("${name}", ${name});`;
  return Promise.all([
    bundle(script(page), `${to}/page.js`, "iife"),
    ...views.map((name) => bundle(script(one(name)), `${to}/page.${name}.js`, "iife", { plugins: [fromPage] })),
  ]);
}

// What runs a page's code comes with the first press, as modules: the page's part, the editor and the worker.
async function liveScripts() {
  const apart = { name: "apart", setup: (building) => building.onResolve({ filter: /^\.\/editor\.ts$/ }, () => ({ path: "./editor.mjs", external: true })) };
  const more = { plugins: [apart], loader: { ".py": "text" } };
  return Promise.all(["page", "editor", "worker"].map((name) => bundle(`live/${name}.ts`, `book/_static/live/${name}.mjs`, "esm", more)));
}

async function katexFiles() {
  const to = `${repository}/book/_static/katex`;
  // Every browser of the last ten years reads woff2; the other formats are dead weight.
  const css = (await readFile(`${katex}/dist/katex.min.css`, "utf8")).replace(
    /(url\([^)]*\.woff2\) format\("woff2"\))[^;}]*/g,
    "$1",
  );
  const fonts = (await readdir(`${katex}/dist/fonts`)).filter((name) => name.endsWith(".woff2"));
  const copies = [["LICENSE", "LICENSE"], ...fonts.map((name) => [`dist/fonts/${name}`, `fonts/${name}`])];
  return [
    [`${to}/katex.min.css`, Buffer.from(css)],
    ...(await Promise.all(copies.map(async ([from, name]) => [`${to}/${name}`, await readFile(`${katex}/${from}`)]))),
  ];
}

// The Latin letters of each typeface, in all its weights. What else the book shows, such as ∑ or ᵀ, comes from the
// reader's own system.
async function typefaces() {
  const to = `${repository}/book/_static/fonts`;
  const families = {
    "bricolage-grotesque": ["normal"],
    "source-serif-4": ["normal", "italic"],
  };
  const copies = Object.entries(families).flatMap(([family, styles]) => {
    const from = here(`node_modules/@fontsource-variable/${family}`);
    const fonts = styles.map((style) => [`files/${family}-latin-wght-${style}.woff2`, `${family}-${style}.woff2`]);
    return [["LICENSE", `LICENSE-${family}`], ...fonts].map(([file, name]) => [`${from}/${file}`, `${to}/${name}`]);
  });
  return Promise.all(copies.map(async ([from, path]) => [path, await readFile(from)]));
}

const files = [
  await bundle("widgets.ts", "softmax_lib/static/widgets.js", "esm"),
  ...(await pageScripts()),
  await bundle("widgets.css", "softmax_lib/static/widgets.css"),
  await bundle("still.tsx", "book/_extensions/softmax_site/still.mjs", "esm", { platform: "node" }),
  ...(await liveScripts()),
  [`${repository}/book/_static/tokens.css`, await readFile(here("src/tokens.css"))],
  [`${repository}/book/_static/live/LICENSE-codemirror`, await readFile(here("node_modules/@codemirror/view/LICENSE"))],
  [`${repository}/softmax_lib/static/LICENSE-preact`, await readFile(here("node_modules/preact/LICENSE"))],
  ...(await katexFiles()),
  ...(await typefaces()),
];

if (process.argv.includes("--check")) {
  const isFresh = async ([path, contents]) => (await readFile(path).catch(() => Buffer.alloc(0))).equals(contents);
  const stale = [];
  for (const file of files) if (!(await isFresh(file))) stale.push(relative(repository, file[0]));
  if (stale.length) {
    console.error(`not fresh, run "npm run build": ${stale.join(", ")}`);
    process.exitCode = 1;
  }
} else {
  for (const [path, contents] of files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  }
}
