"""AlignX (arXiv 2503.15463): 90 preference dimensions, records with three kinds of persona, and what is made of them."""
