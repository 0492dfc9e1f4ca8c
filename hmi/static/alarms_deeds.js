// What can be done to alarms: the buttons above a list, and what is asked before a deed. The page's server does it.
"use strict";
window.bessAlarmDeeds ??= (() => {
  const { make, filled, spanText } = bessLists;
  const { question } = bessAlarmDetails;
  const WAITING = { // the deeds that some alarms wait for, and others not
    acknowledge: (item) => item.acknowledged === false,
    confirm: (item) => item.confirmed === false,
  };

  class Deeds {
    constructor(screen, rows) {
      this.screen = screen;
      this.rows = rows;
      const { texts } = screen;
      const button = (name, text, deed) => make("button", { type: "button", "data-action": name, text, onclick: deed });
      const ofChosen = (action, isAsked) => () => this.act(action, rows.chosen, isAsked);
      this.bar = make("div", { class: "actions" }, make("label", { class: "hit" }, rows.all), rows.count,
        button("acknowledge", texts.acknowledge, ofChosen("acknowledge", false)),
        button("comment", texts.acknowledge_comment, ofChosen("acknowledge", true)),
        button("confirm", texts.confirm, ofChosen("confirm", true)),
        button("shelve", texts.shelve, ofChosen("shelve", true)),
        button("unshelve", texts.unshelve, ofChosen("unshelve", true)),
        make("span", { class: "grow" }),
        button("shown", texts.acknowledge_shown, () => this.act("acknowledge", rows.items, true)));
    }

    offer(name, isOffered) {
      this.bar.querySelector(`[data-action="${name}"]`).hidden = !isOffered;
    }

    // what a list offers; whether there is something to confirm is known once it has been read
    offerFor(list) {
      this.offer("shelve", list !== "shelved");
      this.offer("unshelve", list === "shelved" || list === "all");
    }

    async act(action, items, isAsked) {
      const { screen, rows } = this, { texts } = screen;
      if (!items.length) return screen.say(this.whyNone(action, isAsked));
      const waiting = WAITING[action] ? items.filter(WAITING[action]) : items;
      if (action === "acknowledge" && !waiting.length) return screen.say(texts.nothing_to_acknowledge);
      const those = waiting.length ? waiting : items;
      // whoever may not is told so by the server, which notes it: no question before that
      const said = screen.may && isAsked ? await this.question(action, those) : { comment: "", seconds: null };
      if (!said) return;
      const alarms = those.map((item) => ({ name: item.name, event: item.event ?? 0 }));
      screen.root.dispatchEvent(new CustomEvent("deed", { bubbles: true, detail: { action, alarms, ...said } }));
      rows.selected.clear();
      rows.countSelected();
    }

    whyNone(action, isAsked) {
      const { texts, list } = this.screen;
      const isOfShown = action === "acknowledge" && isAsked && list !== "shelved" && !this.rows.items.length;
      return isOfShown ? texts.empty[list] : texts.choose_first;
    }

    question(action, items) {
      const { texts, root } = this.screen;
      const what = items.length > 1 ? filled(texts.several, { count: items.length }) : items[0].text || items[0].name;
      const about = { title: filled(texts[`ask_${action}`], { what }), yes: texts[action] };
      if (action === "shelve") {
        const allowed = items.map((item) => item.shelve_most).filter((most) => most > 0);
        const most = allowed.length ? Math.min(...allowed) : 0;
        Object.assign(about, { durations: texts.durations, most, note: texts.shelve_note });
        Object.assign(about, { label: texts.reason, hint: texts.reason_hint, must: true });
        about.most_text = most ? filled(texts.most, { time: spanText(most, texts.units) }) : texts.never_shelved;
      } else if (action === "unshelve") about.note = texts.unshelve_note;
      return question(root, about, texts);
    }
  }

  return Deeds;
})();
