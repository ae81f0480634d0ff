"""The ribbon commands, one definition for every host.

commands    what a command is, and the list of them
names       the named tables of a workbook that commands read and write
reading     named tables in
writing     result tables out
"""
