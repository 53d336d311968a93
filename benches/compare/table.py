"""Prints lines of JSON as one table, each time also as a multiple of implicit's."""

import json
import sys

rows = [json.loads(line) for line in sys.stdin if line.strip()]
base = next((row["fit_seconds"] for row in rows if row["method"].startswith("implicit")), rows[0]["fit_seconds"])
print(f"{'method':<24}{'fit s':>9}{'x implicit':>12}{'NDCG@10':>9}{'HR@10':>8}{'peak MB':>9}")
for row in rows:
    ratio = row["fit_seconds"] / base
    print(
        f"{row['method']:<24}{row['fit_seconds']:>9.2f}{ratio:>12.2f}{row['ndcg_10']:>9.3f}"
        f"{row['hr_10']:>8.3f}{row['peak_mb']:>9.0f}"
    )
