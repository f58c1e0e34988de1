// What the book adds to Sphinx's search: a section whose title has the words of the query comes first, a slip of the
// finger is forgiven, and excerpts are text alone.

(() => {
  const STOPWORDS = new Set("a an and are as at be by can do does for from how i if in is it me my no not of on or one the to what when which why with you your".split(" "));
  const REFERENCE = new Set(["api", "glossary", "references", "teaching"]); // where one looks after the chapters
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
    const isWhole = asked.join() === words.join();
    return BEST + 60 * mean + (isWhole ? 20 : (10 * found.length) / words.length);
  };

  const search = Search._performSearch;
  Search._performSearch = (query, ...terms) => {
    const { alltitles, docnames, filenames, titles } = Search._index;
    const hits = Object.entries(alltitles).flatMap(([title, places]) => {
      return places.flatMap(([file, id]) => {
        const page = titles[file].replace(/<[^>]*>/g, ""); // "4. Temperature and sampling: how sure, and what comes next?"
        const [short] = page.split(":");
        const isPage = page.endsWith(title); // before it stands its number
        const score = Math.max(scoreOf(title, query), isPage ? scoreOf(short.replace(/^\d+\. /, ""), query) : 0);
        if (score === 0) return [];
        const isAfter = REFERENCE.has(docnames[file]) || /^(Solution| \()/.test(title); // an exercise's title is in brackets
        const rank = score - (isAfter ? 30 : 0) - 0.2 * (parseInt(page) || 0); // of chapters alike, the first explains it
        return [[docnames[file], isPage ? page : `${short} > ${title}`, id === null ? "" : `#${id}`, null, rank, filenames[file]]];
      });
    });
    const key = (result) => result[0] + result[2];
    // The best comes last, as Sphinx shows results from the end. Of titles without a place of their own the best stays.
    const best = new Map(hits.sort((a, b) => a[4] - b[4]).map((hit) => [key(hit), hit]));
    const others = search(query, ...terms).filter((result) => !best.has(key(result)));
    return [...others, ...hits.filter((hit) => best.get(key(hit)) === hit)];
  };

  const toText = Search.htmlToText;
  Search.htmlToText = (page, anchor) => {
    const parsed = new DOMParser().parseFromString(page, "text/html");
    // KaTeX writes each formula three times: for the eye, for the screen reader, and as its source. A fraction is none in
    // a line of text, code is not read there, and the title stands above the excerpt.
    const unread = ".katex-html, annotation, div.math, .softmax-widget, .bd-header-article, .chapter-facts, .cell_input, summary, h1, h2, h3";
    for (const element of parsed.querySelectorAll(unread)) element.remove();
    return toText(parsed.documentElement.outerHTML, anchor);
  };
})();
