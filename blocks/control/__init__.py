"""Process control: controllers, filters, setpoints, selectors, supervision."""
