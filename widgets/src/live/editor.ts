// The editor of a cell, in the colours of the page's code. Tab is left to the browser, so that a keyboard gets out.

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tagHighlighter, tags } from "@lezer/highlight";

// The classes are those of Pygments, which coloured the stored code.
const colours = tagHighlighter([
  { tag: tags.keyword, class: "k" },
  { tag: [tags.operator, tags.punctuation], class: "o" },
  { tag: tags.operatorKeyword, class: "ow" },
  { tag: tags.comment, class: "c1" },
  { tag: tags.string, class: "s2" },
  { tag: tags.number, class: "mi" },
  { tag: [tags.bool, tags.null], class: "kc" },
  { tag: tags.function(tags.definition(tags.variableName)), class: "nf" },
  { tag: tags.meta, class: "nd" },
]);

export interface Editor {
  readonly text: () => string;
  readonly set: (text: string) => void;
  readonly focus: () => void;
}

export function openEditor(parent: HTMLElement, code: string, label: string, changed: () => void, run: () => void): Editor {
  const runIt = () => {
    run();
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: code,
      extensions: [
        keymap.of([{ key: "Shift-Enter", run: runIt }, { key: "Mod-Enter", run: runIt }, ...defaultKeymap, ...historyKeymap]),
        history(),
        python(),
        indentUnit.of("    "),
        syntaxHighlighting(colours),
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => update.docChanged && changed()),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    focus: () => view.focus(),
  };
}
