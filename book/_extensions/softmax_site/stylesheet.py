"""The site's two stylesheets: the rules that its pages use, out of all that the theme and the extensions bring.

The KaTeX stylesheet and fonts in ``_static/katex`` are those of ``sphinxcontrib.katex.katex_version``; after an
upgrade ask for that version in ``widgets/package.json``, and ``make widgets`` writes them.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path

import tinycss2

FORMULA_FONTS = ("KaTeX_Main-Regular", "KaTeX_Math-Italic", "KaTeX_Size1-Regular")  # those of most formulas

# A variable of the theme or its parts being set; its value may be a string with semicolons and braces in it.
VARIABLE = re.compile(r"""(?P<name>--(?:bs|sd|pst|fa)-[\w-]+)\s*:(?:"[^"]*"|'[^']*'|[^;{}"'])*;?""")


def words_in(files: list[Path]) -> set[str]:
    """Every word that could be a class name or an id of an element, now or once the scripts have run."""
    words: set[str] = set()
    for file in files:
        words.update(re.findall(r"[A-Za-z_][\w-]*", file.read_text(encoding="utf-8")))
    return words


def self_contained(static: Path, sheet: str) -> str:
    """A stylesheet's text with its imports put in place, and its relative addresses seen from ``_static``."""
    folder = (static / sheet).parent
    relative = folder.relative_to(static).as_posix()
    text = (static / sheet).read_text(encoding="utf-8")
    text = re.sub(r"(url\(['\"]?)(?!['\"]|data:|#|/|https?:)", rf"\1{relative}/", text)

    def imported(match: re.Match[str]) -> str:
        return self_contained(static, (folder / match[1]).resolve().relative_to(static.resolve()).as_posix())

    return re.sub(r"@import ['\"]([^'\":]+)['\"];", imported, text)


def formula_styles(static: Path, words: set[str]) -> str:
    """KaTeX's stylesheet with the fonts of most formulas inside: a font that comes late moves the text."""
    css = used_rules(self_contained(static, "katex/katex.min.css"), words)
    for font in FORMULA_FONTS:
        address = f"katex/fonts/{font}.woff2"
        data = base64.b64encode((static / address).read_bytes()).decode()
        css = css.replace(f"url({address})", f"url(data:font/woff2;base64,{data})")
    return css


def used_rules(css: str, words: set[str]) -> str:
    """The rules that can apply to a page: all of a selector's classes and ids occur in the site.

    The theme's stylesheet is 65 KB gzipped, most of it for components that the book has not got.
    """
    kept = []
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            selector = tinycss2.serialize(rule.prelude)
            if re.search(r"\.fa[\w-]*(:{1,2}before)?($|,)", selector):
                continue  # Font Awesome's
            parts = [part for part in re.split(r",(?![^(]*\))", selector) if applies(part, words)]
            if parts:
                kept.append(f"{','.join(parts).strip()}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule" and rule.at_keyword in ("media", "supports", "layer") and rule.content:
            inside = used_rules(tinycss2.serialize(rule.content), words)
            if inside:
                kept.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inside}}}")
        elif rule.type == "at-rule" and "Font Awesome" not in rule.serialize():
            kept.append(rule.serialize())
    return "\n".join(kept)


def used_variables(css: str) -> str:
    """The stylesheet without the theme's variables that nothing reads: hundreds of colours."""
    read = set(re.findall(r"var\(\s*(--[\w-]+)", css))
    kept = VARIABLE.sub(lambda found: found[0] if found["name"] in read else "", css)
    return kept if kept == css else used_variables(kept)  # one that was dropped may have been another's only reader


def applies(selector: str, words: set[str]) -> bool:
    """Whether all classes and ids of a selector occur; those inside ``:not(…)`` and its like do not count."""
    outside = re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)|\[[^\]]*\]", "", selector)
    return all(name in words for name in re.findall(r"[.#](-?[A-Za-z_][\w-]*)", outside))
