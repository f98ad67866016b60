"""Reads market data files of other programs: one file a format, one function for all of them."""

from cashup.data.importers.imported import Imported
from cashup.data.importers.reading import from_frame, read_file

__all__ = ["Imported", "from_frame", "read_file"]
