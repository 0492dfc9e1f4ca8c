// The screen of the program: its tabs, and what of them is asked for once a second while it is shown.
"use strict";
(() => {
  const EVERY_MS = 1000, KEPT = "bess-program", SPARK_MS = 120000, SPARK = [64, 20], SVG = "http://www.w3.org/2000/svg";

  // ---- what is fetched takes the place of what is shown, element by element, so that focus, selection and scrolling stay ----

  function morph(old, next) {
    if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName) return old.replaceWith(next.cloneNode(true));
    if (old.nodeType === Node.TEXT_NODE) { if (old.data !== next.data) old.data = next.data; return; }
    if (old.nodeType !== Node.ELEMENT_NODE) return;
    if (old.dataset.spark && old.dataset.spark === next.dataset.spark) return;
    if (old.dataset.tag) { // the page's script keeps it true
      if (old.dataset.tag !== next.dataset.tag) old.replaceWith(next.cloneNode(true));
      return;
    }
    for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    while (old.childNodes.length > next.childNodes.length) old.lastChild.remove();
    [...next.childNodes].forEach((child, place) => {
      if (place < old.childNodes.length) morph(old.childNodes[place], child);
      else old.append(child.cloneNode(true));
    });
  }

  // ---- small trends -----------------------------------------------------------------------------------------------------------

  class Sparks {
    constructor() { this.known = new Map(); } // tag -> { points, off }

    look(part) {
      for (const svg of part.querySelectorAll("[data-spark]")) {
        const tag = svg.dataset.spark;
        if (!this.known.has(tag)) this.hear(tag);
        this.draw(svg, this.known.get(tag));
      }
    }

    hear(tag) {
      const one = { points: [], value: null };
      one.off = bess.listen(tag, (value, grade) => { one.value = grade === 0 || grade === 3 ? value : null; });
      this.known.set(tag, one);
    }

    sample() { // once a second: a change between two looks is none that 64 pixels could show
      const now = performance.now();
      for (const one of this.known.values()) {
        one.points.push([now, one.value]);
        while (one.points.length && now - one.points[0][0] > SPARK_MS) one.points.shift();
      }
    }

    draw(svg, { points }) {
      const [wide, high] = SPARK, now = performance.now();
      const most = Math.max(0.001, ...points.map(([, value]) => value ?? 0));
      let line = "", isDown = false;
      for (const [at, value] of points) {
        if (value === null) { isDown = false; continue; }
        line += `${isDown ? "L" : "M"}${(wide - (now - at) / SPARK_MS * wide).toFixed(1)} ${(high - 1 - value / most * (high - 3)).toFixed(1)}`;
        isDown = true;
      }
      let path = svg.firstElementChild;
      if (!path) {
        svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
        path = svg.appendChild(document.createElementNS(SVG, "path"));
      }
      path.setAttribute("d", line);
    }

    close() { for (const { off } of this.known.values()) off(); }
  }

  // ---- tabs -------------------------------------------------------------------------------------------------------------------

  class Screen {
    constructor(root, texts) {
      this.root = root;
      this.texts = texts;
      this.sparks = new Sparks();
      this.tabs = [...root.querySelectorAll("[role=tab]")];
      for (const tab of this.tabs) tab.addEventListener("click", () => this.show(tab.dataset.tab));
      root.querySelector("[role=tablist]").addEventListener("keydown", (event) => this.key(event));
      const asked = new URLSearchParams(location.search);
      const first = asked.get("tab") ?? (asked.has("program") ? "diagram" : sessionStorage.getItem(KEPT));
      this.show(this.tabs.some((tab) => tab.dataset.tab === first) ? first : "diagram");
      this.timer = setInterval(() => this.look(), EVERY_MS);
    }

    key(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const at = this.tabs.findIndex((tab) => tab.dataset.tab === this.tab);
      const next = this.tabs[(at + step + this.tabs.length) % this.tabs.length];
      this.show(next.dataset.tab);
      next.focus();
    }

    show(name) {
      this.tab = name;
      sessionStorage.setItem(KEPT, name);
      this.root.dataset.tab = name;
      for (const tab of this.tabs) {
        const isIt = tab.dataset.tab === name;
        tab.setAttribute("aria-selected", String(isIt));
        tab.tabIndex = isIt ? 0 : -1;
        document.getElementById(tab.getAttribute("aria-controls")).hidden = !isIt;
      }
      if (name === "diagram") this.diagram ??= bessDiagram.begin(document.getElementById("program-diagram"), this.texts);
      this.look();
    }

    async look() {
      if (!this.root.isConnected) {
        clearInterval(this.timer);
        this.sparks.close();
        this.diagram?.close();
        return;
      }
      this.sparks.sample();
      const tab = this.tab, part = document.querySelector(`[data-part="${tab}"]`);
      if (!part || this.asking || document.hidden) return;
      this.asking = true;
      try {
        const answer = await fetch(`/data/program/${tab}`);
        if (!answer.ok) throw new Error(await answer.text());
        const next = document.createElement("div");
        next.innerHTML = await answer.text();
        if (part.isConnected) this.take(part, next);
      } catch (error) {
        console.debug("not fetched", error); // the link's own line says that nothing is heard, and all of it is greyed out
      } finally {
        this.asking = false;
      }
    }

    take(part, next) {
      while (part.childNodes.length > next.childNodes.length) part.lastChild.remove();
      [...next.childNodes].forEach((child, place) => {
        if (place < part.childNodes.length) morph(part.childNodes[place], child);
        else part.append(child.cloneNode(true));
      });
      this.sparks.look(part);
    }
  }

  window.bessProgram = { begin: (texts) => new Screen(document.getElementById("program"), texts) };
})();
