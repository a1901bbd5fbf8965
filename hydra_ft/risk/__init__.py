"""How much may be lost: sizes, limits of an open book, exits. Pure: no clock, no files."""
