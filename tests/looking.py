"""What is checked of a page that is open in a browser. axe alone misses a third of what is wrong, so four others look too. Each function
gives the faults that it found, in words."""

from __future__ import annotations

import functools
import re

from playwright.sync_api import Page

from tests.browser import NARROW, VENDOR, WIDE, Visitor

_AXE = """async (rules) => {
  const found = await axe.run(document, {
    runOnly: rules.length ? {type: 'rule', values: rules} : {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']},
  });
  const unsure = found.incomplete.map(fault => ({...fault, nodes: fault.nodes.filter(node => !isReviewed(fault.id, node))}));
  return [...found.violations, ...unsure].flatMap(
    fault => fault.nodes.map(node => `axe ${fault.id}: ${node.html.slice(0, 160)} (${node.failureSummary})`)
  );
}"""
# What axe cannot decide by itself, looked at by a person: words in a drawing stand on the colour of the page; in the admin, the line below a
# list stands on a bar of the same colour, what lies beyond the edge of a list or below the bar with the buttons is scrolled to, empty fields have
# the colours of full ones, and the second label of a file is a sign.
_REVIEWED = """() => { window.isReviewed = (rule, node) => {
  const isAdmin = location.pathname.startsWith('/admin/');
  if (rule === 'form-field-multiple-labels') return isAdmin && node.html.includes('type="file"');
  const isHidden = /pseudo element|obscured by another|overlap|has no value/.test(node.failureSummary);
  return rule === 'color-contrast' && (node.html.startsWith('<text ') || (isAdmin && isHidden));
}; }"""
# HTML_CodeSniffer 2.5.1 thinks that an e-mail field cannot be the user name, which HTML says it can ("Username" control group), and stumbles
# over its own missing words for it. It also asks a form that holds nothing to fill in for a button that sends it.
_SNIFF = """() => new Promise((resolve, reject) => HTMLCS.process('WCAG2AA', document, () => resolve(HTMLCS.getMessages()
  .filter(message => message.type === HTMLCS.ERROR)
  .filter(message => !(message.code.includes('1_3_5') && message.element.type === 'email'))
  .filter(message => !(message.code.includes('H32.2') && !message.element.querySelector('input:not([type=hidden]), select, textarea')))
  .map(message => `HTMLCS ${message.code}: ${(message.element.outerHTML || '').slice(0, 160)}`)), reject))"""
