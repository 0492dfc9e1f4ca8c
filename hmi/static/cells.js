// The screen of racks and cells: which quantity, racks and cell were chosen, and its parts, which follow the choice.
"use strict";
window.bessCells = (() => {
  const { filled } = bessLists;
  const { palette, drawScale } = bessCellScale;
  const { arrange, drawMap } = bessCellPaint;
  const SETTLE_MS = 120, MOUNT_MS = 5000;

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
      this.selected = -1;
      this.tripped = new Set();
      this.endings = [];
      this.restore();
      this.stream = new bessCellValues.Stream(this);
      this.figures = new bessCellFigures(this);
      this.panel = new bessCellPanel(this);
      this.build();
      this.stream.turn();
    }

    build() {
      const on = (target, kind, act) => {
        target.addEventListener(kind, act);
        this.endings.push(() => target.removeEventListener(kind, act));
      };
      for (const button of this.root.querySelectorAll("[data-what]")) {
        on(button, "click", () => this.choose({ what: button.dataset.what }));
      }
      for (const button of this.root.querySelectorAll("[data-scale]")) {
        on(button, "click", () => this.choose({ isAuto: button.dataset.scale === "auto" }));
      }
      const chooser = this.find("select[data-rack]");
      if (chooser) on(chooser, "change", () => this.choose({ rack: this.rackOf(chooser.value) ?? null }));
      for (const row of this.root.querySelectorAll("tr[data-of]")) {
        on(row, "click", () => this.choose({ rack: this.rackOf(row.dataset.of) }));
      }
      this.touch = new bessCellTouch(this, on);
      on(document, "bess:colours", () => { this.colours = null; this.drawSoon(); });
      on(document, "visibilitychange", () => this.stream.turn());
      const watch = new ResizeObserver(() => this.drawSoon());
      watch.observe(this.map);
      watch.observe(this.scaleCanvas);
      this.endings.push(() => watch.disconnect());
      if (this.told.tripped) for (const rack of this.racks) this.listen(rack);
      this.showChoices();
      this.panel.showRacks();
    }

    listen(rack) {
      this.endings.push(bess.listen(filled(this.told.tripped, { rack: rack.number }), (value) => {
        const before = this.tripped.size;
        if (value === true) this.tripped.add(rack.number); else this.tripped.delete(rack.number);
        if (this.tripped.size !== before) this.drawSoon();
      }));
    }

    end() {
      this.stream.stop();
      for (const ending of this.endings) ending();
    }

    find(selector) { return this.root.querySelector(selector); }

    // ---- what was chosen -----------------------------------------------------------------------------------------------------

    // what is shown is in the address, so that it can be kept, and it is checked: anybody may write one
    restore() {
      const words = new URLSearchParams(location.search);
      this.what = this.told.shown.includes(words.get("what")) ? words.get("what") : this.told.shown[0];
      this.isAuto = words.get("scale") === "auto";
      this.rack = this.racks.length === 1 ? this.racks[0] : this.rackOf(words.get("rack")) ?? null;
    }

    remember() {
      const words = new URLSearchParams();
      if (this.what !== this.told.shown[0]) words.set("what", this.what);
      if (this.rack && this.racks.length > 1) words.set("rack", this.rack.number);
      if (this.isAuto) words.set("scale", "auto");
      const search = words.toString();
      history.replaceState(history.state, "", location.pathname + (search ? `?${search}` : ""));
    }

    choose(words) {
      const isOther = words.what !== undefined && words.what !== this.what;
      Object.assign(this, words);
      this.remember();
      this.showChoices();
      if ("rack" in words) {
        if (this.rack && this.selected >= 0 && this.placeOf(this.selected).of !== this.rack) this.select(-1);
        this.panel.showRacks();
        this.panel.showCell();
      }
      if (isOther) this.stream.anew();
      else if (this.stream.data) { this.digest(); this.drawSoon(); }
    }

    showChoices() {
      const press = (button, isPressed) => button.setAttribute("aria-pressed", String(isPressed));
      const all = (choice) => this.root.querySelectorAll(`[data-${choice}]`);
      for (const button of all("what")) press(button, button.dataset.what === this.what);
      for (const button of all("scale")) press(button, (button.dataset.scale === "auto") === this.isAuto);
      const chooser = this.find("select[data-rack]");
      if (chooser) chooser.value = this.rack ? String(this.rack.number) : "";
      this.root.dataset.showing = this.what;
    }

    select(place) {
      this.selected = place;
      const at = place >= 0 ? this.placeOf(place) : null, { texts } = this;
      if (at && this.rack && at.of !== this.rack) this.choose({ rack: at.of });
      this.find("[data-selected]").textContent = at && this.picture
        ? filled(texts.selected, { place: filled(texts.place, at), value: this.text(this.picture.values[place]) }) : "";
      clearTimeout(this.settling); // arrows that are held down subscribe to the last cell only
      this.settling = setTimeout(() => this.panel.showCell(), SETTLE_MS);
      this.drawSoon();
    }

    // ---- what its parts ask: places, names and values as text ----------------------------------------------------------------

    get shown() { return this.rack ? [this.rack] : this.racks; }

    rackOf(number) { return this.racks.find((one) => String(one.number) === String(number)); }

    placeOf(place) {
      const rack = this.racks.find((one) => place >= one.first && place < one.first + one.cells), cell = place - rack.first;
      const module = Math.floor(cell / this.perModule) + 1;
      return { rack: rack.number, module, cell: cell % this.perModule + 1, number: cell + 1, of: rack };
    }

    // the tag of a cell; some quantities are in one array of all racks
    nameOf(what, at) {
      const { tag, shared } = this.told.tags[what];
      return `${filled(tag, { rack: at.rack })}[${(shared ? at.of.first : 0) + at.number}]`;
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

    // ---- showing -------------------------------------------------------------------------------------------------------------

    digest() {
      this.picture = bessCellValues.pictureOf(this.stream.data, this, this.picture);
      this.figures.show();
      this.panel.showDifference();
    }

    drawSoon() {
      if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; if (this.root.isConnected) this.draw(); });
    }

    sized(canvas, width, height) {
      const ratio = window.devicePixelRatio || 1, [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
      return ratio;
    }

    draw() {
      if (!this.picture || !this.stream.data) return;
      this.colours ??= palette(bess.colour);
      const style = getComputedStyle(this.map), room = (side) => parseFloat(style[`padding${side}`]);
      const width = this.map.clientWidth - room("Left") - room("Right");
      const height = this.map.clientHeight - room("Top") - room("Bottom");
      if (width < 20 || height < 20) return;
      const ratio = this.sized(this.canvas, width, height);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      this.plan = arrange(this.canvas.width, this.canvas.height, ratio, this.shown, this.perModule);
      const { beyond } = this.picture.figures, { tripped, selected, stream: { isOld } } = this;
      const seen = { ...this.picture, beyond, titles: this.titles(), tripped, selected, isOld };
      drawMap(this.canvas.getContext("2d"), this.plan, seen, this.colours);
      this.drawScale();
      this.touch.showTip();
      if (!this.wasDrawn) performance.mark("cells:first");
      this.wasDrawn = true;
    }

    titles() { // what is written beside a rack and a module
      const { texts } = this;
      return {
        rack: (rack, isTripped, isForced) =>
          [filled(texts.rack, { rack }), isTripped ? texts.tripped : "", isForced ? texts.forced : ""].filter(Boolean).join(" · "),
        module: (module) => filled(texts.module, { module }),
      };
    }

    drawScale() {
      const canvas = this.scaleCanvas, { isSwitch, figures } = this.picture;
      canvas.hidden = isSwitch;
      if (isSwitch) return;
      const ratio = this.sized(canvas, canvas.clientWidth, canvas.clientHeight);
      const seen = { ...this.picture, figures: figures.count ? figures : null };
      drawScale(canvas.getContext("2d"), ratio, seen, this.colours, (value) => this.text(value));
    }
  }

  // the screen comes with a change of page: its element, sizes and colours may be there a moment after the script
  function begin(since = performance.now()) {
    const root = document.getElementById("cells"), isReady = root && bess.colour("cells-low");
    if (root?.dataset.begun) return;
    if (isReady) {
      root.dataset.begun = "true";
      root.screen = new Screen(root);
    } else if (performance.now() - since < MOUNT_MS) requestAnimationFrame(() => begin(since));
    else console.error("the screen of cells, or its style sheet, has not come");
  }

  return { begin };
})();
