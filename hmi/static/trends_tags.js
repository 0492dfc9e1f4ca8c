// Which tags the trends show: as the address, the presets and the search choose them, and the legend that lists them.
"use strict";
window.bessTrendsTags = (() => {
  const { Line } = bessTrendsLine,
    { MOST, freeNumber, recolour, rowOf } = bessPlotLegend,
    { notesOf } = bessPlotCursors;

  class Tags {
    // `texts`; `list` and `none`, the legend and what stands there while it is empty; `onChange`.
    constructor({ texts, list, none, onChange }) {
      Object.assign(this, { texts, list, none, onChange });
      this.lines = [];
    }

    get isFull() {
      return this.lines.length >= MOST;
    }

    join(name) {
      if (this.isFull || this.lines.some((line) => line.name.toLowerCase() === name.toLowerCase())) return;
      const line = new Line(name);
      line.number = freeNumber(this.lines.map((one) => one.number));
      line.leave = bess.listen(name, (value, grade, about) => {
        line.pending = [value, grade, about];
      });
      this.lines.push(line);
      this.lines.sort((a, b) => a.number - b.number);
    }

    leave(line) {
      line.leave();
      this.lines = this.lines.filter((one) => one !== line);
    }

    leaveAll() {
      for (const line of [...this.lines]) this.leave(line);
    }

    add(name) {
      this.join(name);
      this.changed();
    }

    replace(names) {
      this.leaveAll();
      for (const name of names) this.join(name);
      this.changed();
    }

    changed() {
      recolour(this.lines);
      this.legend();
      this.onChange();
    }

    // ---- the legend

    legend() {
      this.list.replaceChildren(
        ...this.lines.map((line) => {
          const { row, value, note } = rowOf(line.number, line.name, this.texts.remove, () => {
            this.leave(line);
            this.changed();
          });
          value.dataset.tag = line.name; // hmi.js keeps it true
          [value.dataset.off, value.dataset.on] = this.texts.switch;
          value.textContent = "–";
          Object.assign(line, { value, note });
          return row;
        }),
      );
      this.none.hidden = this.lines.length > 0;
    }

    // What is to be said of each line, and what it was where the cursors stand.
    notes(cursors) {
      for (const line of this.lines) {
        if (!line.note) continue;
        const notes = [];
        if (!line.isKnown) notes.push(this.texts.unknown);
        else if (!line.hasPast) notes.push(this.texts.liveOnly);
        if (cursors) notes.push(...notesOf(line, cursors));
        line.note.textContent = notes.join(" · ");
      }
    }
  }

  return { Tags };
})();
