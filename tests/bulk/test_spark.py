"""The example for Spark in docs/many-machines.md, run as it stands there, in Spark's local mode."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from bulk_answers import DATA
from pyarrow import parquet
from pyspark.sql import SparkSession

PAGE = DATA.parents[1] / "docs" / "many-machines.md"


@pytest.fixture
def spark(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # before Java starts: the example's paths are relative
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    settings = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2]").config("spark.driver.host", "127.0.0.1")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


def test_the_example_reads_what_is_in_a_folder(spark, tmp_path):
    (tmp_path / "scans").mkdir()
    lines = sorted(DATA.glob("amount-*"))
    for path in lines:
        (tmp_path / "scans" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "scans" / "broken.png").write_bytes(b"no picture")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (code,) = [block for block in blocks if "mapInPandas" in block]
    exec(compile(code, PAGE.name, "exec"), {"spark": spark, "__name__": "__main__"})
    table = parquet.read_table(tmp_path / "answers").to_pylist()
    found = {Path(row["path"]).name: row for row in table}
    assert len(found) == len(table) == len(lines) + 1
    for path in lines:
        assert found[path.name]["digits"] == path.stem.split("-")[1]
    assert found["broken.png"]["finding"] == "unreadable"
    assert found["broken.png"]["reason"]
