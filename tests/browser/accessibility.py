"""What a program can check of a page's accessibility."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

_RULES = Path(__file__).resolve().parents[2] / "web" / "console" / "node_modules" / "axe-core" / "axe.min.js"


async def broken_rules(page: Page) -> list[str]:
    """The rules of axe-core that ``page`` breaks as it stands, each with the elements that do."""
    await page.evaluate(_RULES.read_text())
    broken: list[str] = await page.evaluate(
        "axe.run().then(it => it.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html).join(' ')))"
    )
    return broken
