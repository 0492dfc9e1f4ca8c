// Which channels the trace is asked for: their names and numbers, and the legend that lists them with what they were last.
"use strict";
window.bessScopeChannels = (() => {
  const { textOf } = bessShapes,
    { MOST, freeNumber, rowOf } = bessPlotLegend,
    { notesOf } = bessPlotCursors;

  class Channels {
    // `names` at first; `texts`; `list` and `none`, the legend and what stands there while it is empty; `trigger`, the field
    // of the channel that triggers; `onChange`.
    constructor({ names, texts, list, none, trigger, onChange }) {
      Object.assign(this, { names, texts, list, none, trigger, onChange });
      this.numbers = new Map(); // name -> the number and colour that it keeps while it is chosen
    }

    get isFull() {
      return this.names.length >= MOST;
    }

    add(name) {
      if (!this.names.includes(name)) this.names.push(name);
      this.changed();
    }

    replace(names) {
      this.names = names;
      this.changed();
    }

    numberOf(name) {
      if (!this.numbers.has(name)) {
        const taken = [...this.numbers].filter(([one]) => this.names.includes(one)).map(([, number]) => number);
        this.numbers.set(name, freeNumber(taken) ?? 1);
      }
      return this.numbers.get(name);
    }

    changed() {
      this.legend();
      this.triggers();
      this.onChange();
    }

    // The channels that are chosen, each with its colour and what it was last; those of the trace where it is another's.
    legend() {
      const { names } = this;
      this.none.hidden = names.length > 0;
      for (const name of [...this.numbers.keys()]) if (!names.includes(name)) this.numbers.delete(name);
      this.list.replaceChildren(
        ...names.map((name) => {
          const { row, value, note } = rowOf(this.numberOf(name), name, this.texts.remove, () => {
            this.names.splice(this.names.indexOf(name), 1);
            this.changed();
          });
          value.className = "value live";
          value.dataset.of = note.dataset.of = name;
          return row;
        }),
      );
    }

    triggers() {
      const field = this.trigger,
        before = field.value;
      const none = field.options[0];
      field.replaceChildren(none, ...this.names.map((name) => new Option(name, name)));
      field.value = this.names.includes(before) ? before : "";
    }

    // What each was last, while the trace runs: of `lines` the values in `last`, in their order.
    values(lines, last) {
      for (const element of this.list.querySelectorAll(".value")) {
        const at = lines.findIndex((line) => line.name === element.dataset.of),
          line = lines[at],
          value = last?.[at]?.[0];
        element.textContent =
          line && value !== undefined ? `${textOf(line, value)}${line.unit && value !== null ? `\u202f${line.unit}` : ""}` : "–";
      }
    }

    // What each was where the cursors stand.
    notes(lines, cursors) {
      for (const element of this.list.querySelectorAll(".more")) {
        const line = lines.find((one) => one.name === element.dataset.of);
        element.textContent = cursors && line ? notesOf(line, cursors).join(" · ") : "";
      }
    }
  }

  return { Channels };
})();
