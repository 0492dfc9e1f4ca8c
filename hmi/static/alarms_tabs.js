// The tabs of the screen of alarms that are no list: what happened, and how the alarms perform.
"use strict";
window.bessAlarmTabs ??= (() => {
  const { make, filled, timeText, ask, select, field, pages } = bessLists;
  const { severity, numberText } = bessAlarmDetails;

  function history(texts) {
    const heads = texts.event_heads;
    const search = make("input", { type: "search", placeholder: texts.search_events, "aria-label": texts.search });
    const kind = select(texts.kind, Object.entries(texts.kinds));
    const grave = select(texts.severity, Object.entries(texts.severities));
    const about = (event) => make("small", { text: [event.alarm, event.id].filter(Boolean).join(" · ") });
    const columns = [
      [heads.time, (event) => timeText(event.time, true), "time"],
      [texts.severity, (event) => severity({ ...event, active: event.kind === "active" }), "short"],
      [heads.alarm, (event) => make("span", {}, event.text || event.alarm, about(event)), "wide"],
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

  function performance(texts) {
    const period = select(texts.period, texts.periods);
    period.value = "168";
    const body = make("div", { class: "scroll performance live", tabindex: 0 });
    period.addEventListener("change", () => readPerformance(period.value, body, texts));
    readPerformance(period.value, body, texts);
    return make("div", { class: "pages" }, make("div", { class: "filters" }, field(texts.period, period)), body);
  }

  async function readPerformance(hours, body, texts) {
    let said;
    try {
      said = await ask("/data/performance", { hours });
    } catch (error) {
      const facts = { time: timeText(new Date().toISOString()), why: error.message };
      body.replaceChildren(make("p", { class: "why", text: filled(texts.list_unreadable, facts) }));
      return;
    }
    body.replaceChildren(...bessPerformance(said, texts));
  }

  return { history, performance };
})();
