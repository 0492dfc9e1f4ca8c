"""IEC 61131-3: the functions and function blocks of the standard."""
