// The trace: channels at every scan as the server samples them, around a trigger. The server is asked a few times per second
// while the tab is seen; nobody asking for ten seconds ends the trace.
"use strict";
window.bessScope = (() => {
  const MOST = 8,
    RUNNING_MS = 250,
    IDLE_MS = 1000;
  const { Plot } = bessPlot,
    { placeAt, readAt, textOf, csv, save, saveText, NUMBER, SWITCH } = bessShapes;

  class Channel {
    constructor(about, number, words) {
      Object.assign(this, { name: about.name, number, words, v: [], colour: bess.colour(`trend-${number}`) });
      this.kind = about.type === "BOOL" ? SWITCH : Object.keys(about.names ?? {}).length ? "words" : NUMBER;
      this.names = this.kind === "words" ? about.names : undefined;
      this.unit = about.unit || (about.type === "TIME" ? "ns" : "");
      this.decimals = about.type === "LREAL" ? 4 : 0;
    }

    // All samples are there, and each has its value: what is no number is a hole.
    data(start, end) {
      const { seconds } = this.of;
      const low = Math.max(placeAt(seconds, start), 0),
        high = placeAt(seconds, end) + 1;
      const t = seconds.slice(low, high),
        v = this.v.slice(low, high);
      return { t, v, q: v.map((value) => (value === null ? 2 : 0)), until: seconds.at(-1) ?? -Infinity };
    }
  }

  class Scope {
    constructor(root) {
      this.root = root;
      this.frame = root.closest(".trending");
      this.said = JSON.parse(root.dataset.said);
      this.texts = this.said.texts;
      this.names = [...this.said.channels];
      this.numbers = new Map(); // name -> the number and colour that it keeps while it is chosen
      this.form = this.part("form");
      this.caught = { seconds: [], walls: [], trigger: -1 };
      this.lines = [];
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
      bessTagFind.begin(root.querySelector(".find"), (name) => this.add(name), { withPins: true, texts: this.texts });
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
      this.part("png").addEventListener("click", () => {
        this.plot.draw();
        save(this.fileName("png"), this.plot.picture(this.title()));
      });
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.recolour = () => {
        for (const line of this.lines) line.colour = bess.colour(`trend-${line.number}`);
        this.plot.drawSoon();
      };
      document.addEventListener("bess:colours", this.recolour);
      this.legend();
    }

    part(name) {
      return this.frame.querySelector(`[data-part="scope-${name}"]`);
    }

    // ---- channels

    add(name) {
      if (this.names.length >= MOST) return this.complain(this.texts.full);
      if (!this.names.includes(name)) this.names.push(name);
      this.legend();
    }

    numberOf(name) {
      if (!this.numbers.has(name)) {
        const taken = [...this.numbers].filter(([one]) => this.names.includes(one)).map(([, number]) => number);
        this.numbers.set(name, [1, 2, 3, 4, 5, 6, 7, 8].find((number) => !taken.includes(number)) ?? 1);
      }
      return this.numbers.get(name);
    }

    // The channels that are chosen, each with its colour and what it was last; those of the trace where it is another's.
    legend() {
      const shown = this.names;
      this.part("none").hidden = shown.length > 0;
      for (const name of [...this.numbers.keys()]) if (!shown.includes(name)) this.numbers.delete(name);
      this.part("legend").replaceChildren(
        ...shown.map((name) => {
          const row = document.createElement("li"),
            badge = row.appendChild(document.createElement("span"));
          badge.className = "badge";
          badge.style.setProperty("--colour", `var(--trend-${this.numberOf(name)})`);
          badge.textContent = this.numberOf(name);
          const label = row.appendChild(document.createElement("span"));
          label.className = "name";
          label.textContent = label.title = name;
          const value = row.appendChild(document.createElement("span"));
          value.className = "value live";
          value.dataset.of = name;
          const remove = row.appendChild(document.createElement("button"));
          remove.className = "plain";
          remove.type = "button";
          remove.textContent = "×";
          remove.setAttribute("aria-label", this.texts.remove.replace("{name}", name));
          remove.addEventListener("click", () => {
            this.names.splice(this.names.indexOf(name), 1);
            this.legend();
          });
          const note = row.appendChild(document.createElement("small"));
          note.className = "more live";
          note.dataset.of = name;
          return row;
        }),
      );
      this.triggers();
      this.showValues();
      this.showCursors();
    }

    triggers() {
      const field = this.form.elements.on,
        before = field.value;
      const none = field.options[0];
      field.replaceChildren(none, ...this.names.map((name) => new Option(name, name)));
      field.value = this.names.includes(before) ? before : "";
    }

    // ---- start and stop: the page's server asks for the role, says why not, and notes it

    start(isSingle) {
      const { seconds, on, edge, level, hysteresis, share } = this.form.elements;
      if (!this.names.length) return this.complain(this.texts.none_to_start);
      if (!level.checkValidity() || !hysteresis.checkValidity()) return this.complain(this.texts.wrong);
      this.complain("");
      this.tell("trace-start", {
        names: this.names,
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
        // another trace than the one that is shown
        const isFirst = this.begun === 0;
        this.begun = state.begun;
        this.seen = this.since = 0;
        this.isHeld = false;
        this.caught = { seconds: [], walls: [], trigger: -1 };
        const channels = state.channels ?? [];
        if (channels.length && (!isFirst || !this.names.length || state.running)) {
          this.names = channels.map((about) => about.name);
          this.legend();
        }
        this.lines = channels.map(
          (about, at) =>
            new Channel(about, this.names.includes(about.name) ? this.numberOf(about.name) : at + 1, this.texts.switch),
        );
        for (const line of this.lines) line.of = this.caught;
        this.plot.lines = this.lines;
        this.plot.drawSoon();
        if (state.begun) return this.askSoon(0); // all of it, not only what came since
      }
      this.state = state;
      if (state.window && state.windows > this.seen) {
        this.seen = state.windows;
        this.put(state.window, true);
      }
      if (state.samples?.numbers.length) this.append(state.samples);
      this.pressed();
      this.showState();
      this.showValues();
    }

    put(window) {
      this.caught.seconds = window.seconds;
      this.caught.walls = window.walls;
      this.caught.trigger = window.trigger;
      this.caught.missing = window.missing;
      this.lines.forEach((line, at) => {
        line.v = window.values[at];
      });
      this.plot.marks = window.trigger >= 0 ? [{ t: 0, severity: "none" }] : [];
      if (!this.isHeld) this.showAll();
      else this.plot.drawSoon();
      this.showCursors();
    }

    append(samples) {
      const { caught } = this;
      if (caught.numbers && samples.numbers[0] <= caught.numbers) {
        caught.seconds = [];
        caught.walls = [];
        for (const line of this.lines) line.v = [];
      }
      caught.numbers = this.since = samples.numbers.at(-1);
      const keep = (list, more) => {
        const all = list.concat(more);
        return all.slice(-this.state.of);
      };
      caught.seconds = keep(caught.seconds, samples.seconds);
      caught.walls = keep(caught.walls, samples.walls);
      this.lines.forEach((line, at) => {
        line.v = keep(line.v, samples.values[at]);
      });
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

    // ---- what is said

    clock(ms) {
      return new Date(ms).toLocaleTimeString("en-GB") + `.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;
    }

    showState() {
      const { state, texts } = this,
        words = [];
      if (!state.begun) words.push(texts.idle);
      else {
        const share = `${texts.filling} ${Math.round((100 * state.have) / state.of)} %`;
        words.push(
          !state.running
            ? texts.ended.replace("{why}", state.why)
            : state.samples
              ? texts.running
              : state.triggered
                ? share
                : texts.waiting,
        );
        words.push(texts.by.replace("{who}", state.who).replace("{time}", this.clock(state.begun / 1e6).slice(0, 8)));
      }
      this.part("state").textContent = words.join(" · ");
      const { caught } = this,
        when = caught.walls[Math.max(caught.trigger, 0)];
      const more = [];
      if (when !== undefined) more.push((caught.trigger >= 0 ? texts.at : texts.from).replace("{time}", this.clock(when)));
      if (state.begun)
        more.push(
          state.every > 1 ? texts.every.replace("{every}", state.every) : texts.eachScan.replace("{tick}", state.tick / 1e6),
        );
      if (state.windows) more.push(texts.windows.replace("{count}", state.windows));
      if (state.lost) more.push(texts.lost.replace("{count}", state.lost));
      if (caught.missing) more.push(texts.missing.replace("{count}", caught.missing));
      this.part("time").textContent = more.join(" · ");
    }

    pressed() {
      this.part("cursors").setAttribute("aria-pressed", String(Boolean(this.plot.cursors)));
    }

    showValues() {
      for (const element of this.part("legend").querySelectorAll(".value")) {
        const at = this.lines.findIndex((line) => line.name === element.dataset.of),
          line = this.lines[at],
          value = this.state.last?.[at]?.[0];
        element.textContent =
          line && value !== undefined && this.state.running
            ? `${textOf(line, value)}${line.unit && value !== null ? `\u202f${line.unit}` : ""}`
            : "–";
      }
    }

    showCursors() {
      const { cursors } = this.plot,
        between = this.part("between");
      for (const element of this.part("legend").querySelectorAll(".more")) {
        const line = this.lines.find((one) => one.name === element.dataset.of);
        if (!cursors || !line) {
          element.textContent = "";
          continue;
        }
        const [a, b] = cursors.map((t) => readAt(line.data(t, t), t)?.[0] ?? null);
        const apart = line.kind === NUMBER && a !== null && b !== null ? ` · B−A ${(b - a).toFixed(line.decimals)}` : "";
        element.textContent = `A ${textOf(line, a)} · B ${textOf(line, b)}${apart}`;
      }
      between.hidden = !cursors;
      if (!cursors) return;
      const span = cursors[1] - cursors[0],
        rate = span ? ` · ${Math.abs(1 / span).toPrecision(4)} Hz` : "";
      between.textContent = this.texts.between
        .replace("{a}", cursors[0].toFixed(4))
        .replace("{b}", cursors[1].toFixed(4))
        .replace("{span}", (span * 1000).toFixed(1))
        .replace("{rate}", rate);
    }

    // ---- export

    title() {
      const when = this.caught.walls[Math.max(this.caught.trigger, 0)];
      return `${this.said.site}   ${when === undefined ? "" : new Date(when).toISOString()}`;
    }

    fileName(end) {
      const when = this.caught.walls[Math.max(this.caught.trigger, 0)] ?? Date.now();
      return `${this.said.site}-trace-${new Date(when).toISOString().slice(0, 19).replaceAll(":", "")}Z.${end}`;
    }

    exportCsv() {
      const { start, end } = this.plot.view,
        { seconds, walls } = this.caught;
      const heads = ["seconds", "time (UTC)", ...this.lines.map((line) => (line.unit ? `${line.name} [${line.unit}]` : line.name))];
      const rows = seconds
        .map((t, at) => [t, at])
        .filter(([t]) => t >= start && t <= end)
        .map(([t, at]) => [
          t.toFixed(6),
          new Date(walls[at]).toISOString(),
          ...this.lines.map((line) => (line.kind === NUMBER ? line.v[at] : textOf(line, line.v[at]))),
        ]);
      saveText(this.fileName("csv"), csv(heads, rows));
    }

    end() {
      clearTimeout(this.waiting);
      document.removeEventListener("bess:colours", this.recolour);
      this.plot.end();
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
