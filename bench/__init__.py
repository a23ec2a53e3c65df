"""Benchmarks of the request engine against a bare client, each in fresh processes; README.md says how and why so."""
