// Keeps every element with `data-tag` true, greys all of it out when the connection or the PLC falls silent, and dims the screen.
"use strict";
(() => {
  const TEXTS = bess.texts, LOST_MS = 800, RESCAN_MS = 40, TOUCH_MS = 20000;
  const GRADES = ["good", "uncertain", "bad", "forced", "unknown"];
  const listeners = new Map(); // name -> Set of functions (value, grade, about): for scripts of screens
  let shown = new Map(); // name -> elements that show it
  let names = []; // as the server was told
  let about = [];
  let socket = null, heard = 0, silentSince = null, opened = 0, retry = 250, rescan = 0, told = 0;
  const values = new Map(); // name -> [value, grade, about]

  // ---- what an element shows -------------------------------------------------------------------------------------------------

  function numberText(value, decimals) {
    return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: false });
  }

  function textOf(value, about, element) {
    if (value === null || value === undefined) return "–";
    if (typeof value === "boolean") return value ? element.dataset.on ?? "on" : element.dataset.off ?? "off";
    if (about.names) return (about.names[String(value)] ?? String(value)).replaceAll("_", " ");
    const decimals = Math.min(element.dataset.decimals === undefined ? 9 : Number(element.dataset.decimals), about.decimals ?? 0);
    const scaled = element.dataset.abs === undefined ? value : Math.abs(value);
    return numberText(scaled, decimals);
  }

  function render(element, value, grade, about) {
    const kind = element.dataset.as ?? "";
    if (element.dataset.q !== GRADES[grade]) {
      element.dataset.q = GRADES[grade];
      const why = TEXTS[GRADES[grade]];
      const title = [about?.text, element.dataset.tag, why].filter(Boolean).join(" · ");
      if (element instanceof SVGElement) setTitle(element, title); else element.title = title;
    }
    if (kind === "lamp") {
      element.dataset.on = value === null ? "" : String(value);
    } else if (kind === "bar") {
      const low = Number(element.dataset.min ?? about?.min ?? 0), high = Number(element.dataset.max ?? about?.max ?? 100);
      const share = value === null ? 0 : Math.max(0, Math.min(1, (value - low) / (high - low)));
      element.style.setProperty("--share", String(share));
    } else if (kind === "flow") {
      const least = Number(element.dataset.least ?? 0.1);
      element.dataset.flow = value === null || Math.abs(value) < least ? "none" : value > 0 ? "forward" : "backward";
    } else {
      const text = textOf(value, about ?? {}, element);
      const unit = kind === "bare" || value === null || about?.names || !about?.unit ? "" : about.unit;
      const isDrawn = element instanceof SVGElement;
      textNode(element).data = isDrawn && unit ? `${text} ${unit}` : text;
      if (!isDrawn && unit && !element.querySelector("small")) {
        element.appendChild(document.createElement("small")).textContent = `\u202f${unit}`;
      } else if (!unit && !isDrawn) element.querySelector("small")?.remove();
      element.dataset.value = value === null ? "" : String(value);
    }
  }

  function textNode(element) { // its text is changed in place: replacing nodes ten times a second would keep the observer busy
    for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) return node;
    return element.insertBefore(document.createTextNode(""), element.firstChild);
  }

  function isLive(node) {
    return node.nodeType === Node.ELEMENT_NODE && (node.hasAttribute("data-tag") || node.querySelector("[data-tag]") !== null);
  }

  function setTitle(element, title) {
    if (!title) return;
    element.dataset.title = title;
    let node = element.querySelector("title");
    if (!node) {
      node = document.createElementNS("http://www.w3.org/2000/svg", "title");
      element.appendChild(node);
    }
    node.textContent = title;
  }

  // ---- which names this page shows -------------------------------------------------------------------------------------------

  function scan() {
    rescan = 0;
    const found = new Map();
    for (const element of document.querySelectorAll("[data-tag]")) {
      const list = found.get(element.dataset.tag);
      if (list) list.push(element); else found.set(element.dataset.tag, [element]);
    }
    for (const name of listeners.keys()) if (!found.has(name)) found.set(name, []);
    const before = shown;
    shown = found;
    const wanted = [...found.keys()];
    for (const [name, elements] of found) {
      const now = values.get(name);
      if (now) for (const element of elements) if (!before.get(name)?.includes(element)) render(element, ...now);
    }
    if (wanted.length !== names.length || wanted.some((name, place) => name !== names[place])) {
      names = wanted;
      values.forEach((_, name) => { if (!found.has(name)) values.delete(name); });
      send({ watch: names });
    }
  }

  function rescanSoon() {
    if (!rescan) rescan = setTimeout(scan, RESCAN_MS);
  }

  function send(message) {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  // ---- the connection --------------------------------------------------------------------------------------------------------

  function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/live?generation=${bess.generation}`);
    opened = performance.now();
    const mine = socket;
    let asked = null; // the names that the values of this connection count
    socket.onopen = () => { retry = 250; names = []; scan(); if (!names.length) send({ watch: [] }); };
    socket.onmessage = (message) => {
      const said = JSON.parse(message.data);
      if (said.about) { about = said.about; asked = names.slice(0, about.length); }
      heard = performance.now();
      take(said, asked ?? []);
    };
    socket.onclose = (event) => {
      if (mine !== socket) return;
      socket = null;
      if (event.code === 4001) return location.reload();
      if (event.code === 4002) return location.assign(bess.anonymous ? location.pathname : `/login?next=${encodeURIComponent(location.pathname)}`);
      setTimeout(connect, retry);
      retry = Math.min(retry * 2, 4000);
    };
  }

  function take(said, asked) {
    for (const [place, value, grade] of said.values) {
      const name = asked[place];
      if (name === undefined) continue;
      const known = about[place];
      const now = known ? [value, grade, known] : [null, 4, null];
      values.set(name, now);
      for (const element of shown.get(name) ?? []) render(element, ...now);
      for (const listen of listeners.get(name) ?? []) listen(...now);
    }
    if (said.about) about.forEach((known, place) => {
      if (!known) for (const element of shown.get(asked[place]) ?? []) render(element, null, 4, null);
    });
    bess.time = said.time;
    bess.state = said.state;
    document.dispatchEvent(new CustomEvent("bess:news", { detail: said }));
    standing(said.state, said.time);
    bess.pictures = (bess.pictures ?? 0) + 1;
  }

  function clockText(time) {
    return new Date(time).toLocaleTimeString("en-GB");
  }

  function say(link, text) {
    const line = document.getElementById("link");
    if (document.body.dataset.link === link && line?.textContent === text) return;
    document.body.dataset.link = link;
    if (line) { line.textContent = text; line.hidden = !text; }
  }

  function standing(state, time) {
    if (state === "no scan") {
      silentSince ??= time;
      say("silent", TEXTS.silent.replace("{time}", clockText(silentSince)));
    } else {
      silentSince = null;
      say(state === "running" ? "live" : state, TEXTS[state] ?? "");
    }
  }

  let lostSince = null;
  function watchLink() {
    const age = performance.now() - Math.max(heard, heard ? 0 : opened);
    if (age > LOST_MS) {
      lostSince ??= Date.now() - Math.round(age);
      say("lost", TEXTS.lost.replace("{time}", clockText(lostSince)));
      if (age > 5000 && socket && socket.readyState === WebSocket.OPEN) socket.close(); // half open: the other end is gone
    } else lostSince = null;
  }

  // ---- the bar: clock, the worst alarm, colours ------------------------------------------------------------------------------

  async function readBanner() {
    const banner = document.getElementById("banner");
    if (!banner || document.body.dataset.link === "lost") return;
    try {
      const answer = await fetch("/data/banner");
      if (!answer.ok) return;
      const said = await answer.json();
      const first = said.first, text = first ? first.text || first.name : banner.dataset.none;
      banner.dataset.severity = first?.active ? first.severity : "";
      banner.dataset.unseen = String(Boolean(first?.active && first.acknowledged === false));
      const more = said.active > 1 ? ` +${said.active - 1}` : "";
      banner.firstElementChild.textContent = first && !first.active ? TEXTS.gone.replace("{text}", text) : text + more;
      document.querySelector('nav [data-screen="alarms"]')?.setAttribute("data-count", said.active || "");
    } catch (error) {
      console.debug("no banner", error); // the link's own line says that nothing is heard
    }
  }

  function colours(next) {
    const order = ["auto", "day", "night"];
    const kept = localStorage.getItem("colours") ?? "auto";
    const now = next ? order[(order.indexOf(kept) + 1) % 3] : kept;
    localStorage.setItem("colours", now);
    const isNight = now === "night" || (now === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.colours = isNight ? "night" : "day";
    document.documentElement.dataset.chosen = now;
    document.dispatchEvent(new CustomEvent("bess:colours"));
  }

  function markScreen() {
    const here = location.pathname;
    for (const link of document.querySelectorAll("nav.menu a")) {
      const path = link.getAttribute("href");
      if (path === here || (path !== "/" && here.startsWith(`${path}/`))) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  // ---- dimming ---------------------------------------------------------------------------------------------------------------

  let touched = performance.now();
  function touch(event) {
    touched = performance.now();
    if (document.body.dataset.dim) {
      delete document.body.dataset.dim;
      event.preventDefault(); // the touch that wakes commands nothing
      event.stopImmediatePropagation();
      swallow = performance.now() + 400;
    }
    if (touched - told > TOUCH_MS) { told = touched; send({ touch: true }); }
  }
  let swallow = 0, clicked = 0, clickedIn = null;
  function swallowClick(event) {
    const now = performance.now(), dialog = event.target.closest?.(".q-dialog") ?? null;
    const isDouble = dialog && dialog !== clickedIn && now - clicked < 450; // the second touch of two must not answer what the first asked
    clicked = now;
    if (!isDouble) clickedIn = dialog;
    if (isDouble || now < swallow) { event.preventDefault(); event.stopImmediatePropagation(); }
  }

  function maybeDim() {
    if (bess.dim && performance.now() - touched > bess.dim * 1000) document.body.dataset.dim = "true";
  }

  // ---- for the scripts of screens --------------------------------------------------------------------------------------------

  bess.listen = (name, listen) => {
    if (!listeners.has(name)) listeners.set(name, new Set());
    listeners.get(name).add(listen);
    const now = values.get(name);
    if (now) listen(...now);
    rescanSoon();
    return () => {
      listeners.get(name)?.delete(listen);
      if (!listeners.get(name)?.size) listeners.delete(name);
      rescanSoon();
    };
  };
  bess.value = (name) => values.get(name);
  bess.textOf = (value, about) => textOf(value, about, { dataset: {} });
  bess.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  bess.script = (src) => (bess.scripts ??= {})[src] ??= new Promise((done, failed) => {
    const tag = document.createElement("script");
    tag.src = src;
    tag.type = src.endsWith(".mjs") ? "module" : "text/javascript";
    tag.onload = done;
    tag.onerror = () => failed(new Error(`${src} does not load`));
    document.head.appendChild(tag);
  });

  colours(false);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => colours(false));
  for (const kind of ["pointerdown", "keydown", "wheel"]) document.addEventListener(kind, touch, { capture: true, passive: false });
  document.addEventListener("click", swallowClick, { capture: true });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#theme")) colours(true);
  });
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver((changes) => {
      if (changes.some((change) => change.attributeName || [...change.addedNodes, ...change.removedNodes].some(isLive))) rescanSoon();
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-tag"] });
    connect();
    setInterval(watchLink, 100);
    setInterval(maybeDim, 500);
    setInterval(markScreen, 250);
    setInterval(readBanner, 1000);
    setInterval(() => { const clock = document.getElementById("clock"); if (clock) clock.textContent = clockText(Date.now()); }, 1000);
    readBanner();
  });
})();
