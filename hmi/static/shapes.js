// What charts are made of: values that hold until the next one, scales, the shapes of holes, switches and marks, and CSV.
"use strict";
window.bessShapes = (() => {
  const ROW = 26; // px of a switch or an enumeration
  const NUMBER = "number",
    SWITCH = "switch";
  const SEVERITIES = ["warning", "error", "critical"];

  // ---- values in time --------------------------------------------------------------------------------------------------------

  // The last place whose time is not after `t`, -1 for none.
  function placeAt(times, t) {
    let low = 0,
      high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= t) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // What was so at a time: [value, grade], or null where nothing is known. `until` is how far the last value holds.
  function readAt(data, t) {
    const at = placeAt(data.t, t);
    return at < 0 || t > data.until ? null : [data.v[at], data.q[at]];
  }

  // Of many points those that a line would touch: first, last, least, greatest and first missing of each stretch.
  function thinned(data, start, end, stretches) {
    const { t, v, q } = data;
    if (t.length <= 5 * stretches) return data;
    const kept = [];
    const width = (end - start) / stretches;
    let at = 0;
    while (at < t.length) {
      const limit = start + (Math.max(0, Math.floor((t[at] - start) / width)) + 1) * width;
      const first = at;
      let least = -1,
        greatest = -1,
        missing = -1;
      for (; at < t.length && (t[at] < limit || at === first); at++) {
        if (v[at] === null) {
          if (missing < 0) missing = at;
          continue;
        }
        if (least < 0 || v[at] < v[least]) least = at;
        if (greatest < 0 || v[at] > v[greatest]) greatest = at;
      }
      const some = new Set([first, least, greatest, missing, at - 1]);
      some.delete(-1);
      kept.push(...[...some].sort((a, b) => a - b));
    }
    return { ...data, t: kept.map((i) => t[i]), v: kept.map((i) => v[i]), q: kept.map((i) => q[i]) };
  }

  function niceStep(raw) {
    const power = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw * 0.999) ?? 10 * power;
  }

  // A scale with round ends for values between two others.
  function scaleFor(low, high, ticks, least, share = 0.04) {
    if (!(high - low >= least)) {
      const middle = (low + high) / 2;
      low = middle - least / 2;
      high = middle + least / 2;
    }
    const room = (high - low) * share;
    const step = niceStep((high - low + 2 * room) / Math.max(ticks, 1));
    return { min: Math.floor((low - room) / step) * step, max: Math.ceil((high + room) / step) * step, interval: step };
  }

  function numberText(value, decimals) {
    return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: false });
  }

  // A value in words: with the decimals and names of its line.
  function textOf(line, value) {
    if (value === null || value === undefined) return "–";
    if (line.kind === SWITCH) return line.words[value ? 1 : 0];
    if (line.names) return (line.names[String(value)] ?? String(value)).replaceAll("_", " ");
    return numberText(value, line.decimals);
  }

  const hatches = new Map();
  function hatch(colour) {
    if (!hatches.has(colour)) {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 6;
      const pen = canvas.getContext("2d");
      pen.strokeStyle = colour;
      pen.lineWidth = 1.4;
      for (const shift of [-6, 0, 6]) {
        pen.beginPath();
        pen.moveTo(shift, 6);
        pen.lineTo(shift + 6, 0);
        pen.stroke();
      }
      hatches.set(colour, { image: canvas, repeat: "repeat" });
    }
    return hatches.get(colour);
  }

  // ---- what is drawn of one line ---------------------------------------------------------------------------------------------

  // A line's points in runs: what is good, what is uncertain or forced (dashed), and the holes where nothing is known.
  function runsOf(data, end) {
    const sure = [],
      unsure = [],
      holes = [];
    const until = Math.min(data.until, end);
    let now = null,
      last = null,
      holeFrom = null;
    const leave = (t) => {
      if (now && last !== null) now.push([t, last], [t, null]);
    };
    data.t.forEach((t, at) => {
      const value = data.v[at];
      const next = value === null ? null : data.q[at] === 1 || data.q[at] === 3 ? unsure : sure;
      if (next !== now) leave(t);
      if (value === null) holeFrom ??= t;
      else {
        if (holeFrom !== null) {
          holes.push([holeFrom, t]);
          holeFrom = null;
        }
        next.push([t, value]);
      }
      now = next;
      last = value;
    });
    if (now && last !== null && data.t.at(-1) < until) now.push([until, last]);
    if (holeFrom !== null && holeFrom < until) holes.push([holeFrom, until]);
    return { sure, unsure, holes };
  }

  // Stretches of the same value, for switches and enumerations.
  function bandsOf(data, end) {
    const bands = [];
    const until = Math.min(data.until, end);
    data.t.forEach((t, at) => {
      const before = bands.at(-1);
      if (before && before.value === data.v[at] && before.grade === data.q[at]) return;
      if (before) before.end = t;
      bands.push({ start: t, end: until, value: data.v[at], grade: data.q[at] });
    });
    return bands.filter((band) => band.end > band.start);
  }

  function rectangle(x0, x1, y, height, style) {
    return { type: "rect", shape: { x: x0, y, width: Math.max(x1 - x0, 1), height }, style };
  }

  function bandShape(band, x0, x1, y, ink) {
    const { line, value, grade } = band,
      height = ROW - 8;
    if (value === null || grade === 2)
      return rectangle(x0, x1, y, height, { fill: hatch(ink.stale), stroke: ink.stale, lineWidth: 0.5 });
    const dash = grade === 1 || grade === 3 ? [3, 3] : null;
    if (line.kind === SWITCH) {
      if (value) return rectangle(x0, x1, y, height, { fill: line.colour, opacity: 0.6, stroke: line.colour, lineDash: dash });
      return {
        type: "line",
        shape: { x1: x0, x2: x1, y1: y + height, y2: y + height },
        style: { stroke: line.colour, lineWidth: 1.5, lineDash: dash },
      };
    }
    const box = rectangle(x0, x1, y, height, {
      fill: Number(value) % 2 ? ink.raised : ink.grid,
      stroke: line.colour,
      lineDash: dash,
    });
    if (x1 - x0 < 26) return box;
    const text = {
      text: textOf(line, value),
      x: x0 + 5,
      y: y + height / 2,
      fill: ink.ink,
      verticalAlign: "middle",
      fontSize: 12,
      width: x1 - x0 - 8,
      overflow: "truncate",
    };
    return { type: "group", children: [box, { type: "text", style: text, silent: true }] };
  }

  function markShape(mark, x, system, isTop, ink) {
    const colour = ink[mark.severity] ?? ink.ink;
    const line = {
      type: "line",
      shape: { x1: x, x2: x, y1: system.y, y2: system.y + system.height },
      style: { stroke: ink.stale, lineDash: [2, 4], lineWidth: 1 },
    };
    if (!isTop) return line;
    const y = system.y - 1,
      points = [
        [x - 6, y - 10],
        [x + 6, y - 10],
        [x, y],
      ];
    const head = { type: "polygon", shape: { points }, style: { fill: colour, stroke: ink.ink, lineWidth: 0.5 } };
    return mark.severity === "warning" ? head : { type: "group", children: [line, head] };
  }

  // ---- files -----------------------------------------------------------------------------------------------------------------

  function field(value) {
    let text = value === null || value === undefined ? "" : String(value);
    // a spreadsheet would take it for a formula
    if (typeof value === "string" && /^[=+@\t\r]|^-(?!\d)/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  // RFC 4180: a head line, CRLF, quotes doubled.
  function csv(heads, rows) {
    return [heads, ...rows].map((row) => `${row.map(field).join(",")}\r\n`).join("");
  }

  function save(name, href) {
    const link = document.createElement("a");
    link.href = href;
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
  }

  function saveText(name, text) {
    const href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    save(name, href);
    setTimeout(() => URL.revokeObjectURL(href), 10000);
  }

  const values = { placeAt, readAt, thinned, textOf, numberText, scaleFor };
  const shapes = { runsOf, bandsOf, rectangle, bandShape, markShape, hatch, forgetHatches: () => hatches.clear() };
  return { ...values, ...shapes, csv, save, saveText, ROW, NUMBER, SWITCH, SEVERITIES };
})();
