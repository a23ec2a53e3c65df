"""Verdicts: what judges said about gold texts while they were calibrated."""

import dataframely as dy


class Verdicts(dy.Schema):
    """One row per judge, text, component and repeat of a calibration; no table of a run."""

    judge = dy.String(primary_key=True, min_length=1, description="Name of the judge among the models.")
    component = dy.String(primary_key=True, min_length=1, description="Component that was asked about.")
    text = dy.String(primary_key=True, min_length=1, description="Text that was judged.")
    repeat = dy.Int64(primary_key=True, min=0, description="Number of the independent reply, from 0.")
    model = dy.String(nullable=False, min_length=1, description="Model that judged.")
    verdict = dy.String(nullable=True, description="The judge's words; null where there is no verdict.")
    degree = dy.Int64(
        nullable=True, min=-2, max=2, description="The verdict from -2 to 2; null where there is none."
    )
    reason = dy.String(nullable=False, description="Why there is no verdict; empty where there is one.")
