"""A run as a data set: the folder (tables, card, Croissant description) that can be put on a hub."""
