// What leaves the page of a chart: its picture with title and legend, its values as rows, and how the files are called.
"use strict";
window.bessPlotExport = (() => {
  const { readAt, textOf, save } = bessShapes;
  const { TOP, BOTTOM } = bessPlotAxes,
    { valueAt } = bessPlotCursors;

  // Save the chart with its legend and title as a PNG.
  function savePicture(plot, name, title) {
    if (!plot.chart) return; // its library is still on the way
    plot.draw();
    save(name, picture(plot, title));
  }

  function picture(plot, title) {
    const ink = plot.ink(),
      lines = plot.lines.filter((line) => line.isKnown !== false);
    const scale = 2,
      row = 20,
      foot = 14 + row * Math.ceil(lines.length / 2),
      head = 30;
    const width = plot.root.clientWidth,
      height = plot.root.clientHeight;
    const canvas = document.createElement("canvas"),
      pen = canvas.getContext("2d");
    canvas.width = width * scale;
    canvas.height = (height + head + foot) * scale;
    pen.scale(scale, scale);
    pen.fillStyle = ink.panel;
    pen.fillRect(0, 0, width, height + head + foot);
    pen.fillStyle = ink.ink;
    pen.font = "600 14px sans-serif";
    pen.fillText(title, 12, 20, width - 24);
    pen.drawImage(plot.chart.getRenderedCanvas({ pixelRatio: scale }), 0, head, width, height);
    pen.font = "13px sans-serif";
    plot.cursors?.forEach((t, at) => {
      if (t < plot.view.start || t > plot.view.end) return;
      pen.fillRect(plot.xOf(t), head + TOP, 1, height - TOP - BOTTOM);
      pen.fillText("AB"[at], plot.xOf(t) + 3, head + TOP + 12);
    });
    lines.forEach((line, at) => {
      const x = 12 + ((at % 2) * width) / 2,
        y = head + height + 14 + row * Math.floor(at / 2);
      pen.fillStyle = line.colour;
      pen.fillRect(x, y - 10, 12, 12);
      pen.fillStyle = ink.ink;
      const more = plot.cursors
        ? plot.cursors.map((t, place) => `  ${"AB"[place]} ${textOf(line, valueAt(line, t))}`).join("")
        : "";
      pen.fillText(`${line.number}  ${headOf(line)}${more}`, x + 18, y, width / 2 - 34);
    });
    return canvas.toDataURL("image/png");
  }

  // What is in the view as rows: a time, and what each line was then.
  function rowsOf(plot) {
    const { start, end } = plot.view,
      parts = plot.lines.map((line) => line.data(start, end));
    const times = [...new Set([start, ...parts.flatMap((data) => data.t.filter((t) => t > start && t <= end))])].sort(
      (a, b) => a - b,
    );
    return times.map((t) => [t, parts.map((data) => readAt(data, t))]).filter(([, values]) => values.some(Boolean));
  }

  // A line's name with its unit: over its column, and in the picture.
  function headOf(line) {
    return line.unit ? `${line.name} [${line.unit}]` : line.name;
  }

  // No colons: some file systems do not take them.
  function fileName(begin, ms, end) {
    return `${begin}-${new Date(ms).toISOString().slice(0, 19).replaceAll(":", "")}Z.${end}`;
  }

  return { savePicture, rowsOf, headOf, fileName };
})();
