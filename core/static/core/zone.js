// Tells the server on which clock to show times, and asks anew for a page that shows some. Who chose a zone on the page keeps it.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = document.cookie.split("; ").some((part) => part === `zone=${encodeURIComponent(zone)}` || part === `zone=${zone}`);
  if (!zone || known) return;
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  const chosen = new URLSearchParams(location.search).has("zone");
  const kept = document.cookie.includes(`zone=${zone}`);
  if (kept && !chosen && document.querySelector("time")) location.reload();
})();
