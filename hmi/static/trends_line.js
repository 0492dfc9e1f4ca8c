// One tag of the trends: what was recorded of it as far as it was fetched, and what came since the page shows it.
"use strict";
window.bessTrendsLine = (() => {
  const KEPT = 36000,
    DROPPED = 6000; // of one tag's live values: at least half an hour at ten a second
  const { placeAt, NUMBER, SWITCH } = bessShapes;

  class Line {
    constructor(name) {
      this.name = name;
      this.past = { t: [], v: [], q: [] };
      this.ring = { t: [], v: [], q: [] };
      this.kind = NUMBER;
      this.unit = "";
      this.decimals = 3;
      this.hasPast = !name.startsWith("pin:"); // until the records say otherwise
      this.pending = null; // [value, grade, about] that was told since the last news
      this.isKnown = true;
    }

    know(about, words) {
      if (!about || this.about === about) return;
      this.about = about;
      this.kind = about.type === "BOOL" ? SWITCH : about.names ? "words" : NUMBER;
      Object.assign(this, {
        unit: about.unit ?? "",
        decimals: about.decimals ?? 0,
        names: about.names,
        min: about.min,
        max: about.max,
        words,
      });
    }

    // The news of `time`, the last before them of `silentSince` where there was silence. True where its note is another now.
    hear(time, silentSince, words) {
      const last = this.ring.v.at(-1),
        grade = this.ring.q.at(-1),
        { kind, isKnown } = this;
      if (silentSince && this.ring.t.length) {
        // nobody heard what was in between
        this.take(silentSince + 1, null, 2);
        if (!this.pending && last !== null) this.take(time, last, grade);
      }
      if (this.pending) {
        const [value, now, about] = this.pending;
        this.pending = null;
        this.know(about, words);
        this.take(time, value, now);
      }
      this.now = time;
      this.isKnown = this.value?.dataset.q !== "unknown"; // nothing is told of what there is not
      return kind !== this.kind || isKnown !== this.isKnown;
    }

    take(t, value, grade) {
      const { ring } = this,
        number = typeof value === "boolean" ? Number(value) : value;
      const now = grade === 2 || grade === 4 ? null : number;
      if (ring.t.length && ring.t.at(-1) >= t) {
        ring.v[ring.v.length - 1] = now;
        ring.q[ring.q.length - 1] = grade;
        return;
      }
      ring.t.push(t);
      ring.v.push(now);
      ring.q.push(grade);
      if (ring.t.length > KEPT) for (const word of ["t", "v", "q"]) ring[word].splice(0, DROPPED);
    }

    // What holds between two times, with the value that held before; `until` is how far the last one is known.
    data(start, end) {
      const parts = { t: [], v: [], q: [] },
        { past, ring } = this,
        begins = ring.t[0] ?? Infinity;
      const copy = (from, low, high) => {
        for (const word of ["t", "v", "q"]) for (let at = low; at < high; at++) parts[word].push(from[word][at]);
      };
      const last = placeAt(past.t, Math.min(end, begins - 1)) + 1;
      copy(past, Math.max(placeAt(past.t, start), 0), last);
      if (begins <= end) copy(ring, Math.max(placeAt(ring.t, start), 0), placeAt(ring.t, end) + 1);
      if (ring.t.length && ring.t[0] <= start && placeAt(ring.t, start) >= 0 && parts.t[0] < ring.t[0]) {
        const skip = parts.t.findIndex((t) => t >= ring.t[0]); // the view begins within what came live
        for (const word of ["t", "v", "q"]) parts[word].splice(0, skip);
      }
      const known = ring.t.length ? this.now : (past.t.at(-1) ?? -Infinity);
      return { ...parts, until: Math.max(known ?? -Infinity, past.t.at(-1) ?? -Infinity) };
    }
  }

  return { Line };
})();
