// What is said below the trends: which time is in view, how many alarms began in it, what the cursors span, what failed.
"use strict";
window.bessTrendsSaid = (() => {
  const TOLD_MS = 8000,
    NEAR_PX = 22; // as near as a finger hits
  const { spanText } = bessTrendsTime;

  class Said {
    // `part(name)` finds the elements; `plot`, `time`, `past` and `texts` are the page's.
    constructor({ plot, time, past, texts, part }) {
      Object.assign(this, { plot, time, past, texts, part });
    }

    // `text` is told for a while; nothing that is not new is written.
    say(text = "") {
      const { start, end } = this.plot.view,
        marks = this.plot.marks.filter((mark) => mark.t >= start && mark.t <= end).length;
      if (text) {
        this.told = text;
        this.toldAt = performance.now();
      }
      if (this.told && performance.now() - this.toldAt > TOLD_MS) this.told = "";
      const line = [
        this.time.viewText(),
        marks ? this.texts.marks.replace("{count}", this.past.areMore ? `${marks}+` : marks) : "",
        this.past.isBusy ? this.texts.reading : "",
      ];
      this.write("time", line.filter(Boolean).join(" · "));
      this.write("why", this.past.trouble || this.told || "");
    }

    write(name, text) {
      const element = this.part(name);
      if (element.textContent !== text) element.textContent = text;
    }

    // Which alarm began where the chart was touched.
    touched(x) {
      const near = this.plot.marks
        .map((mark) => [Math.abs(this.plot.xOf(mark.t) - x), mark])
        .filter(([apart]) => apart < NEAR_PX)
        .sort((a, b) => a[0] - b[0]);
      if (near.length) {
        const [, mark] = near[0];
        this.say(`${this.time.text(mark.t)} ${mark.severity}: ${mark.text || mark.name}`);
      }
    }

    between(cursors) {
      const at = this.part("between");
      at.textContent = cursors
        ? this.texts.between
            .replace("{a}", this.time.text(cursors[0]))
            .replace("{b}", this.time.text(cursors[1]))
            .replace("{span}", `${cursors[1] < cursors[0] ? "−" : ""}${spanText(Math.abs(cursors[1] - cursors[0]))}`)
        : "";
      at.hidden = !cursors;
    }
  }

  return { Said };
})();
