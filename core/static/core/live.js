// Live pages: the socket says only that something changed, and each part of the page then asks for itself anew. While there is no socket,
// the page asks twice a minute. What changed is announced to screen readers, politely. Whoever has the focus in a part keeps it: the part
// is renewed once they have left it.
(() => {
  const POLL = 30000;
  const root = document.documentElement;
  let seen = null;
  let wait = 1000;
  let isDue = false;

  const changed = () => document.body.dispatchEvent(new Event("soosh:changed"));
  const announce = (words) => {
    const place = document.getElementById("announcements");
    place.textContent = "";
    setTimeout(() => { place.textContent = words; }, 100);
  };

  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if (!event.detail.shouldSwap) return;
    if (part.contains(document.activeElement)) {
      event.detail.shouldSwap = false;
      isDue = true;
      return;
    }
    // The first answer is what the part is made of; later ones are news if they differ.
    const text = event.detail.serverResponse.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
    if (part.dataset.seen !== undefined && part.dataset.seen !== text) announce("Something on this page has changed.");
    part.dataset.seen = text;
  });
  document.addEventListener("focusout", () => { setTimeout(() => { if (isDue) { isDue = false; changed(); } }, 0); });

  function later() {
    root.dataset.live = "poll";
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, 60000);
  }

  async function connect() {
    let key;
    try {
      const answer = await fetch("/sign-in/socket", { credentials: "same-origin" });
      if (!answer.ok) return later();
      key = (await answer.json()).token;
    } catch { return later(); }
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/dashboard/`, ["bearer", key]);
    socket.onmessage = (event) => {
      const version = JSON.parse(event.data).version;
      // The parts were read before the first frame: between the two something may have happened.
      if (version !== seen) changed();
      seen = version;
      wait = 1000;
      root.dataset.live = "socket";
    };
    socket.onclose = later;
  }

  root.dataset.live = "poll";
  setInterval(() => { if (root.dataset.live === "poll" && !document.hidden) changed(); }, POLL);
  connect();
})();
