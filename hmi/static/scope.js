// The trace: channels at every scan as the server samples them, around a trigger. The server is asked a few times per second
// while the tab is seen; nobody asking for ten seconds ends the trace.
"use strict";
window.bessScope = (() => {
  const RUNNING_MS = 250,
    IDLE_MS = 1000;
  const { textOf, csv, saveText, NUMBER } = bessShapes;
  const { Plot } = bessPlot,
    { recolour } = bessPlotLegend,
    { savePicture, headOf, fileName } = bessPlotExport;
  const { Channel, Caught } = bessScopeCaught,
    { Channels } = bessScopeChannels,
    { stateText, caughtText, betweenText } = bessScopeSaid;

  class Scope {
    constructor(root) {
      this.root = root;
      this.frame = root.closest(".trending");
      this.said = JSON.parse(root.dataset.said);
      this.texts = this.said.texts;
      this.form = this.part("form");
      this.caught = new Caught();
      this.begun = this.seen = this.since = 0;
      this.state = { running: false };
      const options = {
        isRelative: true,
        texts: this.texts,
        shortest: 0.002,
        longest: 120,
        timeText: (t) => `${t.toFixed(4)} s`,
        onView: () => {
          this.isHeld = true;
          this.showCursors();
        },
        onHome: () => {
          this.isHeld = false;
          this.showAll();
        },
        onCursors: () => this.showCursors(),
      };
      this.plot = new Plot(this.part("chart"), options);
      this.channels = new Channels({
        names: [...this.said.channels],
        texts: this.texts,
        list: this.part("legend"),
        none: this.part("none"),
        trigger: this.form.elements.on,
        onChange: () => {
          this.showValues();
          this.showCursors();
        },
      });
      bessTagFind.begin(root.querySelector(".find"), (name) => this.add(name), { withPins: true, texts: this.texts });
      this.buttons();
      this.recolour = () => {
        recolour(this.caught.lines);
        this.plot.drawSoon();
      };
      document.addEventListener("bess:colours", this.recolour);
      this.channels.changed();
    }

    part(name) {
      return this.frame.querySelector(`[data-part="scope-${name}"]`);
    }

    end() {
      clearTimeout(this.waiting);
      document.removeEventListener("bess:colours", this.recolour);
      this.plot.end();
    }

    // ---- what is touched

    buttons() {
      for (const [name, does] of [
        ["run", () => this.start(false)],
        ["single", () => this.start(true)],
        ["stop", () => this.tell("trace-stop")],
      ]) {
        this.frame.querySelector(`[data-part="${name}"]`).addEventListener("click", does);
      }
      this.part("cursors").addEventListener("click", () => {
        this.plot.setCursors(!this.plot.cursors);
        this.pressed();
      });
      this.part("csv").addEventListener("click", () => this.exportCsv());
      this.part("png").addEventListener("click", () => savePicture(this.plot, this.fileName("png"), this.title()));
      this.form.addEventListener("submit", (event) => event.preventDefault());
    }

    pressed() {
      this.part("cursors").setAttribute("aria-pressed", String(Boolean(this.plot.cursors)));
    }

    add(name) {
      if (this.channels.isFull) this.complain(this.texts.full);
      else this.channels.add(name);
    }

    // ---- start and stop: the page's server asks for the role, says why not, and notes it

    start(isSingle) {
      const { seconds, on, edge, level, hysteresis, share } = this.form.elements,
        { names } = this.channels;
      if (!names.length) return this.complain(this.texts.none_to_start);
      if (!level.checkValidity() || !hysteresis.checkValidity()) return this.complain(this.texts.wrong);
      this.complain("");
      this.tell("trace-start", {
        names,
        seconds: Number(seconds.value),
        on: on.value,
        edge: edge.value,
        level: Number(level.value),
        hysteresis: Math.abs(Number(hysteresis.value)),
        share: Number(share.value),
        single: isSingle,
      });
    }

    tell(name, detail = {}) {
      this.root.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
      this.askSoon(200);
    }

    complain(text) {
      this.part("why").textContent = text;
    }

    // ---- what the server has

    async open() {
      if (!this.plot.chart) await this.plot.begin();
      this.askSoon(0);
    }

    askSoon(wait) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.ask(), wait);
    }

    async ask() {
      if (!this.root.isConnected) return this.end();
      if (this.root.hidden || document.hidden) return this.askSoon(IDLE_MS);
      try {
        const answer = await fetch(`/data/scope?seen=${this.seen}&since=${this.since}`);
        if (!answer.ok) throw new Error(String(answer.status));
        this.take(await answer.json());
        this.trouble = false;
      } catch (error) {
        this.trouble = true;
        this.complain(this.texts.unseen.replace("{why}", error.message));
      }
      this.askSoon(this.state.running ? RUNNING_MS : IDLE_MS);
    }

    take(state) {
      if (this.trouble) this.complain("");
      if (state.begun !== this.begun) {
        this.another(state);
        if (state.begun) return this.askSoon(0); // all of it, not only what came since
      }
      this.state = state;
      if (state.window && state.windows > this.seen) {
        this.seen = state.windows;
        this.caught.put(state.window);
        this.plot.marks = state.window.trigger >= 0 ? [{ t: 0, severity: "none" }] : [];
        this.showCaught();
        this.showCursors();
      }
      if (state.samples?.numbers.length) {
        this.caught.append(state.samples, state.of);
        this.since = this.caught.last;
        this.showCaught();
      }
      this.pressed();
      this.part("state").textContent = stateText(state, this.texts);
      this.part("time").textContent = caughtText(state, this.caught, this.texts);
      this.showValues();
    }

    // Another trace than the one that is shown.
    another(state) {
      const isFirst = this.begun === 0,
        { channels } = this,
        known = state.channels ?? [];
      this.begun = state.begun;
      this.seen = this.since = 0;
      this.isHeld = false;
      if (known.length && (!isFirst || !channels.names.length || state.running)) channels.replace(known.map((about) => about.name));
      const numberOf = (name, at) => (channels.names.includes(name) ? channels.numberOf(name) : at + 1);
      this.caught = new Caught(known.map((about, at) => new Channel(about, numberOf(about.name, at), this.texts.switch)));
      this.plot.lines = this.caught.lines;
      this.plot.marks = [];
      this.plot.drawSoon();
    }

    // ---- what is shown

    showCaught() {
      if (!this.isHeld) this.showAll();
      else this.plot.drawSoon();
    }

    showAll() {
      const { seconds } = this.caught;
      if (!seconds.length) return;
      const length = (this.state.of * this.state.every * this.state.tick) / 1e9,
        end = seconds.at(-1);
      this.plot.show(this.state.windows ? seconds[0] : Math.min(seconds[0], end - length), end);
      if (this.plot.cursors) this.showCursors();
    }

    showValues() {
      this.channels.values(this.caught.lines, this.state.running ? this.state.last : null);
    }

    showCursors() {
      const { cursors } = this.plot,
        between = this.part("between");
      this.channels.notes(this.caught.lines, cursors);
      between.hidden = !cursors;
      if (cursors) between.textContent = betweenText(cursors, this.texts);
    }

    // ---- export

    title() {
      const { when } = this.caught;
      return `${this.said.site}   ${when === undefined ? "" : new Date(when).toISOString()}`;
    }

    fileName(end) {
      return fileName(`${this.said.site}-trace`, this.caught.when ?? Date.now(), end);
    }

    exportCsv() {
      const { start, end } = this.plot.view,
        { seconds, walls, lines } = this.caught;
      const heads = ["seconds", "time (UTC)", ...lines.map(headOf)];
      const rows = seconds
        .map((t, at) => [t, at])
        .filter(([t]) => t >= start && t <= end)
        .map(([t, at]) => [
          t.toFixed(6),
          new Date(walls[at]).toISOString(),
          ...lines.map((line) => (line.kind === NUMBER ? line.v[at] : textOf(line, line.v[at]))),
        ]);
      saveText(this.fileName("csv"), csv(heads, rows));
    }
  }

  let here = null;

  async function begin() {
    const root = document.getElementById("scope");
    if (!root) return;
    if (here?.root !== root) here = new Scope(root);
    await here.open();
  }

  return { begin };
})();
