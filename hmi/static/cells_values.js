// The values of all cells: fetched once a second, and all that follows from them for the racks that are shown.
"use strict";
window.bessCellValues = (() => {
  const { scaleOf, codeOf, switchCode, distribution, WARNING, UNKNOWN } = bessCellScale;
  const EVERY_MS = 1000, OLD_MS = 3000, PATIENCE_MS = 3000;
  const BAD = 2; // the grade of a rack whose values are not to be trusted: they are drawn, and counted nowhere

  // ---- what can be said of the cells of some racks ---------------------------------------------------------------------------

  const nothing = () => ({ low: Infinity, high: -Infinity, lowAt: -1, highAt: -1, sum: 0, count: 0, on: 0, beyond: [] });

  function figuresOfRack(rack, values, codes, isSwitch) {
    const found = nothing();
    for (let place = rack.first; place < rack.first + rack.cells; place++) {
      const value = values[place];
      if (codes[place] === UNKNOWN) continue;
      found.count++;
      if (isSwitch) { found.on += value ? 1 : 0; continue; }
      found.sum += value;
      if (value < found.low) { found.low = value; found.lowAt = place; }
      if (value > found.high) { found.high = value; found.highAt = place; }
      if (codes[place] >= WARNING) found.beyond.push(place);
    }
    return found;
  }

  function together(parts) {
    const found = nothing();
    for (const part of parts) {
      if (part.low < found.low) { found.low = part.low; found.lowAt = part.lowAt; }
      if (part.high > found.high) { found.high = part.high; found.highAt = part.highAt; }
      found.sum += part.sum;
      found.count += part.count;
      found.on += part.on;
      found.beyond = found.beyond.concat(part.beyond);
    }
    found.mean = found.sum / found.count;
    return found;
  }

  function ends(racks, values) {
    let least = Infinity, most = -Infinity;
    for (const rack of racks) for (let place = rack.first; place < rack.first + rack.cells; place++) {
      if (values[place] < least) least = values[place];
      if (values[place] > most) most = values[place];
    }
    return [least, most];
  }

  // everything that follows from new values, or from another choice; the codes are kept in the array of the picture before
  function pictureOf({ header, values }, { racks, shown, isAuto }, before) {
    const { switch: isSwitch, grades, decimals, unit } = header;
    const codes = before?.codes.length === values.length ? before.codes : new Uint16Array(values.length);
    const counted = shown.filter((rack) => grades[rack.order] !== BAD);
    const [least, most] = isSwitch ? [0, 1] : ends(counted, values);
    const scale = scaleOf(header, isAuto, least, most);
    const code = isSwitch ? switchCode : codeOf;
    for (let place = 0; place < values.length; place++) codes[place] = code(values[place], scale);
    const parts = racks.map((rack) => figuresOfRack(rack, values, codes, isSwitch));
    const figures = together(counted.map((rack) => parts[rack.order]));
    const bins = isSwitch ? [] : distribution(counted, values, scale);
    return { codes, values, scale, parts, figures, bins, grades, isSwitch, decimals, unit };
  }

  // ---- the stream ------------------------------------------------------------------------------------------------------------

  function read(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const values = new (header.switch ? Uint8Array : Float32Array)(buffer, 4 + length, header.cells);
    return { header, values };
  }

  class Stream { // of the quantity that the screen shows, as long as its page is there
    constructor(screen) {
      this.screen = screen;
      this.data = null;
      this.why = ""; // why nothing newer came
      this.round = 0;
    }

    get isOld() { return !this.data || performance.now() - this.data.at > OLD_MS; }

    async turn() {
      clearTimeout(this.timer);
      if (!this.screen.root.isConnected) return this.screen.end();
      const mine = ++this.round;
      if (!document.hidden) await this.fetch(this.screen.what);
      if (mine === this.round) this.timer = setTimeout(() => this.turn(), EVERY_MS - Date.now() % EVERY_MS);
    }

    stop() { clearTimeout(this.timer); }

    anew() { // what there is are values of another quantity
      this.data = null;
      this.turn();
    }

    async fetch(what) {
      this.abort?.abort();
      const abort = this.abort = new AbortController(), { screen } = this;
      const patience = setTimeout(() => abort.abort(new Error(screen.texts.silent)), PATIENCE_MS);
      let found = null;
      try {
        const answer = await fetch(`/data/cells?what=${encodeURIComponent(what)}`, { signal: abort.signal });
        if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
        found = read(await answer.arrayBuffer());
        this.why = "";
      } catch (error) {
        if (error.name === "AbortError") return; // another quantity was chosen meanwhile
        this.why = error.message; // it is said beside the map once its values are old
      } finally {
        clearTimeout(patience);
      }
      if (found && what === screen.what && found.header.cells === screen.count) {
        this.data = { ...found, at: performance.now() };
        screen.digest();
      }
      screen.figures.tellAge();
      screen.drawSoon();
    }
  }

  return { Stream, pictureOf };
})();
