// Beside a diagram: what is touched, with its live value, and the list of watched values.
"use strict";
(() => {
  const { told } = bessSheet, MOST_WATCHED = 24, MOST_PINS = 60, MOST_TRENDS = 8, WATCHED = "bess-watch";

  function made(tag, text, kind) {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  }

  function kept(key, otherwise) {
    try { return JSON.parse(sessionStorage.getItem(key)) ?? otherwise; } catch { return otherwise; } // what is kept may be of an older page
  }

  function parsed(title) { // `name: TYPE, unit` and sentences, as runtime/graph_words.py writes them
    const [first, ...sentences] = title.split("\n");
    const at = first.indexOf(": ");
    return at < 0 ? { name: first, type: "", sentences } : { name: first.slice(0, at), type: first.slice(at + 2), sentences };
  }

  class Panel {
    constructor(diagram, element) {
      this.diagram = diagram;
      this.texts = diagram.texts;
      this.chosen = element.querySelector(".chosen");
      this.list = element.querySelector(".watched");
      this.watched = kept(WATCHED, []).filter((one) => typeof one?.key === "string").slice(0, MOST_WATCHED);
      this.heard = [];
      this.listHeard = [];
      this.say(this.texts.select);
      this.showList();
    }

    say(text) {
      this.forget();
      this.chosen.replaceChildren(made("p", text, "note"));
    }

    forget() {
      for (const off of this.heard) off();
      this.heard = [];
    }

    live(key, unit, heard) {
      const element = made("output", "–", "value live");
      element.setAttribute("aria-live", "off");
      heard.push(bess.listen(key, (value, grade, about) => {
        const text = told(this.texts, value, about, unit);
        if (element.textContent !== text) element.textContent = text;
        element.dataset.q = ["good", "uncertain", "bad", "forced", "unknown"][grade];
      }));
      return element;
    }

    choose(subject) { // { title, key, tag, unit, more: [[word, title]], pins: [{label, title, key, unit}], goes }
      this.forget();
      const { name, type, sentences } = parsed(subject.title);
      const head = made("h3", name);
      const parts = [head, made("p", type, "type"), ...sentences.filter(Boolean).map((text) => made("p", text))];
      for (const [word, title] of subject.more ?? []) parts.push(made("p", `${word} ${title}`, "note"));
      if (subject.key && this.diagram.isSame) parts.push(this.line(subject, name));
      if (subject.pins?.length) parts.push(this.pinTable(subject.pins));
      this.chosen.replaceChildren(...parts);
      this.chosen.scrollTop = 0;
    }

    line(subject, name) {
      const box = made("div", "", "deeds");
      const value = made("p", "", "now");
      value.append(this.live(subject.key, subject.unit, this.heard));
      const trend = made("a", this.texts.trend, "button");
      trend.href = `/trends?tags=${encodeURIComponent(subject.key)}`;
      const watch = made("button", this.texts.watch);
      watch.type = "button";
      watch.addEventListener("click", () => this.watch({ key: subject.key, label: name, unit: subject.unit ?? "" }));
      box.append(value, trend, watch);
      if (subject.tag) {
        const force = made("a", this.texts.force, "button");
        force.href = `/control/forces/${encodeURIComponent(subject.tag)}`;
        box.append(force);
      }
      if (subject.goes) {
        const go = made("button", this.texts.where);
        go.type = "button";
        go.addEventListener("click", () => this.diagram.go(subject.goes));
        box.append(go);
      }
      return box;
    }

    pinTable(pins) {
      const list = made("ul", "", "pins");
      for (const pin of pins.slice(0, MOST_PINS)) {
        const row = made("li"), button = made("button", pin.label);
        button.type = "button";
        button.addEventListener("click", () => this.choose(pin));
        row.append(button);
        if (this.diagram.isSame) row.append(this.live(pin.key, pin.unit, this.heard));
        list.append(row);
      }
      return list;
    }

    watch(one) {
      if (this.watched.some(({ key }) => key === one.key)) return;
      if (this.watched.length >= MOST_WATCHED) return this.diagram.note(this.texts.full.replace("{n}", MOST_WATCHED));
      this.watched.push(one);
      this.keep();
    }

    unwatch(key) {
      this.watched = this.watched.filter((one) => one.key !== key);
      this.keep();
    }

    keep() {
      sessionStorage.setItem(WATCHED, JSON.stringify(this.watched));
      this.showList();
    }

    showList() {
      for (const off of this.listHeard) off();
      this.listHeard = [];
      const head = made("h3", this.texts.watching), rows = made("ul");
      for (const { key, label, unit } of this.watched) {
        const row = made("li"), drop = made("button", "×", "plain");
        drop.type = "button";
        drop.setAttribute("aria-label", `${this.texts.unwatch}: ${label}`);
        drop.addEventListener("click", () => this.unwatch(key));
        row.append(made("span", label, "name"), this.live(key, unit, this.listHeard), drop);
        row.querySelector(".name").title = label;
        rows.append(row);
      }
      if (!this.watched.length) return this.list.replaceChildren(head, made("p", this.texts.nothing_watched, "note"));
      const trend = made("a", this.texts.trend, "button");
      trend.href = `/trends?tags=${this.watched.slice(0, MOST_TRENDS).map(({ key }) => encodeURIComponent(key)).join(",")}`;
      this.list.replaceChildren(head, rows, trend);
    }

    close() {
      this.forget();
      for (const off of this.listHeard) off();
    }
  }

  window.bessPanel = { Panel, made, kept };
})();
