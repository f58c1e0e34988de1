"""The tests: folders by what they hold to account, and where the repository lies."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
