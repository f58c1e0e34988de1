"""The book's typefaces for the build: unpacked for Matplotlib, and cut down to the letters that the pages use."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, woff2
from fontTools.varLib.instancer import instantiateVariableFont

from .node import node_binary

WEIGHTS = {"source-serif-4": (400, 700)}  # text is regular, semibold or bold; the other typeface uses all it has
FEATURES = ["kern", "liga", "mark", "mkmk", "ccmp", "locl", "lnum", "tnum"]


def letters_in(files: list[Path]) -> set[str]:
    """Every letter that the site can show, now or once its scripts have run."""
    return set().union(*(file.read_text(encoding="utf-8") for file in files))


def unpacked(file: Path) -> TTFont:
    """A woff2 font. fontTools asks for the package Brotli, and Node, which the build has, does the same."""
    woff2.haveBrotli = True
    woff2.brotli = SimpleNamespace(decompress=decompress, compress=compress, MODE_FONT=2)
    return TTFont(file)


def decompress(data: bytes) -> bytes:
    return through_node("brotliDecompressSync(fs.readFileSync(0))", data)


def compress(data: bytes, mode: int) -> bytes:
    return through_node(f"brotliCompressSync(fs.readFileSync(0), {{ params: {{ 0: {mode} }} }})", data)


def through_node(call: str, data: bytes) -> bytes:
    command = [node_binary(), "-e", f"process.stdout.write(zlib.{call})"]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def cut_down(file: Path, letters: set[str]) -> None:
    """Keep the letters, weights and features that the site uses: half of each font is for other books."""
    font = unpacked(file)
    keep = Subsetter(Options(layout_features=FEATURES))
    keep.populate(unicodes=map(ord, letters))
    keep.subset(font)
    limits = next((span for name, span in WEIGHTS.items() if file.name.startswith(name)), None)
    if limits:
        font = instantiateVariableFont(font, {"wght": limits})
    font.flavor = "woff2"
    font.save(file)
