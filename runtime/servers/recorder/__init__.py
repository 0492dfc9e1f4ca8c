"""The recorder: writes what every scan took in to disk, so that it can be run again, and freezes what led to a trip."""
