#!/usr/bin/env python3
"""A folder's calls by its deck with Polars: whole millionths, one sorted join. Prints account,total; CPU seconds on stderr.

  POLARS_MAX_THREADS=1 benches/peers/totals_polars.py FOLDER
"""
import csv
import resource
import sys

import polars as pl

DIGITS = 15


def millionths(text):
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**6 + int(fraction.ljust(6, "0"))


def ranges(folder):
    """Where each stretch of numbers begins, and the row that its longest prefix has; -1 for none."""
    with open(folder + "/deck.csv") as file:
        rows = list(csv.DictReader(file))
    begins, open_rows = [], []

    def close(until):
        while open_rows and open_rows[-1][1] <= until:
            _row, end = open_rows.pop()
            begins.append((end, open_rows[-1][0] if open_rows else -1))

    for place in sorted(range(len(rows)), key=lambda place: rows[place]["prefix"]):
        prefix = rows[place]["prefix"]
        begin = int(prefix.ljust(DIGITS, "0"))
        close(begin)
        begins.append((begin, place))
        open_rows.append((place, begin + 10 ** (DIGITS - len(prefix))))
    close(10**DIGITS)
    # Of what begins at one number, the last is the innermost.
    return rows, dict(begins)


def main():
    folder = sys.argv[1]
    rows, begins = ranges(folder)
    flat = pl.DataFrame({"begin": list(begins), "row": list(begins.values())}).sort("begin").lazy()
    deck = pl.DataFrame({
        "row": range(len(rows)),
        "fee": [millionths(row["connect_fee"]) for row in rows],
        "rate": [millionths(row["rate_per_minute"]) for row in rows],
        "first": [int(row["first_increment_s"]) for row in rows],
        "next": [int(row["next_increment_s"]) for row in rows],
    }).lazy()
    calls = pl.scan_csv(folder + "/calls.csv", schema_overrides={"callee": pl.String, "account": pl.String})
    calls = calls.filter(pl.col("duration_ms") > 0).select(
        "account",
        ((pl.col("duration_ms") + 999) // 1000).alias("talk"),
        pl.col("callee").str.pad_end(DIGITS, "0").cast(pl.Int64).alias("number"))
    found = calls.sort("number").join_asof(flat, left_on="number", right_on="begin").join(deck, on="row")
    talk, first, step = pl.col("talk"), pl.col("first"), pl.col("next")
    billed = pl.when(talk <= first).then(first).otherwise(first + (talk - first + step - 1) // step * step)
    price = pl.col("fee") + (pl.col("rate") * billed + 30) // 60
    totals = found.group_by("account").agg(price.sum().alias("total")).collect()
    print("account,total")
    for account, total in sorted(totals.iter_rows()):
        print("%s,%d.%06d" % (account, *divmod(total, 10**6)))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print("%.3f" % (usage.ru_utime + usage.ru_stime), usage.ru_maxrss // 1024, file=sys.stderr)


main()
