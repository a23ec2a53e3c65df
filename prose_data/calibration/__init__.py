"""The judge is an instrument: how far its verdicts agree with what is known, and what that does to a run's means."""
