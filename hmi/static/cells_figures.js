// What is said of all cells beside their map: the extremes and where they are, each rack's, and how old the values are.
"use strict";
window.bessCellFigures = (() => {
  const { make, filled } = bessLists;
  const { severityOf } = bessCellScale;
  const GRADES = ["good", "uncertain", "bad", "forced"];
  const CHOOSING = ["low", "high", "beyond"]; // figures that a touch follows to their cell

  class Figures {
    constructor(screen) {
      this.screen = screen;
      this.texts = screen.texts;
    }

    show() {
      this.showFigures();
      this.showRows();
    }

    severity(place) { return place >= 0 ? severityOf(this.screen.picture.codes[place]) : ""; }

    short(place) { return place < 0 ? "" : filled(this.texts.placeShort, this.screen.placeOf(place)); }

    // ---- figures of what is shown --------------------------------------------------------------------------------------------

    showFigures() {
      const { screen, texts } = this, { figures, isSwitch } = screen.picture;
      const listed = isSwitch ? this.listedOfSwitches(figures) : this.listed(figures);
      for (const [name, label, value, place = -1, where = ""] of listed) this.showFigure(name, label, value, place, where);
      for (const box of screen.root.querySelectorAll(".figures > *")) {
        if (!listed.some(([name]) => name === box.dataset.name)) box.remove();
      }
      const said = screen.find("#cells-said"), what = screen.told.names[screen.what];
      if (!figures.count) said.textContent = filled(texts.summaryNone, { what });
      else if (isSwitch) said.textContent = `${texts.bled}: ${listed[0][2]}`;
      else said.textContent = filled(texts.summary, this.summary(what, figures));
    }

    left({ count }) { // cells that are not counted
      const left = this.screen.shown.reduce((sum, rack) => sum + rack.cells, 0) - count;
      return left ? filled(this.texts.left, { count: left }) : "";
    }

    listedOfSwitches(figures) {
      const { texts } = this;
      const value = figures.count ? filled(texts.ofCells, { count: figures.on, cells: figures.count }) : texts.unknown;
      return [["bled", texts.bled, value, -1, this.left(figures)]];
    }

    listed(figures) {
      const { screen, texts } = this, [first = -1] = figures.beyond;
      const beyond = first < 0 ? texts.noneBeyond : filled(texts.ofCells, { count: figures.beyond.length, cells: figures.count });
      return [
        ["low", texts.lowest, screen.text(figures.low), figures.lowAt, this.short(figures.lowAt)],
        ["high", texts.highest, screen.text(figures.high), figures.highAt, this.short(figures.highAt)],
        ["mean", texts.mean, screen.text(figures.mean), -1, this.left(figures)],
        ["spread", texts.spread, figures.count ? screen.difference(figures.high - figures.low) : "–"],
        ["beyond", texts.beyond, beyond, first, this.short(first)],
      ];
    }

    summary(what, { low, high, mean, lowAt, highAt, beyond }) {
      const { screen } = this, place = (at) => filled(this.texts.place, screen.placeOf(at));
      const words = { what, low: screen.text(low), high: screen.text(high), mean: screen.text(mean), beyond: beyond.length };
      return { ...words, lowPlace: place(lowAt), highPlace: place(highAt) };
    }

    showFigure(name, label, value, place, where) {
      const box = this.screen.find(`.figures > [data-name="${name}"]`) ?? this.addFigure(name);
      box.dataset.place = place;
      if (box.tagName === "BUTTON") box.setAttribute("aria-disabled", String(place < 0));
      box.dataset.severity = this.severity(place);
      box.children[1].dataset.q = this.quality();
      [label, value, where].forEach((text, order) => {
        if (box.children[order].textContent !== text) box.children[order].textContent = text;
      });
    }

    // a figure of several racks is no better known than the worst of those that are counted
    quality() {
      const { picture, shown } = this.screen, grades = shown.map((rack) => GRADES[picture.grades[rack.order]]);
      return ["uncertain", "forced"].find((one) => grades.includes(one)) ?? "good";
    }

    addFigure(name) {
      const isButton = CHOOSING.includes(name);
      const box = make(isButton ? "button" : "div", { "data-name": name, class: "figure" }, make("small"), make("b"), make("span"));
      if (isButton) {
        box.type = "button";
        box.addEventListener("click", () => { if (Number(box.dataset.place) >= 0) this.screen.select(Number(box.dataset.place)); });
      }
      this.screen.find(".figures").append(box);
      return box;
    }

    // ---- the table of racks --------------------------------------------------------------------------------------------------

    showRows() {
      const { screen, texts } = this, { parts, grades, isSwitch, decimals, unit } = screen.picture;
      screen.find("table.all").dataset.kind = isSwitch ? "switch" : "number";
      const heads = isSwitch ? { low: texts.columnBled, high: "" } : { low: texts.columnLow, high: texts.columnHigh };
      for (const [column, text] of Object.entries(heads)) {
        screen.find(`[data-column="${column}"]`).textContent = isSwitch ? text : `${text} ${unit}`;
      }
      for (const row of screen.root.querySelectorAll("tr[data-of]")) {
        const rack = screen.rackOf(row.dataset.of), part = parts[rack.order];
        const quality = screen.stream.isOld ? "uncertain" : GRADES[grades[rack.order]];
        const low = isSwitch ? `${part.on} / ${part.count}` : part.count ? part.low.toFixed(decimals) : "–";
        const high = isSwitch || !part.count ? "–" : part.high.toFixed(decimals);
        this.showCell(row.querySelector("[data-low]"), low, quality, part.lowAt);
        this.showCell(row.querySelector("[data-high]"), high, quality, part.highAt);
      }
    }

    showCell(cell, text, quality, place) {
      if (cell.textContent !== text) cell.textContent = text;
      if (cell.dataset.q !== quality) { cell.dataset.q = quality; cell.title = this.texts[quality] ?? ""; }
      const severity = this.severity(place);
      if ((cell.dataset.severity ?? "") !== severity) cell.dataset.severity = severity;
    }

    // ---- how old it is -------------------------------------------------------------------------------------------------------

    tellAge() {
      const { screen, texts } = this, { data, isOld, why } = screen.stream;
      const line = screen.find(".old"), isSaid = data ? isOld : Boolean(why);
      line.hidden = !isSaid;
      screen.root.toggleAttribute("data-old", isSaid);
      const time = data ? new Date(data.header.time).toLocaleTimeString("en-GB") : "–";
      if (isSaid) line.textContent = filled(texts.old, { time, why: why || "–" });
    }
  }

  return Figures;
})();
