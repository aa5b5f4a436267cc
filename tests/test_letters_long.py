"""What e-mails look like in a real browser: the contrast of every text, and nothing wider than a small phone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from notifications.notices import kinds
from notifications.services.letters import letter_for
from notifications.services.previewing import VARIANTS, example

pytestmark = pytest.mark.long

# WCAG 2.2, 1.4.3: relative luminance of the text and of what is behind it.
_MEASURE = """
<script>
const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const colours = text => text.match(/[\\d.]+/g).map(Number);
const behind = e => { for (; e; e = e.parentElement) { const c = colours(getComputedStyle(e).backgroundColor); if (c.length == 3 || c[3] > 0) return c } return [255, 255, 255] };
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
for (let node; node = walker.nextNode();) {
  const e = node.parentElement;
  if (!node.data.trim() || e.tagName == "SCRIPT") continue;
  const [a, b] = [luminance(colours(getComputedStyle(e).color)), luminance(behind(e))].sort((x, y) => y - x);
  found.push({text: node.data.trim().slice(0, 40), contrast: (a + 0.05) / (b + 0.05), size: parseFloat(getComputedStyle(e).fontSize)});
}
const links = [...document.links].map(a => getComputedStyle(a).textDecorationLine);
document.title = "MEASURED" + btoa(unescape(encodeURIComponent(JSON.stringify({found, links, width: document.documentElement.scrollWidth}))));
</script>
"""


def measured(html: str, folder: Path) -> dict[str, object]:
    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    assert browser, "This test needs Chromium: apt-get install chromium"
    page = folder / "letter.html"
    # Headless windows are at least 500 pixels wide, so the phone is a frame in them.
    page.write_text(html.replace("</body>", _MEASURE + "</body>").replace('<body style="', '<body style="width:320px;'))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,900", "--dump-dom", page.as_uri()]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    title = re.search(r"<title>MEASURED(.*?)</title>", found.stdout)
    assert title, found.stderr[-2000:]
    import base64

    return json.loads(base64.b64decode(title[1]).decode())  # type: ignore[no-any-return]


@pytest.mark.parametrize("variant", VARIANTS)
def test_everybody_can_read_it(variant: str, tmp_path: Path) -> None:
    notifications = [example(kind, variant) for kind in kinds()]
    for number, rows in enumerate([[row] for row in notifications] + [notifications]):
        letter = letter_for(rows[0].pk, rows)
        shown = measured(letter.html, tmp_path)
        assert len(shown["found"]) >= 5  # type: ignore[arg-type]
        for text in shown["found"]:  # type: ignore[attr-defined]
            assert text["contrast"] >= 4.5 and text["size"] >= 15, text
        assert shown["width"] <= 500, "nothing sticks out"  # type: ignore[operator]
        assert set(shown["links"]) == {"underline"}, "links are known without their colour"  # type: ignore[call-overload]
        print(f"{variant} {number}: least contrast {min(text['contrast'] for text in shown['found']):.1f}")  # type: ignore[attr-defined]
