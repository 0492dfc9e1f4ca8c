// The lists of alarms. Rows are kept and changed in place: whoever reads, scrolls, selects or types is not disturbed.
"use strict";
window.bessAlarms ??= (() => {
  const { make, filled, timeText, spanText, ask, tabs, select, field, pages } = bessLists;
  const { question, severity, stateWords, numberText, limitText } = bessAlarmDetails;
  const BLINKING = 40; // rows: where more wait for somebody, blinking tells nothing
  const EVERY_MS = 1000, PAGE = 200, KEPT = "alarms", LISTS = ["active", "unacknowledged", "shelved", "suppressed", "all"];
  let here = null; // the screen that is shown

  class Screen {
    constructor(root) {
      const said = JSON.parse(root.dataset.said);
      this.root = root;
      this.texts = said.texts;
      this.may = said.may;
      this.rows = new Map(); // name -> its row
      this.selected = new Map(); // name -> the alarm as it was seen when it was selected
      this.items = [];
      this.limit = PAGE;
      this.etag = "";
      this.asked = 0;
      this.draw();
      const kept = sessionStorage.getItem(KEPT);
      this.choose(kept in this.texts.lists ? kept : "active");
      this.timer = setInterval(() => this.tick(), EVERY_MS);
    }

    // ---- the frame of the screen ---------------------------------------------------------------------------------------------

    draw() {
      const texts = this.texts;
      this.tabs = tabs(texts.tabs, texts.lists, (name) => this.choose(name));
      this.search = make("input", { type: "search", placeholder: texts.search_alarms, "aria-label": texts.search });
      this.severity = select(texts.severity, Object.entries(texts.severities), () => this.anew());
      this.source = select(texts.source, [["", texts.sources]], () => this.anew());
      let waiting = 0;
      this.search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => this.anew(), 200); });
      this.status = make("span", { class: "note grow", role: "status" });
      const filters = make("form", { class: "filters", role: "search" }, this.search, this.severity, this.source, this.status);
      filters.addEventListener("submit", (event) => { event.preventDefault(); this.anew(); });
      this.all = make("input", { type: "checkbox", "aria-label": texts.select_shown });
      this.all.addEventListener("change", () => this.selectShown(this.all.checked));
      this.count = make("span", { class: "note count" });
      const button = (action, text, deed) => make("button", { type: "button", "data-action": action, text, onclick: deed });
      this.actions = make("div", { class: "actions" }, make("label", { class: "hit" }, this.all), this.count,
        button("acknowledge", texts.acknowledge, () => this.act("acknowledge", this.chosen(), false)),
        button("comment", texts.acknowledge_comment, () => this.act("acknowledge", this.chosen(), true)),
        button("confirm", texts.confirm, () => this.act("confirm", this.chosen(), true)),
        button("shelve", texts.shelve, () => this.act("shelve", this.chosen(), true)),
        button("unshelve", texts.unshelve, () => this.act("unshelve", this.chosen(), true)),
        make("span", { class: "grow" }), button("shown", texts.acknowledge_shown, () => this.act("acknowledge", this.items, true)));
      this.body = make("tbody");
      const head = make("tr", {}, make("td"), ...Object.entries(texts.heads).map(([word, text]) => make("th", { scope: "col", class: `c-${word}`, text })));
      this.table = make("table", { class: "list live" }, make("caption", { class: "unseen", text: texts.title }), make("thead", {}, head), this.body);
      this.empty = make("p", { class: "note empty" });
      this.more = make("button", { type: "button", class: "more", hidden: true });
      this.more.addEventListener("click", () => { this.limit = Math.min(1000, this.limit + 2 * PAGE); this.etag = ""; this.look(); });
      this.scroll = make("div", { class: "scroll alarm-list", tabindex: -1 }, this.table, this.empty, this.more);
      this.scroll.addEventListener("pointerdown", () => { this.held = true; });
      this.released = () => setTimeout(() => this.release(), 300);
      for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, this.released);
      this.lists = make("div", { class: "pages" }, filters, this.actions, this.scroll);
      this.panel = make("div", { class: "panel-of-tab", role: "tabpanel" });
      this.root.append(this.tabs.bar, this.panel);
    }

    choose(name) {
      this.root.querySelector("dialog.drawer")?.close();
      this.list = name;
      sessionStorage.setItem(KEPT, name);
      this.tabs.mark(name);
      this.panel.setAttribute("aria-labelledby", `tab-${name}`);
      const other = name === "history" ? this.history() : name === "performance" ? this.performance() : null;
      this.panel.replaceChildren(other ?? this.lists);
      if (!other) {
        this.selected.clear();
        this.anew();
      } else this.look();
      for (const [action, isShown] of Object.entries({ shelve: name !== "shelved", unshelve: name === "shelved" || name === "all" })) {
        this.actions.querySelector(`[data-action="${action}"]`).hidden = !isShown;
      }
    }

    // ---- reading -------------------------------------------------------------------------------------------------------------

    tick() {
      if (!this.root.isConnected) {
        clearInterval(this.timer);
        for (const kind of ["pointerup", "pointercancel"]) removeEventListener(kind, this.released);
        if (here === this) here = null;
        return;
      }
      if (document.hidden) return;
      this.ages();
      this.look();
    }

    anew() {
      this.limit = PAGE;
      this.etag = "";
      this.scroll.scrollTop = 0;
      this.look();
    }

    async look() {
      const mine = ++this.asked, list = LISTS.includes(this.list) ? this.list : "active";
      const facts = { list, text: this.search.value.trim(), severity: this.severity.value, source: this.source.value, limit: list === this.list ? this.limit : 1 };
      let said;
      try {
        said = await ask("/data/alarms", facts, this.etag ? { "if-none-match": this.etag } : {});
      } catch (error) {
        if (mine !== this.asked) return;
        this.etag = "";
        this.lost ??= new Date().toISOString();
        this.scroll.classList.add("unread");
        this.say(filled(this.texts.list_unreadable, { time: timeText(this.lost), why: error.message }));
        return;
      }
      if (mine !== this.asked || !this.root.isConnected) return;
      this.lost = null;
      this.scroll.classList.remove("unread");
      if (!said) return;
      this.etag = said.etag;
      this.said = said;
      if (this.held) this.waits = true; // a finger is on the list: nothing moves beneath it
      else this.show();
    }

    release() {
      this.held = false;
      if (!this.waits) return;
      this.waits = false;
      this.show();
    }

    // ---- showing -------------------------------------------------------------------------------------------------------------

    show() {
      const { said, texts } = this;
      for (const [name, count] of Object.entries(said.counts)) this.tabs.count(name, count && name !== "all" ? String(count) : "");
      if (!LISTS.includes(this.list)) return;
      this.items = said.items;
      this.fillSources(said.sources);
      this.arrange();
      this.actions.querySelector('[data-action="confirm"]').hidden = !said.unconfirmed;
      const isFiltered = this.search.value.trim() || this.severity.value || this.source.value;
      this.empty.textContent = said.items.length ? "" : isFiltered && said.counts[this.list] ? texts.none_fits : texts.empty[this.list];
      this.more.hidden = said.total <= said.items.length || this.limit >= 1000;
      this.more.textContent = filled(texts.more, { count: said.total - said.items.length });
      this.say(said.recorded ? said.total ? filled(texts.shown, { shown: said.items.length, total: said.total }) : "" : texts.not_recorded);
      this.table.hidden = !said.items.length;
      this.scroll.classList.toggle("calm", said.items.length > BLINKING);
      this.countSelected();
      this.ages();
    }

    say(text) {
      if (this.status.textContent !== text) this.status.textContent = text;
    }

    fillSources(sources) {
      const known = [...this.source.options].slice(1).map((option) => option.value);
      if (known.join("\n") === sources.join("\n")) return;
      const chosen = this.source.value;
      this.source.replaceChildren(make("option", { value: "", text: this.texts.sources }), ...sources.map((source) => make("option", { value: source, text: source })));
      this.source.value = sources.includes(chosen) ? chosen : "";
    }

    // the rows in the order of the alarms; the row that is read stays where it is on the screen, and so does the focus
    arrange() {
      const focused = document.activeElement, top = this.scroll.scrollTop;
      const anchor = top > 0 ? [...this.body.rows].find((row) => row.offsetTop + row.offsetHeight > top) : null;
      const before = anchor?.offsetTop;
      const wanted = new Set(this.items.map((item) => item.name));
      for (const [name, row] of this.rows) if (!wanted.has(name)) { row.element.remove(); this.rows.delete(name); }
      let place = this.body.firstElementChild;
      for (const item of this.items) {
        const row = this.rows.get(item.name) ?? this.addRow(item.name);
        this.fillRow(row, item);
        if (row.element === place) place = place.nextElementSibling;
        else this.body.insertBefore(row.element, place);
      }
      for (const name of this.selected.keys()) if (!wanted.has(name)) this.selected.delete(name);
      if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
      if (anchor?.isConnected) this.scroll.scrollTop = top + anchor.offsetTop - before;
    }

    addRow(name) {
      const cells = Object.fromEntries(["box", ...Object.keys(this.texts.heads)].map((word) => [word, make("td", { class: `c-${word}` })]));
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
      const { texts } = this, { cells } = row;
      row.element.dataset.unseen = String(item.acknowledged === false && item.active);
      row.element.dataset.severity = item.active ? item.severity : "gone";
      cells.severity.replaceChildren(severity(item), ...(item.first_out ? [make("span", { class: "first", text: texts.words.first_out })] : []));
      row.open.textContent = item.text || item.name;
      row.more.textContent = [item.name, item.id, item.source, item.count > 1 ? filled(texts.words.times, { count: item.count }) : ""].filter(Boolean).join(" · ");
      row.time.textContent = timeText(item.active_at);
      row.time.dateTime = item.active_at ?? "";
      cells.value.replaceChildren(...this.valueOf(item));
      cells.state.replaceChildren(...stateWords(item, texts).map((word) => make("span", { text: word })));
      const by = item.shelved_by ?? item.acknowledged_by;
      cells.who.replaceChildren(...(by ? [make("span", { text: by })] : []), ...(item.comment ? [make("small", { text: item.comment, title: item.comment })] : []));
    }

    valueOf(item) {
      const found = [];
      if (item.value !== null && item.limit) found.push(make("span", { text: numberText(item.value, item) }));
      if (item.limit) found.push(make("small", { text: limitText(item) }));
      if (item.tag && item.limit) found.push(make("small", {}, `${this.texts.facts.now} `, make("span", { class: "value", "data-tag": item.tag })));
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

    // ---- choosing and doing --------------------------------------------------------------------------------------------------

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

    chosen() {
      return [...this.selected.values()];
    }

    async act(action, items, isAsked) {
      const { texts } = this;
      if (!items.length) return this.say(this.list === "shelved" || action !== "acknowledge" || !isAsked || this.items.length ? texts.choose_first : texts.empty[this.list]);
      const waiting = action === "acknowledge" ? items.filter((item) => item.acknowledged === false) : action === "confirm" ? items.filter((item) => item.confirmed === false) : items;
      if (action === "acknowledge" && !waiting.length) return this.say(texts.nothing_to_acknowledge);
      const those = waiting.length ? waiting : items;
      // whoever may not is told so by the server, which notes it: no question before that
      const said = this.may && isAsked ? await this.question(action, those) : { comment: "", seconds: null };
      if (!said) return;
      const alarms = those.map((item) => ({ name: item.name, event: item.event ?? 0 }));
      this.root.dispatchEvent(new CustomEvent("deed", { bubbles: true, detail: { action, alarms, ...said } }));
      this.selected.clear();
      this.countSelected();
    }

    question(action, items) {
      const { texts } = this;
      const what = items.length > 1 ? filled(texts.several, { count: items.length }) : items[0].text || items[0].name;
      const about = { title: filled(texts[`ask_${action}`], { what }), yes: texts[action] };
      if (action === "shelve") {
        const allowed = items.map((item) => item.shelve_most).filter((most) => most > 0);
        const most = allowed.length ? Math.min(...allowed) : 0;
        Object.assign(about, { durations: texts.durations, most, note: texts.shelve_note, label: texts.reason, hint: texts.reason_hint, must: true });
        about.most_text = most ? filled(texts.most, { time: spanText(most, texts.units) }) : texts.never_shelved;
      } else if (action === "unshelve") about.note = texts.unshelve_note;
      return question(this.root, about, texts);
    }

    open(name) {
      bessAlarmDetails.open(this.root, name, this.texts, (action, items) => this.act(action, items, true));
    }

    // ---- the other tabs ------------------------------------------------------------------------------------------------------

    history() {
      const { texts } = this, heads = texts.event_heads;
      const search = make("input", { type: "search", placeholder: texts.search_events, "aria-label": texts.search });
      const kind = select(texts.kind, Object.entries(texts.kinds)), grave = select(texts.severity, Object.entries(texts.severities));
      const columns = [
        [heads.time, (event) => timeText(event.time, true), "time"],
        [texts.severity, (event) => severity({ ...event, active: event.kind === "active" }), "short"],
        [heads.alarm, (event) => make("span", {}, event.text || event.alarm, make("small", { text: [event.alarm, event.id].filter(Boolean).join(" · ") })), "wide"],
        [heads.kind, (event) => event.kind === "quality" ? event.quality : texts.kinds[event.kind] ?? event.kind, "short"],
        [heads.value, (event) => numberText(event.value, event), "number short"],
        [heads.who, (event) => event.who],
        [heads.note, (event) => [event.note, event.comment].filter(Boolean).join(": ")],
      ];
      const made = pages({
        url: "/data/events", label: texts.lists.history, texts, columns, fields: [search, kind, grave],
        filters: { text: search, kind, severity: grave },
      });
      made.read();
      return made.root;
    }

    performance() {
      const period = select(this.texts.period, this.texts.periods);
      period.value = "168";
      const body = make("div", { class: "scroll performance live", tabindex: 0 });
      period.addEventListener("change", () => this.readPerformance(period, body));
      this.readPerformance(period, body);
      return make("div", { class: "pages" }, make("div", { class: "filters" }, field(this.texts.period, period)), body);
    }

    async readPerformance(period, body) {
      let said;
      try {
        said = await ask("/data/performance", { hours: period.value });
      } catch (error) {
        body.replaceChildren(make("p", { class: "why", text: filled(this.texts.list_unreadable, { time: timeText(new Date().toISOString()), why: error.message }) }));
        return;
      }
      body.replaceChildren(...bessPerformance(said, this.texts));
    }
  }

  return {
    begin(root) {
      if (!root || root.dataset.begun) return;
      root.dataset.begun = "true";
      here = new Screen(root);
    },
    look() {
      here?.look();
    },
  };
})();
