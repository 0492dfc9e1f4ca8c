// How the alarms perform, beside what ISA-18.2 recommends.
"use strict";
window.bessPerformance ??= (() => {
  const { make, filled, timeText, spanText } = bessLists;

  // a figure on a scale whose mark is what is recommended
  function bar(target) {
    const end = Math.max(target.most * 2, target.value, 1);
    const share = (value) => `${Math.min(100, (100 * value) / end)}%`;
    return make("span", { class: "bullet", "aria-hidden": "true" },
      make("i", { style: `width:${share(target.value)}` }), make("b", { style: `left:${share(target.good)}` }));
  }

  function figures(said, texts) {
    const words = texts.performance;
    const head = make("tr", {}, ...[words.figure, words.here, "", words.recommended, words.verdict].map((text) => (text ? make("th", { scope: "col", text }) : make("td"))));
    const rows = said.targets.map((target) => {
      const unit = target.unit ? `\u202f${target.unit}` : "";
      const facts = { good: `${target.good}${unit}`, most: `${target.most}${unit}` };
      return make("tr", { class: target.verdict === "too many" ? "too-many" : "" }, make("th", { scope: "row", text: target.name }),
        make("td", { class: "number", text: `${Number(target.value.toFixed(2))}${unit}` }), make("td", {}, bar(target)),
        make("td", { text: filled(target.most === target.good ? words.at_most : words.managed, facts) }), make("td", { class: "verdict", text: words.verdicts[target.verdict] ?? target.verdict }));
    });
    return make("table", { class: "list figures" }, make("thead", {}, head), make("tbody", {}, ...rows));
  }

  function ranking(title, rows, texts) {
    const body = rows.length ? rows.map(([text, value, share]) => make("tr", {}, make("th", { scope: "row", text }),
      make("td", {}, share === undefined ? "" : make("span", { class: "bullet" }, make("i", { style: `width:${share}%` }))), make("td", { class: "number", text: value })))
      : [make("tr", {}, make("td", { class: "note", text: texts.performance.nothing }))];
    return make("section", { class: "panel" }, make("h3", { text: title }), make("table", { class: "rows" }, make("tbody", {}, ...body)));
  }

  return (said, texts) => {
    const words = texts.performance, units = texts.units;
    const often = (rows) => rows.map((row) => [row.alarm, filled(texts.words.times, { count: row.times })]);
    const peak = said.peak_10_min;
    const floods = said.flood.worst.map((row) => [filled(words.flood_row, { alarms: row.alarms, lasted: spanText(row.lasted_s, units), began: timeText(row.began) }), ""]);
    if (peak.alarms) floods.push([filled(words.peak, { alarms: peak.alarms, time: timeText(peak.time) }), ""]);
    return [
      ...(said.flood.is_now ? [make("p", { class: "flood", role: "alert", text: words.flood })] : []),
      make("p", { class: "note", text: filled(words.span, { alarms: said.alarms, since: timeText(said.since), until: timeText(said.until) }) + (said.shelved ? ` · ${filled(words.shelved, { count: said.shelved })}` : "") }),
      figures(said, texts),
      make("div", { class: "grid" },
        ranking(words.top, said.top.map((row) => [row.alarm, `${row.alarms} (${row.share.toFixed(0)}\u202f%)`, row.share]), texts),
        ranking(words.severities, Object.entries(said.severities).map(([word, row]) => [`${word} (${words.severity_share[word] ?? "–"})`, `${row.alarms} (${row.share.toFixed(0)}\u202f%)`, row.share]), texts),
        ranking(words.floods, floods, texts),
        ranking(words.chattering, often(said.chattering), texts),
        ranking(words.fleeting, often(said.fleeting), texts),
        ranking(words.stale, said.stale.map((row) => [row.alarm, timeText(row.since)]), texts),
        ranking(words.was_stale, said.was_stale.map((row) => [row.alarm, spanText(row.stood_s, units)]), texts)),
    ];
  };
})();
