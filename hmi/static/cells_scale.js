// The scale of a map of cells: which colour a value has, how many cells have which value, and the bar that shows both.
"use strict";
window.bessCellScale = (() => {
  const WARNING = 256, ERROR = 257, CRITICAL = 258, UNKNOWN = 259, OFF = 260, ON = 261; // codes after the 256 steps of the scale
  const RANK = { warning: WARNING, error: ERROR, critical: CRITICAL };
  const BINS = 64;

  // ---- colours ---------------------------------------------------------------------------------------------------------------

  function rgb(colour) {
    const hex = colour.replace("#", "");
    const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex;
    return [0, 2, 4].map((place) => parseInt(full.slice(place, place + 2), 16));
  }

  const mix = (one, other, share) => one.map((part, place) => Math.round(part + (other[place] - part) * share));
  const linear = (part) => (part / 255) ** 2.2;
  const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const pixel = ([red, green, blue]) => (255 << 24 | blue << 16 | green << 8 | red) >>> 0;

  // every code's colour: as a pixel, as CSS, and what is written on it
  function palette(colour) {
    const [low, middle, high] = ["cells-low", "cells-middle", "cells-high"].map((name) => rgb(colour(name)));
    const colours = [];
    for (let step = 0; step < 256; step++) {
      colours.push(step < 128 ? mix(low, middle, step / 127.5) : mix(middle, high, (step - 127.5) / 127.5));
    }
    colours[WARNING] = rgb(colour("warning"));
    colours[ERROR] = rgb(colour("error"));
    colours[CRITICAL] = rgb(colour("critical"));
    colours[UNKNOWN] = rgb(colour("panel"));
    colours[OFF] = middle;
    colours[ON] = rgb(colour("equipment-on"));
    return {
      pixels: Uint32Array.from(colours, (parts, code) => (code === UNKNOWN ? 0 : pixel(parts))),
      css: colours.map((parts) => `rgb(${parts.join(" ")})`),
      written: colours.map((parts) => (luminance(parts) > 0.2 ? "#14191d" : "#ffffff")),
      ink: colour("ink"), soft: colour("soft"), panel: colour("panel"), line: colour("line"), accent: colour("accent"),
      error: colour("error"), stale: colour("stale"), grid: colour("grid"), forced: colour("forced"), bars: colour("equipment"),
    };
  }

  // the scale: neutral from `low` to `high`, strong beyond the limits
  function scaleOf(header, isAuto, least, most) {
    const lows = header.limits.filter((limit) => limit.side === "low");
    const highs = header.limits.filter((limit) => limit.side === "high");
    const lowest = lows.length ? Math.max(...lows.map((limit) => limit.at)) : -Infinity;
    const highest = highs.length ? Math.min(...highs.map((limit) => limit.at)) : Infinity;
    const span = 10 * 10 ** -header.decimals; // less would show the noise of the sensors
    const known = least <= most;
    const bounds = header.unit === "%" ? [0, 100] : header.range;
    let low = Number.isFinite(lowest) ? lowest : bounds[0] ?? (known ? least : 0);
    let high = Number.isFinite(highest) ? highest : bounds[1] ?? (known ? most : 1);
    if (isAuto && known) {
      const more = Math.max(0, span - (most - least)) / 2;
      [low, high] = [least - more, most + more];
    }
    if (!(high > low)) high = low + span;
    const ends = isAuto ? [low, high] : widened(header.limits.map((limit) => limit.at), low, high);
    return { low, high, lowest, highest, lows, highs, from: ends[0], to: ends[1] };
  }

  function widened(limits, low, high) {
    const from = Math.min(low, ...limits), to = Math.max(high, ...limits);
    const more = from < low || to > high ? 0.03 * (to - from) : 0;
    return [from - more, to + more];
  }

  function codeOf(value, scale) {
    if (value !== value) return UNKNOWN;
    if (value <= scale.lowest || value >= scale.highest) return worst(value, scale);
    const step = (value - scale.low) / (scale.high - scale.low) * 255;
    return step <= 0 ? 0 : step >= 255 ? 255 : step | 0;
  }

  function worst(value, scale) {
    let found = WARNING;
    for (const limit of scale.lows) if (value <= limit.at) found = Math.max(found, RANK[limit.severity] ?? WARNING);
    for (const limit of scale.highs) if (value >= limit.at) found = Math.max(found, RANK[limit.severity] ?? WARNING);
    return found;
  }

  const switchCode = (value) => (value === 255 ? UNKNOWN : value ? ON : OFF);

  // the severity of the limit that a cell of this code is beyond, or nothing
  function severityOf(code) {
    return Object.keys(RANK).find((severity) => RANK[severity] === code) ?? "";
  }

  // ---- the scale with the distribution above it ------------------------------------------------------------------------------

  function distribution(racks, values, scale) {
    const bins = new Array(BINS).fill(0), share = BINS / (scale.to - scale.from);
    for (const rack of racks) for (let place = rack.first; place < rack.first + rack.cells; place++) {
      const value = values[place];
      if (value === value) bins[Math.max(0, Math.min(BINS - 1, Math.floor((value - scale.from) * share)))]++;
    }
    return bins;
  }

  function drawScale(context, ratio, picture, colours, format) {
    const { width, height } = context.canvas, { scale, bins, figures } = picture;
    const left = 34 * ratio, wide = width - 2 * left, bar = 12 * ratio, foot = 17 * ratio, base = height - foot - bar;
    const at = (value) => left + Math.max(0, Math.min(1, (value - scale.from) / (scale.to - scale.from))) * wide;
    context.clearRect(0, 0, width, height);
    const most = Math.max(1, ...bins), each = wide / bins.length;
    context.fillStyle = colours.bars;
    bins.forEach((count, place) => {
      const high = count ? Math.max(2 * ratio, count / most * (base - 12 * ratio)) : 0; // a single cell is seen beside thousands
      context.fillRect(left + place * each, base - high - 2 * ratio, Math.max(1, each - ratio), high);
    });
    for (let x = 0; x < wide; x += ratio) {
      context.fillStyle = colours.css[codeOf(scale.from + (x + ratio / 2) / wide * (scale.to - scale.from), scale)];
      context.fillRect(left + x, base, ratio + 0.5, bar);
    }
    drawTicks(context, ratio, scale, at, base, bar, colours, format);
    if (figures) drawMean(context, ratio, at(figures.mean), base, colours);
  }

  function drawTicks(context, ratio, scale, at, base, bar, colours, format) {
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "top";
    const limits = [...scale.lows, ...scale.highs].filter((limit) => limit.at >= scale.from && limit.at <= scale.to);
    const ticks = limits.map((limit) => [limit.at, true]);
    ticks.push([scale.low, false], [scale.high, false], [(scale.low + scale.high) / 2, false]);
    const taken = [];
    for (const [value, isLimit] of ticks) {
      const x = at(value), text = format(value), half = context.measureText(text).width / 2 + 3 * ratio;
      context.fillStyle = isLimit ? colours.ink : colours.line;
      context.fillRect(x - ratio / 2, base - (isLimit ? 6 * ratio : 0), ratio, bar + (isLimit ? 8 * ratio : 3 * ratio));
      if (taken.some(([from, to]) => x + half > from && x - half < to)) continue;
      taken.push([x - half, x + half]);
      context.fillStyle = isLimit ? colours.ink : colours.soft;
      context.fillText(text, x, base + bar + 4 * ratio);
    }
  }

  function drawMean(context, ratio, x, base, colours) {
    context.fillStyle = colours.ink;
    context.beginPath();
    context.moveTo(x, base);
    context.lineTo(x - 4 * ratio, base - 7 * ratio);
    context.lineTo(x + 4 * ratio, base - 7 * ratio);
    context.fill();
  }

  return { palette, scaleOf, codeOf, switchCode, severityOf, distribution, drawScale, WARNING, UNKNOWN };
})();
