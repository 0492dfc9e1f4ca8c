// Draws the analogue bars and the small trends of a screen; its elements say by their data what they show.
"use strict";
(() => {
  const HOUR = 3600000, REFRESH = 30000, POINTS = 120;
  const SVG = "http://www.w3.org/2000/svg";

  function child(parent, style) {
    const made = document.createElement("i");
    made.className = style;
    parent.appendChild(made);
    return made;
  }

  function nameOf(figure) { return figure.startsWith("-") ? figure.slice(1) : figure; } // `-set.export_limit` is that value, negative

  // ---- a bar -------------------------------------------------------------------------------------------------------------------

  class Gauge {
    constructor(element, page) {
      this.element = element;
      this.plan = JSON.parse(element.dataset.gauge);
      this.page = page;
      this.low = this.plan.low ?? 0;
      this.high = this.plan.high ?? this.low + 1;
      this.isOpen = this.plan.high === undefined; // its end is the largest that was seen
      element.replaceChildren();
      const { band, span, limits = {}, marks = [] } = this.plan;
      child(element, "track");
      this.band = band && child(element, "band");
      this.limits = Object.entries(limits).map(([name, source]) => [name, source, child(element, `limit ${name.toLowerCase()}`)]);
      this.fill = span || this.plan.origin !== undefined ? child(element, "fill") : null;
      if (this.plan.origin !== undefined && this.plan.origin > this.low) child(element, "origin").style.left = this.at(this.plan.origin);
      this.marks = marks.map((source) => [source, child(element, "mark")]);
      this.pointer = this.plan.value && child(element, "pointer");
      for (const source of [this.plan.value, ...(band ?? []), ...(span ?? []), ...marks, ...Object.values(limits)]) page.hear(source, this);
    }

    at(value) { return `${(100 * Math.max(0, Math.min(1, (value - this.low) / (this.high - this.low || 1)))).toFixed(2)}%`; }

    stretch(element, from, to) {
      const isKnown = from !== null && to !== null;
      element.hidden = !isKnown;
      if (!isKnown) return;
      const left = this.at(Math.min(from, to));
      element.style.left = left;
      element.style.width = `calc(${this.at(Math.max(from, to))} - ${left})`;
    }

    place(element, value) {
      element.hidden = value === null;
      if (value !== null) element.style.left = this.at(value);
    }

    draw() {
      const { page, plan } = this;
      const value = plan.value === undefined ? null : page.number(plan.value);
      const span = plan.span?.map((source) => page.number(source));
      const shown = (span ?? [value]).filter((one) => one !== null);
      if (this.isOpen) this.high = Math.max(this.high, ...shown.map((one) => 1.2 * Math.abs(one)));
      if (this.band) this.stretch(this.band, ...plan.band.map((source) => page.number(source)));
      if (span) this.stretch(this.fill, ...span);
      else if (this.fill) this.stretch(this.fill, plan.origin, value);
      if (this.pointer) this.place(this.pointer, value);
      for (const [source, element] of this.marks) this.place(element, page.number(source));
      for (const [, source, element] of this.limits) this.place(element, page.number(source));
      this.element.dataset.level = this.level(shown);
      this.element.dataset.q = ["good", "uncertain", "bad", "forced", "unknown"][page.grade(plan.value ?? plan.span[0])];
    }

    level(shown) {
      let worst = "";
      for (const [name, source] of this.limits) {
        const limit = this.page.number(source);
        if (limit === null || !shown.some((one) => (name.startsWith("H") ? one >= limit : one <= limit))) continue;
        if (name.length === 2) return "error";
        worst = "warning";
      }
      return worst;
    }
  }

  // ---- a small trend -----------------------------------------------------------------------------------------------------------

  class Spark {
    constructor(element, page, texts) {
      this.element = element;
      this.texts = texts;
      this.page = page;
      this.plan = JSON.parse(element.dataset.spark);
      this.t = []; this.v = [];
      this.line = document.createElementNS(SVG, "path");
      const sheet = document.createElementNS(SVG, "svg");
      sheet.setAttribute("viewBox", "0 0 100 40");
      sheet.setAttribute("preserveAspectRatio", "none");
      sheet.append(this.line);
      this.top = child(element, "top"); this.bottom = child(element, "bottom");
      this.end = document.createElement("b");
      element.append(sheet, this.top, this.bottom, this.end);
      page.hear(this.plan.tag, null);
    }

    take(found) {
      this.isMissing = !found;
      this.t = found?.t ?? [];
      this.v = found?.v ?? [];
      this.draw();
    }

    draw() {
      const now = bess.time ?? Date.now(), start = now - HOUR;
      const live = this.page.number(this.plan.tag), known = this.v.filter((one) => one !== null);
      if (live !== null) known.push(live);
      const low = Math.min(...known), high = Math.max(...known), middle = (low + high) / 2;
      const half = Math.max((high - low) / 2, this.plan.least / 2) * 1.08;
      const y = (value) => (38 - (36 * (value - middle + half)) / (2 * half)).toFixed(2);
      const x = (time) => Math.max(0, Math.min(100, (100 * (time - start)) / HOUR)).toFixed(2);
      let path = "", isDrawn = false;
      this.t.forEach((time, place) => { // a value holds until the next one; null is a gap
        const value = this.v[place];
        if (isDrawn) path += `H${x(time)}`;
        if (value !== null) path += isDrawn ? `V${y(value)}` : `M${x(time)} ${y(value)}`;
        isDrawn = value !== null;
      });
      if (isDrawn && live !== null) path += `H100V${y(live)}`;
      this.line.setAttribute("d", path);
      this.end.hidden = live === null || this.isMissing;
      if (live !== null && !this.isMissing) this.end.style.top = `${(100 * y(live)) / 40}%`;
      const digits = Math.min(this.page.about(this.plan.tag)?.decimals ?? 1, this.plan.least < 1 ? 3 : 1);
      const isNamed = path && known.length;
      this.top.textContent = isNamed ? high.toFixed(digits) : this.isMissing ? this.texts.missing : "";
      this.bottom.textContent = isNamed ? low.toFixed(digits) : "";
    }
  }

  // ---- a screen with them ------------------------------------------------------------------------------------------------------

  class Page {
    constructor(root) {
      this.root = root;
      this.stops = new Map(); // name -> unlisten
      this.users = new Map(); // name -> gauges
      this.dirty = new Set();
      const texts = { missing: root.dataset.missing ?? "" };
      this.gauges = [...root.querySelectorAll("[data-gauge]")].map((element) => new Gauge(element, this));
      this.sparks = [...root.querySelectorAll("[data-spark]")].map((element) => new Spark(element, this, texts));
      this.gauges.forEach((gauge) => this.dirty.add(gauge));
      this.soon();
      this.clock = setInterval(() => this.tick(), 1000);
      this.asked = -REFRESH;
      this.tick();
    }

    hear(figure, gauge) {
      if (typeof figure !== "string") return;
      const source = nameOf(figure);
      if (!this.users.has(source)) this.users.set(source, []);
      if (gauge) this.users.get(source).push(gauge);
      if (!this.stops.has(source)) {
        this.stops.set(source, null);
        this.stops.set(source, bess.listen(source, () => {
          for (const user of this.users.get(source)) this.dirty.add(user);
          if (this.dirty.size) this.soon();
        }));
      }
    }

    number(figure) {
      if (typeof figure === "number") return figure;
      const value = bess.value(nameOf(figure))?.[0];
      return typeof value !== "number" ? null : figure.startsWith("-") ? -value : value;
    }

    grade(figure) { return bess.value(nameOf(figure))?.[1] ?? 2; }
    about(source) { return bess.value(source)?.[2]; }

    soon() {
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        for (const gauge of this.dirty) gauge.draw();
        this.dirty.clear();
      });
    }

    tick() {
      if (!this.root.isConnected) {
        clearInterval(this.clock);
        for (const stop of this.stops.values()) stop?.();
        return;
      }
      if (!this.sparks.length || document.body.dataset.link === "lost") return;
      if (performance.now() - this.asked >= REFRESH) this.read();
      else for (const spark of this.sparks) spark.draw();
    }

    async read() {
      this.asked = performance.now();
      const now = Math.round(bess.time ?? Date.now());
      const tags = this.sparks.map((spark) => spark.plan.tag).join(",");
      try {
        const answer = await fetch(`/data/history?tags=${encodeURIComponent(tags)}&start=${now - HOUR}&end=${now}&points=${POINTS}`);
        const said = answer.ok ? (await answer.json()).tags : {};
        for (const spark of this.sparks) spark.take(said[spark.plan.tag]);
      } catch (error) {
        console.debug("no history", error); // the link's own line says that nothing is heard; what was drawn stays, greyed out
      }
    }
  }

  window.bessGauges = { begin: (root) => new Page(root) };
})();
