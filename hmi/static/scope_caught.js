// What a trace has caught: the moments of its samples, its trigger, and of each channel the value at each moment.
"use strict";
window.bessScopeCaught = (() => {
  const { placeAt, NUMBER, SWITCH } = bessShapes,
    { colourOf } = bessPlotLegend;

  class Channel {
    constructor(about, number, words) {
      Object.assign(this, { name: about.name, number, words, v: [], colour: colourOf(number) });
      this.kind = about.type === "BOOL" ? SWITCH : Object.keys(about.names ?? {}).length ? "words" : NUMBER;
      this.names = this.kind === "words" ? about.names : undefined;
      this.unit = about.unit || (about.type === "TIME" ? "ns" : "");
      this.decimals = about.type === "LREAL" ? 4 : 0;
    }

    // All samples are there, and each has its value: what is no number is a hole.
    data(start, end) {
      const { seconds } = this.of;
      const low = Math.max(placeAt(seconds, start), 0),
        high = placeAt(seconds, end) + 1;
      const t = seconds.slice(low, high),
        v = this.v.slice(low, high);
      return { t, v, q: v.map((value) => (value === null ? 2 : 0)), until: seconds.at(-1) ?? -Infinity };
    }
  }

  class Caught {
    constructor(lines = []) {
      this.lines = lines;
      for (const line of lines) line.of = this;
      this.seconds = []; // from the trigger, or from the first sample
      this.walls = []; // ms of the clock
      this.trigger = -1; // its place among them, -1 for none
      this.missing = 0; // samples that the server did not see
      this.last = 0; // number of the last sample that came alone
    }

    // The clock where it was triggered, or where it begins.
    get when() {
      return this.walls[Math.max(this.trigger, 0)];
    }

    // A whole window, around a trigger.
    put(window) {
      this.seconds = window.seconds;
      this.walls = window.walls;
      this.trigger = window.trigger;
      this.missing = window.missing;
      this.lines.forEach((line, at) => {
        line.v = window.values[at];
      });
    }

    // Samples as they come, of which so many are kept; all of them anew where the server begins at the front.
    append(samples, most) {
      if (this.last && samples.numbers[0] <= this.last) {
        this.seconds = [];
        this.walls = [];
        for (const line of this.lines) line.v = [];
      }
      this.last = samples.numbers.at(-1);
      const keep = (list, more) => list.concat(more).slice(-most);
      this.seconds = keep(this.seconds, samples.seconds);
      this.walls = keep(this.walls, samples.walls);
      this.lines.forEach((line, at) => {
        line.v = keep(line.v, samples.values[at]);
      });
    }
  }

  return { Channel, Caught };
})();
