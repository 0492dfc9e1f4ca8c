"""A program of 8,000 blocks from YAML text to its first scan, against `yaml.compose` alone on the same text."""

from __future__ import annotations

import gc
import statistics
import time

import yaml

from blocks import catalogue
from runtime.engine import kernels
from runtime.engine.plan import wanted_kernels
from tests.bench.measure import Result
from tests.bench.programs import channel_files, channel_text, load, plc_of

CHANNELS = 1000
WINDOWS = 5


def run() -> list[Result]:
    files, text = channel_files(CHANNELS), channel_text(CHANNELS)
    site = load(files)
    compiled = kernels.load_kernels(wanted_kernels(site.schedule))
    assert compiled
    uncached = len(kernels.uncached(wanted_kernels(site.schedule)))
    catalogue()
    ours, composed, ratios = [], [], []
    for _ in range(WINDOWS):
        gc.collect()
        begun = time.perf_counter()
        yaml.compose(text, yaml.CSafeLoader)
        alone = time.perf_counter() - begun
        gc.collect()
        begun = time.perf_counter()
        plc_of(files).scan(0)
        whole = time.perf_counter() - begun
        ours.append(whole)
        composed.append(alone)
        ratios.append(whole / alone)
    return [
        Result("8,000 blocks, text to first scan", statistics.median(ours) * 1e3, "ms"),
        Result("8,000 blocks, yaml.compose alone", statistics.median(composed) * 1e3, "ms"),
        Result("8,000 blocks, first scan / compose", statistics.median(ratios), "x", 4.0),
        Result("8,000 blocks, kernels compiled", uncached, "kernels", 0.0),
    ]
