// The screen of alarms: which list is shown and what of it is searched for; it is read once a second, and drawn where it changed.
"use strict";
window.bessAlarms ??= (() => {
  const { make, filled, timeText, ask, tabs, select } = bessLists;
  const EVERY_MS = 1000, PAGE = 200, MOST = 1000, KEPT = "alarms";
  const LISTS = ["active", "unacknowledged", "shelved", "suppressed", "all"]; // the other tabs are no lists
  let here = null; // the screen that is shown

  class Screen {
    constructor(root) {
      const said = JSON.parse(root.dataset.said);
      this.root = root;
      this.texts = said.texts;
      this.may = said.may;
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
      this.empty = make("p", { class: "note empty" });
      this.more = make("button", { type: "button", class: "more", hidden: true, onclick: () => this.showMore() });
      this.rows = new bessAlarmRows(texts, [this.empty, this.more], (name) => this.open(name));
      this.rows.scroll.addEventListener("pointerdown", () => { this.held = true; });
      this.released = () => setTimeout(() => this.release(), 300);
      for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, this.released);
      this.deeds = new bessAlarmDeeds(this, this.rows);
      this.lists = make("div", { class: "pages" }, this.filters(), this.deeds.bar, this.rows.scroll);
      this.panel = make("div", { class: "panel-of-tab", role: "tabpanel" });
      this.root.append(this.tabs.bar, this.panel);
    }

    filters() {
      const texts = this.texts;
      this.search = make("input", { type: "search", placeholder: texts.search_alarms, "aria-label": texts.search });
      this.severity = select(texts.severity, Object.entries(texts.severities), () => this.anew());
      this.source = select(texts.source, [["", texts.sources]], () => this.anew());
      let waiting = 0;
      this.search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => this.anew(), 200); });
      this.status = make("span", { class: "note grow", role: "status" });
      const form = make("form", { class: "filters", role: "search" }, this.search, this.severity, this.source, this.status);
      form.addEventListener("submit", (event) => { event.preventDefault(); this.anew(); });
      return form;
    }

    choose(name) {
      this.root.querySelector("dialog.drawer")?.close();
      this.list = name;
      sessionStorage.setItem(KEPT, name);
      this.tabs.mark(name);
      this.panel.setAttribute("aria-labelledby", `tab-${name}`);
      const other = bessAlarmTabs[name]?.(this.texts);
      this.panel.replaceChildren(other ?? this.lists);
      if (other) this.look(); // the counts beside the tabs go on
      else {
        this.rows.selected.clear();
        this.anew();
      }
      this.deeds.offerFor(name);
    }

    open(name) {
      bessAlarmDetails.open(this.root, name, this.texts, (action, items) => this.deeds.act(action, items, true));
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
      this.rows.ages();
      this.look();
    }

    anew() {
      this.limit = PAGE;
      this.etag = "";
      this.rows.scroll.scrollTop = 0;
      this.look();
    }

    showMore() {
      this.limit = Math.min(MOST, this.limit + 2 * PAGE);
      this.etag = "";
      this.look();
    }

    async look() {
      const mine = ++this.asked, isList = LISTS.includes(this.list), { scroll } = this.rows;
      const facts = { list: isList ? this.list : "active", limit: isList ? this.limit : 1, ...this.wanted() };
      let said;
      try {
        said = await ask("/data/alarms", facts, this.etag ? { "if-none-match": this.etag } : {});
      } catch (error) {
        if (mine !== this.asked) return;
        this.etag = "";
        this.lost ??= new Date().toISOString();
        scroll.classList.add("unread");
        this.say(filled(this.texts.list_unreadable, { time: timeText(this.lost), why: error.message }));
        return;
      }
      if (mine !== this.asked || !this.root.isConnected) return;
      this.lost = null;
      scroll.classList.remove("unread");
      if (!said) return;
      this.etag = said.etag;
      this.said = said;
      if (this.held) this.waits = true; // a finger is on the list: nothing moves beneath it
      else this.show();
    }

    wanted() {
      return { text: this.search.value.trim(), severity: this.severity.value, source: this.source.value };
    }

    release() {
      this.held = false;
      if (!this.waits) return;
      this.waits = false;
      this.show();
    }

    // ---- showing -------------------------------------------------------------------------------------------------------------

    show() {
      const { said, texts } = this, { items, total, counts } = said;
      for (const [name, count] of Object.entries(counts)) this.tabs.count(name, count && name !== "all" ? String(count) : "");
      if (!LISTS.includes(this.list)) return;
      this.fillSources(said.sources);
      this.rows.show(items);
      this.deeds.offer("confirm", said.unconfirmed);
      const isFiltered = Object.values(this.wanted()).some(Boolean);
      const none = isFiltered && counts[this.list] ? texts.none_fits : texts.empty[this.list];
      this.empty.textContent = items.length ? "" : none;
      this.more.hidden = total <= items.length || this.limit >= MOST;
      this.more.textContent = filled(texts.more, { count: total - items.length });
      const shown = total ? filled(texts.shown, { shown: items.length, total }) : "";
      this.say(said.recorded ? shown : texts.not_recorded);
    }

    say(text) {
      if (this.status.textContent !== text) this.status.textContent = text;
    }

    fillSources(sources) {
      const known = [...this.source.options].slice(1).map((option) => option.value);
      if (known.join("\n") === sources.join("\n")) return;
      const chosen = this.source.value, option = (value, text) => make("option", { value, text });
      this.source.replaceChildren(option("", this.texts.sources), ...sources.map((source) => option(source, source)));
      this.source.value = sources.includes(chosen) ? chosen : "";
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
