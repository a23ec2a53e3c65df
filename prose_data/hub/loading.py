"""How to load a data set folder with `datasets`, polars and DuckDB: the examples of its card, which a test runs."""

from collections.abc import Sequence

from prose_data.hub.parquet import HubConfig

HUB = "hub"  # the folder, within the run's


def examples(configs: Sequence[HubConfig], repo: str) -> dict[str, str]:
    """Return Python code by the name of the library; it loads the config that stands first, from the data set `repo` on the
    hub or, where that is "", from the run's folder."""
    first = configs[0]
    split = next(iter(first.splits))
    files = f"{f'hf://datasets/{repo}' if repo else HUB}/{first.name}/{split}-*.parquet"
    return {
        "datasets": f'from datasets import load_dataset\n\nrows = load_dataset("{repo or HUB}", "{first.name}", split="{split}")\n',
        "polars": f'import polars as pl\n\nrows = pl.scan_parquet("{files}").collect()\n',
        "duckdb": f"import duckdb\n\nrows = duckdb.sql(\"SELECT * FROM '{files}'\").fetchall()\n",
    }
