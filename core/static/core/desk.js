// What the admin's own pages leave out for people who use a keyboard or a screen reader: a main landmark, the button that folds the side
// bar, and names that tell one scrolling region from another.
addEventListener("load", () => {
  document.getElementById("main")?.setAttribute("role", "main");
  document.querySelectorAll("span[x-on\\:click]").forEach((each) => {
    each.setAttribute("role", "button");
    each.tabIndex = 0;
    if (each.getAttribute("x-on:click").includes("sidebarDesktopOpen")) each.setAttribute("aria-label", "Fold or unfold the side bar");
    each.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); each.click(); } });
  });
  document.querySelectorAll(".simplebar-content-wrapper").forEach((each, number) => each.setAttribute("aria-label", `Scrolling part ${number + 1}`));
});
