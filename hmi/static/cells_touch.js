// How a cell or a rack is chosen on the map: by touch, by keys, and what the pointer says of the cell beneath it.
"use strict";
window.bessCellTouch = (() => {
  const { make, filled } = bessLists;
  const { hit } = bessCellPaint;
  const WORDS = ["", "uncertain", "bad", "forced"]; // of a grade, beside the pointer

  class Touch {
    constructor(screen, on) {
      this.screen = screen;
      this.tip = screen.find(".tip");
      this.hovered = -1;
      on(screen.map, "click", (event) => this.touch(event));
      on(screen.map, "dblclick", (event) => this.enlarge(event));
      on(screen.map, "pointermove", (event) => this.hover(event));
      on(screen.map, "pointerleave", () => { this.tip.hidden = true; });
      on(screen.map, "keydown", (event) => this.key(event));
    }

    // ---- pointer -------------------------------------------------------------------------------------------------------------

    at(event) {
      const { plan, canvas } = this.screen;
      if (!plan) return null;
      const box = canvas.getBoundingClientRect();
      return hit(plan, (event.clientX - box.left) * plan.ratio, (event.clientY - box.top) * plan.ratio);
    }

    touch(event) {
      const found = this.at(event);
      if (!found) return;
      if (found.place >= 0) this.screen.select(found.place);
      else this.alone(found.rack);
    }

    enlarge(event) {
      const found = this.at(event);
      if (found) this.alone(found.rack);
    }

    // this rack alone, or all of them again
    alone(rack) {
      const { screen } = this;
      if (screen.racks.length > 1) screen.choose({ rack: screen.rack ? null : rack });
    }

    hover(event) {
      const found = event.pointerType === "mouse" ? this.at(event) : null;
      this.hovered = found && found.place >= 0 ? found.place : -1;
      this.tip.hidden = this.hovered < 0 || !this.screen.picture;
      if (this.tip.hidden) return;
      const box = this.screen.map.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      const right = x > box.width / 2 ? `calc(${x - 14}px - 100%)` : `${x + 14}px`;
      const down = y > box.height / 2 ? `calc(${y - 8}px - 100%)` : `${y + 16}px`;
      this.tip.style.transform = `translate(${right}, ${down})`;
      this.showTip();
    }

    showTip() {
      const { screen } = this, { picture, texts } = screen;
      if (this.tip.hidden || this.hovered < 0 || !picture) return;
      const at = screen.placeOf(this.hovered), grade = picture.grades[at.of.order];
      const quality = screen.stream.isOld ? texts.uncertain : grade ? texts[WORDS[grade]] : "";
      const lines = [make("b", {}, screen.text(picture.values[this.hovered])), filled(texts.place, at)];
      lines.push(make("small", {}, screen.nameOf(screen.what, at)));
      if (quality) lines.push(make("small", { class: "quality" }, quality));
      this.tip.replaceChildren(...lines.map((line) => make("div", {}, line)));
    }

    // ---- keys ----------------------------------------------------------------------------------------------------------------

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const act = this.keys()[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    }

    keys() {
      const { screen } = this, move = (across, down) => () => this.move(across, down), rack = (step) => () => this.jump(step);
      const end = ({ first, cells }) => first + cells - 1;
      return {
        ArrowRight: move(1, 0), ArrowLeft: move(-1, 0), ArrowDown: move(0, 1), ArrowUp: move(0, -1),
        PageDown: rack(1), PageUp: rack(-1),
        Home: () => screen.select(this.current().of.first), End: () => screen.select(end(this.current().of)),
        Enter: () => this.enter(), " ": () => this.enter(),
        Escape: () => (screen.rack && screen.racks.length > 1 ? screen.choose({ rack: null }) : screen.select(-1)),
      };
    }

    current() {
      const { selected, shown } = this.screen;
      return this.screen.placeOf(selected >= 0 ? selected : shown[0].first);
    }

    enter() {
      const { screen } = this;
      if (screen.selected < 0) screen.select(screen.shown[0].first);
      else this.alone(screen.placeOf(screen.selected).of);
    }

    // over the edge of a rack to the one beside it
    move(across, down) {
      const { screen } = this, { plan, perModule, shown: tiles } = screen;
      if (screen.selected < 0 || !plan) return screen.select(tiles[0].first);
      const at = this.current(), columns = plan.columns;
      let order = tiles.indexOf(at.of), column = at.cell - 1 + across, row = at.module - 1 + down;
      const rows = (rack) => Math.ceil(rack.cells / perModule);
      if (column < 0 && order % columns > 0) { order--; column = perModule - 1; }
      if (column >= perModule && order % columns < columns - 1 && order + 1 < tiles.length) { order++; column = 0; }
      if (row < 0 && order >= columns) { order -= columns; row = rows(tiles[order]) - 1; }
      if (row >= rows(tiles[order]) && order + columns < tiles.length) { order += columns; row = 0; }
      const cell = row * perModule + column;
      if (order < 0 || column < 0 || column >= perModule || row < 0 || cell >= tiles[order].cells) return;
      screen.select(tiles[order].first + cell);
    }

    jump(step) {
      const at = this.current(), next = this.screen.racks[at.of.order + step];
      if (next) this.screen.select(next.first + Math.min(at.number, next.cells) - 1);
    }
  }

  return Touch;
})();
