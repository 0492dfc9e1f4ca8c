// The trends: values as they come, joined to what was recorded. The chosen tags and the time stand in the page's address.
"use strict";
window.bessTrends = (() => {
  const MOST_TAGS = 8,
    KEPT = 36000,
    DROPPED = 6000; // of one tag's live values: at least half an hour at ten a second
  const SILENT_MS = 1500,
    FETCH_MS = 150,
    MARKS_MS = 5000,
    MOST_POINTS = 4000,
    SHORTEST = 1000,
    LONGEST = 400 * 86400e3;
  const { Plot } = bessPlot,
    { placeAt, readAt, textOf, csv, save, saveText, NUMBER, SWITCH } = bessShapes;

  // One tag: what was recorded of it as far as it was fetched, and what came since the page shows it.
  class Line {
    constructor(name) {
      this.name = name;
      this.past = { t: [], v: [], q: [] };
      this.ring = { t: [], v: [], q: [] };
      this.kind = NUMBER;
      this.unit = "";
      this.decimals = 3;
      this.hasPast = !name.startsWith("pin:"); // until the records say otherwise
      this.pending = null;
      this.isKnown = true;
    }

    know(about, words) {
      if (!about || this.about === about) return;
      this.about = about;
      this.kind = about.type === "BOOL" ? SWITCH : about.names ? "words" : NUMBER;
      Object.assign(this, {
        unit: about.unit ?? "",
        decimals: about.decimals ?? 0,
        names: about.names,
        min: about.min,
        max: about.max,
        words,
      });
    }

    take(t, value, grade) {
      const { ring } = this,
        number = typeof value === "boolean" ? Number(value) : value;
      const now = grade === 2 || grade === 4 ? null : number;
      if (ring.t.length && ring.t.at(-1) >= t) {
        ring.v[ring.v.length - 1] = now;
        ring.q[ring.q.length - 1] = grade;
        return;
      }
      ring.t.push(t);
      ring.v.push(now);
      ring.q.push(grade);
      if (ring.t.length > KEPT) for (const word of ["t", "v", "q"]) ring[word].splice(0, DROPPED);
    }

    // What holds between two times, with the value that held before; `until` is how far the last one is known.
    data(start, end) {
      const parts = { t: [], v: [], q: [] },
        { past, ring } = this,
        begins = ring.t[0] ?? Infinity;
      const copy = (from, low, high) => {
        for (const word of ["t", "v", "q"]) for (let at = low; at < high; at++) parts[word].push(from[word][at]);
      };
      const last = placeAt(past.t, Math.min(end, begins - 1)) + 1;
      copy(past, Math.max(placeAt(past.t, start), 0), last);
      if (begins <= end) copy(ring, Math.max(placeAt(ring.t, start), 0), placeAt(ring.t, end) + 1);
      if (ring.t.length && ring.t[0] <= start && placeAt(ring.t, start) >= 0 && parts.t[0] < ring.t[0]) {
        const skip = parts.t.findIndex((t) => t >= ring.t[0]); // the view begins within what came live
        for (const word of ["t", "v", "q"]) parts[word].splice(0, skip);
      }
      const known = ring.t.length ? this.now : (past.t.at(-1) ?? -Infinity);
      return { ...parts, until: Math.max(known ?? -Infinity, past.t.at(-1) ?? -Infinity) };
    }
  }

  // A name in an address: brackets and colons may stand there as they are.
  function readable(name) {
    return encodeURIComponent(name).replaceAll("%5B", "[").replaceAll("%5D", "]").replaceAll("%3A", ":");
  }

  class Trends {
    constructor(root) {
      this.root = root;
      this.frame = root.closest(".trending");
      this.said = JSON.parse(root.dataset.said);
      this.texts = this.said.texts;
      this.lines = [];
      this.fetched = null; // start, end, and ms that one stretch of the answer covers
      this.heard = this.marksAt = 0;
      this.drawn = 0;
      this.span = this.said.span;
      this.isLive = !this.said.end;
      const options = {
        texts: this.texts,
        shortest: SHORTEST,
        longest: LONGEST,
        timeText: (t) => this.timeText(t),
        onView: () => this.moved(),
        onHome: () => this.goLive(),
        onCursors: () => this.showCursors(),
        onTouch: (x) => this.touchMark(x),
      };
      this.plot = new Plot(root.querySelector(".chart"), options);
      const end = this.said.end || bess.time || Date.now();
      this.plot.show(end - this.span, end);
      bessTagFind.begin(root.querySelector(".find"), (name) => this.add(name), { texts: this.texts });
      this.buttons();
      this.news = (event) => this.tick(event.detail);
      document.addEventListener("bess:news", this.news);
      for (const name of this.said.tags.slice(0, MOST_TAGS)) this.join(name);
      this.changed();
      this.addressing = setTimeout(() => this.address(), 500); // NiceGUI names the screen once it is drawn
      this.say("");
    }

    part(name) {
      return this.frame.querySelector(`[data-part="${name}"]`);
    }

    buttons() {
      for (const button of this.frame.querySelectorAll("[data-span]"))
        button.addEventListener("click", () => this.setSpan(Number(button.dataset.span)));
      this.part("live").addEventListener("click", () => {
        if (this.isLive) {
          this.isLive = false;
          this.pressed();
          this.address();
        } else this.goLive();
      });
      this.part("cursors").addEventListener("click", () => {
        this.plot.setCursors(!this.plot.cursors);
        this.pressed();
      });
      this.part("scale").addEventListener("click", () => this.setScale(!this.plot.isAuto));
      this.part("csv").addEventListener("click", () => this.exportCsv());
      this.part("png").addEventListener("click", () => this.exportPng());
      this.part("preset").addEventListener("change", (event) => {
        const chosen = this.said.presets[event.target.value];
        event.target.value = "";
        if (!chosen) return;
        for (const line of [...this.lines]) this.leave(line);
        for (const name of chosen) this.join(name);
        this.changed();
      });
      this.pressed();
    }

    setScale(isAuto) {
      this.plot.isAuto = isAuto;
      this.plot.draw();
      this.pressed();
      const bare = this.lines.filter(
        (line) => line.isKnown && line.kind === NUMBER && (line.min === undefined || line.max === undefined),
      );
      if (!isAuto && bare.length) this.say(this.texts.noRange.replace("{names}", bare.map((line) => line.name).join(", ")));
    }

    pressed() {
      const press = (element, isOn) => element.setAttribute("aria-pressed", String(isOn));
      for (const button of this.frame.querySelectorAll("[data-span]"))
        press(button, Math.abs(Number(button.dataset.span) - this.span) < 1);
      press(this.part("live"), this.isLive);
      press(this.part("cursors"), Boolean(this.plot.cursors));
      press(this.part("scale"), !this.plot.isAuto);
    }

    // ---- which tags

    join(name) {
      if (this.lines.length >= MOST_TAGS || this.lines.some((line) => line.name.toLowerCase() === name.toLowerCase())) return;
      const line = new Line(name);
      const taken = this.lines.map((one) => one.number);
      line.number = [1, 2, 3, 4, 5, 6, 7, 8].find((number) => !taken.includes(number));
      line.leave = bess.listen(name, (value, grade, about) => {
        line.pending = [value, grade, about];
      });
      this.lines.push(line);
      this.lines.sort((a, b) => a.number - b.number);
    }

    add(name) {
      if (this.lines.length >= MOST_TAGS) return this.say(this.texts.full);
      this.join(name);
      this.changed();
    }

    leave(line) {
      line.leave();
      this.lines = this.lines.filter((one) => one !== line);
    }

    changed() {
      for (const line of this.lines) line.colour = bess.colour(`trend-${line.number}`);
      this.plot.lines = this.lines;
      this.fetched = null;
      this.legend();
      this.address();
      this.fetchSoon();
      this.plot.drawSoon();
    }

    legend() {
      const list = this.part("legend");
      list.replaceChildren(
        ...this.lines.map((line) => {
          const row = document.createElement("li"),
            badge = row.appendChild(document.createElement("span"));
          badge.className = "badge";
          badge.style.setProperty("--colour", `var(--trend-${line.number})`);
          badge.textContent = line.number;
          const name = row.appendChild(document.createElement("span"));
          name.className = "name";
          name.textContent = line.name;
          name.title = line.name;
          const value = (line.value = row.appendChild(document.createElement("span")));
          value.className = "value";
          value.dataset.tag = line.name;
          [value.dataset.off, value.dataset.on] = this.texts.switch;
          value.textContent = "–";
          const remove = row.appendChild(document.createElement("button"));
          remove.className = "plain";
          remove.textContent = "×";
          remove.setAttribute("aria-label", this.texts.remove.replace("{name}", line.name));
          remove.addEventListener("click", () => {
            this.leave(line);
            this.changed();
          });
          line.note = row.appendChild(document.createElement("small"));
          line.note.className = "more live";
          return row;
        }),
      );
      this.part("none").hidden = this.lines.length > 0;
      this.showCursors();
    }

    // ---- time

    timeText(t) {
      const moment = new Date(t),
        two = (number, digits = 2) => String(number).padStart(digits, "0");
      const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
      const isFine = this.plot.view.end - this.plot.view.start < 120e3;
      const day = `${moment.getDate()} ${moment.toLocaleString("en-GB", { month: "short" })}`;
      return `${day} ${clock}${isFine ? `.${two(moment.getMilliseconds(), 3)}` : ""}`;
    }

    spanText(ms) {
      const units = [
          ["d", 86400e3],
          ["h", 3600e3],
          ["min", 60e3],
          ["s", 1e3],
        ],
        found = units.find(([, size]) => ms >= size) ?? units[3];
      const [unit, size] = found,
        number = ms / size;
      return `${Number(number.toFixed(number < 10 ? 3 : 1))} ${unit}`;
    }

    setSpan(span) {
      const end = this.isLive ? this.now() : (this.plot.view.start + this.plot.view.end) / 2 + span / 2;
      this.span = span;
      this.plot.show(end - span, end);
      this.moved(true);
    }

    goLive() {
      this.isLive = true;
      this.plot.show(this.now() - this.span, this.now());
      this.moved(true);
    }

    now() {
      return bess.time || Date.now();
    }

    // Somebody moved the view: it is live as long as its end is now.
    moved(isButton = false) {
      const { start, end } = this.plot.view,
        now = this.now();
      this.span = end - start;
      if (!isButton) this.isLive = end >= now || (this.isLive && now - end < this.span * 0.002);
      if (this.isLive && end > now) this.plot.show(now - this.span, now); // what is to come is not known
      this.pressed();
      this.say("");
      this.fetchSoon();
      this.showCursors();
      clearTimeout(this.addressing);
      this.addressing = setTimeout(() => this.address(), 400);
    }

    address() {
      if (!this.root.isConnected || this.root.hidden) return;
      const words = [
        `tags=${this.lines.map((line) => readable(line.name)).join(",")}`,
        `span=${Math.round(this.span / 1000)}`,
      ];
      if (!this.isLive) words.push(`end=${Math.round(this.plot.view.end)}`);
      const path = `${location.pathname}?${words.join("&")}`;
      if (location.pathname.startsWith("/trends")) history.replaceState({ page: path }, "", path);
    }

    // ---- what comes

    tick(said) {
      if (!this.root.isConnected) return this.end();
      const { time } = said,
        wasSilent = this.heard && time - this.heard > SILENT_MS;
      for (const line of this.lines) {
        const last = line.ring.v.at(-1),
          grade = line.ring.q.at(-1);
        if (wasSilent && line.ring.t.length) {
          // nobody heard what was in between
          line.take(this.heard + 1, null, 2);
          if (!line.pending && last !== null) line.take(time, last, grade);
        }
        if (line.pending) {
          const [value, now, about] = line.pending;
          line.pending = null;
          const kind = line.kind;
          line.know(about, this.texts.switch);
          if (kind !== line.kind) this.showCursors();
          line.take(time, value, now);
        }
        line.now = time;
        const isKnown = line.value?.dataset.q !== "unknown"; // nothing is told of what there is not
        if (isKnown !== line.isKnown) {
          line.isKnown = isKnown;
          this.showCursors();
        }
      }
      this.heard = time;
      if (wasSilent) this.fetchSoon(1500); // the records may know
      const { start, end } = this.plot.view,
        span = end - start,
        // a pixel's time, and on a slow panel a fifth of its time at most
        pause = Math.max(Math.min(Math.max(span / this.plot.width, 100), 2000), 4 * this.plot.cost);
      if (document.hidden || this.root.hidden || performance.now() - this.drawn < pause - 20) return;
      this.drawn = performance.now();
      if (this.isLive) this.plot.show(time - span, time);
      else if (end > time - 2 * pause) this.plot.drawSoon();
      this.say("");
      if (this.isLive && this.fetched && this.needsFetch()) this.fetchSoon();
      else if (this.isLive && performance.now() - this.marksAt > Math.max(MARKS_MS, span / 200)) this.refreshMarks();
    }

    // ---- what was

    needsFetch() {
      const { start, end } = this.plot.view,
        wanted = this.lines.filter((line) => line.hasPast);
      if (!wanted.length) return false;
      if (!this.fetched) return true;
      const begins = Math.max(...wanted.map((line) => line.ring.t[0] ?? Infinity));
      const fine = (end - start) / this.plot.width;
      return (
        start < this.fetched.start ||
        (Math.min(end, begins, this.now()) > this.fetched.end + 1000 && begins > this.fetched.end + 1000) ||
        this.fetched.fine > 2 * Math.max(fine, 1)
      );
    }

    fetchSoon(wait = FETCH_MS) {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.fetchPast(wait > FETCH_MS), wait);
    }

    async fetchPast(isForced = false) {
      if (!this.root.isConnected || (!isForced && !this.needsFetch())) return;
      const wanted = this.lines.filter((line) => line.hasPast),
        { start, end } = this.plot.view,
        margin = (end - start) / 2;
      if (!wanted.length) return;
      this.asked?.abort();
      const asked = (this.asked = new AbortController());
      const from = Math.max(0, Math.floor(start - margin)),
        to = Math.ceil(Math.min(end + margin, Math.max(this.now(), end)));
      const points = Math.min(MOST_POINTS, Math.round((5 * this.plot.width * (to - from)) / (end - start)));
      const time = `start=${from}&end=${to}`;
      this.trouble = "";
      this.busy(true);
      try {
        const names = wanted.map((line) => encodeURIComponent(line.name)).join(",");
        const past = await this.get(`/data/history?tags=${names}&${time}&points=${points}`, asked);
        await this.readMarks(asked);
        this.fetched = { start: from, end: Math.min(to, this.now()), fine: (to - from) / (points / 5) };
        for (const line of wanted) {
          const found = past.tags[line.name];
          line.hasPast = !past.missing.includes(line.name);
          line.past = found ? { t: found.t, v: found.v, q: found.q } : { t: [], v: [], q: [] };
        }
      } catch (error) {
        if (error.name === "AbortError") return;
        this.trouble = error.message;
      }
      this.busy(false);
      this.showCursors();
      this.plot.drawSoon();
    }

    // When alarms began in the view, and half a view beside it; while it is live they are asked for again now and then.
    async readMarks(asked = this.asked) {
      const { start, end } = this.plot.view,
        margin = (end - start) / 2;
      this.marksAt = performance.now();
      const found = await this.get(
        `/data/marks?start=${Math.max(0, Math.floor(start - margin))}&end=${Math.ceil(end + margin)}`,
        asked,
      );
      this.plot.marks = found.marks;
      this.areMore = found.more;
    }

    async refreshMarks() {
      try {
        await this.readMarks(new AbortController());
      } catch (error) {
        this.trouble = error.message;
      }
    }

    async get(path, asked) {
      const answer = await fetch(path, { signal: asked.signal });
      if (answer.ok) return answer.json();
      const problem = await answer.json().catch(() => ({}));
      throw new Error(problem.detail || `${this.texts.failed} (${answer.status})`);
    }

    busy(isBusy) {
      this.part("chart").setAttribute("aria-busy", String(isBusy));
      this.say("");
    }

    // ---- what is said of it

    say(text) {
      const { start, end } = this.plot.view,
        marks = this.plot.marks.filter((mark) => mark.t >= start && mark.t <= end).length;
      if (text) {
        this.told = text;
        this.toldAt = performance.now();
      }
      if (this.told && performance.now() - this.toldAt > 8000) this.told = "";
      const line = [
        `${this.timeText(start)} – ${this.timeText(end)}`,
        marks ? this.texts.marks.replace("{count}", this.areMore ? `${marks}+` : marks) : "",
        this.part("chart").getAttribute("aria-busy") === "true" ? this.texts.reading : "",
      ];
      const now = line.filter(Boolean).join(" · ");
      const spanned = this.part("time");
      if (spanned.textContent !== now) spanned.textContent = now;
      const trouble = this.trouble || this.told || "",
        said = this.part("why");
      if (said.textContent !== trouble) said.textContent = trouble;
    }

    touchMark(x) {
      const near = this.plot.marks
        .map((mark) => [Math.abs(this.plot.xOf(mark.t) - x), mark])
        .filter(([apart]) => apart < 22)
        .sort((a, b) => a[0] - b[0]);
      if (near.length) {
        const [, mark] = near[0];
        this.say(`${this.timeText(mark.t)} ${mark.severity}: ${mark.text || mark.name}`);
      }
    }

    showCursors() {
      const cursors = this.plot.cursors,
        at = this.part("between");
      for (const line of this.lines) {
        if (!line.note) continue;
        const notes = [];
        if (!line.isKnown) notes.push(this.texts.unknown);
        else if (!line.hasPast) notes.push(this.texts.liveOnly);
        if (cursors) {
          const [a, b] = cursors.map((t) => readAt(line.data(t, t), t)?.[0] ?? null);
          notes.push(`A ${textOf(line, a)}`, `B ${textOf(line, b)}`);
          if (line.kind === NUMBER && a !== null && b !== null) notes.push(`B−A ${(b - a).toFixed(line.decimals)}`);
        }
        line.note.textContent = notes.join(" · ");
      }
      at.textContent = cursors
        ? this.texts.between
            .replace("{a}", this.timeText(cursors[0]))
            .replace("{b}", this.timeText(cursors[1]))
            .replace("{span}", `${cursors[1] < cursors[0] ? "−" : ""}${this.spanText(Math.abs(cursors[1] - cursors[0]))}`)
        : "";
      at.hidden = !cursors;
    }

    // ---- export

    fileName(end) {
      return `${this.said.site}-${new Date(this.plot.view.end).toISOString().slice(0, 19).replaceAll(":", "")}Z.${end}`;
    }

    exportCsv() {
      const heads = ["time (UTC)"],
        known = this.lines.filter((line) => line.isKnown);
      for (const line of known) heads.push(line.unit ? `${line.name} [${line.unit}]` : line.name, `${line.name} quality`);
      const rows = this.plot.rows().map(([t, values]) => [
        new Date(t).toISOString(),
        ...values.flatMap((now, at) => {
          const line = this.lines[at];
          if (!line.isKnown) return [];
          if (!now) return ["", ""];
          const value =
            now[0] === null ? "" : line.kind === NUMBER ? Number(now[0].toFixed(Math.max(line.decimals, 6))) : textOf(line, now[0]);
          return [value, this.texts.grades[now[1]]];
        }),
      ]);
      saveText(this.fileName("csv"), csv(heads, rows));
    }

    exportPng() {
      this.plot.draw();
      save(
        this.fileName("png"),
        this.plot.picture(`${this.said.site}   ${this.timeText(this.plot.view.start)} – ${this.timeText(this.plot.view.end)}`),
      );
    }

    end() {
      document.removeEventListener("bess:news", this.news);
      for (const timer of [this.waiting, this.addressing]) clearTimeout(timer);
      this.asked?.abort();
      for (const line of this.lines) line.leave();
      this.plot.end();
    }
  }

  let here = null;

  async function begin() {
    const root = document.getElementById("trends");
    if (!root || here?.root === root) return;
    if (here && !here.root.isConnected) here.end();
    here = new Trends(root);
    tabs(root.closest(".trending"));
    const recolour = () => {
      if (!root.isConnected) return document.removeEventListener("bess:colours", recolour);
      for (const line of here.lines) line.colour = bess.colour(`trend-${line.number}`);
      here.plot.drawSoon();
    };
    document.addEventListener("bess:colours", recolour);
    await here.plot.begin();
  }

  // The two tabs: trends, and the trace, whose script is fetched when it is first wanted.
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
        await bess.script("/static/scope.js");
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
