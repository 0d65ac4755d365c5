"""The size of the training set at which networks begin to generalise.

Configuration, analysis and figures share these.
"""

THRESHOLD = 0.15  # overlap of a critical training set [Westerhout 2020, Fig. 4]
FOUND, ABOVE, BELOW = "found", "above the grid", "below the grid"  # where a critical size is, on the sizes of a scan