# What can take the focus, in reading order. Of radio buttons with one name one is a stop.
_STOPS = """() => {
  const groups = new Set();
  return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter(each => {
    if (each.disabled || each.type === 'hidden' || !each.checkVisibility({visibilityProperty: true})) return false;
    if (each.closest('[aria-hidden="true"]')) return false;
    if (each.type !== 'radio') return true;
    const isNew = !groups.has(each.name);
    groups.add(each.name);
    return isNew;
  }).map((each, number) => { each.dataset.stop = number; return each.outerHTML.slice(0, 160); });
}"""
_FOCUS = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const style = getComputedStyle(here);
  const group = here.type === 'radio' ? document.querySelector(`[name="${here.name}"][data-stop]`) : null;
  return {stop: Number((group || here).dataset.stop ?? -1), isSeen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2};
}"""

# A button or field has an edge by its border or, where it is a link, by the line below its words or its place among others.
_UNSEEN = """() => [...document.querySelectorAll('[data-stop]')].flatMap(each => {
  each.focus({focusVisible: true, preventScroll: true});
  const style = getComputedStyle(each);
  const faults = style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2 ? ['the focus cannot be seen on '] : [];
  const isPlain = style.textDecorationLine.includes('underline') || ['checkbox', 'radio'].includes(each.type);
  if (each.matches('button, input, select, textarea') && !isPlain && parseFloat(style.borderBottomWidth) < 1) faults.push('no edge on ');
  return faults.map(fault => fault + each.outerHTML.slice(0, 160));
})"""


@functools.cache
def _source(name: str) -> str:
    return (VENDOR / name).read_text()


def by_axe(page: Page, *rules: str) -> list[str]:
    """Faults that axe-core knows: all of WCAG 2.2 AA and its best practices, or some rules alone; and what it is unsure of, unless that was
    reviewed."""
    if not page.evaluate("() => 'axe' in window"):
        # A single letter or figure is text, too.
        page.evaluate(_source("axe.min.js").replace("ignoreLength:!1", "ignoreLength:!0"))
        page.evaluate(_REVIEWED)
    found: list[str] = page.evaluate(_AXE, list(rules))
    return found


def by_sniffer(page: Page) -> list[str]:
    """Faults that HTML_CodeSniffer knows."""
    page.evaluate(_source("HTMLCS.js"))
    page.evaluate("() => { const words = HTMLCS.getTranslation.bind(HTMLCS); HTMLCS.getTranslation = key => words(key) ?? key; }")
    found: list[str] = page.evaluate(_SNIFF)
    return found


def by_keyboard(page: Page) -> list[str]:
    """A walk with the Tab key: everything that can be used is reached, in reading order, seen while it has the focus, and left again."""
    # From the very top, even where a field took the focus when the page came.
    page.evaluate(
        "() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); window.scrollTo(0, 0); }"
    )
    stops: list[str] = page.evaluate(_STOPS)
    walked: list[int] = []
    faults = []
    # A field for a date is several stops by itself.
    for _ in range(6 * len(stops)):
        page.keyboard.press("Tab")
        here = page.evaluate(_FOCUS)
        if here is None or here["stop"] in walked[:-1]:
            break
        if walked and here["stop"] == walked[-1]:
            continue
        walked.append(here["stop"])
        if not here["isSeen"]:
            faults.append(f"keyboard: the focus cannot be seen on {stops[here['stop']]}")
    faults += [f"keyboard: never reached: {stop}" for number, stop in enumerate(stops) if number not in walked]
    if walked != sorted(walked):
        faults.append(f"keyboard: not in reading order: {walked}")
    return faults


def by_width(page: Page) -> list[str]:
    """Nothing has to be scrolled sideways on a small phone (WCAG 1.4.10), nor with text at twice its size (1.4.4)."""
    measure = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    faults = []
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # a size
    if page.evaluate(measure) > 0:
        faults.append("width: wider than a phone of 320 pixels")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # a size
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    if page.evaluate(measure) > 0:
        faults.append("width: text at 200 % does not fit")
    page.evaluate("() => { document.documentElement.style.fontSize = ''; }")
    return faults


def by_forced_colours(page: Page) -> list[str]:
    """Where the device forces its own colours, the focus is still seen, and so are the edges of what can be pressed or filled in."""
    page.emulate_media(forced_colors="active")
    page.evaluate(_STOPS)
    found: list[str] = page.evaluate(_UNSEEN)
    page.emulate_media(forced_colors="none")
    return [f"forced colours: {fault}" for fault in found]


def look_at(page: Page) -> list[str]:
    """All of the above."""
    return by_axe(page) + by_sniffer(page) + by_keyboard(page) + by_forced_colours(page) + by_width(page)


def look_at_the_desk(visitor: Visitor, path: str) -> list[str]:
    """A page of the admin, all of the above, and its colours by night."""
    page = visitor.go(path)
    page.wait_for_selector("#main[role=main]")
    found = look_at(page)
    page.evaluate("() => { document.documentElement.classList.add('dark'); }")
    return found + [f"dark: {fault}" for fault in by_axe(page, "color-contrast")]


def read_aloud(page: Page, part: str = "body", *, most: int = 600) -> list[str]:
    """What a screen reader says from the top of the page, or of a part of it, to its end."""
    module = re.sub(r"export\{\w+ as Virtual,(\S+?) as virtual\};", r"window.reader = \1;", _source("virtual-screen-reader.js"))
    page.evaluate(f"() => {{ {module} }}")
    said: list[str] = page.evaluate(
        """async ([part, most]) => {
          await reader.start({container: document.querySelector(part)});
          for (let step = 0; step < most; step++) {
            await reader.next();
            if (/^end of (document|main)$/.test(await reader.lastSpokenPhrase())) break;
          }
          const said = await reader.spokenPhraseLog();
          await reader.stop();
          return said;
        }""",
        [part, most],
    )
    return said
