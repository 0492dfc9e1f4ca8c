"""Prequalification: the operators' test sequences, their criteria, the log they prescribe and the report. It drives no plant."""
