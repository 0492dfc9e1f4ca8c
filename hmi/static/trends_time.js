// Which time the trends show: how much of it, whether it goes with the clock, how the page's address keeps it, and times in words.
"use strict";
window.bessTrendsTime = (() => {
  const ADDRESS_MS = 400,
    FIRST_ADDRESS_MS = 500; // NiceGUI names the screen once it is drawn

  class Time {
    // `plot`; `names()`, the tags for the address; `isSeen()`, whether the page shows the trends; `onMove`: the view is another.
    constructor({ plot, span, end, names, isSeen, onMove }) {
      Object.assign(this, { plot, span, names, isSeen, onMove });
      this.isLive = !end;
      const until = end || this.now();
      plot.show(until - span, until);
    }

    now() {
      return bess.time || Date.now();
    }

    setSpan(span) {
      const end = this.isLive ? this.now() : Math.min((this.plot.view.start + this.plot.view.end) / 2 + span / 2, this.now());
      this.span = span;
      this.plot.show(end - span, end);
      this.moved(true);
    }

    goLive() {
      this.isLive = true;
      this.plot.show(this.now() - this.span, this.now());
      this.moved(true);
    }

    hold() {
      this.isLive = false;
      this.address();
    }

    // Somebody moved the view: it is live as long as its end is now.
    moved(isButton = false) {
      const { start, end } = this.plot.view,
        now = this.now();
      this.span = end - start;
      if (!isButton) this.isLive = end >= now || (this.isLive && now - end < this.span * 0.002);
      if (this.isLive && end > now) this.plot.show(now - this.span, now); // what is to come is not known
      this.onMove();
      this.addressSoon(ADDRESS_MS);
    }

    // ---- the address: the chosen tags and the time, so that it may be kept and sent

    addressSoon(wait = FIRST_ADDRESS_MS) {
      clearTimeout(this.addressing);
      this.addressing = setTimeout(() => this.address(), wait);
    }

    address() {
      if (!this.isSeen()) return;
      const words = [`tags=${this.names().map(readable).join(",")}`, `span=${Math.round(this.span / 1000)}`];
      if (!this.isLive) words.push(`end=${Math.round(this.plot.view.end)}`);
      const path = `${location.pathname}?${words.join("&")}`;
      if (location.pathname.startsWith("/trends")) history.replaceState({ page: path }, "", path);
    }

    end() {
      clearTimeout(this.addressing);
    }

    // ---- in words

    // A moment, to the millisecond where so little is in view.
    text(t) {
      const moment = new Date(t),
        two = (number, digits = 2) => String(number).padStart(digits, "0");
      const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`;
      const isFine = this.plot.view.end - this.plot.view.start < 120e3;
      const day = `${moment.getDate()} ${moment.toLocaleString("en-GB", { month: "short" })}`;
      return `${day} ${clock}${isFine ? `.${two(moment.getMilliseconds(), 3)}` : ""}`;
    }

    viewText() {
      return `${this.text(this.plot.view.start)} – ${this.text(this.plot.view.end)}`;
    }
  }

  // A name in an address: brackets and colons may stand there as they are.
  function readable(name) {
    return encodeURIComponent(name).replaceAll("%5B", "[").replaceAll("%5D", "]").replaceAll("%3A", ":");
  }

  function spanText(ms) {
    const units = [
        ["d", 86400e3],
        ["h", 3600e3],
        ["min", 60e3],
        ["s", 1e3],
      ],
      found = units.find(([, size]) => ms >= size) ?? units[3];
    const [unit, size] = found,
      number = ms / size;
    return `${Number(number.toFixed(number < 10 ? 3 : 1))} ${unit}`;
  }

  return { Time, spanText };
})();
