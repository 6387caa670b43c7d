#!/usr/bin/env python3
"""Writes scipy_distances.txt, the table that the distances are tested against.

    python3 -m venv venv && venv/bin/pip install scipy && venv/bin/python scipy_distances.py

Each distance is SciPy's, called by its name, on float64 copies of float32 data. Names that SciPy no longer has are
computed here by their published formula and marked "formula" in the table.
"""
import pathlib

import numpy
import scipy
from scipy.spatial.distance import cdist

BOOLEAN = ("dice jaccard kulsinski matching rogerstanimoto russellrao sokalmichener sokalsneath yule").split()
QUERIES = 2  # rows 0 and 1 against all


def by_formula(name, u, v, p, w):
    if name == "wminkowski":
        return ((w * abs(u - v)) ** p).sum() ** (1 / p)
    u, v = u.astype(bool), v.astype(bool)
    n = len(u)
    both = int((u & v).sum())
    differ = int((u ^ v).sum())
    if name == "matching":
        return differ / n
    if name == "kulsinski":
        return (differ - both + n) / (differ + n)
    if name == "sokalmichener":
        return 2 * differ / (n + differ)
    raise ValueError(name)


def distances(name, data, p, w):
    """Rows 0 ... QUERIES-1 against all rows, and where the numbers come from."""
    rows = data.astype(bool) if name in BOOLEAN else data.astype(numpy.float64)
    options = {}
    if name == "minkowski":
        options["p"] = p
        if w is not None:
            options["w"] = w
    if name == "seuclidean":
        options["V"] = rows.var(axis=0, ddof=1)
    if name == "mahalanobis":
        options["VI"] = numpy.linalg.inv(numpy.cov(rows.T))
    try:
        return cdist(rows[:QUERIES], rows, {"manhattan": "cityblock", "l1": "cityblock", "l2": "euclidean"}.get(name, name), **options), "scipy"
    except ValueError as error:
        if "Unknown Distance Metric" not in str(error):
            raise
    weights = numpy.ones(data.shape[1]) if w is None else w
    table = [[by_formula(name, u, v, p, weights) for v in rows] for u in rows[:QUERIES]]
    return numpy.array(table), "formula"


def main():
    random = numpy.random.default_rng(20)
    signed = (random.normal(size=(40, 4)) * [1, 10, 0.1, 3] + [0, 5, 0.5, -2]).astype(numpy.float32)
    counts = random.poisson(0.8, size=(40, 9)).astype(numpy.float32)
    counts[:, 0] += 1  # no row without ones: what SciPy divides 0 by 0 for has tests of its own
    long = random.integers(0, 256, size=(40, 600)).astype(numpy.float32)
    ones = (random.random((40, 70)) < 0.4).astype(numpy.float32)
    near = (1000 + random.normal(size=(40, 3)) * 0.01).astype(numpy.float32)
    data = {"signed": signed, "counts": counts, "long": long, "ones": ones, "near": near}
    names = (
        "cosine euclidean l2 l1 manhattan cityblock braycurtis canberra chebyshev correlation dice hamming jaccard "
        "kulsinski mahalanobis matching minkowski rogerstanimoto russellrao seuclidean sokalmichener sokalsneath "
        "sqeuclidean yule wminkowski"
    ).split()
    number = lambda value: repr(float(value))
    lines = [f"# Distances by SciPy {scipy.__version__} (NumPy {numpy.__version__}), written by scipy_distances.py."]
    for label, rows in data.items():
        values = " ".join(number(value) for value in rows.ravel())
        lines.append(f"data {label} {rows.shape[1]} {values}")
    for label, rows in data.items():
        for name in names:
            if name == "mahalanobis" and label not in ("signed", "near"):
                continue  # more than a tenth as many columns as rows: reduced first, which SciPy does not do
            if name in BOOLEAN and label not in ("counts", "ones"):
                continue
            variants = [(2.0, None)]
            if name in ("minkowski", "wminkowski"):
                weights = random.random(rows.shape[1]).round(3)
                variants = [(2.0, None), (1.0, None), (1.5, None), (3.0, None), (7.0, None), (2.0, weights), (1.5, weights)]
                if name == "minkowski":
                    variants += [(0.7, None), (numpy.inf, None)]
            for p, w in variants:
                table, source = distances(name, rows, p, w)
                given = "-" if w is None else ",".join(number(value) for value in w)
                numbers = " ".join(f"{value:.9g}" for value in table.ravel())
                lines.append(f"{name} {label} {source} {p} {given} {numbers}")
    target = pathlib.Path(__file__).with_name("scipy_distances.txt")
    target.write_text("\n".join(lines) + "\n")


main()
