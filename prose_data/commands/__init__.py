"""Commands beyond the core, one module each; `prose_data.cli` registers them."""
