"""The web page of a site: what its operator, its engineer and the night shift look at."""
