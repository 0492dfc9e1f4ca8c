"""What the overview says."""

LIMITED_BY = "Limited by"
RACK = "rack {number}"
