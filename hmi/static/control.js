// The screen Control: marks what holds, says refusals in words, draws the test's scale, and lets the keyboard drive the test.
"use strict";
(() => {
  const ALIVE_MS = 1000, STEP_MS = 180, BAD = 2, UNKNOWN = 4;
  const bound = new Map(); // element -> functions that end what listens for it

  function follow(element, name, take) {
    const stop = bess.listen(name, take);
    bound.get(element).push(stop);
  }

  // ---- what is said of values ------------------------------------------------------------------------------------------------

  function words(element) {
    const known = JSON.parse(element.dataset.words);
    follow(element, element.dataset.of, (value, grade) => {
      const word = value === null ? "" : known[String(value)];
      element.textContent = value === null ? "–" : word || (word === undefined ? String(value) : element.dataset.empty);
      element.dataset.q = ["good", "uncertain", "bad", "forced", "unknown"][grade];
    });
  }

  function marked(element) {
    const at = element.dataset.markedAt.split(" ");
    follow(element, element.dataset.markedBy, (value, grade) => {
      const isSo = value !== null && grade < BAD && at.includes(String(value));
      element.setAttribute("aria-pressed", String(isSo));
    });
  }

  function forces(element) {
    const known = JSON.parse(element.dataset.forces);
    follow(element, "plc.forced", (value) => {
      element.hidden = !(value > 0);
      element.firstElementChild.textContent = (value === 1 ? known.one : known.many).replace("{n}", String(value));
    });
  }

  function keySwitch(element) {
    const known = JSON.parse(element.dataset.words);
    follow(element, element.dataset.keySwitch, (value, grade) => {
      const text = value === null || grade === BAD || grade === UNKNOWN ? known.bad : known[String(value)] ?? "";
      element.textContent = text;
      element.hidden = !text;
    });
  }

  function clock(element) { // seconds after midnight as a time of day
    follow(element, element.dataset.clock, (value, grade) => {
      const minutes = Math.floor((value ?? 0) / 60), two = (number) => String(number).padStart(2, "0");
      element.textContent = value === null ? "–" : `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
      element.dataset.q = ["good", "uncertain", "bad", "forced", "unknown"][grade];
    });
  }

  function onlyIf(element) { // a paragraph that is true while a tag has this value
    const conditions = JSON.parse(element.dataset.onlyIf), now = {};
    for (const [name] of conditions) follow(element, name, (value) => {
      now[name] = value;
      element.hidden = !conditions.every(([tag, wanted, isSame]) => now[tag] !== undefined && (now[tag] === wanted) === isSame);
    });
  }

  // ---- the scale of a test: what is set and what is, between what the racks take and give ---------------------------------------

  function scale(element) {
    const about = JSON.parse(element.dataset.scale), span = about.high - about.low;
    const place = (value) => `${Math.max(0, Math.min(100, ((value - about.low) / span) * 100))}%`;
    const part = (name) => element.querySelector(`[data-part="${name}"]`);
    part("zero").style.left = place(0);
    const room = [null, null];
    const drawRoom = () => {
      const known = room.every((value) => value !== null);
      part("room").hidden = !known;
      if (known) { part("room").style.left = place(room[0]); part("room").style.right = `calc(100% - ${place(room[1])})`; }
    };
    for (const [mark, name] of Object.entries(about.marks)) follow(element, name, (value) => {
      part(mark).hidden = value === null;
      if (value !== null) part(mark).style.left = place(value);
    });
    about.room.forEach((name, end) => { if (name) follow(element, name, (value) => { room[end] = value; drawRoom(); }); });
  }

  // ---- the keyboard drives the test ------------------------------------------------------------------------------------------

  function drive(element) {
    const tell = (what, detail) => element.dispatchEvent(new CustomEvent(what, { detail, bubbles: true }));
    const keys = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    let last = 0;
    const isHeld = () => element.dataset.held === "true";
    const timer = setInterval(() => { if (isHeld() && document.body.dataset.link !== "lost") tell("alive"); }, ALIVE_MS);
    bound.get(element).push(() => clearInterval(timer));
    const shown = () => { element.dataset.keys = String(isHeld() && element.contains(document.activeElement) && document.hasFocus()); };
    for (const kind of ["focusin", "focusout"]) element.addEventListener(kind, () => setTimeout(shown));
    window.addEventListener("blur", shown);
    window.addEventListener("focus", shown);
    bound.get(element).push(() => { window.removeEventListener("blur", shown); window.removeEventListener("focus", shown); });
    element.addEventListener("keydown", (event) => {
      if (!isHeld() || event.ctrlKey || event.altKey || event.metaKey) return;
      const isKnown = event.key in keys || event.key === "0" || event.key === "Escape";
      if (!isKnown || document.querySelector(".q-dialog")) return;
      event.preventDefault();
      const now = performance.now();
      if (event.key === "Escape") { if (!event.repeat) tell("finish"); return; }
      if (event.key === "0") { if (!event.repeat) tell("step", 0); return; }
      if (now - last < STEP_MS) return; // a key that is held down steps five times a second, no faster
      last = now;
      tell("step", keys[event.key]);
    });
    new MutationObserver(() => { // what had the focus may have been drawn anew
      if (isHeld() && (document.activeElement === document.body || !document.activeElement)) element.focus({ preventScroll: true });
      shown();
    }).observe(element, { attributes: true, attributeFilter: ["data-held"], childList: true, subtree: true });
    if (element.dataset.held === "true") element.focus({ preventScroll: true });
    shown();
  }

  // ---- elements come and go --------------------------------------------------------------------------------------------------

  const KINDS = {
    "[data-words][data-of]": words, "[data-marked-by]": marked, "[data-forces]": forces, "[data-key-switch]": keySwitch,
    "[data-clock]": clock, "[data-only-if]": onlyIf, "[data-scale]": scale, "[data-drive]": drive,
  };
  let soon = 0;

  function bind() {
    soon = 0;
    for (const [element, stops] of bound) if (!element.isConnected) { for (const stop of stops) stop(); bound.delete(element); }
    for (const [selector, start] of Object.entries(KINDS)) for (const element of document.querySelectorAll(selector)) {
      if (bound.has(element)) continue;
      bound.set(element, []);
      start(element);
    }
  }

  function bindSoon() {
    if (!soon) soon = setTimeout(bind, 30);
  }

  new MutationObserver(bindSoon).observe(document.body, { childList: true, subtree: true });
  window.bessControl = { begin: bindSoon };
})();
