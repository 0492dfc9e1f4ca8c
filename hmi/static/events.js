// What the plant did, and who did what: two lists that are read page by page.
"use strict";
window.bessEvents ??= (() => {
  const { make, filled, timeText, tabs, select, pages } = bessLists;
  const KEPT = "events";

  function level(line) {
    return make("span", { class: "level", text: line.level });
  }

  function plant(texts) {
    const search = make("input", { type: "search", placeholder: texts.search_plant, "aria-label": texts.search });
    const kind = select(texts.kind, Object.entries(texts.kinds));
    return pages({
      url: "/data/log", label: texts.plant, texts, fields: [search, kind], filters: { text: search, kind },
      columns: [
        [texts.time, (line) => timeText(line.time, true), "time"],
        [texts.kind, (line) => texts.kinds[line.kind] ?? line.kind, "short"],
        [texts.level, level, "short"],
        [texts.what, (line) => line.text],
        [texts.scan, (line) => line.scan, "number"],
      ],
    });
  }

  // old -> new, each with its unit where it is a number
  function change(deed) {
    const withUnit = (text) => (deed.unit && text !== "" && !Number.isNaN(Number(text)) ? `${text}\u202f${deed.unit}` : text);
    const was = withUnit(deed.old), now = withUnit(deed.new);
    if (!was && !now) return "";
    return make("span", { class: "change" }, was ? `${was} → ` : "", make("b", { text: now || "–" }));
  }

  function audit(texts) {
    const search = make("input", { type: "search", placeholder: texts.search_audit, "aria-label": texts.search });
    const user = make("input", { type: "search", class: "user", placeholder: texts.user, "aria-label": texts.user });
    const action = select(texts.action, Object.entries(texts.actions));
    const refused = select(texts.answer, texts.answers);
    return pages({
      url: "/data/deeds", label: texts.audit, texts, fields: [search, user, action, refused],
      filters: { text: search, user, action, refused }, rowClass: (deed) => (deed.taken ? "" : "refused"),
      columns: [
        [texts.time, (deed) => timeText(deed.time, true), "time"],
        [texts.who, (deed) => make("span", {}, deed.user || "–", make("small", { text: deed.role })), "short"],
        [texts.action, (deed) => texts.actions[deed.action] ?? deed.action, "short"],
        [texts.subject, (deed) => (deed.element ? `${deed.subject}[${deed.element}]` : deed.subject), "subject"],
        [texts.change, change],
        [texts.answer, (deed) => deed.answer],
        [texts.through, (deed) => make("span", {}, deed.service, make("small", { text: deed.peer })), "short"],
      ],
    });
  }

  function begin(root) {
    if (!root || root.dataset.begun) return;
    root.dataset.begun = "true";
    const { texts, why } = JSON.parse(root.dataset.said);
    const panel = make("div", { class: "panel-of-tab", role: "tabpanel" });
    const made = {};
    const bar = tabs(texts.tabs, { plant: texts.plant, audit: texts.audit }, choose);
    root.append(bar.bar, panel);

    function choose(name) {
      sessionStorage.setItem(KEPT, name);
      bar.mark(name);
      panel.setAttribute("aria-labelledby", `tab-${name}`);
      if (name === "audit" && why) {
        panel.replaceChildren(make("p", { class: "panel", text: filled(texts.may_not, { why }) }));
        return;
      }
      made[name] ??= name === "audit" ? audit(texts) : plant(texts);
      panel.replaceChildren(made[name].root);
      made[name].read();
    }

    const kept = sessionStorage.getItem(KEPT);
    choose(kept === "plant" || kept === "audit" ? kept : why ? "plant" : "audit");
  }

  return { begin };
})();
