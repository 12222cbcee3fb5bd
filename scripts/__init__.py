"""Programs that write files of this project from its code."""
