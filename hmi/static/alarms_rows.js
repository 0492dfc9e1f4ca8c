// The table of alarms. Rows are kept and changed in place: whoever reads, scrolls, selects or types is not disturbed.
"use strict";
window.bessAlarmRows ??= (() => {
  const { make, filled, timeText, spanText } = bessLists;
  const { severity, stateWords, numberText, limitText } = bessAlarmDetails;
  const BLINKING = 40; // rows: where more wait for somebody, blinking tells nothing

  // where the numbers of a longest rising selection stand; negative ones are none
  function longestRising(numbers) {
    const ends = [], before = []; // ends[n]: where the selection of n + 1 numbers with the least last one ends
    numbers.forEach((number, place) => {
      if (number < 0) return;
      let low = 0, high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (numbers[ends[middle]] < number) low = middle + 1; else high = middle;
      }
      before[place] = ends[low - 1];
      ends[low] = place;
    });
    const found = new Set();
    for (let place = ends.at(-1); place !== undefined; place = before[place]) found.add(place);
    return found;
  }

  class Rows {
    // below: what stands under the table in the same box that scrolls; open(name): somebody wants to know more of an alarm
    constructor(texts, below, open) {
      this.texts = texts;
      this.open = open;
      this.rows = new Map(); // name -> its row
      this.selected = new Map(); // name -> the alarm as it was seen when it was selected
      this.items = [];
      this.all = make("input", { type: "checkbox", "aria-label": texts.select_shown });
      this.all.addEventListener("change", () => this.selectShown(this.all.checked));
      this.count = make("span", { class: "note count" });
      const heads = Object.entries(texts.heads).map(([word, text]) => make("th", { scope: "col", class: `c-${word}`, text }));
      const head = make("thead", {}, make("tr", {}, make("td"), ...heads));
      this.body = make("tbody");
      this.table = make("table", { class: "list live" }, make("caption", { class: "unseen", text: texts.title }), head, this.body);
      this.scroll = make("div", { class: "scroll alarm-list", tabindex: -1 }, this.table, ...below);
    }

    show(items) {
      this.items = items;
      this.arrange();
      this.table.hidden = !items.length;
      this.scroll.classList.toggle("calm", items.length > BLINKING);
      this.countSelected();
      this.ages();
    }

    // ---- rows ----------------------------------------------------------------------------------------------------------------

    // the rows in the order of the alarms; the row that is read stays where it is on the screen, and so does the focus
    arrange() {
      const focused = document.activeElement, top = this.scroll.scrollTop;
      const anchor = top > 0 ? [...this.body.rows].find((row) => row.offsetTop + row.offsetHeight > top) : null;
      const before = anchor?.offsetTop;
      const wanted = new Set(this.items.map((item) => item.name));
      for (const [name, row] of this.rows) if (!wanted.has(name)) { row.element.remove(); this.rows.delete(name); }
      const rows = this.items.map((item) => this.rows.get(item.name) ?? this.addRow(item.name));
      rows.forEach((row, place) => this.fillRow(row, this.items[place]));
      this.order(rows.map((row) => row.element));
      for (const name of this.selected.keys()) if (!wanted.has(name)) this.selected.delete(name);
      if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
      if (anchor?.isConnected) this.scroll.scrollTop = top + anchor.offsetTop - before;
    }

    // each row that is moved is laid out again, in a flood hundreds: the most that already follow one another stay where they are
    order(wanted) {
      const stood = new Map([...this.body.rows].map((element, place) => [element, place]));
      const staying = longestRising(wanted.map((element) => stood.get(element) ?? -1));
      let next = null;
      for (let place = wanted.length - 1; place >= 0; place--) {
        if (!staying.has(place)) this.body.insertBefore(wanted[place], next);
        next = wanted[place];
      }
    }

    addRow(name) {
      const words = ["box", ...Object.keys(this.texts.heads)];
      const cells = Object.fromEntries(words.map((word) => [word, make("td", { class: `c-${word}` })]));
      const box = make("input", { type: "checkbox", "aria-label": filled(this.texts.select, { name }) });
      const open = make("button", { type: "button", class: "open", onclick: () => this.open(name) });
      const more = make("small"), time = make("time"), age = make("small");
      cells.box.append(make("label", { class: "hit" }, box));
      cells.alarm.append(open, more);
      cells.since.append(time, age);
      const row = { element: make("tr", {}, ...Object.values(cells)), cells, box, open, more, time, age, said: "" };
      box.addEventListener("change", () => this.select(name, box.checked));
      row.element.addEventListener("click", (event) => { if (!event.target.closest("button, label, a")) this.open(name); });
      this.rows.set(name, row);
      return row;
    }

    fillRow(row, item) {
      row.item = item;
      const said = JSON.stringify(item);
      if (said === row.said) return;
      row.said = said;
      const { texts } = this, { words } = texts, { cells } = row;
      row.element.dataset.unseen = String(item.acknowledged === false && item.active);
      row.element.dataset.severity = item.active ? item.severity : "gone";
      const first = item.first_out ? [make("span", { class: "first", text: words.first_out })] : [];
      cells.severity.replaceChildren(severity(item), ...first);
      row.open.textContent = item.text || item.name;
      const times = item.count > 1 ? filled(words.times, { count: item.count }) : "";
      row.more.textContent = [item.name, item.id, item.source, times].filter(Boolean).join(" · ");
      row.time.textContent = timeText(item.active_at);
      row.time.dateTime = item.active_at ?? "";
      cells.value.replaceChildren(...this.valueOf(item));
      cells.state.replaceChildren(...stateWords(item, texts).map((word) => make("span", { text: word })));
      const by = item.shelved_by ?? item.acknowledged_by, { comment } = item;
      cells.who.replaceChildren(
        ...(by ? [make("span", { text: by })] : []), ...(comment ? [make("small", { text: comment, title: comment })] : []));
    }

    valueOf(item) {
      const found = [];
      if (item.value !== null && item.limit) found.push(make("span", { text: numberText(item.value, item) }));
      if (item.limit) found.push(make("small", { text: limitText(item) }));
      if (item.tag && item.limit) {
        found.push(make("small", {}, `${this.texts.facts.now} `, make("span", { class: "value", "data-tag": item.tag })));
      }
      return found.length ? found : ["–"];
    }

    // how long it stands, or how long it stood: by the clock of the plant, not of this browser
    ages() {
      const now = bess.time ?? Date.now();
      for (const row of this.rows.values()) {
        const { active, active_at, cleared_at } = row.item;
        const end = active ? now : cleared_at ? Date.parse(cleared_at) : NaN;
        const length = active_at ? (end - Date.parse(active_at)) / 1000 : NaN;
        const text = length >= 0 ? spanText(length, this.texts.units) : "";
        if (row.age.textContent !== text) row.age.textContent = text;
      }
    }

    // ---- choosing ------------------------------------------------------------------------------------------------------------

    get chosen() { return [...this.selected.values()]; }

    select(name, isChosen) {
      if (isChosen) this.selected.set(name, this.rows.get(name).item); else this.selected.delete(name);
      this.countSelected();
    }

    selectShown(isChosen) {
      this.selected = new Map(isChosen ? this.items.map((item) => [item.name, item]) : []);
      this.countSelected();
    }

    countSelected() {
      for (const [name, row] of this.rows) {
        const isChosen = this.selected.has(name);
        if (row.box.checked !== isChosen) row.box.checked = isChosen;
        row.element.classList.toggle("chosen", isChosen);
      }
      const count = this.selected.size;
      this.all.checked = count > 0 && count === this.items.length;
      this.all.indeterminate = count > 0 && count < this.items.length;
      this.count.textContent = filled(this.texts.selected, { count });
    }
  }

  return Rows;
})();
