// All that is known of one alarm, in a drawer beside the list; and the questions before a deed.
"use strict";
window.bessAlarmDetails ??= (() => {
  const { make, filled, timeText, spanText, sizeText, ask } = bessLists;
  const AGAIN_MS = 2000, MINUTE = 60000, ABOVE = new Set(["H", "HH", "HIGH", "RISING"]);

  function numberText(value, item) {
    if (value === null || value === undefined) return "";
    return `${value.toFixed(Math.min(item.decimals ?? 3, 9))}${item.unit ? `\u202f${item.unit}` : ""}`;
  }

  function limitText(item) {
    if (!item.limit || item.limit_value === null) return item.limit;
    return `${item.limit} ${ABOVE.has(item.limit) ? ">" : "<"} ${Number(item.limit_value.toPrecision(4))}${item.limit_unit ? `\u202f${item.limit_unit}` : ""}`;
  }

  // which words say the alarm's state: those that need somebody come first
  function stateWords(item, texts) {
    const words = texts.words, found = [];
    found.push(item.active ? words.active : item.count || item.active_at ? words.cleared : words.never);
    if (item.acknowledged === false) found.push(words.unacknowledged);
    else if (item.acknowledged_by) found.push(words.acknowledged);
    if (item.confirmed === false) found.push(words.unconfirmed);
    if (item.shelved) {
      const until = item.shelved === "timed" ? words.until : words.until_clear;
      found.push(`${words.shelved} ${filled(until, { time: timeText(item.shelved_until) })}`);
    }
    if (item.suppressed) found.push(words.suppressed);
    if (item.quality.startsWith("Bad")) found.push(words.unsure);
    return found;
  }

  function severity(item) {
    const shown = item.active ? item.severity : "gone";
    return make("span", { class: `severity ${shown}`, text: item.severity });
  }

  // ---- questions -------------------------------------------------------------------------------------------------------------

  function dialogOf(root, kind, label) {
    const dialog = make("dialog", { class: kind, "aria-label": label });
    root.append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("pointerdown", (event) => { if (event.target === dialog) dialog.close(); }); // a touch beside it
    return dialog;
  }

  // what to say with the deed, and for how long; null where nothing is to be done
  function question(root, about, texts) {
    return new Promise((answered) => {
      const dialog = dialogOf(root, "question", about.title);
      const comment = make("textarea", { rows: 2, maxlength: 500, placeholder: about.hint ?? texts.comment_hint });
      const why = make("p", { class: "why", role: "alert" });
      let seconds;
      const durations = (about.durations ?? []).map(([length, text]) => {
        const button = make("button", { type: "button", "aria-pressed": "false", text, disabled: !about.most || (length !== null && length > about.most) });
        button.addEventListener("click", () => {
          seconds = length;
          for (const one of durations) one.setAttribute("aria-pressed", String(one === button));
          why.textContent = "";
        });
        return button;
      });
      const form = make("form", { method: "dialog" },
        make("h2", { text: about.title }), about.note ? make("p", { class: "note", text: about.note }) : null,
        durations.length ? make("div", { class: "durations", role: "group", "aria-label": texts.for_how_long }, ...durations) : null,
        about.most_text ? make("p", { class: "note", text: about.most_text }) : null,
        make("label", { class: "field" }, make("span", { text: about.label ?? texts.comment }), comment), why,
        make("div", { class: "line" }, make("button", { type: "button", text: texts.cancel, onclick: () => dialog.close() }),
          make("button", { class: "primary", text: about.yes, disabled: durations.length > 0 && !about.most })));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (durations.length && seconds === undefined) why.textContent = `${texts.for_how_long}?`;
        else if (about.must && !comment.value.trim()) { why.textContent = texts.reason_needed; comment.focus(); }
        else { answered({ comment: comment.value, seconds: seconds ?? null }); dialog.close(); }
      });
      dialog.addEventListener("close", () => answered(null));
      dialog.append(form);
      dialog.showModal();
    });
  }

  // ---- the drawer ------------------------------------------------------------------------------------------------------------

  function facts(said, texts) {
    const item = said.alarm, words = texts.facts, rows = [];
    const row = (label, ...shown) => { if (shown.some(Boolean)) rows.push(make("tr", {}, make("th", { scope: "row", text: label }), make("td", {}, ...shown))); };
    const cameWith = item.value === null ? "" : numberText(item.value, item);
    row(words.value, cameWith);
    if (item.tag) row(words.now, make("span", { class: "value", "data-tag": item.tag }));
    row(words.limit, item.limit ? `${texts.limits[item.limit] ?? ""} (${limitText(item)})` : "");
    row(item.active ? words.active_at : words.came_at, item.active_at ? timeText(item.active_at, true) : "");
    row(words.cleared_at, !item.active && item.cleared_at ? timeText(item.cleared_at, true) : "");
    row(words.acknowledged, item.acknowledged_by ? `${timeText(item.acknowledged_at, true)} ${filled(texts.words.by, { who: item.acknowledged_by })}` : "");
    row(words.shelved, item.shelved ? `${stateWords(item, texts).find((word) => word.startsWith(texts.words.shelved))}, ${filled(texts.words.by, { who: item.shelved_by })}` : "");
    row(words.comment, item.comment);
    row(words.of, item.of);
    row(words.name, item.name);
    row(words.id, item.id);
    row(words.source, item.source);
    row(words.count, item.count ? filled(texts.words.times, { count: item.count }) : "");
    row(words.quality, item.quality === "Good" ? "" : item.quality);
    return make("table", { class: "rows facts live" }, make("tbody", {}, ...rows));
  }

  function trendLink(tags, text, start, end) {
    const until = Math.min(end, bess.time ?? Date.now());
    const window = start ? `&end=${Math.round(until)}&span=${Math.max(60, Math.ceil((until - start) / 1000))}` : "";
    return make("a", { class: "button", href: `/trends?tags=${tags.map(encodeURIComponent).join(",")}${window}`, text });
  }

  function trends(said, texts) {
    const item = said.alarm, line = make("div", { class: "line" }, trendLink(said.trends, texts.trend));
    if (item.active_at) {
      const came = Date.parse(item.active_at);
      const gone = item.active || !item.cleared_at ? came + 10 * MINUTE : Math.max(came, Date.parse(item.cleared_at));
      line.append(trendLink(said.trends, texts.trend_then, came - 5 * MINUTE, Math.min(gone, came + 120 * MINUTE) + MINUTE));
    }
    return line;
  }

  function protection(rows, texts) {
    return rows.length ? section(texts.protection, ...rows.map((row) => make("table", { class: "rows facts" }, make("tbody", {},
      ...Object.entries(row).map(([word, text]) => make("tr", {}, make("th", { scope: "row", text: texts.protections[word] ?? word }), make("td", { text }))))))) : null;
  }

  function section(title, ...children) {
    return make("section", {}, make("h3", { text: title }), ...children);
  }

  // the clipboard of browsers is for https pages only; a field whose text is selected can be copied everywhere
  function copyable(command, texts) {
    const input = make("input", { readonly: true, value: command, "aria-label": texts.replay, class: "grow" });
    const button = make("button", { type: "button", text: texts.copy });
    button.addEventListener("click", () => {
      input.select();
      if (document.execCommand("copy")) button.textContent = texts.copied;
    });
    return make("div", { class: "line copy" }, input, button);
  }

  function incidents(said, texts) {
    if (!said.alarm.active_at) return null;
    if (!said.incidents.length) return section(texts.incidents, make("p", { class: "note", text: texts.no_incident }));
    return section(texts.incidents, ...said.incidents.map((one) => make("div", { class: "incident" },
      make("p", { text: filled(texts.recorded, { since: timeText(one.since), until: timeText(one.until), why: one.why, scan: one.scan, size: sizeText(one.size) }) }),
      make("div", { class: "line" },
        one.refused ? make("p", { class: "note", text: one.refused }) : make("a", { class: "button", download: one.name, href: `/data/incident/${encodeURIComponent(one.name)}`, text: texts.fetch }),
        trendLink(said.trends, texts.trend_recorded, Date.parse(one.since), Date.parse(one.until))),
      one.command ? copyable(one.command, texts) : null)));
  }

  function history(said, texts) {
    if (said.why) return section(texts.history, make("p", { class: "note", text: said.why }));
    if (!said.events.length) return section(texts.history, make("p", { class: "note", text: texts.no_history }));
    return section(texts.history, make("table", { class: "list live" }, make("tbody", {}, ...said.events.map((event) => make("tr", {},
      make("td", { class: "short", text: timeText(event.time, true) }),
      make("td", { text: event.kind === "quality" ? event.quality : texts.kinds[event.kind] ?? event.kind }),
      make("td", { text: [event.who, event.note, event.comment].filter(Boolean).join(": ") }))))));
  }

  // it stands beside the list and hides neither the bar nor what is said of a deed: so it is not modal
  function open(root, name, texts, deeds) {
    for (const before of root.querySelectorAll("dialog.drawer")) before.close();
    const back = document.activeElement;
    const dialog = dialogOf(root, "drawer", filled(texts.details, { name }));
    dialog.addEventListener("keydown", (event) => { if (event.key === "Escape") dialog.close(); });
    dialog.addEventListener("close", () => { if (back?.isConnected) back.focus({ preventScroll: true }); });
    const body = make("div", { class: "body" });
    dialog.append(body);
    let shown = "", item = null;
    const buttons = make("div", { class: "line deeds" }, ...["acknowledge", "confirm", "shelve", "unshelve"].map((action) =>
      make("button", { type: "button", "data-action": action, text: texts[action], onclick: () => item && deeds(action, [item]) })),
      make("span", { class: "grow" }), make("button", { type: "button", text: texts.close, onclick: () => dialog.close() }));
    dialog.append(buttons);

    async function look() {
      let said;
      try {
        said = await ask(`/data/alarms/${encodeURIComponent(name)}`);
      } catch (error) {
        if (!shown) body.replaceChildren(make("p", { class: "why", text: error.message }));
        return;
      }
      const text = JSON.stringify(said);
      if (text === shown || !dialog.open || dialog.contains(document.activeElement) && document.activeElement.matches("input")) return;
      shown = text;
      item = said.alarm;
      const top = body.scrollTop;
      body.replaceChildren(
        make("div", { class: "line head" }, severity(item), item.first_out ? make("span", { class: "first", text: texts.words.first_out }) : null,
          make("span", { class: "note", text: stateWords(item, texts).join(", ") })),
        make("h2", { text: item.text || item.name }), facts(said, texts), trends(said, texts),
        ...[protection(said.protection, texts), incidents(said, texts), history(said, texts)].filter(Boolean));
      body.scrollTop = top;
      const can = { acknowledge: item.acknowledged === false, confirm: item.confirmed === false, shelve: !item.shelved, unshelve: Boolean(item.shelved) };
      for (const button of buttons.querySelectorAll("[data-action]")) button.hidden = !can[button.dataset.action];
    }

    dialog.show();
    look();
    const timer = setInterval(() => { if (dialog.isConnected) look(); else clearInterval(timer); }, AGAIN_MS);
  }

  return { open, question, severity, stateWords, numberText, limitText };
})();
