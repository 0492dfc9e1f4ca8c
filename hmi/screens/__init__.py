"""One module a screen: `build(visit)` draws it with NiceGUI, and elements with `data-tag` live by themselves."""
