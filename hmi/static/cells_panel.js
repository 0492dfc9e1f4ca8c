// The live values of the cell and of the rack that were chosen, beside the map.
"use strict";
window.bessCellPanel = (() => {
  const { make, filled } = bessLists;
  const TRENDED = ["voltage", "temperature", "soc"];

  class Panel {
    constructor(screen) {
      this.screen = screen;
      this.texts = screen.texts;
      this.cell = screen.find(".cell");
      this.hint = this.cell.firstElementChild;
    }

    // ---- one rack, where it is shown alone -----------------------------------------------------------------------------------

    showRacks() {
      const { screen, texts } = this, { rack, racks } = screen;
      const table = screen.find("table.all"), one = screen.find(".racks .one");
      table.hidden = Boolean(rack);
      one.hidden = !rack;
      one.replaceChildren();
      if (!rack) return;
      const words = { rack: rack.number };
      const back = make("button", { type: "button", onclick: () => screen.choose({ rack: null }) }, texts.showAll);
      const rows = screen.told.rackRows.map(([label, name, ...states]) => this.liveRow(label, filled(name, words), ...states));
      one.append(
        make("div", { class: "head" }, make("h2", {}, filled(texts.rack, words)), racks.length > 1 ? back : null),
        make("table", { class: "rows" }, make("tbody", {}, ...rows)),
      );
    }

    liveRow(label, tag, on, off) {
      const decimals = this.screen.told.decimals[tag.replace(/\[\d+\]/, "[{rack}]")];
      const facts = { class: "value", "data-tag": tag, "data-on": on, "data-off": off, "data-decimals": decimals };
      return make("tr", {}, make("th", { scope: "row" }, label), make("td", {}, make("span", facts, "–")));
    }

    // ---- one cell ------------------------------------------------------------------------------------------------------------

    showCell() {
      const { screen, texts } = this;
      if (screen.selected < 0) return this.cell.replaceChildren(this.hint);
      const at = screen.placeOf(screen.selected), { cellRows, tags } = screen.told;
      const known = Object.keys(cellRows).filter((what) => tags[what]);
      const rows = known.map((what) => {
        const [label, ...states] = cellRows[what];
        return this.liveRow(label, screen.nameOf(what, at), ...states);
      });
      const alone = make("button", { type: "button", onclick: () => screen.choose({ rack: at.of }) }, filled(texts.showRack, at));
      this.cell.replaceChildren(
        this.head(at, known),
        make("table", { class: "rows" }, make("tbody", {}, ...rows)),
        make("p", { class: "note live", "data-difference": "" }),
        ...(screen.rack ? [] : [alone]),
      );
      this.showDifference();
    }

    head(at, known) {
      const { screen, texts } = this;
      const heading = make("div", { class: "grow" },
        make("h2", {}, filled(texts.placeShort, at)), make("small", {}, filled(texts.numberInRack, at)));
      const trended = TRENDED.filter((what) => known.includes(what)).map((what) => screen.nameOf(what, at));
      const href = `/trends?tags=${encodeURIComponent(trended.join(","))}`;
      const trend = trended.length ? make("a", { class: "button", href }, texts.trend) : null;
      const leave = () => { screen.select(-1); screen.map.focus(); };
      const close = make("button", { type: "button", "aria-label": texts.close, title: texts.close, onclick: leave }, "✕");
      return make("div", { class: "head" }, heading, trend, close);
    }

    showDifference() {
      const { screen } = this, { picture, selected } = screen, line = screen.find("[data-difference]");
      if (!line || selected < 0 || !picture) return;
      const part = picture.parts[screen.placeOf(selected).of.order], value = picture.values[selected];
      const difference = value - part.sum / part.count, size = screen.difference(Math.abs(difference));
      const sign = parseFloat(size) === 0 ? "±" : difference > 0 ? "+" : "−";
      const isKnown = !picture.isSwitch && difference === difference;
      line.textContent = isKnown ? filled(this.texts.fromMean, { difference: sign + size }) : "";
    }
  }

  return Panel;
})();
