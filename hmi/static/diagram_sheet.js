// A drawing of a program, of which only what is in view is in the page: some have fifteen thousand blocks. And what of it is live.
"use strict";
(() => {
  const MOST_LIVE = 400, MOST_PIECES = 6000, AROUND = 420; // px that names beside a box may take
  const SVG = "http://www.w3.org/2000/svg";

  // ---- values as text ---------------------------------------------------------------------------------------------------------

  function short(value, isReal) {
    if (isReal && Math.abs(value) >= 1e7) return value.toExponential(2).replace(/\.?0*e\+?/, "e");
    if (Number.isInteger(value)) return String(value);
    return String(Number(value.toPrecision(Math.abs(value) < 1e4 ? 4 : 6)));
  }

  function told(texts, value, about, unit) {
    if (value === null || value === undefined) return "–";
    if (typeof value === "boolean") return texts[value ? "true" : "false"];
    if (about?.names) return (about.names[String(value)] ?? String(value)).replaceAll("_", " ");
    if (about?.type === "TIME") return `${short(value / 1e9)} s`;
    return `${short(value, about?.type === "LREAL")} ${unit || about?.unit || ""}`.trimEnd();
  }

  function stateOf(value, grade) {
    return grade === 1 ? "uncertain" : grade === 2 || grade === 4 ? "bad" : grade === 3 ? "forced" : value === true ? "on" : "";
  }

  // ---- places, from the elements' own numbers: asking the browser for thousands of boxes would hold it up ----------------------

  function placeOf(markup) {
    const number = (name) => Number(new RegExp(` ${name}="([-\\d.]+)"`).exec(markup)?.[1] ?? 0);
    if (markup.startsWith("<path")) return placeOfPath(/ d="([^"]*)"/.exec(markup)?.[1] ?? "");
    if (markup.startsWith("<circle")) return [number("cx"), number("cy"), number("cx"), number("cy")];
    const x = number("x"), y = number("y");
    if (markup.startsWith("<text")) return [x - 60, y - 12, x + AROUND, y];
    return [x, y, x + number("width"), y + number("height")];
  }

  function placeOfPath(d) {
    const xs = [], ys = [];
    for (const [, kind, first, second] of d.matchAll(/([MHV])([-\d.]+)(?: ([-\d.]+))?/g)) {
      if (kind !== "V") xs.push(Number(first));
      if (kind === "M") ys.push(Number(second));
      if (kind === "V") ys.push(Number(first));
    }
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  }

  function isSeen([a, b, c, d], [left, top, right, bottom]) { return c >= left && a <= right && d >= top && b <= bottom; }

  function moved([a, b, c, d], [x, y]) { return [a + x, b + y, c + x, d + y]; }

  // ---- the drawing as pieces ---------------------------------------------------------------------------------------------------

  class Sheet { // runtime/graph_svg.py writes an element a line, titles of several lines apart; nothing of it is parsed until it is seen
    constructor(text) {
      this.pieces = [];
      this.places = new Map(); // instance or tag -> { box, piece }
      this.groups = [];
      this.attached = new Map(); // piece -> element
      [, this.width, this.height] = /viewBox="0 0 (\d+) (\d+)"/.exec(text).map(Number);
      this.read(text.split("\n"));
      this.build();
    }

    read(lines) {
      const stack = [this.group("0,0")];
      let held = [], depth = 0;
      for (const line of lines) {
        if (!held.length) {
          if (/^(<svg |<title>|<style>|<rect class="paper"|<\/svg>|$)/.test(line)) continue;
          if (line.startsWith("<g transform=") || line.startsWith('<g class="table"') || line.startsWith("<g data-tags=")) {
            const found = /translate\(([-\d.]+,[-\d.]+)\)/.exec(line);
            stack.push(found ? this.group(found[1]) : stack.at(-1));
            const names = /data-instances="([^"]*)"/.exec(line)?.[1];
            if (names) this.name(names, [0, 0, 200, 40], stack.at(-1), null);
            continue;
          }
          if (line === "</g>") { stack.pop(); continue; }
        }
        held.push(line);
        depth += line.split("<g ").length - line.split("</g>").length;
        if (depth || !/(\/>|<\/(?:text|path|g|circle|rect)>)$/.test(line)) continue;
        this.add(held.join("\n"), stack.at(-1));
        held = [];
      }
    }

    group(at) {
      this.groups.push({ at: at.split(",").map(Number), layers: [] });
      return this.groups.at(-1);
    }

    add(markup, group) {
      const isBox = markup.includes(" data-box=");
      const box = placeOf(isBox ? /<rect class="body"[^>]*>/.exec(markup)[0] : markup.startsWith("<g") ? /<rect[^>]*>/.exec(markup)[0] : markup);
      const piece = { markup, group, isBox, layer: /^<(g|text)/.test(markup) ? 1 : 0, place: moved(box, group.at) };
      piece.around = isBox ? [piece.place[0] - AROUND, piece.place[1] - 20, piece.place[2] + AROUND, piece.place[3] + 20] : piece.place;
      this.pieces.push(piece);
      if (!isBox) return;
      this.name(/data-instances="([^"]*)"/.exec(markup)[1], box, group, piece);
      for (const [, tag] of markup.matchAll(/<g class="chip tag[^>]* data-name="([^"]*)"/g)) {
        const name = plain(tag);
        if (!this.places.has(name)) this.places.set(name, { box: piece.place, piece, tag: name });
      }
    }

    name(names, box, group, piece) {
      for (const name of plain(names).split(" ")) this.places.set(name, { box: moved(box, group.at), piece });
    }

    build() {
      this.svg = document.createElementNS(SVG, "svg");
      for (const layer of [0, 1]) {
        for (const group of this.groups) {
          group.layers[layer] = this.svg.appendChild(document.createElementNS(SVG, "g"));
          group.layers[layer].setAttribute("transform", `translate(${group.at})`);
        }
      }
      this.outlines = this.svg.appendChild(document.createElementNS(SVG, "path"));
      this.outlines.setAttribute("class", "outlines");
    }

    look(view) { // what is in view is in the page; of very much only the outlines: the elements that came and went, whether all are there
      let seen = this.pieces.filter((piece) => isSeen(piece.around, view));
      const isAll = seen.length <= MOST_PIECES;
      this.outlines.setAttribute("d", isAll ? "" : seen.filter(({ isBox }) => isBox).map(({ place: [a, b, c, d] }) => `M${a} ${b}H${c}V${d}H${a}Z`).join(""));
      if (!isAll) seen = [];
      const wanted = new Set(seen), gone = [];
      for (const [piece, element] of this.attached) if (!wanted.has(piece)) { gone.push(element); element.remove(); this.attached.delete(piece); }
      return { come: this.attach(seen.filter((piece) => !this.attached.has(piece))), gone, isAll };
    }

    attach(pieces) {
      if (!pieces.length) return [];
      const text = `<svg xmlns="${SVG}">${pieces.map(({ markup }) => markup).join("")}</svg>`;
      const made = [...new DOMParser().parseFromString(text, "image/svg+xml").documentElement.children];
      pieces.forEach((piece, place) => {
        const element = document.importNode(made[place], true);
        piece.group.layers[piece.layer].append(element);
        this.attached.set(piece, element);
      });
      return pieces.map((piece) => [this.attached.get(piece), piece]);
    }

    element(piece) { return this.attached.get(piece); }

    pin(path) { return this.svg.querySelector(`[data-pin="${CSS.escape(path)}"]`); }
  }

  function plain(text) { // an attribute's text without its escapes
    return text.includes("&") ? new DOMParser().parseFromString(text, "text/html").documentElement.textContent : text;
  }

  // ---- what of the drawing is live --------------------------------------------------------------------------------------------

  class Marks { // the elements behind each name; those nearest to the middle of the view are listened to
    constructor(texts) {
      this.texts = texts;
      this.names = new Map(); // name -> items
      this.heard = new Map(); // name -> unlisten
      this.now = new Map(); // name -> [value, grade, about]
    }

    come(element, piece) {
      for (const one of [element, ...element.querySelectorAll("[data-live]")]) {
        if (!one.dataset.live) continue;
        const item = { element: one, root: element, place: piece.place, name: one.dataset.live, when: one.dataset.when };
        for (const name of [item.name, item.when]) {
          if (!name) continue;
          if (!this.names.has(name)) this.names.set(name, []);
          this.names.get(name).push(item);
        }
        if (this.now.has(item.name)) this.show(item);
      }
    }

    go(roots) {
      if (!roots.length) return;
      const gone = new Set(roots);
      for (const [name, items] of this.names) {
        const left = items.filter(({ root }) => !gone.has(root));
        if (left.length === items.length) continue;
        if (left.length) this.names.set(name, left);
        else { this.leave(name); this.names.delete(name); }
      }
    }

    look([left, top, right, bottom]) { // whether all that is in view is listened to
      const x = (left + right) / 2, y = (top + bottom) / 2, near = [];
      for (const [name, items] of this.names) {
        near.push([Math.min(...items.map(({ place: [a, b, c, d] }) => Math.hypot(Math.max(a - x, 0, x - c), Math.max(b - y, 0, y - d)))), name]);
      }
      near.sort((one, other) => one[0] - other[0]);
      const wanted = new Set(near.slice(0, MOST_LIVE).map(([, name]) => name));
      for (const name of [...this.heard.keys()]) if (!wanted.has(name)) this.leave(name);
      for (const name of wanted) if (!this.heard.has(name)) this.hear(name);
      return near.length <= MOST_LIVE;
    }

    hear(name) {
      this.heard.set(name, bess.listen(name, (value, grade, about) => {
        this.now.set(name, [value, grade, about]);
        for (const item of this.names.get(name) ?? []) this.show(item);
      }));
    }

    leave(name) { // what is not listened to shows no value
      this.heard.get(name)?.();
      this.heard.delete(name);
      this.now.delete(name);
      for (const item of this.names.get(name) ?? []) this.show(item);
    }

    show({ element, name, when }) {
      let [value, grade, about] = this.now.get(name) ?? [null, 0, null];
      const data = element.dataset;
      if (data.good && about) [value, grade] = [grade === 0 || grade === 3, 0];
      let state = stateOf(value, grade);
      if (data.lit) {
        const isLit = data.lit === "true" ? value === true : value === Number(data.lit);
        const isDue = !when || this.now.get(when)?.[0] === (data.being === "-1" ? true : Number(data.being));
        state = isLit && isDue ? "lit" : state === "on" ? "" : state;
      }
      if (data.state !== state) data.state = state;
      if (!data.room) return;
      const text = told(this.texts, value, about, data.unit), room = Number(data.room);
      const cut = text.length <= room ? text : `${text.slice(0, Math.max(1, room - 1))}…`;
      if (element.textContent !== cut) element.textContent = cut;
    }

    close() {
      for (const name of [...this.heard.keys()]) this.leave(name);
    }
  }

  window.bessSheet = { Sheet, Marks, MOST_LIVE, told };
})();
