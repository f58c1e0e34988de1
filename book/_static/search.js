// What the book adds to Sphinx's search: a section whose title has the words of the query comes first, a slip of the
// finger is forgiven, and excerpts say a formula once.

(() => {
  const STOPWORDS = new Set("a an and are as at be by can do does for from how i if in is it me my no not of on or one the to what when which why with you your".split(" "));
  const REFERENCE = new Set(["api", "glossary", "references"]); // where one looks after the chapters
  const BEST = 100; // above any score of Sphinx's own

  const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

  /** Whether one insertion, deletion, replacement or swap of neighbours makes `a` of `b`. */
  const isSlip = (a, b) => {
    if (a.length > b.length) [a, b] = [b, a];
    if (b.length - a.length > 1 || b.length < 5) return false;
    let i = 0;
    while (i < a.length && a[i] === b[i]) i++;
    const swapped = a.slice(0, i) + (a[i + 1] ?? "") + (a[i] ?? "") + a.slice(i + 2);
    return a.slice(i) === b.slice(i + 1) || a.slice(i + 1) === b.slice(i + 1) || swapped === b;
  };

  /** How well a word of a title answers a word of the query, from 0 to 1. */
  const likeness = (word, asked) => {
    if (word === asked) return 1;
    if (asked.length >= 4 && word.startsWith(asked)) return 0.75;
    return isSlip(word, asked) ? 0.5 : 0;
  };

  /** A score for a title that answers every word of the query that says something; 0 for any other. */
  const scoreOf = (title, query) => {
    const asked = wordsOf(query);
    const telling = asked.filter((word) => !STOPWORDS.has(word));
    const words = wordsOf(title);
    const found = (telling.length ? telling : asked).map((word) => Math.max(0, ...words.map((each) => likeness(each, word))));
    if (!found.length || found.includes(0)) return 0;
    const mean = found.reduce((a, b) => a + b) / found.length;
    return BEST + 60 * mean + (10 * found.length) / words.length;
  };

  const search = Search._performSearch;
  Search._performSearch = (query, ...terms) => {
    const { alltitles, docnames, filenames, titles } = Search._index;
    const hits = Object.entries(alltitles).flatMap(([title, places]) => {
      const score = scoreOf(title, query);
      return score === 0
        ? []
        : places.map(([file, id]) => {
            const name = titles[file] === title ? title : `${titles[file]} > ${title}`;
            const rank = REFERENCE.has(docnames[file]) || title.startsWith("Solution") ? score - 30 : score;
            return [docnames[file], name, id === null ? "" : `#${id}`, null, rank, filenames[file]];
          });
    });
    const key = (result) => result[0] + result[2];
    const seen = new Set(hits.map(key));
    // The best comes last: Sphinx shows results from the end.
    return [...search(query, ...terms).filter((result) => !seen.has(key(result))), ...hits.sort((a, b) => a[4] - b[4])];
  };

  const toText = Search.htmlToText;
  Search.htmlToText = (page, anchor) => {
    const parsed = new DOMParser().parseFromString(page, "text/html");
    // KaTeX writes each formula three times: for the eye, for the screen reader, and as its source.
    for (const repeated of parsed.querySelectorAll(".katex-html, annotation, .softmax-widget")) repeated.remove();
    return toText(parsed.documentElement.outerHTML, anchor);
  };
})();
