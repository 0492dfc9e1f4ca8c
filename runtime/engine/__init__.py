"""The engine: compiled kernels, the scan loop, and the image it shares. It knows the hall's Schedule and no YAML."""
