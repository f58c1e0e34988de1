// What needs a script on every page: buttons and menus, definitions in place, and which chapters were read.
// Everything else is HTML and CSS.

// A page opened from a folder may not read its neighbours, so its search shows titles without excerpts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

document.addEventListener("DOMContentLoaded", () => {
  const actions = {
    print: () => window.print(),
    fullscreen: () =>
      document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
  };
  for (const button of document.querySelectorAll("[data-action]")) {
    button.addEventListener("click", actions[button.dataset.action]);
  }

  // A menu closes when the reader turns elsewhere, and Escape gives the focus back to its button.
  const menus = document.querySelectorAll("details.book-menu");
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus) {
      if (menu.open && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
    }
  });

  // What scrolls sideways can be scrolled by keyboard. (The theme's own script looks at code only.)
  const wide = document.querySelectorAll(".katex-display, .table-scroll, .cell_output .text_html");
  const mark = () => {
    for (const box of wide) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  mark();
  window.addEventListener("resize", mark);

  document.querySelector(".bd-search-container input")?.focus();

  // The theme remembers how far the list of chapters was scrolled, which may hide the one that is open.
  const sidebar = document.querySelector(".bd-sidebar-primary");
  const open = sidebar?.querySelector(".toctree-l1.current");
  const below = open ? open.getBoundingClientRect().top - sidebar.getBoundingClientRect().top : 0;
  if (below < 0 || below > sidebar?.clientHeight - 60) sidebar.scrollTop += below - sidebar.clientHeight / 4;

  explainTerms();
  watchForTheEnd();
  offerToRun();
});

// --- code that runs in the page --------------------------------------------------------------------------------------

// The script behind these buttons, and Python, come with the first press, or where the reader's own code is kept.
function offerToRun() {
  const cells = document.querySelectorAll("[data-cell]:not([data-unseen])");
  if (location.protocol === "file:") {
    const why = "Code runs in the page only where a web server gives it, not from a folder.";
    cells[0]?.before(Object.assign(document.createElement("p"), { className: "cell-note", textContent: why }));
    return;
  }
  const script = new URL("_static/live/page.mjs", document.baseURI).href;
  const press = async (cell, action) => (await import(script)).press(cell, action);
  for (const cell of cells) {
    const bar = Object.assign(document.createElement("div"), { className: "cell-bar" });
    for (const [className, textContent] of [["cell-edit", "Edit"], ["cell-run", "Run"], ["cell-stop", "Stop"], ["cell-reset", "Reset"]]) {
      const button = Object.assign(document.createElement("button"), { type: "button", className, textContent });
      button.addEventListener("click", () => press(cell, textContent.toLowerCase()));
      bar.append(button);
    }
    cell.querySelector(".cell_input").append(bar);
  }
  try {
    if (Object.keys(sessionStorage).some((name) => name.startsWith(`softmax cell ${location.pathname} `))) import(script);
  } catch {
    // Storage is blocked.
  }
}

// --- a term's definition, in place -----------------------------------------------------------------------------------

// A link to the glossary shows its definition on hover, on focus and on the first tap; a click, Enter or the second
// tap follows it. The definitions are in the page, so that this works from a folder too.
function explainTerms() {
  const box = document.createElement("div");
  box.className = "definition";
  box.id = "definition";
  box.role = "tooltip";
  let shown = null;
  let timer = 0;
  let byTouch = false;

  function definitionOf(link) {
    const term = decodeURIComponent(link.hash.slice(1));
    return (
      document.querySelector(`[data-definition="${CSS.escape(term)}"]`) ??
      (link.pathname === location.pathname ? document.getElementById(term)?.nextElementSibling : null)
    );
  }

  function show(link) {
    clearTimeout(timer);
    if (shown === link) return;
    hide();
    const definition = definitionOf(link);
    if (!definition) return;
    box.replaceChildren(...[...definition.childNodes].map((node) => node.cloneNode(true)));
    const more = document.createElement("p");
    more.className = "definition-more";
    more.append(Object.assign(document.createElement("a"), { href: link.href, textContent: "In the glossary" }));
    box.append(more);
    document.body.append(box);
    const at = link.getClientRects()[0];
    const left = Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 16);
    const fitsBelow = at.bottom + box.offsetHeight + 8 <= innerHeight || at.top < box.offsetHeight + 8;
    const top = fitsBelow ? at.bottom + 4 : at.top - box.offsetHeight - 4;
    box.style.left = `${Math.max(left, 16) + scrollX}px`;
    box.style.top = `${top + scrollY}px`;
    link.setAttribute("aria-describedby", box.id);
    shown = link;
  }

  function hide() {
    clearTimeout(timer);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    box.remove();
  }

  const later = (what, wait) => {
    clearTimeout(timer);
    timer = setTimeout(what, wait);
  };
  const unlessTouch = (what) => (event) => event.pointerType !== "touch" && what();

  for (const link of document.querySelectorAll("article a[href*='#term-']:not(.headerlink)")) {
    link.addEventListener("pointerenter", unlessTouch(() => later(() => show(link), 150)));
    link.addEventListener("pointerleave", unlessTouch(() => later(hide, 300)));
    link.addEventListener("focus", () => link.matches(":focus-visible") && !byTouch && show(link));
    link.addEventListener("blur", () => shown === link && later(hide, 100));
    link.addEventListener("click", (event) => {
      if (!byTouch || shown === link || !definitionOf(link)) return;
      event.preventDefault();
      show(link);
    });
  }
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("focusin", () => clearTimeout(timer));
  box.addEventListener("pointerleave", unlessTouch(() => later(hide, 300)));
  document.addEventListener("pointerdown", (event) => {
    byTouch = event.pointerType === "touch";
    if (shown && !box.contains(event.target) && !shown.contains(event.target)) hide();
  }, true);
  document.addEventListener("keydown", (event) => {
    byTouch = false;
    if (event.key === "Escape") hide();
  });
}

