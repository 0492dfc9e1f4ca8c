// The screen of racks and cells: fetches all cells once a second, says where the extremes are, and lets one be chosen.
"use strict";
window.bessCells = (() => {
  const EVERY_MS = 1000, OLD_MS = 3000, PATIENCE_MS = 3000, SETTLE_MS = 120, BINS = 64, MOUNT_MS = 5000;
  let paint = null; // bessCellPaint: the two scripts come in any order
  const TRENDED = ["voltage", "temperature", "soc"];

  function fill(text, words) {
    return text.replace(/\{(\w+)\}/g, (whole, word) => (words[word] === undefined ? whole : String(words[word])));
  }

  function make(tag, words = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(words)) {
      if (name === "class") element.className = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  function read(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const values = header.switch ? new Uint8Array(buffer, 4 + length, header.cells) : new Float32Array(buffer, 4 + length, header.cells);
    return { header, values };
  }

  // ---- what can be said of the cells of some racks ---------------------------------------------------------------------------

  function figuresOfRack(rack, values, codes, isSwitch) {
    const found = { low: Infinity, high: -Infinity, lowAt: -1, highAt: -1, sum: 0, count: 0, on: 0, beyond: [] };
    for (let place = rack.first; place < rack.first + rack.cells; place++) {
      const value = values[place];
      if (codes[place] === paint.UNKNOWN) continue;
      found.count++;
      if (isSwitch) { found.on += value ? 1 : 0; continue; }
      found.sum += value;
      if (value < found.low) { found.low = value; found.lowAt = place; }
      if (value > found.high) { found.high = value; found.highAt = place; }
      if (codes[place] >= paint.WARNING) found.beyond.push(place);
    }
    return found;
  }

  function together(parts) {
    const found = { low: Infinity, high: -Infinity, lowAt: -1, highAt: -1, sum: 0, count: 0, on: 0, beyond: [] };
    for (const part of parts) {
      if (part.low < found.low) { found.low = part.low; found.lowAt = part.lowAt; }
      if (part.high > found.high) { found.high = part.high; found.highAt = part.highAt; }
      found.sum += part.sum;
      found.count += part.count;
      found.on += part.on;
      found.beyond = found.beyond.concat(part.beyond);
    }
    found.mean = found.sum / found.count;
    return found;
  }

  function distribution(racks, values, scale) {
    const bins = new Array(BINS).fill(0), share = BINS / (scale.to - scale.from);
    for (const rack of racks) for (let place = rack.first; place < rack.first + rack.cells; place++) {
      const value = values[place];
      if (value === value) bins[Math.max(0, Math.min(BINS - 1, Math.floor((value - scale.from) * share)))]++;
    }
    return bins;
  }

  // ---- the screen ------------------------------------------------------------------------------------------------------------

  class Screen {
    constructor(root) {
      this.root = root;
      this.told = JSON.parse(root.dataset.told);
      this.texts = this.told.texts;
      this.racks = this.told.racks.map(([number, first, cells], order) => ({ number, first, cells, order }));
      this.count = this.racks.reduce((sum, rack) => sum + rack.cells, 0);
      this.perModule = this.told.perModule;
      this.map = this.find(".map");
      this.canvas = this.find(".map canvas");
      this.scaleCanvas = this.find("canvas.scale");
      this.tip = this.find(".tip");
      this.data = null;
      this.selected = -1;
      this.tripped = new Set();
      this.endings = [];
      this.restore();
      this.build();
      this.turn();
    }

    find(selector) { return this.root.querySelector(selector); }

    // what is shown is in the address, so that it can be kept, and it is checked: anybody may write one
    restore() {
      const words = new URLSearchParams(location.search);
      this.what = this.told.shown.includes(words.get("what")) ? words.get("what") : this.told.shown[0];
      this.isAuto = words.get("scale") === "auto";
      const rack = this.racks.find((one) => String(one.number) === words.get("rack"));
      this.rack = this.racks.length === 1 ? this.racks[0] : rack ?? null;
    }

    remember() {
      const words = new URLSearchParams();
      if (this.what !== this.told.shown[0]) words.set("what", this.what);
      if (this.rack && this.racks.length > 1) words.set("rack", this.rack.number);
      if (this.isAuto) words.set("scale", "auto");
      const search = words.toString();
      history.replaceState(history.state, "", location.pathname + (search ? `?${search}` : ""));
    }

    build() {
      const on = (target, kind, act) => { target.addEventListener(kind, act); this.endings.push(() => target.removeEventListener(kind, act)); };
      for (const button of this.root.querySelectorAll("[data-what]")) on(button, "click", () => this.choose({ what: button.dataset.what }));
      for (const button of this.root.querySelectorAll("[data-scale]")) on(button, "click", () => this.choose({ isAuto: button.dataset.scale === "auto" }));
      const chooser = this.find("select[data-rack]");
      if (chooser) on(chooser, "change", () => this.choose({ rack: this.racks.find((one) => String(one.number) === chooser.value) ?? null }));
      for (const row of this.root.querySelectorAll("tr[data-of]")) on(row, "click", () => this.choose({ rack: this.rackOf(row.dataset.of) }));
      on(this.map, "click", (event) => this.touch(event));
      on(this.map, "dblclick", (event) => this.enlarge(event));
      on(this.map, "pointermove", (event) => this.hover(event));
      on(this.map, "pointerleave", () => { this.tip.hidden = true; });
      on(this.map, "keydown", (event) => this.key(event));
      on(document, "bess:colours", () => { this.colours = null; this.drawSoon(); });
      on(document, "visibilitychange", () => this.turn());
      const watch = new ResizeObserver(() => this.drawSoon());
      watch.observe(this.map);
      watch.observe(this.scaleCanvas);
      this.endings.push(() => watch.disconnect());
      if (this.told.tripped) for (const rack of this.racks) this.endings.push(bess.listen(fill(this.told.tripped, { rack: rack.number }), (value) => {
        const before = this.tripped.size;
        if (value === true) this.tripped.add(rack.number); else this.tripped.delete(rack.number);
        if (this.tripped.size !== before) this.drawSoon();
      }));
      this.showChoices();
      this.showRacks();
    }

    end() {
      clearTimeout(this.timer);
      for (const ending of this.endings) ending();
    }

    rackOf(number) { return this.racks.find((one) => String(one.number) === String(number)); }
    get shown() { return this.rack ? [this.rack] : this.racks; }

    // ---- values --------------------------------------------------------------------------------------------------------------

    async turn() {
      clearTimeout(this.timer);
      if (!this.root.isConnected) return this.end();
      const mine = this.round = (this.round ?? 0) + 1;
      if (!document.hidden) await this.fetch(this.what);
      if (mine === this.round) this.timer = setTimeout(() => this.turn(), EVERY_MS - Date.now() % EVERY_MS);
    }

    async fetch(what) {
      this.abort?.abort();
      const abort = this.abort = new AbortController();
      const patience = setTimeout(() => abort.abort(new Error(this.texts.silent)), PATIENCE_MS);
      let found = null;
      try {
        const answer = await fetch(`/data/cells?what=${encodeURIComponent(what)}`, { signal: abort.signal });
        if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
        found = read(await answer.arrayBuffer());
        this.why = "";
      } catch (error) {
        if (error.name === "AbortError") return; // another quantity was chosen meanwhile
        this.why = error.message; // it is said beside the map once its values are old
      } finally {
        clearTimeout(patience);
      }
      if (found && what === this.what && found.header.cells === this.count) {
        this.data = { ...found, at: performance.now() };
        this.digest();
      }
      this.tellAge();
      this.drawSoon();
    }

    // everything that follows from new values, or from another choice
    digest() {
      const { header, values } = this.data, isSwitch = header.switch;
      const codes = this.codes?.length === values.length ? this.codes : new Uint16Array(values.length);
      this.codes = codes;
      const [least, most] = isSwitch ? [0, 1] : this.ends(values);
      const scale = paint.scaleOf(header, this.isAuto, least, most);
      for (let place = 0; place < values.length; place++) codes[place] = isSwitch ? paint.switchCode(values[place]) : paint.codeOf(values[place], scale);
      const parts = this.racks.map((rack) => figuresOfRack(rack, values, codes, isSwitch));
      const counted = this.shown.filter((rack) => header.grades[rack.order] !== 2);
      const figures = together(counted.map((rack) => parts[rack.order]));
      const bins = isSwitch ? [] : distribution(counted, values, scale);
      this.picture = { codes, values, scale, parts, figures, bins, grades: header.grades, isSwitch, decimals: header.decimals, unit: header.unit };
      this.showFigures();
      this.showRows();
      this.showDifference();
    }

    ends(values) {
      let least = Infinity, most = -Infinity;
      for (const rack of this.shown) {
        if (this.data.header.grades[rack.order] === 2) continue;
        for (let place = rack.first; place < rack.first + rack.cells; place++) {
          if (values[place] < least) least = values[place];
          if (values[place] > most) most = values[place];
        }
      }
      return [least, most];
    }

    get isOld() { return !this.data || performance.now() - this.data.at > OLD_MS; }

    tellAge() {
      const line = this.find(".old"), isOld = Boolean(this.data) && this.isOld || Boolean(!this.data && this.why);
      line.hidden = !isOld;
      this.root.toggleAttribute("data-old", isOld);
      const time = this.data ? new Date(this.data.header.time).toLocaleTimeString("en-GB") : "–";
      if (isOld) line.textContent = fill(this.texts.old, { time, why: this.why || "–" });
    }

    text(value) {
      if (value === undefined || value !== value || !Number.isFinite(value)) return "–";
      const { isSwitch, decimals, unit } = this.picture;
      if (isSwitch) return value === 255 ? this.texts.unknown : value ? this.texts.on : this.texts.off;
      return `${value.toFixed(decimals)}${unit ? `\u202f${unit}` : ""}`;
    }

    difference(value) { // of temperatures it is said in kelvins
      return this.picture.unit === "°C" ? this.text(value).replace("°C", "K") : this.text(value);
    }

    placeOf(place) {
      const rack = this.racks.find((one) => place >= one.first && place < one.first + one.cells), cell = place - rack.first;
      return { rack: rack.number, module: Math.floor(cell / this.perModule) + 1, cell: cell % this.perModule + 1, number: cell + 1, of: rack };
    }

    // ---- what is said beside the map -----------------------------------------------------------------------------------------

    showFigures() {
      const { figures, isSwitch } = this.picture, texts = this.texts;
      const cells = this.shown.reduce((sum, rack) => sum + rack.cells, 0), left = cells - figures.count;
      const some = figures.count > 0, short = (place) => (place < 0 ? "" : fill(texts.placeShort, this.placeOf(place)));
      const beyond = figures.beyond.length;
      const listed = isSwitch
        ? [["bled", texts.bled, some ? fill(texts.ofCells, { count: figures.on, cells: figures.count }) : texts.unknown, -1, left ? fill(texts.left, { count: left }) : ""]]
        : [
          ["low", texts.lowest, this.text(figures.low), figures.lowAt, short(figures.lowAt)],
          ["high", texts.highest, this.text(figures.high), figures.highAt, short(figures.highAt)],
          ["mean", texts.mean, this.text(figures.mean), -1, left ? fill(texts.left, { count: left }) : ""],
          ["spread", texts.spread, some ? this.difference(figures.high - figures.low) : "–"],
          ["beyond", texts.beyond, beyond ? fill(texts.ofCells, { count: beyond, cells: figures.count }) : texts.noneBeyond, beyond ? figures.beyond[0] : -1, beyond ? short(figures.beyond[0]) : ""],
        ];
      for (const [name, label, value, place = -1, where = ""] of listed) this.showFigure(name, label, value, place, where);
      for (const box of this.root.querySelectorAll(".figures > *")) if (!listed.some(([name]) => name === box.dataset.name)) box.remove();
      const what = this.told.names[this.what];
      const words = { what, low: this.text(figures.low), high: this.text(figures.high), mean: this.text(figures.mean), beyond };
      if (some && !isSwitch) Object.assign(words, { lowPlace: fill(texts.place, this.placeOf(figures.lowAt)), highPlace: fill(texts.place, this.placeOf(figures.highAt)) });
      this.find("#cells-said").textContent = !some ? fill(texts.summaryNone, words) : isSwitch ? `${texts.bled}: ${listed[0][2]}` : fill(texts.summary, words);
    }

    showFigure(name, label, value, place, where) {
      let box = this.find(`.figures > [data-name="${name}"]`);
      if (!box) {
        const isButton = ["low", "high", "beyond"].includes(name);
        box = make(isButton ? "button" : "div", { "data-name": name, class: "figure" }, make("small"), make("b"), make("span"));
        if (isButton) { box.type = "button"; box.addEventListener("click", () => { if (Number(box.dataset.place) >= 0) this.select(Number(box.dataset.place)); }); }
        this.find(".figures").append(box);
      }
      box.dataset.place = place;
      if (box.tagName === "BUTTON") box.setAttribute("aria-disabled", String(place < 0));
      box.dataset.severity = place >= 0 ? this.severityOf(place) : "";
      [label, value, where].forEach((text, order) => { if (box.children[order].textContent !== text) box.children[order].textContent = text; });
    }

    severityOf(place) {
      const code = this.picture.codes[place];
      return code < paint.WARNING || code >= paint.UNKNOWN ? "" : ["warning", "error", "critical"][code - paint.WARNING];
    }

    showRows() {
      const { parts, grades, isSwitch, decimals, unit } = this.picture;
      this.find("table.all").dataset.kind = isSwitch ? "switch" : "number";
      const heads = isSwitch ? { low: this.texts.columnBled, high: "" } : { low: this.texts.columnLow, high: this.texts.columnHigh };
      for (const [column, text] of Object.entries(heads)) this.find(`[data-column="${column}"]`).textContent = isSwitch ? text : `${text} ${unit}`;
      for (const row of this.root.querySelectorAll("tr[data-of]")) {
        const rack = this.rackOf(row.dataset.of), part = parts[rack.order], quality = this.isOld ? "uncertain" : ["good", "uncertain", "bad", "forced"][grades[rack.order]];
        const low = isSwitch ? `${part.on} / ${part.count}` : part.count ? part.low.toFixed(decimals) : "–";
        this.showCell(row.querySelector("[data-low]"), low, quality, part.lowAt);
        this.showCell(row.querySelector("[data-high]"), isSwitch || !part.count ? "–" : part.high.toFixed(decimals), quality, part.highAt);
      }
    }

    showCell(cell, text, quality, place) {
      if (cell.textContent !== text) cell.textContent = text;
      if (cell.dataset.q !== quality) { cell.dataset.q = quality; cell.title = this.texts[quality] ?? ""; }
      const severity = place >= 0 ? this.severityOf(place) : "";
      if ((cell.dataset.severity ?? "") !== severity) cell.dataset.severity = severity;
    }

    // ---- choosing ------------------------------------------------------------------------------------------------------------

    choose(words) {
      const isOther = words.what !== undefined && words.what !== this.what;
      Object.assign(this, words);
      this.remember();
      this.showChoices();
      if ("rack" in words) {
        if (this.rack && this.selected >= 0 && this.placeOf(this.selected).of !== this.rack) this.select(-1);
        this.showRacks();
        this.showCellPanel();
      }
      if (isOther) { this.data = null; this.turn(); } else if (this.data) { this.digest(); this.drawSoon(); }
    }

    showChoices() {
      for (const button of this.root.querySelectorAll("[data-what]")) button.setAttribute("aria-pressed", String(button.dataset.what === this.what));
      for (const button of this.root.querySelectorAll("[data-scale]")) button.setAttribute("aria-pressed", String((button.dataset.scale === "auto") === this.isAuto));
      const chooser = this.find("select[data-rack]");
      if (chooser) chooser.value = this.rack ? String(this.rack.number) : "";
      this.root.dataset.showing = this.what;
    }

    showRacks() {
      const table = this.find("table.all"), one = this.find(".racks .one");
      table.hidden = Boolean(this.rack);
      one.hidden = !this.rack;
      one.replaceChildren();
      if (!this.rack) return;
      const back = this.racks.length > 1 ? [make("button", { type: "button", onclick: () => this.choose({ rack: null }) }, this.texts.showAll)] : [];
      const rows = this.told.rackRows.map(([label, name, ...words]) => this.liveRow(label, fill(name, { rack: this.rack.number }), ...words));
      one.append(make("div", { class: "head" }, make("h2", {}, fill(this.texts.rack, { rack: this.rack.number })), ...back), make("table", { class: "rows" }, make("tbody", {}, ...rows)));
    }

    liveRow(label, tag, on, off) {
      const words = on === undefined ? {} : { "data-on": on, "data-off": off }, decimals = this.told.decimals[tag.replace(/\[\d+\]/, "[{rack}]")];
      if (decimals !== undefined) words["data-decimals"] = decimals;
      return make("tr", {}, make("th", { scope: "row" }, label), make("td", {}, make("span", { class: "value", "data-tag": tag, ...words }, "–")));
    }

    select(place) {
      this.selected = place;
      if (place >= 0 && this.rack && this.placeOf(place).of !== this.rack) this.choose({ rack: this.placeOf(place).of });
      const said = this.find("[data-selected]");
      said.textContent = place >= 0 && this.picture ? fill(this.texts.selected, { place: fill(this.texts.place, this.placeOf(place)), value: this.text(this.picture.values[place]) }) : "";
      clearTimeout(this.settling); // arrows that are held down subscribe to the last cell only
      this.settling = setTimeout(() => this.showCellPanel(), SETTLE_MS);
      this.drawSoon();
    }

    showCellPanel() {
      const panel = this.find(".cell");
      this.hint ??= panel.firstElementChild;
      if (this.selected < 0) return panel.replaceChildren(this.hint);
      const at = this.placeOf(this.selected), texts = this.texts;
      const nameOf = (what) => {
        const { tag, shared } = this.told.tags[what];
        return `${fill(tag, { rack: at.rack })}[${(shared ? at.of.first : 0) + at.number}]`;
      };
      const known = Object.keys(this.told.cellRows).filter((what) => this.told.tags[what]);
      const rows = known.map((what) => { const [label, ...words] = this.told.cellRows[what]; return this.liveRow(label, nameOf(what), ...words); });
      const trended = TRENDED.filter((what) => known.includes(what)).map(nameOf);
      const heading = make("div", { class: "grow" }, make("h2", {}, fill(texts.placeShort, at)), make("small", {}, fill(texts.numberInRack, at)));
      const trend = trended.length ? [make("a", { class: "button", href: `/trends?tags=${encodeURIComponent(trended.join(","))}` }, texts.trend)] : [];
      const close = make("button", { type: "button", "aria-label": texts.close, title: texts.close, onclick: () => { this.select(-1); this.map.focus(); } }, "✕");
      const alone = this.rack ? [] : [make("button", { type: "button", onclick: () => this.choose({ rack: at.of }) }, fill(texts.showRack, at))];
      panel.replaceChildren(
        make("div", { class: "head" }, heading, ...trend, close),
        make("table", { class: "rows" }, make("tbody", {}, ...rows)),
        make("p", { class: "note live", "data-difference": "" }),
        ...alone,
      );
      this.showDifference();
    }

    showDifference() {
      const line = this.find("[data-difference]");
      if (!line || this.selected < 0 || !this.picture) return;
      const part = this.picture.parts[this.placeOf(this.selected).of.order], value = this.picture.values[this.selected];
      const difference = value - part.sum / part.count, size = this.difference(Math.abs(difference));
      const sign = parseFloat(size) === 0 ? "±" : difference > 0 ? "+" : "−";
      line.textContent = this.picture.isSwitch || difference !== difference ? "" : fill(this.texts.fromMean, { difference: sign + size });
    }

    at(event) {
      if (!this.plan) return null;
      const box = this.canvas.getBoundingClientRect();
      return paint.hit(this.plan, (event.clientX - box.left) * this.plan.ratio, (event.clientY - box.top) * this.plan.ratio);
    }

    touch(event) {
      const found = this.at(event);
      if (!found) return;
      if (found.place >= 0) this.select(found.place);
      else if (this.racks.length > 1) this.choose({ rack: this.rack ? null : found.rack });
    }

    enlarge(event) {
      const found = this.at(event);
      if (found && this.racks.length > 1) this.choose({ rack: this.rack ? null : found.rack });
    }

    hover(event) {
      const found = event.pointerType === "mouse" ? this.at(event) : null;
      this.hovered = found && found.place >= 0 ? found.place : -1;
      this.tip.hidden = this.hovered < 0 || !this.picture;
      if (this.tip.hidden) return;
      const box = this.map.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      this.tip.style.transform = `translate(${x > box.width / 2 ? `calc(${x - 14}px - 100%)` : `${x + 14}px`}, ${y > box.height / 2 ? `calc(${y - 8}px - 100%)` : `${y + 16}px`})`;
      this.showTip();
    }

    showTip() {
      if (this.tip.hidden || !(this.hovered >= 0) || !this.picture) return;
      const at = this.placeOf(this.hovered), grade = this.picture.grades[at.of.order];
      const quality = this.isOld ? this.texts.uncertain : grade ? this.texts[["", "uncertain", "bad", "forced"][grade]] : "";
      const { tag, shared } = this.told.tags[this.what];
      const name = `${fill(tag, { rack: at.rack })}[${(shared ? at.of.first : 0) + at.number}]`;
      const lines = [make("b", {}, this.text(this.picture.values[this.hovered])), fill(this.texts.place, at), make("small", {}, name)];
      if (quality) lines.push(make("small", { class: "quality" }, quality));
      this.tip.replaceChildren(...lines.map((line) => make("div", {}, line)));
    }

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const act = this.keys()[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    }

    keys() {
      const move = (across, down) => () => this.move(across, down), rack = (step) => () => this.jump(step);
      return {
        ArrowRight: move(1, 0), ArrowLeft: move(-1, 0), ArrowDown: move(0, 1), ArrowUp: move(0, -1),
        PageDown: rack(1), PageUp: rack(-1),
        Home: () => this.select(this.current().of.first), End: () => this.select(this.current().of.first + this.current().of.cells - 1),
        Enter: () => this.enter(), " ": () => this.enter(),
        Escape: () => (this.rack && this.racks.length > 1 ? this.choose({ rack: null }) : this.select(-1)),
      };
    }

    current() { return this.placeOf(this.selected >= 0 ? this.selected : this.shown[0].first); }

    enter() {
      if (this.selected < 0) this.select(this.shown[0].first);
      else if (this.racks.length > 1) this.choose({ rack: this.rack ? null : this.placeOf(this.selected).of });
    }

    // over the edge of a rack to the one beside it
    move(across, down) {
      if (this.selected < 0 || !this.plan) return this.select(this.shown[0].first);
      const at = this.current(), tiles = this.shown, columns = this.plan.columns;
      let order = tiles.indexOf(at.of), column = at.cell - 1 + across, row = at.module - 1 + down;
      const rows = (rack) => Math.ceil(rack.cells / this.perModule);
      if (column < 0 && order % columns > 0) { order--; column = this.perModule - 1; }
      if (column >= this.perModule && order % columns < columns - 1 && order + 1 < tiles.length) { order++; column = 0; }
      if (row < 0 && order >= columns) { order -= columns; row = rows(tiles[order]) - 1; }
      if (row >= rows(tiles[order]) && order + columns < tiles.length) { order += columns; row = 0; }
      const cell = row * this.perModule + column;
      if (order < 0 || column < 0 || column >= this.perModule || row < 0 || cell >= tiles[order].cells) return;
      this.select(tiles[order].first + cell);
    }

    jump(step) {
      const at = this.current(), next = this.racks[at.of.order + step];
      if (next) this.select(next.first + Math.min(at.number, next.cells) - 1);
    }

    // ---- drawing -------------------------------------------------------------------------------------------------------------

    drawSoon() {
      if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; if (this.root.isConnected) this.draw(); });
    }

    sized(canvas, width, height) {
      const ratio = window.devicePixelRatio || 1, [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
      return ratio;
    }

    draw() {
      if (!this.picture || !this.data) return;
      this.colours ??= paint.palette(bess.colour);
      const style = getComputedStyle(this.map), room = (side) => parseFloat(style[`padding${side}`]);
      const width = this.map.clientWidth - room("Left") - room("Right"), height = this.map.clientHeight - room("Top") - room("Bottom");
      if (width < 20 || height < 20) return;
      const ratio = this.sized(this.canvas, width, height);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      this.plan = paint.arrange(this.canvas.width, this.canvas.height, ratio, this.shown, this.perModule);
      const titles = { rack: (rack, isTripped, isForced) => [fill(this.texts.rack, { rack }), isTripped ? this.texts.tripped : "", isForced ? this.texts.forced : ""].filter(Boolean).join(" · "), module: (module) => fill(this.texts.module, { module }) };
      const beyond = this.picture.figures.beyond;
      paint.drawMap(this.canvas.getContext("2d"), this.plan, { ...this.picture, beyond, titles, tripped: this.tripped, selected: this.selected, isOld: this.isOld }, this.colours);
      this.drawScale();
      this.showTip();
      if (!this.wasDrawn) performance.mark("cells:first");
      this.wasDrawn = true;
    }

    drawScale() {
      this.scaleCanvas.hidden = this.picture.isSwitch;
      if (this.picture.isSwitch) return;
      const ratio = this.sized(this.scaleCanvas, this.scaleCanvas.clientWidth, this.scaleCanvas.clientHeight);
      const { figures } = this.picture;
      paint.drawScale(this.scaleCanvas.getContext("2d"), ratio, { ...this.picture, figures: figures.count ? figures : null }, this.colours, (value) => this.text(value));
    }
  }

  // the screen comes with a change of page: its element, sizes and colours may be there a moment after the script
  function begin(since = performance.now()) {
    const root = document.getElementById("cells"), isReady = root && bess.colour("cells-low");
    if (root?.dataset.begun) return;
    if (isReady) {
      paint = window.bessCellPaint;
      root.dataset.begun = "true";
      root.screen = new Screen(root);
    } else if (performance.now() - since < MOUNT_MS) requestAnimationFrame(() => begin(since));
    else console.error("the screen of cells, or its style sheet, has not come");
  }

  return { begin };
})();
