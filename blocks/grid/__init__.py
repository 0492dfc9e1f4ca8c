"""Grid support: frequency and voltage support, reserves, protection, power sharing, dispatch."""