// --- which chapters were read ----------------------------------------------------------------------------------------

// Remembered in this browser alone, under one name, and only as long as the reader wants it.
const READ = "softmax-book: chapters read";
let chaptersRead = new Set();

function recall() {
  try {
    const found = JSON.parse(localStorage.getItem(READ));
    return new Set(Array.isArray(found) ? found : []);
  } catch {
    return new Set(chaptersRead); // storage is blocked, or holds what is not ours
  }
}

function remember() {
  try {
    if (chaptersRead.size) localStorage.setItem(READ, JSON.stringify([...chaptersRead]));
    else localStorage.removeItem(READ);
  } catch {
    // Storage is blocked: what was read is known until the page is left.
  }
}

// A chapter is read when its end has come into view.
function watchForTheEnd() {
  const chapter = document.querySelector("article > section > p.chapter-facts")?.dataset.chapter;
  const end = document.querySelector(".prev-next-footer");
  if (!chapter || !end) return;
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    chaptersRead = recall().add(chapter);
    remember();
    showProgress();
  }).observe(end);
}

function showProgress() {
  const links = [...document.querySelectorAll("a[data-chapter]")];
  const chapters = [...new Map(links.map((link) => [link.dataset.chapter, link])).keys()];
  const read = chapters.filter((chapter) => chaptersRead.has(chapter));

  for (const old of document.querySelectorAll(".is-read")) old.remove();
  for (const place of document.querySelectorAll("[data-chapter]")) {
    if (!chaptersRead.has(place.dataset.chapter)) continue;
    const mark = document.createElement("span");
    mark.className = "is-read";
    const facts = place.matches(".chapter-facts") ? place : place.querySelector(".chapter-facts");
    mark.textContent = facts ? " · ✓ read" : "✓";
    if (!facts) Object.assign(mark, { role: "img", ariaLabel: "read" });
    (facts ?? place).append(mark);
  }

  for (const line of document.querySelectorAll("[data-progress]")) {
    const forget = document.createElement("button");
    forget.type = "button";
    forget.textContent = "Forget";
    forget.addEventListener("click", () => {
      chaptersRead = new Set();
      remember();
      showProgress();
    });
    line.replaceChildren(`${read.length} of ${chapters.length} read · `, forget);
    line.hidden = read.length === 0;
  }

  const begin = document.querySelector("[data-begin]");
  if (begin) {
    const next = chapters.find((chapter) => !chaptersRead.has(chapter)) ?? chapters[0];
    const words = read.length === 0 ? "Begin with" : read.length < chapters.length ? "Go on with" : "Begin again with";
    begin.href = `${next}.html`;
    begin.textContent = `${words} chapter ${chapters.indexOf(next) + 1}`;
  }
}

// Also when the reader comes back to a page that the browser has kept.
window.addEventListener("pageshow", () => {
  chaptersRead = recall();
  showProgress();
});

// --- paper -----------------------------------------------------------------------------------------------------------

// On paper nothing can be unfolded. Folded code stays folded where it makes what is seen; without an output it is a
// function that the text speaks of.
window.addEventListener("beforeprint", () => {
  const folded = "article details:not([open], .hide), div.cell:not(:has(.cell_output)) details.hide:not([open])";
  for (const box of document.querySelectorAll(folded)) {
    box.open = true;
    box.dataset.openedForPrint = "";
  }
});
window.addEventListener("afterprint", () => {
  for (const box of document.querySelectorAll("details[data-opened-for-print]")) {
    box.open = false;
    delete box.dataset.openedForPrint;
  }
});
