// What the admin's own pages leave out for people who use a keyboard or a screen reader: a main landmark, names, headings of tables and
// groups. It is mended once the page stands, and again whenever a part of it is drawn anew.
addEventListener("load", () => {
  const all = (selector, mend) => document.querySelectorAll(selector).forEach(mend);
  const named = (each, words) => { if (words && !each.hasAttribute("aria-label")) each.setAttribute("aria-label", words.trim()); };
  const unseen = (tag, words) => Object.assign(document.createElement(tag), { className: "unseen", textContent: words });

  function mend() {
    document.getElementById("main")?.setAttribute("role", "main");
    all("span[x-on\\:click]:not([role])", (each) => {
      each.setAttribute("role", "button");
      each.tabIndex = 0;
      if (each.getAttribute("x-on:click").includes("sidebarDesktopOpen")) named(each, "Fold or unfold the side bar");
      each.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); each.click(); } });
    });
    all(".simplebar-content-wrapper", (each) => {
      each.setAttribute("aria-label", `Scrolling part ${[...document.querySelectorAll(".simplebar-content-wrapper")].indexOf(each) + 1}`);
    });
    all("input[placeholder]", (each) => { if (!each.labels?.length) named(each, each.placeholder); });
    all("fieldset", (each) => {
      if (!each.querySelector(":scope > legend")) each.prepend(unseen("legend", each.querySelector("h2, h3")?.textContent ?? document.title.split("|")[0]));
    });
    all("th:not([scope])", (each) => { each.scope = each.closest("thead") ? "col" : "row"; });
    all("thead th", (each) => { if (!each.textContent.trim() && !each.querySelector("input")) each.append(unseen("span", "More")); });
    all("td input:not([type=hidden]), td select, td textarea", (each) => {
      const cell = each.closest("td");
      if (!each.labels?.length) named(each, cell.closest("table").tHead?.rows[0]?.cells[cell.cellIndex]?.textContent);
    });
    // A filter by what is empty.
    all("#main a[href^='?']", (each) => { if (!each.textContent.trim() && !each.children.length) each.textContent = "(none)"; });
    all("a:has(> [title])", (each) => { if (!each.textContent.trim()) named(each, each.firstElementChild.title); });
    // Hints to which a field points, without the name by which it does.
    all("[aria-describedby]", (each) => {
      const hint = each.closest(".form-row, td")?.querySelector("[class*=leading-relaxed].text-xs:not([id]), .helptext:not([id])");
      const missing = each.getAttribute("aria-describedby").split(" ").filter((name) => !document.getElementById(name));
      if (missing.length && hint) hint.id = missing[0];
      else if (missing.length) each.removeAttribute("aria-describedby");
    });
    all(".help-tooltip[aria-label]", (each) => each.setAttribute("role", "img"));
    all("ul > div", (each) => { const item = document.createElement("li"); each.replaceWith(item); item.append(each); });
    all(".select2-container", (each) => {
      const words = each.previousElementSibling?.labels?.[0]?.textContent ?? each.previousElementSibling?.getAttribute("aria-label");
      each.querySelectorAll("[role=combobox], [role=textbox], input").forEach((part) => named(part, words));
      each.querySelectorAll("ul").forEach((part) => part.setAttribute("role", "group"));
      each.querySelectorAll("li").forEach((part) => part.setAttribute("role", "none"));
    });
  }

  mend();
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
});
