// The live diagram of a program: which one, what of it is in view, what is looked for and touched.
"use strict";
(() => {
  const { Sheet, Marks, MOST_LIVE } = bessSheet, { Panel, made, kept } = bessPanel, View = bessView;
  const MOST_FOUND = 12, POLL_MS = 500, LOOK_MS = 120, KEPT = "bess-diagram";
  const RINGS = [0, 6, 12, 18]; // px around a touch in which something thin is looked for

  function isWritten(markup, tag) { // the tags that an output writes stand behind it in the drawing, as those that an input reads do
    const at = markup.lastIndexOf(` data-name="${tag}"`);
    return at >= 0 && markup.lastIndexOf('<g class="out', at) > markup.lastIndexOf('<g class="in"', at);
  }

  function titleOf(element) {
    return [...element.children].find((child) => child.tagName === "title")?.textContent ?? "";
  }

  class Diagram {
    constructor(root, texts) {
      this.root = root;
      this.texts = texts;
      const find = (kind) => root.querySelector(kind);
      [this.canvas, this.chooser, this.search, this.found, this.line] = [".canvas", ".programs", ".search input", ".search ul", ".said"].map(find);
      this.kept = kept(KEPT, {});
      this.views = this.kept.views ?? {};
      this.isSame = false;
      this.panel = new Panel(this, find(".side"));
      this.view = new View(this.canvas, () => this.moved());
      this.controls();
      const asked = new URLSearchParams(location.search);
      this.program = asked.get("program") ?? this.kept.program ?? "";
      this.at = asked.get("at");
      this.poll(false);
    }

    controls() {
      const on = (kind, act) => this.root.querySelector(kind).addEventListener("click", act);
      on(".larger", () => this.view.zoom(1.4));
      on(".smaller", () => this.view.zoom(1 / 1.4));
      on(".show-all", () => this.view.fit());
      on(".side-toggle", (event) => {
        const isOpen = this.root.classList.toggle("bare") === false;
        event.currentTarget.setAttribute("aria-pressed", String(isOpen));
      });
      this.chooser.addEventListener("change", () => this.load(this.chooser.value));
      this.search.addEventListener("input", () => this.suggest());
      this.search.addEventListener("keydown", (event) => {
        if (event.key === "Enter") this.found.querySelector("button")?.click();
        if (event.key === "Escape") { this.search.value = ""; this.suggest(); }
        if (event.key === "ArrowDown") this.found.querySelector("button")?.focus();
      });
      this.canvas.addEventListener("click", (event) => { if (!this.view.wasDragged) this.touch(event); });
      this.canvas.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      const step = 60, deeds = {
        ArrowLeft: () => this.view.pan(step, 0), ArrowRight: () => this.view.pan(-step, 0), ArrowUp: () => this.view.pan(0, step),
        ArrowDown: () => this.view.pan(0, -step), "+": () => this.view.zoom(1.25), "=": () => this.view.zoom(1.25),
        "-": () => this.view.zoom(0.8), 0: () => this.view.fit(), "/": () => this.search.focus(),
      };
      if (!deeds[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      deeds[event.key]();
    }

    note(text, deed) {
      this.line.replaceChildren(...(text ? [made("span", text)] : []));
      if (deed) {
        const again = made("button", this.texts.again);
        again.type = "button";
        again.addEventListener("click", deed);
        this.line.append(again);
      }
      this.line.hidden = !text;
    }

    async poll(again) {
      if (!this.root.isConnected) return;
      try {
        const answer = await fetch(`/data/diagrams${again ? "?again=true" : ""}`);
        if (!answer.ok) throw new Error(await answer.text());
        this.take(await answer.json());
      } catch (error) {
        this.note(this.texts.unreachable.replace("{why}", error.message));
        setTimeout(() => this.poll(false), POLL_MS * 4);
      }
    }

    take(said) {
      this.isSame = said.same && said.programs.length > 0;
      if (said.programs.length && this.chooser.dataset.generation !== said.generation) this.fill(said);
      if (said.drawn.includes(this.program) && this.shown !== this.program && this.loading !== this.program) this.load(this.program);
      if (said.state === "failed") return this.note([this.texts.failed, ...said.problems].join("\n"), () => this.again());
      if (said.state === "done") return this.shown || this.loading ? this.hint() : undefined;
      const told = said.state === "reading" ? this.texts.reading : this.texts.drawing;
      this.note(told.replace("{n}", said.drawn.length).replace("{all}", said.programs.length));
      setTimeout(() => this.poll(false), POLL_MS);
    }

    again() {
      this.shown = "";
      this.chooser.dataset.generation = "";
      this.poll(true);
    }

    fill(said) {
      this.chooser.dataset.generation = said.generation;
      const tasks = new Map();
      for (const { name, task } of said.programs) {
        if (!tasks.has(task)) tasks.set(task, made("optgroup"));
        tasks.get(task).label = task;
        tasks.get(task).append(made("option", name));
      }
      this.chooser.replaceChildren(...tasks.values());
      if (!said.programs.some(({ name }) => name === this.program)) this.program = said.programs[0].name;
      this.chooser.value = this.program;
    }

    hint() {
      if (!this.isSame) this.note(this.texts.differs, () => this.again());
      else this.note(this.isAll === false ? this.texts.too_many.replace("{n}", MOST_LIVE) : "");
    }

    async load(program) {
      this.program = this.loading = program;
      this.chooser.value = program;
      try {
        const answer = await fetch(`/data/diagrams/${encodeURIComponent(program)}`);
        const text = await answer.text();
        if (!answer.ok) throw new Error(text);
        if (this.loading !== program || !this.root.isConnected) return; // another one was chosen meanwhile
        this.draw(program, text);
      } catch (error) {
        this.clear(); // what is shown is not what is chosen
        this.note(this.texts.unreachable.replace("{why}", error.message), () => this.load(program));
      } finally {
        if (this.loading === program) this.loading = "";
      }
    }

    clear() {
      this.marks?.close();
      this.marks = this.sheet = null;
      this.canvas.replaceChildren();
      this.shown = "";
    }

    draw(program, text) {
      this.marks?.close();
      this.sheet = new Sheet(text);
      const { svg } = this.sheet;
      for (const [name, said] of Object.entries({ width: "100%", height: "100%", preserveAspectRatio: "xMinYMin meet", role: "img", "aria-label": program })) {
        svg.setAttribute(name, said);
      }
      this.canvas.replaceChildren(svg);
      this.shown = program;
      this.marks = this.isSame ? new Marks(this.texts) : null;
      this.view.show(this.sheet, this.views[program]);
      this.search.value = "";
      this.suggest();
      if (this.at) { this.find(this.at); this.at = ""; }
      this.hint();
    }

    moved() { // while it moves, what comes into view is drawn now and then; what has come to rest is kept
      if (!this.due) this.due = setTimeout(() => this.look(), LOOK_MS);
    }

    look() {
      this.due = 0;
      if (!this.root.isConnected) return this.close();
      if (!this.sheet) return;
      const { x, y, scale, box } = this.view;
      this.views[this.shown] = { x, y, scale };
      sessionStorage.setItem(KEPT, JSON.stringify({ program: this.shown, views: this.views }));
      const { come, gone, isAll } = this.sheet.look(box);
      let isLive = isAll;
      if (this.marks) {
        this.marks.go(gone);
        for (const [element, piece] of come) this.marks.come(element, piece);
        isLive = this.marks.look(box) && isAll;
      }
      if (this.wanted) this.point();
      if (isLive !== this.isAll) { this.isAll = isLive; this.hint(); }
    }

    // ---- finding and touching ----

    suggest() {
      const asked = this.search.value.trim().toLowerCase(), words = asked.split(/\s+/);
      const named = asked && this.sheet ? [...this.sheet.places.keys()] : [];
      const hits = named.filter((name) => words.every((word) => name.toLowerCase().includes(word))).slice(0, MOST_FOUND);
      this.found.replaceChildren(...hits.map((name) => {
        const row = made("li"), button = made("button", name);
        button.type = "button";
        button.addEventListener("click", () => { this.find(name); this.search.value = ""; this.suggest(); this.canvas.focus(); });
        row.append(button);
        return row;
      }));
      if (asked && !hits.length) this.found.append(made("li", this.texts.none_found, "note"));
      this.found.hidden = !asked;
    }

    find(name, isMade = false) { // isMade: the tag as it is written, not as it is read
      const found = this.sheet?.places.get(name);
      if (!found) return;
      const writer = isMade ? this.sheet.pieces.find(({ isBox, markup }) => isBox && isWritten(markup, name)) : null;
      this.wanted = { name, isMade, piece: writer ?? found.piece, tag: found.tag };
      this.view.centre(writer?.place ?? found.box);
      if (!found.piece) this.panel.choose({ title: name });
    }

    point() { // what was looked for is in the page by now
      const { name, isMade, piece, tag } = this.wanted, box = piece && this.sheet.element(piece);
      this.wanted = null;
      if (!box) return;
      const chips = tag ? [...box.querySelectorAll(".chip.tag")].filter((chip) => chip.dataset.name === name) : [];
      const element = (isMade ? chips.at(-1) : chips[0]) ?? box;
      this.mark(element);
      this.panel.choose(this.subject(element));
    }

    mark(element) {
      for (const one of this.canvas.querySelectorAll(".found")) one.classList.remove("found");
      element.classList.add("found");
    }

    async go({ pin, program, tag }) { // to where a value is made, in whichever program
      const instance = pin?.slice(0, pin.lastIndexOf("."));
      const where = program ?? instance.split(".")[0];
      if (where !== this.shown) {
        if (![...this.chooser.options].some((option) => option.value === where)) return;
        await this.load(where);
      }
      if (tag) return this.find(tag, true);
      const known = [instance, instance.replace(/\[\d+\]$/, "")].find((name) => this.sheet?.places.has(name));
      if (known) this.find(known);
    }

    touch(event) {
      const wanted = ".chip, [data-pin], .wire, [data-lit], [data-box]";
      let best = null;
      for (const far of RINGS) {
        for (let turn = 0; turn < (far ? 8 : 1) && !best; turn++) {
          const x = event.clientX + far * Math.cos(turn * Math.PI / 4), y = event.clientY + far * Math.sin(turn * Math.PI / 4);
          const hit = document.elementFromPoint(x, y)?.closest(wanted);
          if (hit && this.canvas.contains(hit) && (far === 0 || !hit.matches("[data-box]"))) best = hit;
        }
      }
      if (!best) return;
      this.mark(best);
      this.panel.choose(this.subject(best));
    }

    subject(element) {
      const live = element.dataset.live;
      if (element.matches(".chip")) return this.ofChip(element);
      if (element.matches("[data-pin]")) return this.ofPin(element);
      if (element.matches(".wire[data-from]")) {
        const from = this.sheet.pin(element.dataset.from), to = this.sheet.pin(element.dataset.to);
        const title = from ? titleOf(from) : element.dataset.from;
        return { title, key: live, unit: element.dataset.unit, more: to ? [[this.texts.to, titleOf(to).split("\n")[0]]] : [] };
      }
      if (element.matches(".wire")) return { title: live?.replace(/^pin:/, "") ?? this.texts.literal, key: live, unit: element.dataset.unit };
      if (element.matches("[data-lit]")) {
        return { title: titleOf(element) || live.replace(/^pin:/, ""), key: live, tag: element.dataset.name };
      }
      return this.ofBox(element);
    }

    ofChip(chip) {
      const key = chip.dataset.live, tag = chip.dataset.name, unit = chip.dataset.unit, title = titleOf(chip) || titleOf(chip.querySelector("text") ?? chip);
      const made = key?.startsWith("pin:") ? key.slice(4) : "";
      const program = /^written by program (\S+)$/m.exec(title)?.[1];
      const named = made && !title.split("\n")[0].includes(": ") ? `${made}\n${title}` : title;
      return { title: named || this.texts.literal, key, tag, unit, goes: made ? { pin: made } : program ? { program, tag } : null };
    }

    ofPin(pin) {
      const path = pin.dataset.pin, unit = /^[^\n]*: [^,\n]+, ([^\n]+)/.exec(titleOf(pin))?.[1] ?? "";
      return { title: titleOf(pin), key: path.startsWith("=") ? "" : `pin:${path}`, unit };
    }

    ofBox(box) {
      const pins = [...box.querySelectorAll("[data-pin]")].map((pin) => ({ ...this.ofPin(pin), label: pin.dataset.pin.slice(pin.dataset.pin.lastIndexOf(".") + 1) }));
      return { title: titleOf(box), pins: pins.filter(({ key }) => key) };
    }

    close() {
      this.marks?.close();
      this.panel.close();
      this.view.close();
    }
  }

  window.bessDiagram = { begin: (root, texts) => new Diagram(root, texts) };
})();
