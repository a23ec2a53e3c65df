"""Stylometry without a model: which habits stand out in somebody's texts beside ordinary writing, and how surely.

Burrows (2002), Delta: measure a text by how far it lies from what is usual, in each feature's own spread. A reader is told
only what a feature means, so the features are such as can be said in words.
"""

from prose_data.stylometry.habits import Habit, habits, habits_of_many, shows

__all__ = ["Habit", "habits", "habits_of_many", "shows"]
