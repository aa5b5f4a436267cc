"""The pages of the peer: paying with a test card, a mentor's form, and the bank's side of things. They say that they are not Stripe."""

from __future__ import annotations

import html
import urllib.parse

from payments.peer import NOTE, SECRET_KEY
from payments.peer.banking import ACTIONS, act
from payments.peer.engine import Peer
from payments.peer.faults import Refusal
from payments.peer.payins import CARDS
from payments.peer.store import Thing

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff; }}
.note {{ background: #fff3c4; border-left: .4rem solid #8a6100; padding: .6rem 1rem; }}
button {{ font: inherit; padding: .6rem 1rem; margin: .2rem 0; width: 100%; text-align: left; cursor: pointer; }}
button:focus-visible {{ outline: 3px solid #0b57d0; outline-offset: 2px; }}
</style></head>
<body><p class="note" role="note">{note}</p><main><h1>{title}</h1>{body}</main></body></html>"""
_BUTTON = '<form method="post"><button name="{name}" value="{value}">{text}</button></form>'
Response = tuple[int, str, str]


def respond(peer: Peer, method: str, path: str, form: str) -> Response:
    """Status, page and, after a button was pressed, where to go on."""
    parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
    given = dict(urllib.parse.parse_qsl(form))
    try:
        if parts[0] == "pay" and len(parts) == 2:
            return _pay(peer, method, parts[1], given)
        if parts[0] == "onboarding" and len(parts) == 2:
            return _onboarding(peer, method, parts[1], given)
        if parts[0] == "act" and method == "POST" and len(parts) == 3:
            return _act(peer, parts[1], parts[2])
    except Refusal as refusal:
        return refusal.status, _page("This did not work", f"<p>{html.escape(str(refusal))}</p>"), ""
    if parts == [""]:
        return 200, _page("A peer of Stripe", "<p>Its API answers below <code>/v1/</code>.</p>"), ""
    return 404, _page("Nothing here", "<p>There is no such page.</p>"), ""


def _pay(peer: Peer, method: str, secret: str, given: dict[str, str]) -> Response:
    intent = next((row for row in peer.store.of("payment_intent") if row["client_secret"] == secret), None)
    if intent is None:
        raise Refusal("", "There is no such payment.", status=404)
    if method == "POST":
        _press(peer, intent, given)
        return 303, "", f"/pay/{secret}"
    return 200, _page(f"Pay {_amount(intent)}", _body(intent)), ""


def _press(peer: Peer, intent: Thing, given: dict[str, str]) -> None:
    if "proof" in given:
        act(peer, given["proof"], intent["id"])
    elif given.get("card") in CARDS:
        form = urllib.parse.urlencode({"payment_method": CARDS[given["card"]][0]})
        peer.handle("POST", f"/v1/payment_intents/{intent['id']}/confirm", form, {"Authorization": f"Bearer {SECRET_KEY}"})


def _body(intent: Thing) -> str:
    if intent["status"] in ("requires_payment_method", "requires_confirmation"):
        error = intent["last_payment_error"]
        said = f'<p role="alert">{html.escape(error["message"])}</p>' if error else ""
        buttons = [_BUTTON.format(name="card", value=number, text=f"{number}: {what}") for number, (_, what) in CARDS.items()]
        return f"{said}<p>Choose a test card.</p>{''.join(buttons)}"
    if intent["status"] == "requires_action":
        yes, no = (
            _BUTTON.format(name="proof", value=value, text=text) for value, text in (("prove", "It is me"), ("fail-proof", "Refuse"))
        )
        return f"<p>Your bank asks whether it is you.</p>{yes}{no}"
    return f'<p role="status">Status: {html.escape(intent["status"])}. You can close this page.</p>'


def _onboarding(peer: Peer, method: str, key: str, given: dict[str, str]) -> Response:
    account = peer.find(key, "account")
    if method == "POST" and given.get("form") in ("onboard", "ask-more"):
        act(peer, given["form"], key)
        return 303, "", f"/onboarding/{key}"
    state = "may receive transfers" if account["capabilities"].get("transfers") == "active" else "may not receive transfers yet"
    buttons = [
        _BUTTON.format(name="form", value=value, text=text)
        for value, text in (("onboard", "Fill in everything"), ("ask-more", "Leave something out"))
    ]
    return 200, _page("Tell us about yourself", f'<p role="status">This account {state}.</p>{"".join(buttons)}'), ""


def _act(peer: Peer, action: str, key: str) -> Response:
    if action not in ACTIONS:
        return 404, _page("Nothing here", f"<p>Known: {', '.join(ACTIONS)}.</p>"), ""
    act(peer, action, key)
    return 200, _page("Done", f"<p>{html.escape(action)}: {html.escape(key)}</p>"), ""


def _amount(intent: Thing) -> str:
    return f"{intent['amount']} {intent['currency'].upper()} (minor units)"


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=html.escape(title), note=NOTE, body=body)
