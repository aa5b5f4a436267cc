// Signing in with a passkey, where the browser knows what one is.
(() => {
  const place = document.getElementById("passkey");
  const error = document.getElementById("passkey-error");
  if (!place || !window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  place.hidden = false;

  async function signIn() {
    error.textContent = "";
    const asked = await fetch("/sign-in/passkey");
    const options = await asked.json();
    if (!asked.ok) throw new Error(options.detail);
    const found = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey) });
    const answer = await fetch(`/sign-in/passkey?next=${encodeURIComponent(place.dataset.next)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": place.dataset.csrf },
      body: JSON.stringify(found.toJSON()),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.detail);
    location.assign(said.next);
  }

  place.querySelector("button").addEventListener("click", () => {
    signIn().catch((problem) => {
      error.textContent = problem.name === "NotAllowedError" ? "No passkey was used." : problem.message;
    });
  });
})();
