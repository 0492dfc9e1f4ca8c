// What a chart paints of its lines: steps, dashed where they are doubtful, hatches where nothing is known, bands, marks of alarms.
"use strict";
window.bessPlotPaint = (() => {
  const HOLE = 7, // px
    MARK = 9;
  const { thinned, runsOf, bandsOf, rectangle, bandShape, markShape, hatch, ROW, SEVERITIES } = bessShapes;
  const { gridOf, timeAxis, rowAxis, valueAxis } = bessPlotAxes;

  // One drawing of a plot, in these colours; afterwards `isAny` says whether there was anything in the view.
  class Painting {
    constructor(plot, ink) {
      this.plot = plot;
      this.ink = ink;
      this.isAny = false;
    }

    // What ECharts is to draw.
    option(strips) {
      const { plot, ink } = this;
      const option = {
        animation: false,
        backgroundColor: "transparent",
        textStyle: { fontFamily: "inherit" },
        grid: [],
        xAxis: [],
        yAxis: [],
        series: [],
      };
      const marks = this.marksInView();
      strips.forEach((strip, at) => {
        const isLast = at === strips.length - 1;
        option.grid.push(gridOf(strip, ink));
        option.xAxis.push(timeAxis(plot, at, isLast, ink));
        option.yAxis.push(strip.isRows ? rowAxis(strip, at, ink) : null);
        const items = marks
          .filter((mark) => !at || mark.severity !== "warning")
          .map((mark) => ({ kind: "mark", start: mark.t, end: mark.t, mark }));
        if (strip.isRows) items.push(...this.rowItems(strip));
        else this.numbers(option, strip, at, items);
        option.series.push(this.overlay(at, items));
      });
      return option;
    }

    // Where several would hide each other, the gravest.
    marksInView() {
      const found = new Map(),
        { plot } = this;
      for (const mark of plot.marks) {
        if (mark.t < plot.view.start || mark.t > plot.view.end) continue;
        const place = Math.floor(plot.xOf(mark.t) / MARK),
          before = found.get(place);
        if (!before || SEVERITIES.indexOf(mark.severity) > SEVERITIES.indexOf(before.severity)) found.set(place, mark);
      }
      return [...found.values()];
    }

    // ---- lines

    dataOf(line) {
      const { start, end } = this.plot.view,
        data = thinned(line.data(start, end), start, end, Math.round(this.plot.width));
      this.isAny ||= data.t.length > 0 && data.until > start;
      return data;
    }

    rowItems(strip) {
      return strip.lines.flatMap((line, row) => {
        const data = this.dataOf(line);
        return bandsOf(data, this.plot.view.end).map((band) => ({ kind: "band", row, line, ...band }));
      });
    }

    numbers(option, strip, at, items) {
      let low = Infinity,
        high = -Infinity,
        slot = 0;
      for (const line of strip.lines) {
        const data = this.dataOf(line),
          runs = runsOf(data, this.plot.view.end);
        for (const [, value] of [...runs.sure, ...runs.unsure])
          if (value !== null) {
            low = Math.min(low, value);
            high = Math.max(high, value);
          }
        for (const [start, end] of runs.holes) items.push({ kind: "hole", start, end, slot, line });
        slot += runs.holes.length > 0;
        option.series.push(this.series(line, "sure", runs.sure, at, data), this.series(line, "unsure", runs.unsure, at, data));
      }
      option.yAxis[at] = valueAxis(strip, at, low, high, this.plot.isAuto, this.ink);
    }

    series(line, which, points, at, data) {
      const isEnd = data.v.length && data.v.at(-1) !== null && (which === "sure") === (data.q.at(-1) === 0);
      return {
        id: `${which}-${line.name}`,
        type: "line",
        xAxisIndex: at,
        yAxisIndex: at,
        data: points,
        step: "end",
        symbol: "none",
        silent: true,
        connectNulls: false,
        clip: true,
        lineStyle: { color: line.colour, width: 1.8, type: which === "sure" ? "solid" : [3, 3] },
        itemStyle: { color: line.colour },
        emphasis: { disabled: true },
        endLabel: {
          show: Boolean(isEnd),
          formatter: String(line.number),
          color: line.colour,
          fontWeight: 700,
          fontSize: 12,
          distance: 4,
        },
        labelLayout: { moveOverlap: "shiftY" },
      };
    }

    // ---- what stands over them: holes, bands, marks

    overlay(at, items) {
      const { plot, ink } = this;
      const draw = (params, api) => {
        const item = items[params.dataIndex],
          system = params.coordSys;
        const clip = (t) => Math.min(Math.max(api.coord([t, 0])[0], system.x), system.x + system.width);
        const x0 = clip(item.start),
          x1 = clip(item.end);
        if (item.kind === "mark") return markShape(item.mark, x0, system, at === 0, ink);
        if (item.end < plot.view.start || item.start > plot.view.end) return null;
        if (item.kind === "band") return bandShape(item, x0, x1, system.y + item.row * ROW + 4, ink);
        return rectangle(x0, x1, system.y + system.height - (item.slot + 1) * (HOLE + 1), HOLE, {
          fill: hatch(item.line.colour),
          stroke: item.line.colour,
          lineWidth: 0.5,
        });
      };
      return {
        id: `over-${at}`,
        type: "custom",
        coordinateSystem: "cartesian2d",
        xAxisIndex: at,
        yAxisIndex: at,
        data: items.map((item) => [item.start, 0]),
        renderItem: draw,
        silent: true,
        clip: false,
        z: 5,
        animation: false,
      };
    }
  }

  return { Painting };
})();
