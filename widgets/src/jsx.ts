// What esbuild makes of JSX calls these; it puts the import into every file that needs it.
export { createElement, Fragment } from "preact";
