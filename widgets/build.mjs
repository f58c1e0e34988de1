// Builds softmax_lib/static and the site's KaTeX files. With --check it writes nothing, and fails
// where the committed files are not what it would write.

import { build } from "esbuild";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const repository = here("..");
const katex = here("node_modules/katex");

async function bundle(entry, name, format) {
  const { outputFiles } = await build({
    entryPoints: [here(`src/${entry}`)],
    bundle: true,
    minify: true,
    write: false,
    format,
    charset: "utf8",
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
  });
  return [`${repository}/softmax_lib/static/${name}`, Buffer.from(outputFiles[0].contents)];
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

const files = [
  await bundle("widgets.ts", "widgets.js", "esm"),
  await bundle("page.ts", "page.js", "iife"),
  await bundle("widgets.css", "widgets.css"),
  [`${repository}/softmax_lib/static/LICENSE-preact`, await readFile(here("node_modules/preact/LICENSE"))],
  ...(await katexFiles()),
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
