// Where the strips of a chart stand, and how their axes are divided: one for each unit, a row for each switch, time below the last.
"use strict";
window.bessPlotAxes = (() => {
  const LEFT = 74, // px beside the strips: the values' labels, and the numbers at the ends of lines
    RIGHT = 26,
    TOP = 14,
    BOTTOM = 28,
    GAP = 16;
  const { numberText, scaleFor, ROW, NUMBER } = bessShapes;

  // ---- strips ----------------------------------------------------------------------------------------------------------------

  // Where each unit's strip stands, and that of the switches and enumerations below them.
  function stripsOf(shown, height) {
    const units = new Map(),
      rows = [];
    for (const line of shown.filter((one) => one.isKnown !== false)) {
      if (line.kind !== NUMBER) rows.push(line);
      else if (units.has(line.unit)) units.get(line.unit).push(line);
      else units.set(line.unit, [line]);
    }
    const below = rows.length ? rows.length * ROW + GAP : 0;
    const room = height - TOP - BOTTOM - below - GAP * Math.max(units.size - 1, 0);
    const each = units.size ? Math.max(room / units.size, 24) : 0;
    const strips = [...units].map(([unit, lines], at) => ({
      unit,
      lines,
      isRows: false,
      top: TOP + at * (each + GAP),
      height: each,
    }));
    if (rows.length)
      strips.push({ unit: "", lines: rows, isRows: true, top: height - BOTTOM - rows.length * ROW, height: rows.length * ROW });
    if (!strips.length) strips.push({ unit: "", lines: [], isRows: false, top: TOP, height: height - TOP - BOTTOM });
    return strips;
  }

  function gridOf(strip, ink) {
    return {
      left: LEFT,
      right: RIGHT,
      top: strip.top,
      height: strip.height,
      outerBoundsMode: "none",
      show: true,
      borderColor: ink.line,
      borderWidth: 1,
    };
  }

  // ---- time ------------------------------------------------------------------------------------------------------------------

  // `plot` has the view, its width, and whether its time is seconds from a trigger.
  function timeAxis(plot, at, isLast, ink) {
    const { start, end } = plot.view,
      { isRelative } = plot.options;
    return {
      gridIndex: at,
      type: isRelative ? "value" : "time",
      min: start,
      max: end,
      axisLine: { show: false },
      splitLine: { show: true, lineStyle: { color: ink.grid } },
      axisTick: { show: isLast, lineStyle: { color: ink.line } },
      splitNumber: Math.max(2, Math.round(plot.width / 110)),
      axisLabel: {
        show: isLast,
        color: ink.soft,
        fontSize: 12,
        hideOverlap: true,
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (t) => (isRelative ? `${Number(t.toPrecision(8))} s` : clockText(t, plot.view.end - plot.view.start)),
      },
    };
  }

  // The clock at a tick: as fine as the span asks for, and the day where it changes.
  function clockText(t, span) {
    const moment = new Date(t),
      two = (number) => String(number).padStart(2, "0");
    const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
    const day = `${moment.getDate()} ${moment.toLocaleString("en-GB", { month: "short" })}`;
    if (span > 4 * 86400e3) return moment.getHours() ? clock : day;
    if (span > 3 * 3600e3) return moment.getHours() + moment.getMinutes() ? clock : day;
    if (span < 5e3) return `${clock}:${two(moment.getSeconds())}.${Math.floor(moment.getMilliseconds() / 100)}`;
    return `${clock}:${two(moment.getSeconds())}`;
  }

  // ---- values ----------------------------------------------------------------------------------------------------------------

  function rowAxis(strip, at, ink) {
    const labels = strip.lines.map((line) => String(line.number)).reverse();
    return {
      gridIndex: at,
      type: "category",
      data: labels,
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { color: ink.ink, fontSize: 12, fontWeight: 600, interval: 0 },
    };
  }

  // From the least to the greatest value seen, or (not `isAuto`) over the ranges that the lines' tags have.
  function valueAxis(strip, at, low, high, isAuto, ink) {
    const ranged = strip.lines.filter((line) => line.min !== undefined && line.max !== undefined);
    if (!isAuto && ranged.length) {
      // what is seen beyond it stays in sight
      low = Math.min(...ranged.map((line) => line.min), low);
      high = Math.max(...ranged.map((line) => line.max), high);
    }
    const isEmpty = !Number.isFinite(low);
    if (isEmpty) {
      low = 0;
      high = 1;
    }
    const decimals = Math.max(...strip.lines.map((line) => line.decimals), 0);
    const scale = scaleFor(
      low,
      high,
      Math.max(2, Math.round(strip.height / 42)),
      4 * 10 ** -Math.min(decimals, 6),
      isAuto || !ranged.length ? 0.04 : 0,
    );
    const places = Math.max(0, Math.min(6, -Math.floor(Math.log10(scale.interval) + 1e-9)));
    return {
      gridIndex: at,
      type: "value",
      ...scale,
      name: strip.unit,
      nameLocation: "middle",
      nameGap: 58,
      nameTextStyle: { color: ink.ink, fontSize: 12, fontWeight: 600 },
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: ink.grid } },
      axisLabel: {
        show: !isEmpty,
        color: ink.soft,
        fontSize: 12,
        hideOverlap: true,
        formatter: (value) => numberText(Math.abs(value) < scale.interval / 1e6 ? 0 : value, places),
      },
    };
  }

  return { stripsOf, gridOf, timeAxis, rowAxis, valueAxis, LEFT, RIGHT, TOP, BOTTOM };
})();
