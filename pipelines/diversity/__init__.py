"""The selection of rows that cover the data, and the figures that say how diverse rows are."""
