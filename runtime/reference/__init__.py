"""The reference of the block library, made from the declarations: lists, pages, timing diagrams, examples. It runs no PLC."""
