"""Excel for Windows, through the classic (BSD-3) part of xlwings."""
