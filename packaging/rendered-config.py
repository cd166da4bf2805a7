"""Prints the taskbroker.yaml of the first ConfigMap in the output of helm template."""

import sys

lines = open(sys.argv[1]).read().split("\n")
start = lines.index("  taskbroker.yaml: |") + 1
for line in lines[start:]:
    if line and not line.startswith("    "):
        break
    print(line[4:])
