#!/usr/bin/env python3
"""Writes the files that NPYTests reads, by NumPy itself, beside this script: python3 make.py

Every matrix is the same 3 x 2 one, so that the test knows what to find; each in another type, order or version.
`expected.txt` names the version of NumPy.
"""
import os

import numpy as np
from numpy.lib import format as npy

here = os.path.dirname(os.path.abspath(__file__))
floats = np.array([[0.5, -1.25], [3.0, 60000.0], [6.103515625e-05, 5.9604644775390625e-08]])
signed = np.array([[0, 1], [-2, 100], [-128, 127]])
unsigned = np.array([[0, 1], [2, 100], [128, 255]])


def save(name, array, version=None):
    with open(os.path.join(here, name + ".npy"), "wb") as file:
        npy.write_array(file, array, version=version, allow_pickle=True)


for order, mark in [("C", "c"), ("F", "fortran")]:
    for end in "<>":
        side = "little" if end == "<" else "big"
        for kind in ["f2", "f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8"]:
            source = {"f": floats, "i": signed, "u": unsigned}[kind[0]]
            save(f"{kind}-{side}-{mark}", np.array(source, dtype=end + kind, order=order))
    save(f"i1-{mark}", np.array(signed, dtype="i1", order=order))
    save(f"u1-{mark}", np.array(unsigned, dtype="u1", order=order))
    save(f"b1-{mark}", np.array(signed > 0, dtype="?", order=order))

for version in [(1, 0), (2, 0), (3, 0)]:
    save(f"version-{version[0]}", np.array(floats, dtype="<f4"), version)

save("bad-number", np.array(1.0, dtype="<f4"))
save("bad-vector", np.zeros(5, dtype="<f4"))
save("bad-cube", np.zeros((2, 3, 4), dtype="<f4"))
save("bad-no-rows", np.zeros((0, 3), dtype="<f4"))
save("bad-no-columns", np.zeros((3, 0), dtype="<f4"))
save("bad-complex", np.zeros((2, 2), dtype="<c8"))
save("bad-text", np.array([["a", "b"]]))
save("bad-dates", np.array([["2020-01-01"]], dtype="<M8[D]"))
save("bad-records", np.zeros(2, dtype=[("x", "<f4"), ("y", "<f4")]))
save("bad-objects", np.array([[1, "a"]], dtype=object))
save("bad-long-double", np.zeros((2, 2), dtype=np.longdouble))
save("bad-nan", np.array([[1, 2], [3, np.nan], [np.inf, 1]], dtype="<f4"))
save("bad-infinity", np.asfortranarray(np.array([[1, 2], [3, 4], [-np.inf, np.nan]], dtype="<f2")))
save("bad-too-large", np.array([[1, 2], [1e300, 4]], dtype=">f8"))

with open(os.path.join(here, "expected.txt"), "w") as file:
    file.write(f"numpy {np.__version__}\n")
