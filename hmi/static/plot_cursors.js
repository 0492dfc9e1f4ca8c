// The two cursors of a chart: sliders that are moved by touch and by keys, and what a line was where they stand.
"use strict";
window.bessPlotCursors = (() => {
  const { readAt, textOf, NUMBER } = bessShapes;

  class Cursors {
    constructor(plot) {
      this.plot = plot;
      this.times = null; // [a, b] in the axis' unit
      this.handles = ["A", "B"].map((name, at) => this.makeHandle(name, at));
    }

    makeHandle(name, at) {
      const { root, options } = this.plot;
      const handle = root.appendChild(document.createElement("div"));
      handle.className = "plot-cursor";
      handle.dataset.name = name;
      handle.tabIndex = 0;
      handle.hidden = true;
      handle.setAttribute("role", "slider");
      handle.setAttribute("aria-label", options.texts.cursor.replace("{name}", name));
      handle.addEventListener("pointerdown", (event) => {
        handle.setPointerCapture(event.pointerId);
        handle.focus();
        event.preventDefault();
      });
      handle.addEventListener("pointermove", (event) => {
        if (handle.hasPointerCapture(event.pointerId)) this.move(at, this.plot.timeOf(this.plot.placeOf(event)));
      });
      handle.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step || !this.times) return;
        event.preventDefault();
        const { view, width } = this.plot,
          pixels = event.shiftKey ? width / 20 : 1;
        this.move(at, this.times[at] + (step * pixels * (view.end - view.start)) / width);
      });
      return handle;
    }

    move(at, t) {
      const { start, end } = this.plot.view;
      this.times[at] = Math.min(Math.max(t, start), end);
      this.changed();
    }

    set(isOn) {
      const { start, end } = this.plot.view;
      this.times = isOn ? [start + (end - start) / 3, start + ((end - start) * 2) / 3] : null;
      this.changed();
    }

    // The view has changed: where both are out of reach they come along.
    follow() {
      const { start, end } = this.plot.view;
      if (this.times?.every((t) => t < start || t > end)) this.set(true);
    }

    changed() {
      this.place();
      this.plot.options.onCursors();
    }

    place() {
      const { plot } = this,
        { start, end } = plot.view;
      this.handles.forEach((handle, at) => {
        const t = this.times?.[at];
        handle.hidden = t === undefined || t < start || t > end;
        if (handle.hidden) return;
        handle.style.left = `${plot.xOf(t)}px`;
        for (const [word, value] of [
          ["valuenow", t],
          ["valuemin", start],
          ["valuemax", end],
          ["valuetext", plot.options.timeText(t)],
        ])
          handle.setAttribute(`aria-${word}`, String(value));
      });
    }
  }

  function valueAt(line, t) {
    return readAt(line.data(t, t), t)?.[0] ?? null;
  }

  // What a line was at both cursors, and of a number how far it went.
  function notesOf(line, times) {
    const [a, b] = times.map((t) => valueAt(line, t));
    const notes = [`A ${textOf(line, a)}`, `B ${textOf(line, b)}`];
    if (line.kind === NUMBER && a !== null && b !== null) notes.push(`B−A ${(b - a).toFixed(line.decimals)}`);
    return notes;
  }

  return { Cursors, valueAt, notesOf };
})();
