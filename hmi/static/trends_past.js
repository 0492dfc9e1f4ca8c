// What the records say of the tags and alarms in view: when it is to be fetched, how finely, and what came of it.
"use strict";
window.bessTrendsPast = (() => {
  const FETCH_MS = 150,
    SILENCE_MS = 1500, // until the records have what nobody heard
    MARKS_MS = 5000,
    AGAIN_MS = 5000, // after an answer that did not come
    MOST_POINTS = 4000;

  class Past {
    // `plot`, which gets the marks; `time`; `texts`; `lines()`; `onBusy` once it is asked for, and `onDone` once it is here.
    constructor({ plot, time, texts, lines, onBusy, onDone }) {
      Object.assign(this, { plot, time, texts, lines, onBusy, onDone });
      this.fetched = null; // start, end, and ms that one stretch of the answer covers
      this.marksAt = this.triedAt = 0;
      this.areMore = this.isBusy = false;
      this.trouble = "";
    }

    get wanted() {
      return this.lines().filter((line) => line.hasPast);
    }

    forget() {
      this.fetched = null;
    }

    needsFetch() {
      const { start, end } = this.plot.view,
        { wanted } = this;
      if (!wanted.length) return false;
      if (!this.fetched) return true;
      const begins = Math.max(...wanted.map((line) => line.ring.t[0] ?? Infinity));
      const fine = (end - start) / this.plot.width;
      return (
        start < this.fetched.start ||
        (Math.min(end, begins, this.time.now()) > this.fetched.end + 1000 && begins > this.fetched.end + 1000) ||
        this.fetched.fine > 2 * Math.max(fine, 1)
      );
    }

    fetchSoon() {
      this.triedAt = performance.now();
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.fetchNow(), FETCH_MS);
    }

    // The news were silent for a while: what is there already is fetched again.
    fetchMissed() {
      clearTimeout(this.missing); // a view that is moved meanwhile does not make up for it
      this.missing = setTimeout(() => this.fetchNow(true), SILENCE_MS);
    }

    // What comes into a view that goes with the clock, and what could not be had yet.
    follow() {
      const { start, end } = this.plot.view;
      if (this.needsFetch()) {
        const isDue = !this.isBusy && performance.now() - this.triedAt > AGAIN_MS;
        if (this.fetched || isDue) this.fetchSoon();
      } else if (performance.now() - this.marksAt > Math.max(MARKS_MS, (end - start) / 200)) this.refreshMarks();
    }

    async fetchNow(isForced = false) {
      if (!this.plot.root.isConnected || (!isForced && !this.needsFetch())) return;
      const { wanted } = this,
        { start, end } = this.plot.view,
        margin = (end - start) / 2;
      if (!wanted.length) return;
      this.asked?.abort();
      const asked = (this.asked = new AbortController());
      const from = Math.max(0, Math.floor(start - margin)),
        to = Math.ceil(Math.min(end + margin, Math.max(this.time.now(), end)));
      const points = Math.min(MOST_POINTS, Math.round((5 * this.plot.width * (to - from)) / (end - start)));
      const time = `start=${from}&end=${to}`;
      this.trouble = "";
      this.busy(true);
      try {
        const names = wanted.map((line) => encodeURIComponent(line.name)).join(",");
        const past = await this.get(`/data/history?tags=${names}&${time}&points=${points}`, asked);
        await this.readMarks(asked);
        this.fetched = { start: from, end: Math.min(to, this.time.now()), fine: (to - from) / (points / 5) };
        for (const line of wanted) {
          const found = past.tags[line.name];
          line.hasPast = !past.missing.includes(line.name);
          line.past = found ? { t: found.t, v: found.v, q: found.q } : { t: [], v: [], q: [] };
        }
      } catch (error) {
        if (error.name === "AbortError") return;
        this.trouble = error.message;
      }
      this.busy(false);
      this.onDone();
    }

    busy(isBusy) {
      this.isBusy = isBusy;
      this.onBusy();
    }

    // When alarms began in the view, and half a view beside it; while it is live they are asked for again now and then.
    async readMarks(asked) {
      const { start, end } = this.plot.view,
        margin = (end - start) / 2;
      this.marksAt = performance.now();
      const found = await this.get(
        `/data/marks?start=${Math.max(0, Math.floor(start - margin))}&end=${Math.ceil(end + margin)}`,
        asked,
      );
      this.plot.marks = found.marks;
      this.areMore = found.more;
    }

    async refreshMarks() {
      try {
        await this.readMarks(new AbortController());
        this.trouble = "";
      } catch (error) {
        this.trouble = error.message;
      }
    }

    async get(path, asked) {
      const answer = await fetch(path, { signal: asked.signal });
      if (answer.ok) return answer.json();
      const problem = await answer.json().catch(() => ({}));
      throw new Error(problem.detail || `${this.texts.failed} (${answer.status})`);
    }

    end() {
      clearTimeout(this.waiting);
      clearTimeout(this.missing);
      this.asked?.abort();
    }
  }

  return { Past };
})();
