// The screen of the trends: values as they come, joined to what was recorded. Its buttons and tabs, and what follows from what.
"use strict";
window.bessTrends = (() => {
  const SILENT_MS = 1500,
    SHORTEST = 1000,
    LONGEST = 400 * 86400e3;
  const TRACE = [["scope_caught", "scope_channels", "scope_said"], ["scope"]]; // scripts; what is named later needs the others
  const { textOf, csv, saveText, NUMBER } = bessShapes;
  const { Plot } = bessPlot,
    { recolour } = bessPlotLegend,
    { savePicture, rowsOf, headOf, fileName } = bessPlotExport;
  const { Tags } = bessTrendsTags,
    { Time } = bessTrendsTime,
    { Past } = bessTrendsPast,
    { Said } = bessTrendsSaid;

  class Trends {
    constructor(root) {
      this.root = root;
      this.frame = root.closest(".trending");
      this.asked = JSON.parse(root.dataset.said);
      this.texts = this.asked.texts;
      this.heard = 0;
      this.drawn = 0;
      const { texts } = this,
        part = (name) => this.part(name),
        { span, end } = this.asked;
      const options = {
        texts,
        shortest: SHORTEST,
        longest: LONGEST,
        timeText: (t) => this.time.text(t),
        onView: () => this.time.moved(),
        onHome: () => this.time.goLive(),
        onCursors: () => this.showCursors(),
        onTouch: (x) => this.said.touched(x),
      };
      const plot = (this.plot = new Plot(root.querySelector(".chart"), options));
      this.tags = new Tags({ texts, list: part("legend"), none: part("none"), onChange: () => this.chosen() });
      const lines = () => this.tags.lines,
        names = () => this.tags.lines.map((line) => line.name);
      const isSeen = () => root.isConnected && !root.hidden;
      const time = (this.time = new Time({ plot, span, end, names, isSeen, onMove: () => this.moved() }));
      const past = (this.past = new Past({ plot, time, texts, lines, onBusy: () => this.busy(), onDone: () => this.fetched() }));
      this.said = new Said({ plot, time, past, texts, part });
      bessTagFind.begin(root.querySelector(".find"), (name) => this.add(name), { texts });
      this.buttons();
      this.news = (event) => this.tick(event.detail);
      document.addEventListener("bess:news", this.news);
      for (const name of this.asked.tags) this.tags.join(name);
      this.tags.changed();
      time.addressSoon();
      this.said.say();
    }

    part(name) {
      return this.frame.querySelector(`[data-part="${name}"]`);
    }

    end() {
      document.removeEventListener("bess:news", this.news);
      this.time.end();
      this.past.end();
      this.tags.leaveAll();
      this.plot.end();
    }

    // ---- what is touched

    buttons() {
      for (const button of this.frame.querySelectorAll("[data-span]"))
        button.addEventListener("click", () => this.time.setSpan(Number(button.dataset.span)));
      this.part("live").addEventListener("click", () => {
        if (this.time.isLive) {
          this.time.hold();
          this.pressed();
        } else this.time.goLive();
      });
      this.part("cursors").addEventListener("click", () => {
        this.plot.setCursors(!this.plot.cursors);
        this.pressed();
      });
      this.part("scale").addEventListener("click", () => this.setScale(!this.plot.isAuto));
      this.part("csv").addEventListener("click", () => this.exportCsv());
      this.part("png").addEventListener("click", () =>
        savePicture(this.plot, this.fileName("png"), `${this.asked.site}   ${this.time.viewText()}`),
      );
      this.part("preset").addEventListener("change", (event) => {
        const chosen = this.asked.presets[event.target.value];
        event.target.value = "";
        if (chosen) this.tags.replace(chosen);
      });
      this.pressed();
    }

    pressed() {
      const press = (element, isOn) => element.setAttribute("aria-pressed", String(isOn));
      for (const button of this.frame.querySelectorAll("[data-span]"))
        press(button, Math.abs(Number(button.dataset.span) - this.time.span) < 1);
      press(this.part("live"), this.time.isLive);
      press(this.part("cursors"), Boolean(this.plot.cursors));
      press(this.part("scale"), !this.plot.isAuto);
    }

    setScale(isAuto) {
      this.plot.isAuto = isAuto;
      this.plot.draw();
      this.pressed();
      const bare = this.tags.lines.filter(
        (line) => line.isKnown && line.kind === NUMBER && (line.min === undefined || line.max === undefined),
      );
      if (!isAuto && bare.length) this.said.say(this.texts.noRange.replace("{names}", bare.map((line) => line.name).join(", ")));
    }

    add(name) {
      if (this.tags.isFull) this.said.say(this.texts.full);
      else this.tags.add(name);
    }

    // ---- what has changed

    chosen() {
      this.plot.lines = this.tags.lines;
      this.showCursors();
      this.past.forget();
      this.time.address();
      this.past.fetchSoon();
      this.plot.drawSoon();
    }

    moved() {
      this.pressed();
      this.said.say();
      this.past.fetchSoon();
      this.showCursors();
    }

    busy() {
      this.part("chart").setAttribute("aria-busy", String(this.past.isBusy));
      this.said.say();
    }

    fetched() {
      this.showCursors();
      this.plot.drawSoon();
    }

    showCursors() {
      this.tags.notes(this.plot.cursors);
      this.said.between(this.plot.cursors);
    }

    recolour() {
      recolour(this.tags.lines);
      this.plot.drawSoon();
    }

    // ---- what comes

    tick({ time }) {
      if (!this.root.isConnected) return this.end();
      const wasSilent = this.heard && time - this.heard > SILENT_MS,
        silentSince = wasSilent ? this.heard : 0;
      for (const line of this.tags.lines) if (line.hear(time, silentSince, this.texts.switch)) this.showCursors();
      this.heard = time;
      if (wasSilent) this.past.fetchMissed(); // the records may know
      const { start, end } = this.plot.view,
        span = end - start,
        // a pixel's time, and on a slow panel a fifth of its time at most
        pause = Math.max(Math.min(Math.max(span / this.plot.width, 100), 2000), 4 * this.plot.cost);
      if (document.hidden || this.root.hidden || performance.now() - this.drawn < pause - 20) return;
      this.drawn = performance.now();
      if (this.time.isLive) this.plot.show(time - span, time);
      else if (end > time - 2 * pause) this.plot.drawSoon();
      this.said.say();
      if (this.time.isLive || !this.past.fetched) this.past.follow();
    }

    // ---- export

    fileName(end) {
      return fileName(this.asked.site, this.plot.view.end, end);
    }

    exportCsv() {
      const { lines } = this.tags,
        heads = ["time (UTC)"];
      for (const line of lines.filter((one) => one.isKnown)) heads.push(headOf(line), `${line.name} quality`);
      const rows = rowsOf(this.plot).map(([t, values]) => [
        new Date(t).toISOString(),
        ...values.flatMap((now, at) => {
          const line = lines[at];
          if (!line.isKnown) return [];
          if (!now) return ["", ""];
          const value =
            now[0] === null ? "" : line.kind === NUMBER ? Number(now[0].toFixed(Math.max(line.decimals, 6))) : textOf(line, now[0]);
          return [value, this.texts.grades[now[1]]];
        }),
      ]);
      saveText(this.fileName("csv"), csv(heads, rows));
    }
  }

  let here = null;

  async function begin() {
    const root = document.getElementById("trends");
    if (!root || here?.root === root) return;
    if (here && !here.root.isConnected) here.end();
    here = new Trends(root);
    tabs(root.closest(".trending"));
    const recoloured = () => {
      if (!root.isConnected) return document.removeEventListener("bess:colours", recoloured);
      here.recolour();
    };
    document.addEventListener("bess:colours", recoloured);
    await here.plot.begin();
  }

  // The two tabs: trends, and the trace, whose scripts are fetched when it is first wanted.
  function tabs(frame) {
    const tabs = [...frame.querySelectorAll('[role="tab"]')];
    const open = async (tab) => {
      for (const one of tabs) {
        one.setAttribute("aria-selected", String(one === tab));
        one.tabIndex = one === tab ? 0 : -1;
        const name = one.getAttribute("aria-controls");
        document.getElementById(name).hidden = frame.querySelector(`[data-for="${name}"]`).hidden = one !== tab;
      }
      if (tab.getAttribute("aria-controls") === "scope") {
        for (const names of TRACE) await Promise.all(names.map((name) => bess.script(`/static/${name}.js`)));
        await bessScope.begin();
      } else here.plot.drawSoon();
    };
    for (const tab of tabs) {
      tab.addEventListener("click", () => open(tab));
      tab.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
        const next = tabs[(tabs.indexOf(tab) + 1) % tabs.length];
        next.focus();
        open(next);
      });
    }
    if (frame.dataset.open === "scope") open(tabs[1]);
  }

  return { begin };
})();
