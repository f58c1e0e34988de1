// The buttons that need a script: fullscreen, print, menus that close. Everything else is HTML and CSS.

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
});

// On paper nothing can be unfolded.
window.addEventListener("beforeprint", () => {
  for (const box of document.querySelectorAll("article details:not([open])")) {
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
