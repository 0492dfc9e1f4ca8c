// Where each cell is on a map of racks, and how the map is drawn. It knows neither page nor network, nor what a colour means.
"use strict";
window.bessCellPaint = (() => {
  const MOST_MARKED = 400; // where more than these are beyond their limits, nobody overlooks them

  // ---- where things are, in pixels of the canvas -----------------------------------------------------------------------------

  function arrange(canvasWidth, canvasHeight, ratio, racks, perModule) {
    const edge = 3 * ratio, width = canvasWidth - 2 * edge, height = canvasHeight - 2 * edge; // room for a rack's frame
    const modules = Math.max(...racks.map((rack) => Math.ceil(rack.cells / perModule)));
    const isAlone = racks.length === 1;
    const left = isAlone ? 36 * ratio : 0, top = (isAlone ? 18 : 15) * ratio, gap = (racks.length > 16 ? 6 : 12) * ratio;
    let best = null;
    for (let columns = 1; columns <= racks.length; columns++) {
      const rows = Math.ceil(racks.length / columns);
      let across = Math.floor(((width - gap * (columns - 1)) / columns - left) / perModule);
      let down = Math.floor(((height - gap * (rows - 1)) / rows - top) / modules);
      across = Math.max(1, Math.min(across, Math.round(2.6 * down)));
      down = Math.max(1, Math.min(down, Math.round(1.6 * across)));
      const score = Math.min(across, down) * 1000 + across * down;
      if (!best || score > best.score) best = { score, columns, rows, across, down };
    }
    const { columns, rows, across, down } = best;
    const wide = left + across * perModule, high = top + down * modules;
    const x0 = edge + Math.max(0, Math.floor((width - columns * wide - (columns - 1) * gap) / 2));
    const y0 = edge + Math.max(0, Math.floor((height - rows * high - (rows - 1) * gap) / 2));
    const tiles = racks.map((rack, place) => ({
      rack,
      x: Math.round(x0 + (place % columns) * (wide + gap) + left),
      y: Math.round(y0 + Math.floor(place / columns) * (high + gap) + top),
    }));
    return { tiles, columns, across, down, modules, perModule, left, top, ratio, isAlone };
  }

  function boxOf(plan, place) {
    const tile = plan.tiles.find((one) => place >= one.rack.first && place < one.rack.first + one.rack.cells);
    if (!tile) return null;
    const cell = place - tile.rack.first;
    return { x: tile.x + (cell % plan.perModule) * plan.across, y: tile.y + Math.floor(cell / plan.perModule) * plan.down, tile };
  }

  // which rack and cell (its place among all) is at a point; a rack's title has no cell
  function hit(plan, x, y) {
    for (const tile of plan.tiles) {
      const across = Math.floor((x - tile.x) / plan.across), down = Math.floor((y - tile.y) / plan.down);
      if (across < 0 || across >= plan.perModule || down >= plan.modules || y < tile.y - plan.top) continue;
      if (y < tile.y) return { rack: tile.rack, place: -1 };
      const cell = down * plan.perModule + across;
      if (cell < tile.rack.cells) return { rack: tile.rack, place: tile.rack.first + cell };
    }
    return null;
  }

  // ---- drawing ---------------------------------------------------------------------------------------------------------------

  function hatch(context, colours, ratio) {
    const size = Math.round(7 * ratio), tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const brush = tile.getContext("2d");
    brush.strokeStyle = colours.stale;
    brush.lineWidth = Math.max(1, 1.2 * ratio);
    brush.beginPath();
    for (const shift of [-size, 0, size]) { brush.moveTo(shift - 1, size + 1); brush.lineTo(shift + size + 1, -1); }
    brush.stroke();
    return context.createPattern(tile, "repeat");
  }

  // one pixel a cell, enlarged: one drawImage a rack
  function drawMap(context, plan, picture, colours) {
    const { width, height } = context.canvas;
    context.clearRect(0, 0, width, height);
    const lines = hatch(context, colours, plan.ratio);
    context.imageSmoothingEnabled = false;
    const pixels = pixelsOf(plan, picture, colours);
    plan.tiles.forEach((tile, order) => drawRack(context, plan, tile, order, pixels, picture, lines));
    if (Math.min(plan.across, plan.down) >= 5 * plan.ratio) drawGaps(context, plan, colours);
    drawTitles(context, plan, picture, colours);
    if (plan.isAlone) drawNumbers(context, plan, picture, colours);
    drawBeyond(context, plan, picture, colours);
    if (picture.selected >= 0) drawSelected(context, plan, picture.selected, colours);
  }

  let drawn = null; // the canvas of one pixel a cell is kept: making one a second would be waste
  function pixelsOf(plan, { codes }, colours) {
    const height = plan.modules * plan.tiles.length;
    if (!drawn || drawn.canvas.width !== plan.perModule || drawn.canvas.height !== height) {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [plan.perModule, height];
      const context = canvas.getContext("2d"), image = context.createImageData(plan.perModule, height);
      drawn = { canvas, context, image, words: new Uint32Array(image.data.buffer) };
    }
    drawn.words.fill(0);
    plan.tiles.forEach(({ rack }, order) => {
      const start = order * plan.modules * plan.perModule;
      for (let cell = 0; cell < rack.cells; cell++) drawn.words[start + cell] = colours.pixels[codes[rack.first + cell]];
    });
    drawn.context.putImageData(drawn.image, 0, 0);
    return drawn.canvas;
  }

  function drawRack(context, plan, tile, order, pixels, { grades, isOld }, lines) {
    const grade = isOld ? 2 : grades[tile.rack.order];
    const wide = plan.perModule * plan.across, high = plan.modules * plan.down;
    const whole = Math.floor(tile.rack.cells / plan.perModule), rest = tile.rack.cells % plan.perModule;
    const fill = () => {
      context.fillRect(tile.x, tile.y, wide, whole * plan.down);
      if (rest) context.fillRect(tile.x, tile.y + whole * plan.down, rest * plan.across, plan.down);
    };
    context.fillStyle = lines; // seen where a cell's value is not known
    fill();
    context.globalAlpha = grade === 0 || grade === 3 ? 1 : 0.45;
    context.drawImage(pixels, 0, order * plan.modules, plan.perModule, plan.modules, tile.x, tile.y, wide, high);
    context.globalAlpha = 1;
    if (grade !== 0 && grade !== 3) fill();
  }

  function drawGaps(context, plan, colours) {
    context.fillStyle = colours.panel;
    const thin = Math.max(1, Math.round(plan.ratio * 0.75)), thick = plan.down >= 10 * plan.ratio ? 2 * thin : thin;
    const wide = plan.perModule * plan.across, high = plan.modules * plan.down;
    for (const tile of plan.tiles) {
      for (let n = 1; n < plan.perModule; n++) context.fillRect(tile.x + n * plan.across - thin, tile.y, thin, high);
      for (let n = 1; n < plan.modules; n++) context.fillRect(tile.x, tile.y + n * plan.down - thick, wide, thick);
    }
  }

  function drawTitles(context, plan, { titles, tripped, grades }, colours) {
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    for (const tile of plan.tiles) {
      const isTripped = tripped.has(tile.rack.number), isForced = grades[tile.rack.order] === 3;
      context.font = `${isTripped ? "700 " : ""}${11 * plan.ratio}px system-ui, sans-serif`;
      context.fillStyle = isTripped ? colours.error : isForced ? colours.forced : colours.soft;
      const wide = plan.perModule * plan.across, long = titles.rack(tile.rack.number, isTripped, isForced);
      const text = context.measureText(long).width <= wide ? long : String(tile.rack.number);
      if (!plan.isAlone) context.fillText(text, tile.x, tile.y - 4 * plan.ratio, wide);
      if (isTripped || isForced) {
        context.strokeStyle = context.fillStyle;
        context.lineWidth = 2 * plan.ratio;
        const room = 2 * plan.ratio, high = plan.modules * plan.down;
        context.strokeRect(tile.x - room, tile.y - room, wide + 2 * room, high + 2 * room);
      }
    }
  }

  function drawNumbers(context, plan, { codes, values, titles, decimals, isSwitch, figures }, colours) {
    const [tile] = plan.tiles, size = 11 * plan.ratio;
    context.font = `${size}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    context.fillStyle = colours.soft;
    context.textAlign = "right";
    if (plan.down >= size) {
      const modules = Math.ceil(tile.rack.cells / plan.perModule);
      const x = tile.x - 5 * plan.ratio;
      for (let n = 0; n < modules; n++) context.fillText(titles.module(n + 1), x, tile.y + (n + 0.5) * plan.down);
    }
    context.textAlign = "center";
    const every = plan.across >= 1.7 * size ? 1 : 4;
    const above = tile.y - 8 * plan.ratio;
    for (let n = 0; n < plan.perModule; n += every) context.fillText(String(n + 1), tile.x + (n + 0.5) * plan.across, above);
    if (isSwitch || !figures.count || plan.down < 1.2 * size) return;
    const widest = Math.max(...[figures.low, figures.high].map((value) => context.measureText(value.toFixed(decimals)).width));
    if (widest > plan.across - 3 * plan.ratio) return;
    for (let cell = 0; cell < tile.rack.cells; cell++) {
      const value = values[tile.rack.first + cell];
      if (value !== value) continue;
      context.fillStyle = colours.written[codes[tile.rack.first + cell]];
      const x = tile.x + (cell % plan.perModule + 0.5) * plan.across;
      const y = tile.y + (Math.floor(cell / plan.perModule) + 0.5) * plan.down;
      context.fillText(value.toFixed(decimals), x, y);
    }
  }

  // what is beyond a limit is seen by its shape too, also where a cell is three pixels wide
  function drawBeyond(context, plan, { beyond, values, codes, scale }, colours) {
    if (!beyond.length || beyond.length > MOST_MARKED) return;
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.5 * plan.ratio;
    const least = 8 * plan.ratio, isSmall = Math.min(plan.across, plan.down) < least;
    for (const place of beyond) {
      const box = boxOf(plan, place);
      if (!box) continue;
      const wide = Math.max(plan.across, least), high = Math.max(plan.down, least);
      const x = box.x + (plan.across - wide) / 2, y = box.y + (plan.down - high) / 2;
      if (isSmall) {
        context.fillStyle = colours.css[codes[place]];
        context.fillRect(x, y, wide, high);
      }
      context.strokeRect(x, y, wide, high);
      const [right, upper] = [box.x + plan.across - 6 * plan.ratio, box.y + 5 * plan.ratio];
      if (!isSmall) drawArrow(context, right, upper, values[place] >= scale.highest, plan.ratio, colours);
    }
  }

  function drawArrow(context, x, y, isUp, ratio, colours) {
    const half = 3 * ratio, foot = isUp ? y + half : y - half;
    context.fillStyle = colours.ink;
    context.beginPath();
    context.moveTo(x - half, foot);
    context.lineTo(x + half, foot);
    context.lineTo(x, isUp ? y - half : y + half);
    context.fill();
  }

  function drawSelected(context, plan, place, colours) {
    const box = boxOf(plan, place);
    if (!box) return;
    const least = 12 * plan.ratio, wide = Math.max(plan.across, least), high = Math.max(plan.down, least);
    const x = box.x + (plan.across - wide) / 2, y = box.y + (plan.down - high) / 2;
    for (const [colour, width] of [[colours.panel, 6], [colours.accent, 3]]) {
      context.strokeStyle = colour;
      context.lineWidth = width * plan.ratio;
      context.strokeRect(x, y, wide, high);
    }
  }

  return { arrange, hit, drawMap };
})();
