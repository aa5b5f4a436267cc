// A plan of the week to draw hours into, above the lines that say the same in words. The lines are what is sent: who types, or has no
// pointer, misses nothing. A drag over several days opens or closes the same hours on each; Escape gives up.
(() => {
  const STEP = 30;
  const CELLS = 1440 / STEP;
  const SPAN = /^([01]\d|2[0-3]):([0-5]\d)\s*(?:-|–|to)\s*([01]\d|2[0-4]):([0-5]\d)$/;
  const fields = [...document.querySelectorAll("input[data-day]")];
  if (!fields.length) return;

  const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  const words = (spans) => spans.map(([start, end]) => `${clock(start)}-${clock(end)}`).join(", ");

  // The stretches of a line in minutes, in order; null for a line that is not to be understood, which a drag does not touch.
  function spansOf(field) {
    const found = [];
    for (const part of field.value.split(",").map((each) => each.trim()).filter(Boolean)) {
      const match = part.match(SPAN);
      if (!match) return null;
      const [start, end] = [match[1] * 60 + +match[2], match[3] * 60 + +match[4]];
      if (start >= end || end > 1440) return null;
      found.push([start, end]);
    }
    return found.sort((one, other) => one[0] - other[0]);
  }

  const without = (spans, from, to) => spans.flatMap(([start, end]) => [[start, Math.min(end, from)], [Math.max(start, to), end]])
    .filter(([start, end]) => start < end);

  function united(spans, from, to) {
    const touching = spans.filter(([start, end]) => start <= to && end >= from);
    const rest = spans.filter((each) => !touching.includes(each));
    return [...rest, [Math.min(from, ...touching.map((each) => each[0])), Math.max(to, ...touching.map((each) => each[1]))]]
      .sort((one, other) => one[0] - other[0]);
  }

  const make = (tag, name, text = "") => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const plan = make("div", "plan");
  plan.setAttribute("aria-hidden", "true");
  const tracks = fields.map((field) => {
    const track = make("div", "track");
    for (let cell = 0; cell < CELLS; cell++) track.append(make("span", ""));
    plan.append(make("span", "", field.labels[0].textContent.slice(0, 3)), track);
    field.addEventListener("input", draw);
    return track;
  });
  const hours = make("div", "hours");
  for (let hour = 0; hour < 24; hour += 6) hours.append(make("span", "", clock(hour * 60)));
  const state = make("p", "hint", "Draw over the plan to open hours, or to close open ones. Or write them below.");
  plan.prepend(make("span", ""), hours);
  plan.append(state);
  fields[0].closest("p").before(plan);

  let drag = null;

  // What the drag covers: its days, and from when to when.
  function covered() {
    const [first, last] = [drag.from, drag.to].sort((one, other) => one.cell - other.cell);
    const days = [drag.from.day, drag.to.day].sort((one, other) => one - other);
    return { days, start: first.cell * STEP, end: (last.cell + 1) * STEP };
  }

  function draw() {
    const now = drag && covered();
    tracks.forEach((track, day) => {
      const spans = spansOf(fields[day]) ?? [];
      [...track.children].forEach((cell, number) => {
        const [start, end] = [number * STEP, (number + 1) * STEP];
        const open = spans.reduce((sum, span) => sum + Math.max(0, Math.min(span[1], end) - Math.max(span[0], start)), 0);
        const isMeant = now && day >= now.days[0] && day <= now.days[1] && start >= now.start && end <= now.end;
        cell.className = isMeant ? (drag.opens ? "on" : "off") : open >= STEP ? "on" : open ? "part" : "";
      });
    });
  }

  function placeOf(event) {
    const inside = (value, least, most) => Math.max(0, Math.min((value - least) / (most - least), 0.9999));
    const boxes = tracks.map((track) => track.getBoundingClientRect());
    const day = Math.max(0, boxes.findLastIndex((box) => event.clientY >= box.top));
    return { day, cell: Math.floor(inside(event.clientX, boxes[day].left, boxes[day].right) * CELLS) };
  }

  plan.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.target.closest(".track")) return;
    event.preventDefault();
    plan.setPointerCapture(event.pointerId);
    const place = placeOf(event);
    drag = { from: place, to: place, opens: tracks[place.day].children[place.cell].className !== "on" };
    draw();
  });
  plan.addEventListener("pointermove", (event) => {
    if (!drag) return;
    drag.to = placeOf(event);
    const { start, end } = covered();
    state.textContent = `${drag.opens ? "Open" : "Closed"} ${clock(start)}-${clock(end)}`;
    draw();
  });
  plan.addEventListener("pointerup", () => {
    if (!drag) return;
    const { days, start, end } = covered();
    for (let day = days[0]; day <= days[1]; day++) {
      const spans = spansOf(fields[day]);
      if (spans) fields[day].value = words(drag.opens ? united(spans, start, end) : without(spans, start, end));
    }
    state.textContent = "Not saved yet.";
    stop();
  });
  const stop = () => { drag = null; draw(); };
  plan.addEventListener("pointercancel", stop);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) stop(); });
  draw();
})();
